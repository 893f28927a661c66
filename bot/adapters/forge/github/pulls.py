"""Pull requests on GitHub, which alone knows the truth: branch, pull request, marker; nothing is remembered here."""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Literal

from bot.adapters.forge.github.branches import Branches, Commits, Moved, is_ours
from bot.adapters.forge.github.calls import GitHub, Standing
from bot.adapters.forge.github.comments import Comments
from bot.adapters.forge.github.commits import ApiCommits
from bot.adapters.forge.github.finishing import Finishing
from bot.adapters.forge.github.pushing import GitCommits
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.sender import Unanswered
from bot.adapters.forge.github.wire import Pull, PullDocument
from bot.core.errors import ForgeError
from bot.ports.forge import Finish, Proposal, PullRequest, PullRequestState

CommitWith = Literal["api", "git"]
"""How commits are made: by GitHub's API, or pushed by git."""
_NAME: Final = re.compile(r"(?!\.)[A-Za-z0-9_.-]+/(?!\.{1,2}\Z)[A-Za-z0-9_.-]+\Z")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_TRIES: Final = 5
_CLOSED_BY_US: Final = "<!-- refrom:closed -->"
_STATES: Final = {state.name: state for state in PullRequestState}
_CONFLICTING: Final = "CONFLICTING"
_FAILED: Final = ("FAILURE", "ERROR")
"""Of GraphQL's StatusState; the others are EXPECTED, PENDING and SUCCESS."""


class GitHubPullRequests:
    """The pull requests of one GitHub; implements `PullRequests`."""

    def __init__(self, github: GitHub, commit_with: CommitWith = "api") -> None:
        self._github, self._branches, self._comments = github, Branches(github), Comments(github)
        commits: Commits = ApiCommits(github, self._branches)
        self._commits = GitCommits(github, self._branches) if commit_with == "git" else commits

    def pull_requests(self, repository: str, branch: str) -> Sequence[PullRequest]:
        """List all pull requests from one branch, newest first; those from forks are none of ours."""
        standing = self._github.look(known(repository), branch)
        return [_pull_request(pull, standing) for pull in standing.pulls]

    def create(
        self, *, repository: str, branch: str, base: str, proposal: Proposal, draft: bool = False
    ) -> PullRequest:
        """Open a pull request with one commit; the one that is open from this branch is returned as it is.

        A branch that an earlier try left is taken over; refused if it holds commits of a person.
        What was refused because something was faster, or brought no answer, is looked at again.
        """
        full(known(repository), proposal.commit)
        head, fault = "", None
        for _ in range(_TRIES):
            standing = self._github.look(repository, branch, base)
            opened = next((pull for pull in standing.pulls if pull.state == "OPEN"), None)
            if opened:
                return _pull_request(opened, standing)
            try:
                self._branches.require_free(standing, base)
                if standing.tip is None or standing.tip.oid != head:
                    head = self._commits.put(standing, proposal)
                made = self._github.open_pull_request(
                    repository, head=branch, base=base, title=proposal.title, body=proposal.body, draft=draft
                )
            except ForgeError as refused:
                if not _is_worth_a_look(refused):
                    raise
                fault = refused
            else:
                return _as_opened(repository, branch, made)
        raise ForgeError(f"{repository}: {branch} keeps changing ({fault}); run again later", retryable=True)

    def refresh(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Replace our commit, title and body; refused if the branch no longer is where `pull_request` saw it."""
        repository, number = full(known(pull_request.repository), proposal.commit), pull_request.number
        standing = self._github.look(repository, pull_request.branch)
        _require_open(pull_request, standing, at=pull_request.head)
        head = self._commits.put(standing, proposal)
        self._github.update_pull_request(repository, number, title=proposal.title, body=proposal.body)
        return replace(
            pull_request,
            head=head,
            title=proposal.title,
            body=proposal.body,
            closed_by_us=False,
            by_us=True,
            conflicts=False,
        )

    def finish(self, pull_request: PullRequest, finish: Finish, body: str) -> Sequence[str]:
        """Add labels, ask reviewers, let GitHub merge it once all that is required has passed; then set the body.

        One whose body says so already is finished: a label that a person took off stays off.
        """
        standing = self._github.look(pull_request.repository, pull_request.branch)
        pull = _require_open(pull_request, standing)
        if pull.body == body:
            return ()
        undone = tuple(Finishing(github=self._github, pull_request=pull_request, pull=pull).undone(finish))
        self._github.update_pull_request(pull_request.repository, pull_request.number, body=body)
        return undone

    def comment_once(self, pull_request: PullRequest, *, mark: str, text: str) -> bool:
        """Comment, unless a comment of ours with this mark is there; says whether it did."""
        return self._comments.once(pull_request.repository, pull_request.number, mark=mark, text=text)

    def close(self, pull_request: PullRequest, *, comment: str) -> None:
        """Close it with a reason, which is said first, and delete its branch; one that we closed already stays closed.

        GitHub closes a pull request whose branch goes, in one step, so that a crash leaves no branch behind.
        Refused if the branch no longer is where `pull_request` saw it.
        """
        repository, number = pull_request.repository, pull_request.number
        standing = self._github.look(repository, pull_request.branch)
        if any(p.number == number and p.state == "CLOSED" and _closed_by_us(p) for p in standing.pulls):
            self._delete_left_over(pull_request, standing)
            return
        _require_open(pull_request, standing, at=pull_request.head)
        mark = f"<!-- refrom:closing {hashlib.sha256(comment.encode()).hexdigest()[:12]} -->"
        self._comments.once(repository, number, mark=mark, text=comment)
        if _CLOSED_BY_US not in pull_request.body:
            self._github.update_pull_request(repository, number, body=f"{pull_request.body}\n{_CLOSED_BY_US}\n")
        with suppress(Moved):  # what a person pushed meanwhile stays
            self._branches.delete(standing)
        self._github.update_pull_request(repository, number, state="closed")

    def _delete_left_over(self, pull_request: PullRequest, standing: Standing) -> None:
        """Delete the branch that an earlier close left, unless it is in use again."""
        in_use = any(pull.state == "OPEN" for pull in standing.pulls)
        if standing.tip and standing.tip.oid == pull_request.head and not in_use:
            with suppress(Moved):
                self._branches.delete(standing)


def known(repository: str) -> str:
    """Return a name that may stand in a URL; raises `ForgeError` for what names no repository."""
    if not _NAME.match(repository):
        raise ForgeError(f"{repository[:200]!r} is no repository on GitHub; name one as owner/name")
    return repository


def full(repository: str, commit: str) -> str:
    """Return the repository for a full commit id; raises `ForgeError` for anything else."""
    if not _COMMIT.match(commit):
        raise ForgeError(f"{repository}: {commit[:80]!r} is no full commit id; list the repositories again")
    return repository


def _is_worth_a_look(fault: ForgeError) -> bool:
    """Whether somebody was faster, a branch went, or nobody knows whether it happened.

    That there is one already GitHub says in its message alone.
    """
    if not isinstance(fault, Refusal):
        return isinstance(fault, Unanswered | Moved)
    return fault.status == 422 and (
        "already exists" in fault.said.message or bool(fault.said.invalid & {"head", "base"})
    )


def _require_open(pull_request: PullRequest, standing: Standing, at: str = "") -> Pull:
    """Return the pull request as it is now; refuse one that ended, or whose branch is not at a commit."""
    is_there = not at or (standing.tip is not None and standing.tip.oid == at)
    for pull in standing.pulls:
        if is_there and pull.number == pull_request.number and pull.state == "OPEN":
            return pull
    where = f"{pull_request.repository}: pull request {pull_request.number}"
    raise ForgeError(f"{where} changed since it was read; list the pull requests again")


def _pull_request(pull: Pull, standing: Standing) -> PullRequest:
    """Describe a pull request; while it is open the branch itself says where it is, for the other lags behind."""
    last = pull.commits.nodes[-1].commit if pull.commits.nodes else None
    if pull.state == "OPEN" and standing.tip:
        last = standing.tip
    return PullRequest(
        repository=standing.repository,
        number=pull.number,
        branch=standing.branch,
        head=last.oid if last else pull.head_ref_oid,
        base=pull.base_ref_name,
        state=_STATES[pull.state],
        title=pull.title,
        body=pull.body,
        url=pull.url,
        closed_by_us=_closed_by_us(pull),
        by_us=last is None or is_ours(last, standing),
        conflicts=pull.state == "OPEN" and pull.mergeable == _CONFLICTING,
        labels=tuple(label.name for label in pull.labels.nodes) if pull.labels else (),
        merged=pull.merged_at,
        fails_checks=_fails_checks(pull),
    )


def _fails_checks(pull: Pull) -> bool:
    """Whether checks of the last commit that GitHub shows failed; what is still to come may pass."""
    last = pull.commits.nodes[-1].commit if pull.commits.nodes else None
    rollup = last.status_check_rollup if last else None
    return pull.state == "OPEN" and rollup is not None and rollup.state in _FAILED


def _as_opened(repository: str, branch: str, made: PullDocument) -> PullRequest:
    return PullRequest(
        repository=repository,
        number=made.number,
        branch=branch,
        head=made.head.sha,
        base=made.base.ref,
        state=PullRequestState.OPEN,
        title=made.title,
        body=made.body or "",
        url=made.html_url,
    )


def _closed_by_us(pull: Pull) -> bool:
    """Whether its body says so in a line of its own: within a line it may be the name of a file."""
    return _CLOSED_BY_US in map(str.strip, pull.body.splitlines())

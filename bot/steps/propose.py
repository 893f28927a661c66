"""Propose: bring the pull request of one source repository and group one step nearer to what the plan wants."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.core import reconcile as rule
from bot.core.admission import Deferral
from bot.core.carriers import repoint_file
from bot.core.decision import Action, Update
from bot.core.dockerfile import Repoint
from bot.core.errors import ForgeError
from bot.core.marker import finished, is_unfinished
from bot.core.outcome import Outcome, Result
from bot.core.proposals import Group, PullRequestPolicy
from bot.core.pull_request import Text, write
from bot.core.reconcile import Circumstances, Seen, Standing, reconcile
from bot.ports.forge import Finish, Forge, Proposal, PullRequest, PullRequests, PullRequestState
from bot.steps.survey import Survey

STEP: Final = "propose"

Gate = Callable[[Result], Deferral | None]
"""Why nothing may be opened or refreshed now, if so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What was done, the pull request that is still to be finished, and all that were seen, the newest first."""

    outcome: Outcome | None = None
    unfinished: PullRequest | None = None
    seen: tuple[PullRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposer:
    """Proposes for one group of one source repository: what was found there, and how pull requests are to be."""

    survey: Survey
    group: Group
    policy: PullRequestPolicy
    forge: Forge
    pull_requests: PullRequests

    def propose(self, now: Circumstances, gate: Gate) -> Proposed:
        """Look at what is there, and change at most one thing.

        Raises `ForgeError`, or `DockerfileError` if an edit would change more than the references meant.
        """
        found = self.forge.pull_requests(self.survey.repository.name, self.group.branch)
        return replace(self._reconcile(found, now, gate), seen=tuple(found))

    def _reconcile(self, found: Sequence[PullRequest], now: Circumstances, gate: Gate) -> Proposed:
        known = sorted(found, key=lambda pull: pull.base != now.default_branch)  # into others they are a person's
        current = next((pull for pull in known if pull.state is PullRequestState.OPEN), None)
        match reconcile(self.group, [_seen(pull) for pull in known], now), current:
            case None, _:
                return Proposed()
            case rule.Create(updates), _:
                return self._create(updates, gate)
            case rule.Refresh(updates, why), PullRequest():
                return self._refresh(current, updates, why, gate)
            case rule.Finish(), PullRequest():
                return Proposed(outcome=self.finish(current))
            case rule.CommentOnce() as comment, PullRequest():
                return Proposed(outcome=self._comment(current, comment))
            case rule.Close(reason), PullRequest():
                self.pull_requests.close(current, comment=f"Closed: {reason}.")
                return Proposed(outcome=self._outcome(Result.CLOSED, f"closed {current.url}: {reason}", current))
            case rule.Leave(why), _:
                what = f"{current.url} {why}" if current else why
                return Proposed(outcome=self._outcome(Result.UNCHANGED, what, current))
            case step, _:
                raise ForgeError(f"{self.group.branch}: nothing is open, so there is nothing to {type(step).__name__}")

    def finish(self, pull_request: PullRequest) -> Outcome:
        """Add what is added once; what the forge did not do is told, so that a person looks."""
        policy = self.policy
        adds = Finish(labels=policy.labels, reviewers=policy.reviewers, auto_merge=policy.auto_merge)
        undone = self.pull_requests.finish(pull_request, adds, finished(pull_request.body))
        parts = (", ".join(policy.labels), ", ".join(policy.reviewers), policy.auto_merge)
        told = [f"{what} {part}" for what, part in zip(_ADDED, parts, strict=True) if part]
        what = f"finished {pull_request.url}: {'; '.join(told) or 'nothing to add'}"
        if undone:
            return self._outcome(Result.REFUSED, f"{what}; not done: {'; '.join(undone)}", pull_request)
        return self._outcome(Result.FINISHED, what, pull_request)

    def defer(self, deferral: Deferral) -> Outcome:
        """Say why nothing is done now, and when it may be."""
        until = f"; not before {deferral.until:%Y-%m-%d %H:%M} UTC" if deferral.until else ""
        return self._outcome(Result.WAITING, f"{self.group.name} waits: {deferral.reason}{until}")

    def say(self, why: str) -> Outcome:
        """Say why nothing can be done here at all."""
        return self._outcome(Result.UNCHANGED, why)

    def _create(self, updates: Sequence[Update], gate: Gate) -> Proposed:
        if deferral := gate(Result.OPENED):
            return Proposed(outcome=self.defer(deferral))
        text = self._write(updates, unfinished=self.policy.finishes)
        opened = self.pull_requests.create(
            repository=self.survey.repository.name,
            branch=self.group.branch,
            base=self.survey.repository.default_branch,
            proposal=self._proposal(updates, text),
            draft=self.policy.draft,
        )
        return self._proposed(Result.OPENED, opened, f"opened {opened.url}: {text.title}")

    def _refresh(self, current: PullRequest, updates: Sequence[Update], why: str, gate: Gate) -> Proposed:
        if deferral := gate(Result.REFRESHED):
            return Proposed(outcome=self.defer(deferral))
        text = self._write(updates, unfinished=is_unfinished(current.body))
        refreshed = self.pull_requests.refresh(current, self._proposal(updates, text))
        return self._proposed(Result.REFRESHED, refreshed, f"refreshed {refreshed.url}: {text.title} ({why})")

    def _comment(self, current: PullRequest, comment: rule.CommentOnce) -> Outcome:
        said = self.pull_requests.comment_once(current, mark=comment.mark, text=comment.text)
        what = f"{current.url} {comment.why}"
        return self._outcome(Result.COMMENTED if said else Result.UNCHANGED, what, current)

    def _write(self, updates: Sequence[Update], *, unfinished: bool) -> Text:
        return write(updates, self.policy.wording, group=self.group.name, unfinished=unfinished)

    def _proposal(self, updates: Sequence[Update], text: Text) -> Proposal:
        return Proposal(
            commit=self.survey.repository.commit,
            files=edit(self.survey, updates),
            title=text.title,
            message=text.message,
            body=text.body,
        )

    def _proposed(self, result: Result, pull_request: PullRequest, message: str) -> Proposed:
        unfinished = pull_request if is_unfinished(pull_request.body) else None
        return Proposed(outcome=self._outcome(result, message, pull_request), unfinished=unfinished)

    def _outcome(self, result: Result, message: str, pull_request: PullRequest | None = None) -> Outcome:
        details = {"branch": self.group.branch, **({"pull_request": pull_request.url} if pull_request else {})}
        name = self.survey.repository.name
        return Outcome(step=STEP, subject=name, result=result, message=message, details=details)


_ADDED: Final = ("labels", "reviewers", "merged by the forge with")


def edit(survey: Survey, updates: Sequence[Update]) -> Mapping[str, bytes]:
    """Return the new contents of the files that the updates touch; every other byte stays."""
    by_path: dict[str, list[Repoint]] = defaultdict(list)
    for update in updates:
        if update.action is Action.REBUILD:
            raise ForgeError(f"{update.use.located.path}: a rebuild edits nothing")
        digest = update.new if update.writes_digest else None
        by_path[update.use.located.path].append(Repoint(use=update.use.located.use, tag=update.tag, digest=digest))
    return {
        path: repoint_file(path, survey.files[path], changes, mirrors=survey.mirrors)
        for path, changes in by_path.items()
    }


def _seen(pull: PullRequest) -> Seen:
    """Take from a pull request what the rule asks."""
    refused = pull.state is PullRequestState.CLOSED and not pull.closed_by_us
    standing = Standing.OPEN if pull.state is PullRequestState.OPEN else Standing.ENDED
    return Seen(
        standing=Standing.REFUSED if refused else standing,
        base=pull.base,
        body=pull.body,
        by_us=pull.by_us,
        conflicts=pull.conflicts,
        labels=pull.labels,
        reopened=pull.state is PullRequestState.OPEN and pull.closed_by_us,
        merged=pull.merged,
    )

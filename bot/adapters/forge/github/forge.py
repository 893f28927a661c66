"""A forge on GitHub. The truth is there alone: the branch, the pull request, its marker; nothing is remembered here."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bot.adapters.forge.export import export
from bot.adapters.forge.github.branches import EXECUTABLE, Branches, Moved, is_ours
from bot.adapters.forge.github.calls import Files, GitHub, Modes, Standing
from bot.adapters.forge.github.fetching import fetched
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.sender import Unanswered
from bot.adapters.forge.github.tokens import NotInstalled
from bot.adapters.forge.github.wire import Pull, PullDocument, Repository
from bot.adapters.forge.github.workflows import WorkflowJobs
from bot.core.errors import ForgeError
from bot.ports.forge import PullRequest, PullRequestState, SourceRepository, TreeEntry

_NAME: Final = re.compile(r"(?!\.)[A-Za-z0-9_.-]+/(?!\.{1,2}\Z)[A-Za-z0-9_.-]+\Z")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_GLOB: Final = frozenset("*?[")
_TRIES: Final = 5
_REGULAR: Final = ("100644", EXECUTABLE)
_CLOSED_BY_US: Final = "<!-- refrom:closed -->"
_STATES: Final = {state.name: state for state in PullRequestState}


class GitHubForge:
    """Source repositories on one GitHub; implements `Forge` and `PullRequests`.

    `include` are names such as `acme/orders`, and patterns such as `acme/*` whose owner is literal.
    """

    def __init__(self, github: GitHub, include: Sequence[str]) -> None:
        self._github, self._branches, self._include = github, Branches(github), tuple(include)
        self._tree = lru_cache(maxsize=64)(self._fetch_tree)

    def jobs(self, workflow: str) -> WorkflowJobs:
        """Builds by a workflow of the source repositories."""
        return WorkflowJobs(self._github, workflow)

    # Forge

    def repositories(self) -> Sequence[SourceRepository]:
        """List the repositories in the order of their names; what is wrong with one is its `fault`.

        Archived and disabled ones are listed only if they are named. An owner where the App is not installed is one
        entry, named like the pattern.
        """
        by_owner: dict[str, list[str]] = defaultdict(list)
        for pattern in self._include:
            by_owner[pattern.partition("/")[0]].append(pattern)
        found: dict[str, SourceRepository] = {}
        for owner, patterns in by_owner.items():
            try:
                found |= {repository.name: repository for repository in self._of_owner(owner, patterns)}
            except NotInstalled as fault:
                found |= {pattern: SourceRepository(name=pattern, fault=str(fault)) for pattern in patterns}
        return [found[name] for name in sorted(found)]

    def tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        """List all files and links of a commit, in path order."""
        return self._tree(_known(repository), _full(repository, commit))

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Read files of a commit, each compared with its object id; a path that is not there is left out."""
        wanted = set(paths)
        return {e.path: self._read(repository, e) for e in self.tree(repository, commit) if e.path in wanted}

    def pull_requests(self, repository: str, branch: str) -> Sequence[PullRequest]:
        """List all pull requests from one branch, newest first; those from forks are none of ours."""
        standing = self._github.look(_known(repository), branch)
        return [_pull_request(pull, standing) for pull in standing.pulls]

    @contextmanager
    def checkout(self, repository: str, commit: str) -> Iterator[Path]:
        """Give the files of a commit in a temporary folder, without links that leave it and without submodules.

        One commit is fetched by git, because an archive would leave out what `export-ignore` says.
        """
        url = self._github.site.clone_url(_known(repository))
        with (
            fetched(repository, url, _full(repository, commit), self._github.token(repository)) as bare,
            TemporaryDirectory(prefix="refrom-") as name,
            bare.objects() as objects,
        ):
            folder = Path(name).resolve()
            export(repository, bare.files(commit), objects, folder)
            yield folder

    # PullRequests

    def create(
        self, *, repository: str, branch: str, base: str, commit: str, files: Files, title: str, body: str
    ) -> PullRequest:
        """Open a pull request with one commit; the one that is open from this branch is returned as it is.

        A branch that an earlier try left is taken over; refused if it holds commits of a person.
        What was refused because another bot was faster, or brought no answer, is looked at again.
        """
        modes = self._modes(repository, commit, files)
        head, fault = "", None
        for _ in range(_TRIES):
            standing = self._github.look(repository, branch, base)
            opened = next((pull for pull in standing.pulls if pull.state == "OPEN"), None)
            if opened:
                return _pull_request(opened, standing)
            try:
                self._branches.require_free(standing, base)
                if standing.tip is None or standing.tip.oid != head:
                    head = self._branches.put(standing, commit, files, modes, title)
                made = self._github.open_pull_request(repository, head=branch, base=base, title=title, body=body)
            except ForgeError as refused:
                if not _is_worth_a_look(refused):
                    raise
                fault = refused
            else:
                return _as_opened(repository, branch, made)
        raise ForgeError(f"{repository}: {branch} keeps changing ({fault}); run again later", retryable=True)

    def refresh(self, pull_request: PullRequest, *, commit: str, files: Files, title: str, body: str) -> PullRequest:
        """Replace our commit, title and body; refused if the branch no longer is where `pull_request` saw it."""
        repository, branch, number = pull_request.repository, pull_request.branch, pull_request.number
        modes = self._modes(repository, commit, files)
        standing = self._github.look(repository, branch)
        _require_unchanged(pull_request, standing)
        head = self._branches.put(standing, commit, files, modes, title)
        self._github.update_pull_request(repository, number, title=title, body=body)
        return replace(pull_request, head=head, title=title, body=body, by_us=True)

    def close(self, pull_request: PullRequest, *, comment: str) -> None:
        """Close it with a reason and delete its branch; one that we closed already stays closed.

        Refused if the branch no longer is where `pull_request` saw it.
        """
        repository, branch, number = pull_request.repository, pull_request.branch, pull_request.number
        standing = self._github.look(repository, branch)
        if any(p.number == number and _closed_by_us(p) for p in standing.pulls):
            return
        _require_unchanged(pull_request, standing)
        body = f"{pull_request.body}\n{_CLOSED_BY_US}\n"
        self._github.update_pull_request(repository, number, state="closed", body=body)
        self._github.comment(repository, number, comment)
        with suppress(Moved):  # what a person pushed meanwhile stays
            self._branches.delete(standing)

    def _modes(self, repository: str, commit: str, files: Files) -> Modes:
        """The modes of the files that are to be edited; refused if one of them is no regular file."""
        modes = {entry.path: entry.mode for entry in self.tree(repository, commit) if entry.path in files}
        for path in files:
            if modes.get(path) not in _REGULAR:
                raise ForgeError(f"{repository}: {path!r} is no regular file of {commit}; survey the repository again")
        return modes

    def _of_owner(self, owner: str, patterns: Sequence[str]) -> Iterator[SourceRepository]:
        named = [pattern for pattern in patterns if not _GLOB & set(pattern)]
        if len(named) < len(patterns):
            for listed in self._github.owned(owner):
                name = listed.name_with_owner.casefold()  # the case of names does not matter to GitHub
                matches = any(fnmatchcase(name, pattern.casefold()) for pattern in patterns)
                if matches and not listed.is_archived and not listed.is_disabled:
                    yield _describe(listed.name_with_owner, listed)
        for name, found in self._github.named(named):
            yield (
                SourceRepository(name=name, fault=str(found)) if isinstance(found, Refusal) else _describe(name, found)
            )

    def _fetch_tree(self, repository: str, commit: str) -> tuple[TreeEntry, ...]:
        entries = [entry for entry in self._github.tree(repository, commit) if entry.type == "blob"]
        return tuple(
            TreeEntry(path=entry.path, mode=entry.mode, id=entry.sha, size=entry.size)
            for entry in sorted(entries, key=lambda entry: entry.path)
        )

    def _read(self, repository: str, entry: TreeEntry) -> bytes:
        """Read a file and compare it with its object id (git hashes `blob`, the size and the content)."""
        content = self._github.blob(repository, entry.id)
        made = hashlib.new("sha1" if len(entry.id) == 40 else "sha256", usedforsecurity=False)
        made.update(b"blob %d\0" % len(content) + content)
        if made.hexdigest() != entry.id:
            raise ForgeError(f"{repository}: {entry.path!r} came with other bytes than its id says; run again later")
        return content


def _is_worth_a_look(fault: ForgeError) -> bool:
    """Whether another bot was faster, or nobody knows whether it happened; the message is all that GitHub gives."""
    twice = isinstance(fault, Refusal) and fault.status == 422 and "already exists" in fault.said.message
    return twice or isinstance(fault, Unanswered | Moved)


def _require_unchanged(pull_request: PullRequest, standing: Standing) -> None:
    """Refuse a pull request that ended, or whose branch moved."""
    found = next((pull for pull in standing.pulls if pull.number == pull_request.number), None)
    if found is None or found.state != "OPEN" or not standing.tip or standing.tip.oid != pull_request.head:
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
    )


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
    return pull.state == "CLOSED" and _CLOSED_BY_US in pull.body


def _describe(name: str, found: Repository) -> SourceRepository:
    now, branch = found.name_with_owner, found.default_branch_ref
    if now.casefold() != name.casefold():
        return SourceRepository(name=name, fault=f"it is {now} now; write that under include")
    if found.is_archived or found.is_disabled:
        return SourceRepository(name=now, fault="it is archived or disabled; take it from include")
    if branch is None or branch.target is None:
        return SourceRepository(name=now, fault="it is empty; push a first commit")
    return SourceRepository(name=now, default_branch=branch.name, commit=branch.target.oid)


def _known(repository: str) -> str:
    """Return a name that may stand in a URL; raises `ForgeError` for what names no repository."""
    if not _NAME.match(repository):
        raise ForgeError(f"{repository[:200]!r} is no repository on GitHub; name one as owner/name")
    return repository


def _full(repository: str, commit: str) -> str:
    if not _COMMIT.match(commit):
        raise ForgeError(f"{repository}: {commit[:80]!r} is no full commit id; list the repositories again")
    return commit

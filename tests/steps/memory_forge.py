"""A forge in memory, with what people do at it: for steps that need many repositories, pauses, and counted requests.

The real small forge of the other tests keeps the same promises (`tests/adapters/forge/contract.py`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha1
from pathlib import Path
from typing import Any

from bot.core.errors import ForgeError, Paused
from bot.ports.clock import Clock
from bot.ports.forge import (
    Finish,
    OwnBranch,
    Proposal,
    PullRequest,
    PullRequestState,
    SourceRepository,
    Sources,
)

OPEN = PullRequestState.OPEN
PREFIX = "refrom/"


@dataclass(slots=True)
class Kept:
    """One pull request, and what the forge keeps beside it."""

    pull: PullRequest
    opened: datetime
    files: Mapping[str, bytes]
    message: str
    draft: bool = False
    asked: Finish = field(default_factory=Finish)
    comments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class MemoryForge:
    """Implements `Forge` and `PullRequests`; `asked` are the requests, `made` the changes, in their order.

    `failing` are errors by repository, raised wherever it is asked for more than the listing.
    `changed` is when somebody else last changed a repository, by name.
    """

    clock: Clock
    repositories_: dict[str, dict[str, bytes]] = field(default_factory=dict)
    pulls: list[Kept] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)
    listing: Exception | None = None
    read_only: dict[str, str] = field(default_factory=dict)
    undone: tuple[str, ...] = ()

    # What people do.

    def push(self, name: str, text: str, path: str = "Dockerfile") -> None:
        """Put one file on the default branch."""
        self.repositories_.setdefault(name, {})[path] = text.encode()

    def of(self, name: str, branch: str | None = None) -> list[Kept]:
        """The pull requests of a repository, the newest first."""
        found = [kept for kept in self.pulls if kept.pull.repository == name and branch in (None, kept.pull.branch)]
        return found[::-1]

    def change(self, name: str, **parts: Any) -> None:
        """Change the newest pull request of a repository."""
        kept = self.of(name)[0]
        kept.pull = replace(kept.pull, **parts)

    def push_by_person(self, name: str) -> None:
        self.change(name, by_us=False, head="person")

    def close_by_person(self, name: str, *labels: str) -> None:
        self.change(name, state=PullRequestState.CLOSED, labels=labels)

    def merge(self, name: str) -> None:
        kept = self.of(name)[0]
        self.repositories_[name] |= kept.files
        self.change(name, state=PullRequestState.MERGED, merged=self.clock.now())

    def states(self, name: str) -> list[str]:
        """Where the pull requests of a repository stand, the oldest first."""
        return [str(kept.pull.state) for kept in reversed(self.of(name))]

    # What refrom asks.

    def repositories(self) -> Sequence[SourceRepository]:
        self.asked.append("repositories")
        if self.listing:
            raise self.listing
        return [
            SourceRepository(
                name=name,
                default_branch="main",
                commit=self._commit(name),
                read_only=self.read_only.get(name, ""),
                branches=tuple(self._branches(name)),
            )
            for name in sorted(self.repositories_)
        ]

    def sources(
        self, repositories: Sequence[SourceRepository], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        for repository in repositories:
            self._ask(f"sources {repository.name}", repository.name)
            files = {path: text for path, text in self.repositories_[repository.name].items() if wanted(path)}
            yield repository, Sources(files=files, unread={}, changed=self.changed.get(repository.name))

    def pull_requests(self, repository: str, branch: str) -> Sequence[PullRequest]:
        self._ask(f"pull_requests {repository}", repository)
        return [kept.pull for kept in self.of(repository, branch)]

    def checkout(self, repository: str, commit: str) -> AbstractContextManager[Path]:
        raise ForgeError(f"{repository} at {commit[:12]} has no working tree in memory; use a forge of kind local")

    def create(
        self, *, repository: str, branch: str, base: str, proposal: Proposal, draft: bool = False
    ) -> PullRequest:
        self._make(f"create {repository} {branch}", repository)
        assert not any(kept.pull.state is OPEN for kept in self.of(repository, branch)), "a second pull request"
        number = len(self.pulls) + 1
        pull = PullRequest(
            repository=repository,
            number=number,
            branch=branch,
            head=_head(proposal),
            base=base,
            state=OPEN,
            title=proposal.title,
            body=proposal.body,
            url=f"memory:{repository}#{number}",
        )
        self.pulls.append(Kept(pull, self.clock.now(), proposal.files, proposal.message, draft))
        return pull

    def refresh(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        kept = self._guarded("refresh", pull_request)
        kept.files, kept.message = proposal.files, proposal.message
        kept.pull = replace(kept.pull, head=_head(proposal), title=proposal.title, body=proposal.body)
        kept.pull = replace(kept.pull, conflicts=False, closed_by_us=False)
        return kept.pull

    def finish(self, pull_request: PullRequest, finish: Finish, body: str) -> Sequence[str]:
        kept = self._guarded("finish", pull_request)
        kept.asked = finish
        kept.pull = replace(kept.pull, body=body, labels=(*kept.pull.labels, *finish.labels))
        return self.undone

    def comment_once(self, pull_request: PullRequest, *, mark: str, text: str) -> bool:
        self._ask(f"comments {pull_request.repository}", pull_request.repository)
        kept = self._find(pull_request)
        if any(mark in comment for comment in kept.comments):
            return False
        self._make(f"comment {pull_request.repository}", pull_request.repository)
        kept.comments.append(f"{text}\n\n{mark}")
        return True

    def close(self, pull_request: PullRequest, *, comment: str) -> None:
        kept = self._guarded("close", pull_request)
        kept.comments.append(comment)
        kept.pull = replace(kept.pull, state=PullRequestState.CLOSED, closed_by_us=True)

    def _guarded(self, what: str, pull_request: PullRequest) -> Kept:
        """Find what is to be changed: refused where it is no longer as it was seen."""
        self._make(f"{what} {pull_request.repository} {pull_request.branch}", pull_request.repository)
        kept = self._find(pull_request)
        if (kept.pull.state, kept.pull.head) != (OPEN, pull_request.head):
            raise ForgeError(f"{pull_request.url} changed since it was read; list the pull requests again")
        return kept

    def _find(self, pull_request: PullRequest) -> Kept:
        return next(kept for kept in self.pulls if kept.pull.number == pull_request.number)

    def _branches(self, name: str) -> Iterator[OwnBranch]:
        branches = {kept.pull.branch for kept in self.of(name) if kept.pull.branch.startswith(PREFIX)}
        for branch in sorted(branches):
            opened = [kept.opened for kept in self.of(name, branch) if kept.pull.state is OPEN]
            yield OwnBranch(name=branch, opened=opened[0] if opened else None)

    def _commit(self, name: str) -> str:
        return sha1(repr(sorted(self.repositories_[name].items())).encode(), usedforsecurity=False).hexdigest()

    def _ask(self, what: str, repository: str) -> None:
        self.asked.append(what)
        fault = self.failing.get(repository)
        over = isinstance(fault, Paused) and self.clock.now() >= fault.until
        if fault and not over:
            raise fault

    def _make(self, what: str, repository: str) -> None:
        self._ask(what, repository)
        self.made.append(what)


def _head(proposal: Proposal) -> str:
    return sha1(repr(proposal).encode(), usedforsecurity=False).hexdigest()

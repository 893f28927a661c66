"""The forge: source repositories, commits, pull requests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from bot.core.errors import ForgeError

LARGEST_SOURCE: Final = 2**20
"""Bytes; a larger file is no hand-written one that names a base, so no forge reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBranch:
    """A branch of ours that a source repository has; `opened` is since when a pull request from it is open, if so."""

    name: str
    opened: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRepository:
    """One source repository as listed: its default branch, that branch's commit, and our branches.

    `fault` says why it cannot be surveyed (then `commit` is empty), such as having no default branch;
    `read_only` why nothing can be written to it, such as being archived.
    """

    name: str
    default_branch: str = ""
    commit: str = ""
    fault: str = ""
    read_only: str = ""
    branches: tuple[OwnBranch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What one commit holds of the files that were asked for: contents by path, and why some were not read.

    `changed` is when somebody other than refrom last changed what the commit holds; None where none of its last
    commits is such a change, or the forge does not tell.
    """

    files: Mapping[str, bytes]
    unread: Mapping[str, str]
    changed: datetime | None = None


class PullRequestState(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """One pull request of ours, from `branch` into the branch `base`.

    `head` is the commit of its branch; `by_us` is false once a person pushed to it.
    `conflicts` says that it cannot be merged as it is.
    `closed_by_us` stays true of one that a person opens again, until it is refreshed.
    `merged` is when it was merged, None also where a forge does not tell.
    `fails_checks` says that what is run for its head has failed, where the forge was told to ask.
    """

    repository: str
    number: int
    branch: str
    head: str
    base: str
    state: PullRequestState
    title: str
    body: str
    url: str
    closed_by_us: bool = False
    by_us: bool = True
    conflicts: bool = False
    labels: tuple[str, ...] = ()
    merged: datetime | None = None
    fails_checks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a pull request is to hold and to say: one commit on top of `commit`, with `message` (subject and body)."""

    commit: str
    files: Mapping[str, bytes]
    title: str
    message: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What is added once to a pull request after it was opened.

    A reviewer is a person's login or `ORG/TEAM`; `auto_merge` is `merge`, `squash` or `rebase`, empty for none.
    """

    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    auto_merge: str = ""


class Forge(Protocol):
    """Reads source repositories. All methods raise `ForgeError` with the repository and the cure."""

    def repositories(self) -> Sequence[SourceRepository]:
        """List the repositories that the settings name, in a stable order."""
        ...

    def sources(
        self, repositories: Sequence[SourceRepository], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        """Read the files whose paths are wanted of many commits, with as few requests as can be.

        What one cannot give is its error, and the others are given, in any order.
        """
        ...

    def pull_requests(self, repository: str, branch: str) -> Sequence[PullRequest]:
        """List all pull requests from one branch of ours, newest first, whatever their state."""
        ...

    def checkout(self, repository: str, commit: str) -> AbstractContextManager[Path]:
        """Give the files of a commit in a temporary folder, without symbolic links that leave it."""
        ...


class PullRequests(Protocol):
    """Writes pull requests; each call is safe to repeat after a failure at any moment."""

    def create(
        self, *, repository: str, branch: str, base: str, proposal: Proposal, draft: bool = False
    ) -> PullRequest:
        """Put one commit on top of the proposal's into `branch`, and open a pull request into `base`.

        A branch or pull request left behind by an earlier try is taken over, never doubled.
        """
        ...

    def refresh(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Replace our commit, title and body; refused if the branch no longer is where `pull_request` saw it."""
        ...

    def finish(self, pull_request: PullRequest, finish: Finish, body: str) -> Sequence[str]:
        """Add labels, ask reviewers, let the forge merge it once all that is required has passed; then set the body.

        Returns what the forge did not do, each with the reason.
        """
        ...

    def comment_once(self, pull_request: PullRequest, *, mark: str, text: str) -> bool:
        """Comment, unless a comment of ours with this mark (one line of HTML comment) is there; says whether it did."""
        ...

    def close(self, pull_request: PullRequest, *, comment: str) -> None:
        """Close it with a reason and delete its branch."""
        ...

"""The forge: source repositories, commits, pull requests."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRepository:
    """One source repository as listed: its default branch and that branch's commit.

    `fault` says why it cannot be surveyed (then `commit` is empty), such as having no default branch.
    """

    name: str
    default_branch: str = ""
    commit: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One file of a commit: its path, git mode (`100644`, `120000` ...), object id and size in bytes."""

    path: str
    mode: str
    id: str
    size: int


class PullRequestState(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """One pull request of ours, from `branch` into the branch `base`.

    `head` is the commit of its branch; `by_us` is false once a person pushed to it.
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


class Forge(Protocol):
    """Reads source repositories. All methods raise `ForgeError` with the repository and the cure."""

    def repositories(self) -> Sequence[SourceRepository]:
        """List the repositories that the settings name, in a stable order."""
        ...

    def tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        """List all files of a commit, in path order."""
        ...

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Read files of a commit; a path that is not there is left out."""
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
        self, *, repository: str, branch: str, base: str, commit: str, files: Mapping[str, bytes], title: str, body: str
    ) -> PullRequest:
        """Put one commit with these files on top of `commit` into `branch`, and open a pull request into `base`.

        A branch or pull request left behind by an earlier try is taken over, never doubled.
        """
        ...

    def refresh(
        self, pull_request: PullRequest, *, commit: str, files: Mapping[str, bytes], title: str, body: str
    ) -> PullRequest:
        """Replace our commit, title and body; refused if the branch no longer is where `pull_request` saw it."""
        ...

    def close(self, pull_request: PullRequest, *, comment: str) -> None:
        """Close it with a reason and delete its branch."""
        ...

"""A repository that is on disk only once somebody clones it or writes to it; until then its objects are computed.

Ten thousand of them are listed in seconds, and what is computed is what git itself would have stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from tests.lab.github.bare_git import BRANCHES, ZERO, BareGit, Commit, Entry, Identity, Move
from tests.lab.github.objects import File, Snapshot, Stored, stored_commit

_BRANCH: Final = "main"
_AUTHOR: Final = ("Ada", "ada@example.com")
_REMEMBERED: Final = 256
"""Snapshots kept: those of two or three batches of repositories, as one request after the other asks for them."""


class LazyGit(BareGit):
    """A repository whose default branch has one commit for each version of its files; a version is a number from 0."""

    def __init__(self, path: Path, files: Callable[[int], Mapping[str, File]], began: datetime) -> None:
        super().__init__(path)
        self._files, self._began = files, began
        self._versions = 1
        self._commits: list[Commit] = []
        self.is_on_disk = False

    @property
    def path(self) -> Path:
        """The folder, which is made when somebody wants it."""
        if not self.is_on_disk:
            self.is_on_disk = True
            self._write()
        return self._path

    def is_there(self) -> bool:
        return not self.is_on_disk or super().is_there()

    def advance(self) -> None:
        """Put the next version on the default branch, unless the repository is in other hands already."""
        if self.is_on_disk:
            raise ValueError(f"{self._path} is on disk; work on it with git")
        self._versions += 1

    def references(self, prefix: str = BRANCHES) -> dict[str, str]:
        if self.is_on_disk:
            return super().references(prefix)
        name = f"{BRANCHES}{_BRANCH}"
        is_meant = name == prefix or name.startswith(f"{prefix.rstrip('/')}/")
        return {name: self._history()[-1].oid} if is_meant else {}

    def head_name(self) -> str:
        return super().head_name() if self.is_on_disk else f"{BRANCHES}{_BRANCH}"

    def kind(self, oid: str) -> str | None:
        if self.is_on_disk:
            return super().kind(oid)
        if any(commit.oid == oid for commit in self._history()):
            return "commit"
        found = self._found(oid)
        return found.kind if found else None

    def commit(self, oid: str) -> Commit:
        known = next((commit for commit in self._commits if commit.oid == oid), None)
        return known or super().commit(oid)

    def entries(self, tree: str, *, recursive: bool) -> list[Entry]:
        commits = {commit.oid: commit.tree for commit in self._commits}
        oid = commits.get(tree, tree)
        for version in range(self._versions if not self.is_on_disk else 0):
            snapshot = _snapshot(self, version)
            if oid in snapshot.objects:
                return snapshot.entries(oid, recursive=recursive)
        return super().entries(tree, recursive=recursive)

    def blob(self, oid: str) -> bytes:
        found = None if self.is_on_disk else self._found(oid)
        return found.data if found and found.kind == "blob" else super().blob(oid)

    def file(self, commit: str, path: str) -> bytes | None:
        if self.is_on_disk:
            return super().file(commit, path)
        version = [known.oid for known in self._history()].index(commit)
        found = self._files(version).get(path)
        return found.content if found else None

    def snapshot(self, version: int) -> Snapshot:
        """Compute the objects of a version."""
        return Snapshot(self._files(version))

    def _found(self, oid: str) -> Stored | None:
        for version in reversed(range(self._versions)):
            if found := _snapshot(self, version).objects.get(oid):
                return found
        return None

    def _history(self) -> list[Commit]:
        while len(self._commits) < self._versions:
            number = len(self._commits)
            by = Identity(*_AUTHOR, self._began + timedelta(hours=number))
            commit = Commit(
                oid="",
                tree=_snapshot(self, number).tree,
                parents=tuple(commit.oid for commit in self._commits[-1:]),
                author=by,
                committer=by,
                message=f"Version {number}\n",
            )
            self._commits.append(replace(commit, oid=stored_commit(commit).oid))
        return self._commits

    def _write(self) -> None:
        commits = self._history()
        made = BareGit.create(self._path, _BRANCH)
        for version, commit in enumerate(commits):
            for stored in (*_snapshot(self, version).objects.values(), stored_commit(commit)):
                stored.write(self._path)
        made.move([Move(name=f"{BRANCHES}{_BRANCH}", old=ZERO, new=commits[-1].oid)])


@lru_cache(maxsize=_REMEMBERED)
def _snapshot(git: LazyGit, version: int) -> Snapshot:
    return git.snapshot(version)

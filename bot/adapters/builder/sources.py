"""Whether two commits build the same image, but for the Lambda bases that their Dockerfiles name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from bot.core.errors import DockerfileError

_FILES = ("100644", "100755")
_LARGEST = 1 << 20
"""Bytes; a larger file is no Dockerfile that anybody wrote, and is not read."""

SameButForBases = Callable[[str, str], bool]
"""Says whether two Dockerfiles differ in references to Lambda bases alone."""


class TreeEntry(Protocol):
    """What a commit lists of one file: path, git's mode in octal digits, object id, bytes."""

    @property
    def path(self) -> str:
        """Where it is."""
        ...

    @property
    def mode(self) -> str:
        """What it is."""
        ...

    @property
    def id(self) -> str:
        """What is in it."""
        ...

    @property
    def size(self) -> int:
        """How large it is."""
        ...


class Sources(Protocol):
    """The part of a forge that is needed here; both methods raise `ForgeError`."""

    def tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        """List all files of a commit."""
        ...

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Read files of a commit."""
        ...


def differing_path(sources: Sources, same: SameButForBases, repository: str, commits: tuple[str, str]) -> str | None:
    """Name the first path in which two commits differ by more than Lambda bases; None if there is none.

    Any file may differ that reads as a Dockerfile, since one pull request updates all Dockerfiles of a repository.
    """
    before, after = (_by_path(sources.tree(repository, commit)) for commit in commits)
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old is None or new is None or old.mode != new.mode:
            return path
        if old.id != new.id and not (
            _is_small_file(old) and _is_small_file(new) and _texts_agree(sources, same, repository, commits, path)
        ):
            return path
    return None


def _is_small_file(entry: TreeEntry) -> bool:
    return entry.mode in _FILES and entry.size <= _LARGEST


def _texts_agree(sources: Sources, same: SameButForBases, repository: str, commits: Iterable[str], path: str) -> bool:
    try:
        old, new = (sources.read(repository, commit, [path])[path].decode() for commit in commits)
        return same(old, new)
    except (DockerfileError, KeyError, UnicodeDecodeError):
        return False


def _by_path(tree: Sequence[TreeEntry]) -> Mapping[str, TreeEntry]:
    return {entry.path: entry for entry in tree}

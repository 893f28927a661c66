"""Objects of git computed from files in memory, with the ids and bytes that git itself would give them.

The format is that of git's own documentation (gitformat-loose in `git help gitrepository-layout`, and "Git Objects").
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.lab.github.bare_git import REGULAR, Commit, Entry

LINK: Final = "120000"
SUBMODULE: Final = "160000"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a commit: its content, a link's target, or the id of a submodule's commit, as the mode says."""

    content: bytes
    mode: str = REGULAR


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as git stores it."""

    kind: str
    data: bytes

    @property
    def framed(self) -> bytes:
        """What is hashed and compressed."""
        return b"%s %d\0%s" % (self.kind.encode(), len(self.data), self.data)

    @property
    def oid(self) -> str:
        """Its id."""
        return hashlib.sha1(self.framed, usedforsecurity=False).hexdigest()

    def write(self, repository: Path) -> None:
        """Put it into a repository as a loose object."""
        path = repository / "objects" / self.oid[:2] / self.oid[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(self.framed, 1))


def stored_commit(commit: Commit) -> Stored:
    """Build a commit; its own `oid` is not looked at."""
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    lines += [f"author {commit.author}", f"committer {commit.committer}", "", commit.message]
    return Stored("commit", "\n".join(lines).encode())


@dataclass(slots=True)
class _Folder:
    files: dict[str, File] = field(default_factory=dict)
    folders: dict[str, "_Folder"] = field(default_factory=dict)


class Snapshot:
    """All objects of one version of files; `tree` is the id of the whole."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self.objects: dict[str, Stored] = {}
        self._lines: dict[str, list[Entry]] = {}
        self._known: dict[bytes, str] = {}
        self.tree = self._add_folder(_nested(files))

    def entries(self, tree: str, *, recursive: bool) -> list[Entry]:
        """List a tree in git's order; with the folders themselves before what they hold."""
        return list(self._walk(tree, "", recursive=recursive))

    def _walk(self, tree: str, above: str, *, recursive: bool) -> Iterable[Entry]:
        for line in self._lines[tree]:
            path = f"{above}{line.path}"
            yield Entry(path=path, mode=line.mode, kind=line.kind, oid=line.oid, size=line.size)
            if recursive and line.kind == "tree":
                yield from self._walk(line.oid, f"{path}/", recursive=True)

    def _add_folder(self, folder: _Folder) -> str:
        lines = [(name, self._file(name, file)) for name, file in folder.files.items()]
        for name, below in folder.folders.items():
            entry = Entry(path=name, mode="040000", kind="tree", oid=self._add_folder(below))
            lines.append((f"{name}/", entry))  # git sorts a folder as if its name ended so
        lines.sort(key=lambda line: line[0].encode())
        entries = [entry for _, entry in lines]
        data = b"".join(
            b"%s %s\0%s" % (entry.mode.lstrip("0").encode(), entry.path.encode(), bytes.fromhex(entry.oid))
            for entry in entries
        )
        oid = self._add(Stored("tree", data))
        self._lines[oid] = entries
        return oid

    def _file(self, name: str, file: File) -> Entry:
        if file.mode == SUBMODULE:
            return Entry(path=name, mode=file.mode, kind="commit", oid=file.content.decode())
        if file.content not in self._known:
            self._known[file.content] = self._add(Stored("blob", file.content))
        return Entry(path=name, mode=file.mode, kind="blob", oid=self._known[file.content], size=len(file.content))

    def _add(self, stored: Stored) -> str:
        oid = stored.oid
        self.objects[oid] = stored
        return oid


def _nested(files: Mapping[str, File]) -> _Folder:
    top = _Folder()
    for path, file in files.items():
        *above, name = path.split("/")
        folder = top
        for part in above:
            folder = folder.folders.setdefault(part, _Folder())
        folder.files[name] = file
    return top

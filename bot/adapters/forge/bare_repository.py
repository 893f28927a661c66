"""A bare git repository as objects and references, read and written by plumbing commands (git-scm.com/docs).

Knows nothing of pull requests. Sizes and counts are bounded: what lies in a repository is hostile until read.
"""

import os
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from bot.adapters.forge.entries import SUBMODULE, TreeEntry
from bot.adapters.forge.git_process import Answer, Conversation, GitProcess
from bot.core.authorship import Said
from bot.core.errors import ForgeError

BRANCHES: Final = "refs/heads/"
_REGULAR: Final = ("100644", "100755")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_MOST_ENTRIES: Final = 500_000
_LONGEST_LISTING: Final = 256 * 2**20
_CHUNK: Final = 2**16
_RESTORE: Final = "run git fsck on the repository, and fetch again what it lacks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One reference that moves from `old` (None: it must not be there) to `new` (None: it goes)."""

    reference: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        """Write it as `git update-ref --stdin -z` reads it."""
        if self.old is None:
            return f"create {self.reference}\0{self.new}\0"
        if self.new is None:
            return f"delete {self.reference}\0{self.old}\0"
        return f"update {self.reference}\0{self.new}\0{self.old}\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who makes a commit, and when: without `at`, now."""

    name: str
    email: str
    at: datetime | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which git is told."""
        parts = {"NAME": self.name, "EMAIL": self.email}
        parts |= {"DATE": f"{int(self.at.timestamp())} +0000"} if self.at else {}
        return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in parts.items()}


class BareRepository:
    """One bare repository; every failure is a `ForgeError` that names it."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self._git, self._objects = GitProcess(name, path), path / "objects"

    def run(self, *arguments: str, environment: Mapping[str, str], accept: Container[int]) -> Answer:
        """Run one git command on it."""
        return self._git.run(*arguments, environment=environment, accept=accept)

    def head(self) -> tuple[str, str] | None:
        """Return the default branch and its commit; None if HEAD names no branch or one that is not there."""
        answer = self._git.run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD", accept=(0, 128))
        commit, _, reference = answer.text.partition("\n")
        if answer.status != 0 or not reference.startswith(BRANCHES):
            return None
        return reference.removeprefix(BRANCHES), commit

    def head_name(self) -> str:
        """Return the branch that HEAD names, whether it is there or not; empty if HEAD names none."""
        return self._git.run("symbolic-ref", "--quiet", "HEAD", accept=(0, 1)).text.removeprefix(BRANCHES)

    def references(self, *names: str) -> Mapping[str, str]:
        """Return these references and those below them, with the object that each points to."""
        lines = self._git.run("for-each-ref", "--format=%(objectname) %(refname)", *names).text.split("\n")
        return {name: oid for oid, _, name in (line.partition(" ") for line in lines) if oid}

    def move(self, moves: Sequence[Move]) -> bool:
        """Move all these references or none; False if one of them is not where it was thought to be."""
        given = "".join(map(str, moves)).encode()
        answer = self._git.run("update-ref", "--stdin", "-z", given=given, accept=(0, 1, 128))
        if answer.status == 0:
            return True
        found = self.references(*(move.reference for move in moves))
        if any(found.get(move.reference) != move.old for move in moves):
            return False
        raise self._git.error("update-ref", answer.fault)

    def reaches(self, tip: str, commit: str) -> bool:
        """Whether a commit is in the history of the tip."""
        return self._git.run("merge-base", "--is-ancestor", commit, tip, accept=(0, 1)).status == 0

    def history(self, commit: str, most: int) -> Sequence[Said]:
        """Return what the last commits say that lead to one, itself first."""
        self.require_commit(commit)
        answer = self._git.run("log", f"--max-count={most}", "-z", "--format=%ct %B", "--no-show-signature", commit)
        records = (record.partition(" ") for record in answer.text.split("\0") if record)
        return [Said(datetime.fromtimestamp(int(at), UTC), message) for at, _, message in records]

    def tree(self, commit: str) -> Sequence[TreeEntry]:
        """List files, links and submodules of a commit in path order; a path that is no UTF-8 is left out."""
        return self.listing(commit)[0]

    def listing(self, commit: str) -> tuple[Sequence[TreeEntry], Sequence[str]]:
        """List a commit, and beside it the paths that are no UTF-8, with replacement characters."""
        self.require_commit(commit)
        found: list[TreeEntry] = []
        nameless: list[str] = []
        with self._git.start("ls-tree", "-r", "-z", "-l", "--full-tree", commit) as listing:
            for record in self._records(listing.output):
                entry, name = self._parse(record)
                if entry:
                    found.append(entry)
                else:
                    nameless.append(name.decode(errors="replace"))
                if len(found) + len(nameless) > _MOST_ENTRIES:
                    raise ForgeError(f"{self.name}: {commit} has over {_MOST_ENTRIES} files; exclude the repository")
            listing.finish()
        return found, nameless

    def files(self, commit: str) -> Sequence[TreeEntry]:
        """List files and links of a commit."""
        return [entry for entry in self.tree(commit) if entry.mode != SUBMODULE]

    @contextmanager
    def objects(self) -> Iterator["ObjectReader"]:
        """Open a reader that takes any number of objects from one running git."""
        with self._git.start("cat-file", "--batch") as conversation:
            yield ObjectReader(self.name, conversation)

    def write(self, contents: Sequence[bytes]) -> Sequence[str]:
        """Store some contents and return their ids in the same order."""
        with TemporaryDirectory() as folder:
            paths = [Path(folder, str(number)) for number in range(len(contents))]
            for path, content in zip(paths, contents, strict=True):
                path.write_bytes(content)
            given = "".join(f"{path}\n" for path in paths).encode()
            return self._git.run("hash-object", "-w", "--no-filters", "--stdin-paths", given=given).text.split()

    def commit_files(self, parent: str, files: Mapping[str, bytes], message: str, by: Signature) -> str:
        """Store a commit on the parent in which these files have new contents, and everything else is as it was.

        Refused if one of them is no regular file of the parent.
        """
        modes = self._modes(parent, files)
        oids = self.write(list(files.values()))
        lines = (f"{modes[path]} {oid}\t{path}\0" for path, oid in zip(files, oids, strict=True))
        with _own_index() as index:
            self._git.run("read-tree", parent, environment=index)
            self._git.run("update-index", "-z", "--index-info", given="".join(lines).encode(), environment=index)
            tree = self._git.run("write-tree", environment=index).text
        return self._commit(tree, [parent], message, by)

    def conflicts(self, ours: str, theirs: str) -> bool:
        """Whether two commits cannot be merged without a person."""
        with self._aside() as aside:
            return self._merged(ours, theirs, aside) is None

    def commit_merge(self, ours: str, theirs: str, message: str, by: Signature) -> str:
        """Store a commit that joins two; refused if both changed the same lines, because no merge driver is run."""
        with self._aside() as aside:
            tree = self._merged(ours, theirs, {**aside, "GIT_OBJECT_DIRECTORY": str(self._objects)})
        if tree is None:
            raise ForgeError(f"{self.name}: {ours} and {theirs} changed the same lines; merge them by hand")
        return self._commit(tree, [ours, theirs], message, by)

    def _merged(self, ours: str, theirs: str, aside: Mapping[str, str]) -> str | None:
        """Return the tree in which two commits are merged, None where they conflict."""
        merge = ("merge-tree", "--write-tree", "--no-messages", "--allow-unrelated-histories", ours, theirs)
        answer = self._git.run(*merge, environment=aside, accept=(0, 1))
        return answer.text if answer.status == 0 else None

    @contextmanager
    def _aside(self) -> Iterator[Mapping[str, str]]:
        """Give git an empty repository that borrows the objects of this one, whose configuration has no part then."""
        with TemporaryDirectory() as folder:
            ids = self._git.run("rev-parse", "--show-object-format").text
            GitProcess(self.name, Path(folder)).run(
                "init", "--bare", "--quiet", "--template=", f"--object-format={ids}"
            )
            own = Path(folder, "objects")
            (own / "info" / "alternates").write_bytes(os.fsencode(self._objects) + b"\n")
            yield {"GIT_DIR": folder, "GIT_OBJECT_DIRECTORY": str(own)}

    def require_commit(self, commit: str) -> None:
        """Raise `ForgeError` unless this is a full commit id, so that nothing else reaches a command line."""
        if not _COMMIT.match(commit):
            raise ForgeError(f"{self.name}: {commit[:80]!r} is no full commit id; list the repositories again")

    def _modes(self, commit: str, files: Mapping[str, bytes]) -> Mapping[str, str]:
        modes = {entry.path: entry.mode for entry in self.tree(commit) if entry.path in files}
        for path in files:
            if path not in modes:
                raise ForgeError(f"{self.name}: {path!r} is not in {commit}; survey the repository again")
            if modes[path] not in _REGULAR:
                raise ForgeError(f"{self.name}: {path!r} is a link or submodule, which is not edited; exclude it")
        return modes

    def _commit(self, tree: str, parents: Sequence[str], message: str, by: Signature) -> str:
        arguments = [part for parent in parents for part in ("-p", parent)]
        given = message.encode(errors="replace")
        return self._git.run("commit-tree", tree, *arguments, "-F", "-", given=given, environment=by.environment).text

    def _records(self, stream: IO[bytes]) -> Iterator[bytes]:
        """Split a stream at its NULs."""
        rest, total = b"", 0
        while chunk := stream.read(_CHUNK):
            total += len(chunk)
            if total > _LONGEST_LISTING:
                raise ForgeError(f"{self.name}: the list of its files is too long; exclude the repository")
            *whole, rest = (rest + chunk).split(b"\0")
            yield from whole

    def _parse(self, record: bytes) -> tuple[TreeEntry | None, bytes]:
        """Read `mode SP kind SP id SP size TAB path`, the size padded, `-` for a submodule; no entry if no UTF-8."""
        fields, _, name = record.partition(b"\t")
        mode, _, oid, size = fields.decode().split()
        if size == "BAD":
            raise ForgeError(f"{self.name}: object {oid} is missing or damaged; {_RESTORE}")
        try:
            return TreeEntry(path=name.decode(), mode=mode, id=oid, size=0 if size == "-" else int(size)), name
        except UnicodeDecodeError:
            return None, name


class ObjectReader:
    """Objects out of a running `git cat-file --batch`."""

    def __init__(self, name: str, conversation: Conversation) -> None:
        self._name = name
        self._conversation = conversation

    def find(self, oid: str, largest: int) -> bytes | None:
        """Return an object's content; None if it is not there. Raises `ForgeError` if it is larger than allowed."""
        size = self._size(oid, largest)
        return None if size is None else b"".join(self._chunks(size))

    def read(self, oid: str, largest: int) -> bytes:
        """Return an object's content; raises `ForgeError` if it is not there, or larger than allowed."""
        target = BytesIO()
        self.copy(oid, target, largest)
        return target.getvalue()

    def copy(self, oid: str, target: IO[bytes], largest: int) -> None:
        """Write an object's content into a file; raises `ForgeError` if it is not there, or larger than allowed."""
        size = self._size(oid, largest)
        if size is None:
            raise ForgeError(f"{self._name}: object {oid} is missing; {_RESTORE}")
        for chunk in self._chunks(size):
            target.write(chunk)

    def _size(self, oid: str, largest: int) -> int | None:
        """Ask for an object; its content follows in the output."""
        _, *found = self._conversation.ask(oid).split()
        if found == [b"missing"]:
            return None
        size = int(found[1])
        if size > largest:
            raise ForgeError(f"{self._name}: object {oid} has {size} bytes, over {largest}; exclude its file")
        return size

    def _chunks(self, left: int) -> Iterator[bytes]:
        while left and (chunk := self._conversation.output.read(min(left, _CHUNK))):
            yield chunk
            left -= len(chunk)
        self._conversation.output.read(1)


@contextmanager
def _own_index() -> Iterator[Mapping[str, str]]:
    """Give git an index of its own for a few commands."""
    with TemporaryDirectory() as folder:
        yield {"GIT_INDEX_FILE": str(Path(folder, "index"))}

"""One bare repository, read and written by git's plumbing as a forge does; knows nothing of forges."""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

BRANCHES: Final = "refs/heads/"
REGULAR: Final = "100644"
ZERO: Final = "0" * 40
_NO_NAMES: Final = ("", ".", "..", ".git")
_EMPTY_TREE: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
SHA: Final = re.compile(r"[0-9a-f]{40}")
_IDENTITY: Final = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<seconds>\d+) (?P<zone>[+-]\d{4})")


class GitRefused(Exception):
    """Git did not do it; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Author or committer."""

    name: str
    email: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.name} <{self.email}> {int(self.at.timestamp())} {self.at.strftime('%z') or '+0000'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit as it is stored."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Identity
    committer: Identity
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a tree; `size` is None for what is no blob."""

    path: str
    mode: str
    kind: str
    oid: str
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A reference that changes: `old` None means whatever it was, ZERO that it is not there; `new` ZERO deletes."""

    name: str
    old: str | None
    new: str


class BareGit:
    """Plumbing on one repository; what git says of an object never changes, so it is asked once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[tuple[str, ...], bytes] = {}

    @property
    def path(self) -> Path:
        """The repository's folder."""
        return self._path

    def is_there(self) -> bool:
        """Say whether nobody removed it."""
        return self._path.is_dir()

    @classmethod
    def create(cls, path: Path, branch: str) -> "BareGit":
        """Make an empty repository."""
        path.mkdir(parents=True)
        made = cls(path)
        made._run("init", "--quiet", "--bare", f"--initial-branch={branch}")
        return made

    def references(self, prefix: str = BRANCHES) -> dict[str, str]:
        """Return the references below a prefix with their full names."""
        lines = self._run("for-each-ref", "--format=%(refname) %(objectname)", prefix).decode().splitlines()
        return {name: oid for name, _, oid in (line.partition(" ") for line in lines)}

    def head_name(self) -> str:
        """Return the full name of the default branch, whether it is there or not."""
        text = (self.path / "HEAD").read_text().strip()
        return text.removeprefix("ref: ") if text.startswith("ref: ") else ""

    def kind(self, oid: str) -> str | None:
        """Return `commit`, `tree`, `blob` or `tag`; None where there is no such object."""
        if not SHA.fullmatch(oid):
            return None
        try:
            return self._ask("cat-file", "-t", oid).decode().strip()
        except GitRefused:
            return None

    def commit(self, oid: str) -> Commit:
        """Read a commit."""
        header, _, message = self._ask("cat-file", "commit", oid).decode(errors="replace").partition("\n\n")
        fields = [line.partition(" ")[::2] for line in header.splitlines() if not line.startswith(" ")]
        first = dict(reversed(fields))
        return Commit(
            oid=oid,
            tree=first["tree"],
            parents=tuple(value for key, value in fields if key == "parent"),
            author=_identity(first["author"]),
            committer=_identity(first["committer"]),
            message=message,
        )

    def entries(self, tree: str, *, recursive: bool) -> list[Entry]:
        """List a tree, with the folders themselves."""
        options = ["-r", "-t"] if recursive else []
        lines = self._run("ls-tree", "-l", "-z", *options, tree).decode(errors="replace").split("\0")[:-1]
        return [_entry(line) for line in lines]

    def blob(self, oid: str) -> bytes:
        """Read a blob."""
        return self._run("cat-file", "blob", oid)

    def file(self, commit: str, path: str) -> bytes | None:
        """Read a file of a commit."""
        try:
            return self._run("cat-file", "blob", f"{commit}:{path}")
        except GitRefused:
            return None

    def reaches(self, tip: str, commit: str) -> bool:
        """Say whether a commit is in the history of another, or is it."""
        return tip == commit or self.fork_point(commit, tip) == commit

    def commits(self, base: str, head: str) -> list[str]:
        """List the commits of `head` that `base` has not, oldest first; all of them where there is no `base`."""
        return self._ask("rev-list", "--reverse", f"{base}..{head}" if base else head).decode().split()

    def fork_point(self, one: str, other: str) -> str:
        """Return the last commit that both have, or nothing."""
        try:
            return self._ask("merge-base", one, other).decode().strip()
        except GitRefused:
            return ""

    def changes(self, base: str, head: str) -> list[tuple[int, int]]:
        """Return the lines added and deleted, for each file that differs."""
        lines = self._ask("diff", "--numstat", base or _EMPTY_TREE, head).decode(errors="replace").splitlines()
        fields = [line.split("\t")[:2] for line in lines]
        return [(int(added), int(gone)) if added != "-" else (0, 0) for added, gone in fields]

    def write_blob(self, content: bytes) -> str:
        """Store a blob."""
        return self._run("hash-object", "-w", "--stdin", given=content).decode().strip()

    def write_tree(self, base: str | None, entries: Iterable[Entry]) -> str:
        """Store a tree: another one with blobs set or, by the id ZERO, taken away."""
        entries = list(entries)
        for entry in entries:
            if any(part.lower() in _NO_NAMES for part in entry.path.split("/")):
                raise GitRefused(f"{entry.path!r} is no path of a file")  # git itself leaves it out without a word
        lines = [f"{entry.mode} {entry.oid}\t{entry.path}\0" for entry in entries]
        with TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            self._run("read-tree", *([base] if base else ["--empty"]), extra=index)
            self._run("update-index", "-z", "--index-info", given="".join(lines).encode(), extra=index)
            return self._run("write-tree", extra=index).decode().strip()

    def log(self, oid: str) -> list[str]:
        """List the commits that lead to one, itself first, the newest of all that are not listed yet coming next."""
        found: list[str] = []
        waiting = {oid: self.commit(oid)}
        while waiting:
            newest = max(waiting.values(), key=lambda commit: commit.committer.at)
            found.append(newest.oid)
            del waiting[newest.oid]
            waiting |= {parent: self.commit(parent) for parent in newest.parents if parent not in found}
        return found

    def write_commit(
        self, *, tree: str, parents: Sequence[str], author: Identity, committer: Identity, message: str
    ) -> str:
        """Store a commit with exactly this message."""
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        text = "\n".join([*lines, f"author {author}", f"committer {committer}", "", message])
        return self._run("hash-object", "-t", "commit", "-w", "--stdin", given=text.encode()).decode().strip()

    def merge_tree(self, ours: str, theirs: str) -> str:
        """Store the tree of a merge; `GitRefused` where both changed the same lines."""
        return self._run("merge-tree", "--write-tree", ours, theirs).decode().split("\n", 1)[0]

    def move(self, moves: Sequence[Move]) -> None:
        """Change references, all or none; `GitRefused` where one is not what it was."""
        lines = []
        for move in moves:
            old = "" if move.old is None else f" {move.old}"
            lines.append(f"delete {move.name}{old}" if move.new == ZERO else f"update {move.name} {move.new}{old}")
        self._run("update-ref", "--stdin", given="\n".join(["start", *lines, "prepare", "commit", ""]).encode())

    def rename_branch(self, old: str, new: str) -> None:
        """Rename a branch, and the default branch with it."""
        self._run("branch", "--move", old, new)

    def _ask(self, *arguments: str) -> bytes:
        """Ask about objects, named by their ids."""
        if arguments not in self._answers:
            self._answers[arguments] = self._run(*arguments)
        return self._answers[arguments]

    def _run(self, *arguments: str, given: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**environment(), **(extra or {})},
            input=given,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise GitRefused(done.stderr.decode(errors="replace").strip())
        return done.stdout


def environment() -> dict[str, str]:
    """Return the environment for a git without anybody's configuration."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}


def _identity(text: str) -> Identity:
    found = _IDENTITY.fullmatch(text)
    if found is None:
        return Identity(text, "", datetime.fromtimestamp(0, UTC))
    zone = found["zone"]
    offset = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    return Identity(found["name"], found["email"], datetime.fromtimestamp(int(found["seconds"]), timezone(offset)))


def _entry(line: str) -> Entry:
    fields, _, path = line.partition("\t")
    mode, kind, oid, size = fields.split()
    return Entry(path=path, mode=mode, kind=kind, oid=oid, size=None if size == "-" else int(size))

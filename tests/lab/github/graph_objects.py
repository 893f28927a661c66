"""What GraphQL queries see of git's objects below commits: trees with their entries, and blobs.

GitHub gives up on a query that takes too long. Here that is one whose answer is too large, so that it is the same on
every machine.
"""

from dataclasses import dataclass
from typing import Final

from tests.lab.github.bare_git import Entry
from tests.lab.github.graphql import Node
from tests.lab.github.links import node_id
from tests.lab.github.refusals import Gap
from tests.lab.github.repository import Repository

_BYTES_A_POINT: Final = 100
_BINARY: Final = b"\0"


class GaveUp(Exception):
    """The query would take too long."""


@dataclass(slots=True)
class Budget:
    """What one query may still have: a point for each entry of a tree, for each blob, and for 100 bytes of text."""

    left: int

    def take(self, points: int) -> None:
        """Use some of it up."""
        self.left -= points
        if self.left < 0:
            raise GaveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """The objects of one repository; a text is cut after `longest` bytes."""

    repository: Repository
    budget: Budget
    longest: int

    def find(self, oid: str) -> Node | None:
        """Describe a tree or blob, None where there is no such object."""
        kind = self.repository.git.kind(oid)
        if kind in (None, "tree", "blob"):
            return self._node(kind, oid) if kind else None
        raise Gap(f"the fake shows commits, trees and blobs, not a {kind}")

    def at(self, tree: str, path: str) -> Node | None:
        """Describe what lies at a path of a tree."""
        kind, oid = "tree", tree
        for name in path.split("/") if path else ():
            entries = self.repository.git.entries(oid, recursive=False) if kind == "tree" else []
            found = next((entry for entry in entries if entry.path == name), None)
            if found is None:
                return None
            kind, oid = found.kind, found.oid
        return self._node(kind, oid)

    def _node(self, kind: str, oid: str) -> Node | None:
        if kind == "commit":  # of a submodule: it lies in another repository
            return None
        node = {"__typename": kind.capitalize(), "id": node_id(kind[0].upper(), oid), "oid": oid}
        if kind == "tree":
            return {**node, "entries": lambda: self._entries(oid)}
        read: list[bytes] = []

        def content() -> bytes:
            if not read:
                read.append(self.repository.git.blob(oid))
                self.budget.take(1 + len(read[0]) // _BYTES_A_POINT)
            return read[0]

        return {
            **node,
            "byteSize": lambda: len(content()),
            "isBinary": lambda: _BINARY in content(),
            "isTruncated": lambda: len(content()) > self.longest,
            "text": lambda: self._text(content()),
        }

    def _entries(self, tree: str) -> list[Node]:
        entries = self.repository.git.entries(tree, recursive=False)
        self.budget.take(len(entries))
        return [self._entry(entry) for entry in entries]

    def _entry(self, entry: Entry) -> Node:
        return {
            "__typename": "TreeEntry",
            "name": entry.path,
            "mode": int(entry.mode, 8),
            "type": entry.kind,
            "oid": entry.oid,
            "size": entry.size or 0,
            "object": lambda: self._node(entry.kind, entry.oid),
        }

    def _text(self, content: bytes) -> str | None:
        """Return UTF-8 text; what is none has replacement characters in it."""
        return None if _BINARY in content else content[: self.longest].decode(errors="replace")

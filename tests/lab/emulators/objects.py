"""Queries for what lies in commits, answered out of the folders and files that an emulator shows by REST."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bot.adapters.forge.github import queries
from tests.lab.emulators.answers import Data, GraphQLError, Input, graphql_error, no_repository
from tests.lab.emulators.rest import Rest

FOLDER: Final = "tree"
_BINARY: Final = b"\0"
_ID: Final = re.compile(r"[0-9a-f]{40}")
_LEVELS: Final = re.compile(r"object\(oid: \$i\d+\) \{ \.\.\.Level(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one name in a folder stands for."""

    name: str
    mode: int
    type: str
    oid: str
    size: int = 0

    @property
    def node(self) -> Data:
        """It as GraphQL shows it."""
        return {"name": self.name, "mode": self.mode, "type": self.type, "oid": self.oid, "size": self.size}


class Objects(Protocol):
    """What an emulator has of git's objects, by the ids that it gives them."""

    def folder(self, rest: Rest, repository: str, oid: str) -> Sequence[Entry] | None:
        """List a folder, or that of a commit, without what lies deeper; None where there is none of this id."""
        ...

    def file(self, rest: Rest, repository: str, oid: str) -> bytes | None:
        """Read a file; None where there is none of this id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Answers queries for objects as one person sees them."""

    objects: Objects
    rest: Rest

    def query(self, text: str, given: Input) -> Data | None:
        """Answer a query for folders, files, or places; None if it is another one."""
        levels = [int(level) for level in _LEVELS.findall(text)]
        if levels and text == queries.folders(levels):
            return self._each(given, lambda i, repository, oid: self._level(repository, oid, levels[i]))
        if text == queries.files(_count(given, "i")):
            return self._each(given, lambda _, repository, oid: self._text(repository, oid))
        if text == queries.places(count := _count(given, "e")):
            repository = f"{given['owner']}/{given['name']}"
            return {"repository": {f"p{i}": self._place(repository, given[f"e{i}"]) for i in range(count)}}
        return None

    def _each(self, given: Input, find: Callable[[int, str, str], Data | None]) -> Data:
        """Look into each repository; one that is not there is an error of its part alone."""
        data: dict[str, Data | None] = {}
        errors: list[Mapping[str, Any]] = []
        for i in range(_count(given, "i")):
            repository, oid = f"{given[f'o{i}']}/{given[f'n{i}']}", given[f"i{i}"]
            if not _ID.fullmatch(oid):
                raise graphql_error("argumentLiteralsIncompatible", f"{oid!r} is no GitObjectID")
            is_there = self.rest.find(f"/repos/{repository}") is not None
            data[f"r{i}"] = {"object": find(i, repository, oid)} if is_there else None
            errors += [] if is_there else [no_repository(repository, f"r{i}")]
        if errors:
            raise GraphQLError({"data": data, "errors": errors})
        return data

    def _level(self, repository: str, oid: str, level: int) -> Data | None:
        """Show a folder down to so many levels."""
        entries = self.objects.folder(self.rest, repository, oid)
        return None if entries is None else {"entries": [self._entry(repository, one, level - 1) for one in entries]}

    def _entry(self, repository: str, entry: Entry, below: int) -> Data:
        if not below:
            return entry.node
        return {**entry.node, "object": self._level(repository, entry.oid, below) if entry.type == FOLDER else {}}

    def _text(self, repository: str, oid: str) -> Data | None:
        """Show a file: what has a null byte in it is binary, and all else a text."""
        content = self.objects.file(self.rest, repository, oid)
        if content is None:
            return None
        is_binary = _BINARY in content
        text = None if is_binary else content.decode(errors="replace")
        return {"text": text, "isBinary": is_binary, "isTruncated": False}

    def _place(self, repository: str, expression: str) -> Data | None:
        """Show a folder, named `COMMIT:FOLDER`; None where there is none."""
        oid, _, path = expression.partition(":")
        entries = self.objects.folder(self.rest, repository, oid)
        for name in path.split("/") if path else ():
            folders = {entry.name: entry.oid for entry in entries or () if entry.type == FOLDER}
            entries = self.objects.folder(self.rest, repository, folders[name]) if name in folders else None
        return None if entries is None else {"entries": [entry.node for entry in entries]}


def _count(given: Input, name: str) -> int:
    """How many of the variables i0, i1 and so on there are."""
    count = 0
    while f"{name}{count}" in given:
        count += 1
    return count

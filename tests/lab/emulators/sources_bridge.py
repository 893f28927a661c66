"""How a front answers the queries for folders, files and our branches, from what an emulator's REST API tells.

A folder's id is of the front's own making; a file's is the emulator's.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from bot.adapters.forge.github import queries
from tests.lab.emulators.bridge import Data, GraphQLError, Input
from tests.lab.emulators.rest import Refused, Rest

File = Mapping[str, Any]
"""A file of a commit: path, sha, size, and its mode in octal digits."""
List = Callable[[Rest, str, str], Iterable[File]]
"""Lists the files of a repository's commit; raises `Refused`."""
Read = Callable[[Rest, str, str], bytes]
"""Reads a repository's file by its id; raises `Refused`."""
_LEVEL: Final = re.compile(r"object\(oid: \$i\d+\) \{ \.\.\.Level(\d)")


class SourcesBridge:
    """Answers `queries.folders` and `queries.files`."""

    def __init__(self, files: List, read: Read) -> None:
        self._files, self._read = files, read
        self._folders: dict[str, tuple[str, str]] = {}
        """The commit and path of each folder that was shown, by id."""

    def answer(self, rest: Rest, text: str, given: Input) -> Data | None:
        """Answer a query, None if it is none of these."""
        levels = [int(level) for level in _LEVEL.findall(text)]
        if levels and text == queries.folders(levels):
            return _each(given, len(levels), lambda i, name, oid: self._folder(rest, name, oid, levels[i]), rest)
        number = sum(key.startswith("i") for key in given)
        if number and text == queries.files(number):
            return _each(given, number, lambda _, name, oid: self._file(rest, name, oid), rest)
        return None

    def _folder(self, rest: Rest, repository: str, oid: str, levels: int) -> Data | None:
        commit, path = self._folders.get(oid, (oid, ""))
        files = {file["path"]: file for file in self._files(rest, repository, commit)}
        return {"entries": self._entries(commit, path, files, levels)}

    def _entries(self, commit: str, folder: str, files: Mapping[str, File], levels: int) -> list[Data]:
        shown: dict[str, Data] = {}
        for path, file in files.items():
            if not path.startswith(folder):
                continue
            name, slash, _ = path.removeprefix(folder).partition("/")
            if not slash:
                size, mode = file["size"], int(file["mode"], 8)
                shown[name] = {
                    "name": name,
                    "mode": mode,
                    "type": "blob",
                    "oid": file["sha"],
                    "size": size,
                    "object": {},
                }
            elif name not in shown:
                below = f"{folder}{name}/"
                oid = hashlib.sha1(f"{commit}:{below}".encode(), usedforsecurity=False).hexdigest()
                self._folders[oid] = (commit, below)
                held = {"object": {"entries": self._entries(commit, below, files, levels - 1)}} if levels > 1 else {}
                shown[name] = {"name": name, "mode": 0o040000, "type": "tree", "oid": oid, "size": 0, **held}
        return list(shown.values())

    def _file(self, rest: Rest, repository: str, oid: str) -> Data:
        content = self._read(rest, repository, oid)
        is_binary = b"\0" in content
        text = None if is_binary else content.decode(errors="replace")
        return {"text": text, "isBinary": is_binary, "isTruncated": False}


def branches(rest: Rest, repository: str, word: str) -> Data:
    """Show the branches that have a word in their names, with the moment since which one is proposed."""
    nodes = []
    for found in rest.get(f"/repos/{repository}/branches?per_page=100"):
        if word in found["name"]:
            opened = {"nodes": [{"createdAt": at} for at in opened_at(rest, repository, found["name"])]}
            nodes.append({"prefix": "refs/heads/", "name": found["name"], "associatedPullRequests": opened})
    return {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}


def opened_at(rest: Rest, repository: str, branch: str) -> list[str]:
    """When the open pull requests from a branch were opened."""
    owner = repository.partition("/")[0]
    pulls = rest.get(f"/repos/{repository}/pulls?head={owner}:{quote(branch)}&state=open&per_page=100")
    return [pull["created_at"] for pull in pulls]


def _each(given: Input, number: int, find: Callable[[int, str, str], Data | None], rest: Rest) -> Data:
    """Find an object of each repository; one that is not there is null, with the error that GitHub gives."""
    data: dict[str, Data | None] = {}
    errors = []
    for i in range(number):
        name = f"{given[f'o{i}']}/{given[f'n{i}']}"
        if rest.find(f"/repos/{name}") is None:
            data[f"r{i}"] = None
            text = f"Could not resolve to a Repository with the name '{name}'."
            errors.append({"type": "NOT_FOUND", "path": [f"r{i}"], "message": text})
            continue
        try:
            data[f"r{i}"] = {"object": find(i, name, given[f"i{i}"])}
        except Refused:
            data[f"r{i}"] = {"object": None}
    if errors:
        raise GraphQLError({"data": data, "errors": errors})
    return data

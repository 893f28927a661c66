"""What `myworld` 0.2.1 lacks: some fields of GraphQL, the two mutations of branches, git's trees and blobs.

Its GraphQL answers all queries but those for comparisons and objects.
It has no `Commit.committer` and no `Repository.isDisabled`; `author` and `isLocked` are the nearest that it has.
It has no `Ref.associatedPullRequests` either, which its list of pull requests has in it.
"""

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from bot.adapters.forge.github import queries
from bot.adapters.forge.github.calls import BRANCHES
from tests.lab.emulators.answers import Data, GraphQLError, Input, graphql_error, opened
from tests.lab.emulators.bridge import Call, message
from tests.lab.emulators.objects import FOLDER, Entry
from tests.lab.emulators.rest import Rest
from tests.lab.web import Answer

_OPENED: Final = " associatedPullRequests(states: OPEN, first: 1) { nodes { createdAt } }"
_NEAREST: Final = {"committer {": "committer: author {", "isDisabled": "isDisabled: isLocked", _OPENED: ""}


class LackingInMyWorld:
    """Implements `Lacking`."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str], tuple[str, str]] = {}
        """Where a file or folder was seen, by repository and id: its commit and path."""

    def rest(self, call: Call) -> Answer | None:
        """Nothing is asked of its REST API that it cannot."""

    def query(self, call: Call, text: str, given: Input) -> Data:
        """Pass a query on, asking for what it has; it compares nothing."""
        if text == queries.COMPARE:
            return {"repository": {"ref": {"compare": _compared(call.rest, given)}}}
        for ours, nearest in _NEAREST.items():
            text = text.replace(ours, nearest)
        document = call.rest.do("POST", "/graphql", {"query": text, "variables": given})
        for repository, branch in _branches(document.get("data") or {}, given):
            branch["associatedPullRequests"] = opened(call.rest, repository, branch["name"])
        if document.get("errors"):
            raise GraphQLError(document)
        data: Data = document["data"]
        return data

    def folder(self, rest: Rest, repository: str, oid: str) -> Sequence[Entry] | None:
        """List a folder by its contents API: files are regular, and folders, which have no ids there, get some here."""
        commit, path = self._paths.get((repository, oid), (oid, ""))
        found = rest.find(f"/repos/{repository}/contents/{quote(path) or '%2F'}?ref={commit}")
        if not isinstance(found, list):
            return None
        entries = [_entry(commit, one) for one in found]
        self._paths |= {
            (repository, entry.oid): (commit, one["path"]) for entry, one in zip(entries, found, strict=True)
        }
        return entries

    def file(self, rest: Rest, repository: str, oid: str) -> bytes | None:
        """Read a file where it was seen."""
        if (repository, oid) not in self._paths:
            return None
        commit, path = self._paths[repository, oid]
        return b64decode(rest.get(f"/repos/{repository}/contents/{quote(path)}?ref={commit}")["content"])

    def commit(self, call: Call, repository: str, branch: str, given: Input) -> str:
        """Commit by the contents API, which takes one file in a commit."""
        files = given["fileChanges"]["additions"]
        if len(files) != 1:
            raise graphql_error("UNPROCESSABLE", "myworld's REST API takes one file in a commit")
        path = f"/repos/{repository}/contents/{quote(files[0]['path'])}"
        now = call.rest.get(f"{path}?{urlencode({'ref': branch})}")["sha"]
        body = {"message": message(given), "branch": branch, "content": files[0]["contents"], "sha": now}
        return str(call.rest.do("PUT", path, body)["commit"]["sha"])


def _entry(commit: str, found: Mapping[str, Any]) -> Entry:
    if found["type"] != "dir":
        return Entry(name=found["name"], mode=0o100644, type="blob", oid=found["sha"], size=found["size"])
    made = hashlib.sha1(f"{commit}:{found['path']}".encode(), usedforsecurity=False).hexdigest()
    return Entry(name=found["name"], mode=0o040000, type=FOLDER, oid=made)


def _branches(data: Mapping[str, Any], given: Input) -> Iterator[tuple[str, dict[str, Any]]]:
    """Find the branches that an answer lists, with their repository."""
    owner = data.get("repositoryOwner") or {}
    listed = [*owner.get("repositories", {}).get("nodes", ()), *filter(None, data.values())]
    pages = [(one["nameWithOwner"], one["refs"]) for one in listed if "refs" in one and "nameWithOwner" in one]
    if "refs" in (repository := data.get("repository") or {}):
        pages.append((f"{given['owner']}/{given['name']}", repository["refs"]))
    yield from ((name, branch) for name, page in pages for branch in page["nodes"])


def _compared(rest: Rest, given: Input) -> Data | None:
    repository = f"{given['owner']}/{given['name']}"
    base, head = ([*_commits(rest, repository, name)] for name in (given["base"].removeprefix(BRANCHES), given["head"]))
    return {"aheadBy": len({*head} - {*base}), "headTarget": {"oid": head[0]}}


def _commits(rest: Rest, repository: str, name: str) -> Iterator[str]:
    page = rest.get(f"/repos/{repository}/commits?{urlencode({'sha': name, 'per_page': 100})}")
    assert len(page) < 100, "the bridge reads one page"
    yield from (commit["sha"] for commit in page)

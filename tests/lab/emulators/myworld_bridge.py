"""What `myworld` 0.2.1 lacks: four fields of GraphQL, folders and files in it, the two mutations of branches, blobs.

Its GraphQL answers the others.
It has no `Commit.committer` and no `Repository.isDisabled`; `author` and `isLocked` are the nearest that it has.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from bot.adapters.forge.github import queries
from bot.adapters.forge.github.calls import BRANCHES
from tests.lab.emulators.bridge import (
    NOT_ALLOWED,
    Call,
    Data,
    GraphQLError,
    Input,
    graphql_error,
    message,
    places_of,
)
from tests.lab.emulators.rest import Rest
from tests.lab.emulators.sources_bridge import SourcesBridge, branches
from tests.lab.web import Answer

_OPENED: Final = "associatedPullRequests(states: OPEN, first: 1) { nodes { createdAt } }"
_NEAREST: Final = {"committer {": "committer: author {", "isDisabled": "isDisabled: isLocked", _OPENED: ""}
_READ: Final = re.compile(r"GET /repos/(?P<repository>[^/]+/[^/]+)/git/blobs/(?P<id>[^/?]+)")
_FOLDER: Final = "dir"


class LackingInMyWorld:
    """Implements `Lacking`."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str], tuple[str, str]] = {}
        """Where a blob was seen, by repository and id: its path and commit."""
        self._sources = SourcesBridge(self._listed, self._content)

    def rest(self, call: Call) -> Answer | None:
        """Answer reads of the git data API."""
        found = _READ.fullmatch(f"{call.asked.method} {call.asked.path}")
        if found is None:
            return None
        return self._blob(call.rest, found["repository"], found["id"])

    def query(self, call: Call, text: str, given: Input) -> Data:
        """Pass a query on, asking for what it has; it compares nothing."""
        if text == queries.COMPARE:
            return {"repository": {"ref": {"compare": _compared(call.rest, given)}}}
        if text == queries.AUTO_MERGE:
            raise graphql_error("UNPROCESSABLE", f"{NOT_ALLOWED} ({given['input']['pullRequestId']})")
        if text == queries.places(len(expressions := places_of(given))):
            return {"repository": {f"p{i}": _folder(call.rest, given, one) for i, one in enumerate(expressions)}}
        if (answered := self._sources.answer(call.rest, text, given)) is not None:
            return answered
        is_list = text == queries.OWNER
        for ours, nearest in _NEAREST.items():
            text = text.replace(ours, nearest)
        document = call.rest.do("POST", "/graphql", {"query": text, "variables": given})
        if document.get("errors"):
            raise GraphQLError(document)
        data: Data = document["data"]
        if is_list and data["repositoryOwner"]:
            for repository in data["repositoryOwner"]["repositories"]["nodes"]:
                repository["refs"] = branches(call.rest, repository["nameWithOwner"], given["branches"])
        return data

    def commit(self, call: Call, repository: str, branch: str, given: Input) -> str:
        """Commit by the contents API, which takes one file in a commit."""
        files = given["fileChanges"]["additions"]
        if len(files) != 1:
            raise graphql_error("UNPROCESSABLE", "myworld's REST API takes one file in a commit")
        path = f"/repos/{repository}/contents/{quote(files[0]['path'])}"
        now = call.rest.get(f"{path}?{urlencode({'ref': branch})}")["sha"]
        body = {"message": message(given), "branch": branch, "content": files[0]["contents"], "sha": now}
        return str(call.rest.do("PUT", path, body)["commit"]["sha"])

    def _listed(self, rest: Rest, repository: str, commit: str) -> list[Mapping[str, Any]]:
        files = [*_files(rest, repository, commit, "")]
        self._paths |= {(repository, file["sha"]): (file["path"], commit) for file in files}
        return [{**file, "mode": "100644"} for file in files]

    def _content(self, rest: Rest, repository: str, oid: str) -> bytes:
        path, commit = self._paths[repository, oid]
        return b64decode(rest.get(f"/repos/{repository}/contents/{quote(path)}?ref={commit}")["content"])

    def _blob(self, rest: Rest, repository: str, oid: str) -> Answer:
        content = self._content(rest, repository, oid)
        return Answer(headers={"Content-Type": "application/octet-stream"}, body=content)


def _files(rest: Rest, repository: str, commit: str, folder: str) -> Iterator[Mapping[str, Any]]:
    for found in rest.get(f"/repos/{repository}/contents/{quote(folder) or '%2F'}?ref={commit}"):
        if found["type"] == _FOLDER:
            yield from _files(rest, repository, commit, found["path"])
        else:
            yield {key: found[key] for key in ("path", "sha", "size")}


def _folder(rest: Rest, given: Input, expression: str) -> Data | None:
    """Show a folder, named `COMMIT:FOLDER`, all of whose files are regular; None where there is none."""
    commit, _, folder = expression.partition(":")
    place = f"/repos/{given['owner']}/{given['name']}/contents/{quote(folder) or '%2F'}?ref={commit}"
    found = rest.find(place)
    if not isinstance(found, list):
        return None
    kinds = {_FOLDER: ("tree", 0o040000)}
    named = [(one["name"], *kinds.get(one["type"], ("blob", 0o100644))) for one in found]
    return {"entries": [{"name": name, "type": kind, "mode": mode} for name, kind, mode in named]}


def _compared(rest: Rest, given: Input) -> Data | None:
    repository = f"{given['owner']}/{given['name']}"
    base, head = ([*_commits(rest, repository, name)] for name in (given["base"].removeprefix(BRANCHES), given["head"]))
    return {"aheadBy": len({*head} - {*base}), "headTarget": {"oid": head[0]}}


def _commits(rest: Rest, repository: str, name: str) -> Iterator[str]:
    page = rest.get(f"/repos/{repository}/commits?{urlencode({'sha': name, 'per_page': 100})}")
    assert len(page) < 100, "the bridge reads one page"
    yield from (commit["sha"] for commit in page)

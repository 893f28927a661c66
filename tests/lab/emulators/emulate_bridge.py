"""What `emulate` 0.12.2 lacks: GraphQL as a whole, and the raw media type of a blob."""

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from bot.adapters.forge.github import queries
from bot.adapters.forge.github.calls import BRANCHES
from tests.lab.emulators.answers import Data, GraphQLError, Input, graphql_error, no_repository, opened
from tests.lab.emulators.bridge import Call, message, tip
from tests.lab.emulators.objects import Entry
from tests.lab.emulators.rest import Rest
from tests.lab.web import Answer

_BLOB: Final = re.compile(r"/repos/[^/]+/[^/]+/git/blobs/[0-9a-f]+")
_LAST_PAGE: Final = {"hasNextPage": False, "endCursor": None}
_MERGEABLE: Final = {None: "UNKNOWN", True: "MERGEABLE", False: "CONFLICTING"}
_NOT_ALLOWED: Final = "Pull request Auto merge is not allowed for this repository"
"""What GitHub says where auto-merge was not allowed."""
_GITHUB: Final = {"name": "GitHub", "email": "noreply@github.com"}
"""Who commits what GitHub itself makes."""


class LackingInEmulate:
    """Implements `Lacking`."""

    def rest(self, call: Call) -> Answer | None:
        """Give a blob as its bytes, which it gives only within JSON."""
        path = call.asked.path
        if call.asked.method != "GET" or not _BLOB.fullmatch(path) or ".raw" not in call.asked.headers["Accept"]:
            return None
        content = b64decode(call.rest.get(path)["content"])
        return Answer(headers={"Content-Type": "application/vnd.github.raw+json"}, body=content)

    def query(self, call: Call, text: str, given: Input) -> Data:
        """Answer the queries of the adapter."""
        if text == queries.OWNER:
            return {"repositoryOwner": _owner(call.rest, given)}
        if text == queries.named(number := sum(name.startswith("o") for name in given)):
            return _named(call.rest, given, number)
        if text == queries.look(checks=False):
            return _look(call.rest, given)
        if text == queries.COMPARE:
            return {"repository": {"ref": {"compare": _compared(call.rest, given)}}}
        if text == queries.AUTO_MERGE:
            raise graphql_error("UNPROCESSABLE", f"{_NOT_ALLOWED} ({given['input']['pullRequestId']})")
        raise graphql_error("undefinedField", f"the bridge does not know this query: {text}")

    def folder(self, rest: Rest, repository: str, oid: str) -> Sequence[Entry] | None:
        """Show a tree, which it finds by the commit, too."""
        found = rest.find(f"/repos/{repository}/git/trees/{oid}")
        return [_entry(one) for one in found["tree"]] if found else None

    def file(self, rest: Rest, repository: str, oid: str) -> bytes | None:
        """Read a blob."""
        found = rest.find(f"/repos/{repository}/git/blobs/{oid}")
        return b64decode(found["content"]) if found else None

    def commit(self, call: Call, repository: str, branch: str, given: Input) -> str:
        """Commit by the git data API, as GitHub commits: regular files, and itself as the committer."""
        rest, parent, path = call.rest, given["expectedHeadOid"], f"/repos/{repository}/git"
        entries = [
            {"path": file["path"], "mode": "100644", "type": "blob", "sha": _blob(rest, path, file["contents"])}
            for file in given["fileChanges"]["additions"]
        ]
        base = rest.get(f"{path}/commits/{parent}")["tree"]["sha"]
        tree = rest.do("POST", f"{path}/trees", {"base_tree": base, "tree": entries})["sha"]
        commit = {"message": message(given), "tree": tree, "parents": [parent], "committer": _GITHUB}
        made = str(rest.do("POST", f"{path}/commits", commit)["sha"])
        rest.do("PATCH", f"{path}/refs/heads/{quote(branch)}", {"sha": made})
        return made


def _blob(rest: Rest, path: str, content: str) -> str:
    return str(rest.do("POST", f"{path}/blobs", {"content": content, "encoding": "base64"})["sha"])


def _owner(rest: Rest, given: Input) -> Data | None:
    """List an owner's repositories by searching: it has no list of an organisation's."""
    owner = given["owner"]
    if rest.find(f"/orgs/{owner}") is None:
        return None
    found = rest.get(f"/search/repositories?q=org:{owner}&per_page=100")
    assert found["total_count"] <= 100, "the bridge reads one page"
    listed = (_listed(rest, one, given["branches"]) for one in found["items"])
    nodes = sorted(listed, key=lambda node: str(node["nameWithOwner"]))
    return {"repositories": {"pageInfo": _LAST_PAGE, "nodes": nodes}}


def _named(rest: Rest, given: Input, number: int) -> Data:
    """Show repositories by name; one that is not there is an error of its part alone."""
    names = {f"r{i}": f"{given[f'o{i}']}/{given[f'n{i}']}" for i in range(number)}
    found = {part: rest.find(f"/repos/{name}") for part, name in names.items()}
    data = {part: one and _listed(rest, one, given["branches"]) for part, one in found.items()}
    if errors := [no_repository(names[part], part) for part, one in found.items() if one is None]:
        raise GraphQLError({"data": data, "errors": errors})
    return data


def _listed(rest: Rest, found: Mapping[str, Any], branches: str) -> Data:
    name, branch = found["full_name"], found["default_branch"]
    at = tip(rest, name, f"{BRANCHES}{branch}")
    return {
        "nameWithOwner": name,
        "isArchived": found["archived"],
        "isDisabled": found["disabled"],
        "isEmpty": at is None,
        "isFork": found["fork"],
        "visibility": str(found["visibility"]).upper(),
        "defaultBranchRef": {"name": branch, "target": {"oid": at}} if at else None,
        "repositoryTopics": {"nodes": [{"topic": {"name": topic}} for topic in found["topics"]]},
        "refs": {"pageInfo": _LAST_PAGE, "nodes": _branches(rest, name, branches)},
    }


def _branches(rest: Rest, repository: str, part: str) -> Sequence[Data]:
    """Show all branches whose names have a part, on one page."""
    found = rest.get(f"/repos/{repository}/branches?per_page=100")
    assert len(found) < 100, "the bridge reads one page"
    names = [one["name"] for one in found if part in one["name"]]
    return [
        {"prefix": BRANCHES, "name": name, "associatedPullRequests": opened(rest, repository, name)} for name in names
    ]


def _entry(found: Mapping[str, Any]) -> Entry:
    return Entry(
        name=found["path"],
        mode=int(found["mode"], 8),
        type=found["type"],
        oid=found["sha"],
        size=found.get("size") or 0,
    )


def _look(rest: Rest, given: Input) -> Data:
    repository = f"{given['owner']}/{given['name']}"
    path = f"/repos/{repository}"
    found = rest.find(path)
    if found is None:
        raise GraphQLError({"data": None, "errors": [no_repository(repository, "repository")]})
    filters = f"head={given['owner']}:{quote(given['branch'])}&state=all&per_page=100"
    pulls = sorted(rest.get(f"{path}/pulls?{filters}"), key=lambda pull: -int(pull["number"]))
    looked = {
        "id": found["node_id"],
        "branch": _reference(rest, repository, given["head"]),
        "base": _reference(rest, repository, given["base"]),
        "pullRequests": {"pageInfo": _LAST_PAGE, "nodes": [_pull(rest, path, pull) for pull in pulls]},
    }
    me = rest.get("/user")
    return {"viewer": {"login": me["login"], "databaseId": me["id"]}, "repository": looked}


def _compared(rest: Rest, given: Input) -> Data | None:
    """Compare a branch with another: the ids stand still between the requests that this takes, the names do not."""
    repository = f"{given['owner']}/{given['name']}"
    base, head = (tip(rest, repository, name) for name in (given["base"], f"{BRANCHES}{given['head']}"))
    if head is None:
        return None
    compared = rest.get(f"/repos/{repository}/compare/{base}...{head}")
    return {"aheadBy": compared["ahead_by"], "headTarget": {"oid": head}}


def _reference(rest: Rest, repository: str, name: str) -> Data | None:
    at = tip(rest, repository, name) if name != BRANCHES else None
    return {"target": _commit(rest.get(f"/repos/{repository}/commits/{at}"))} if at else None


def _pull(rest: Rest, path: str, pull: Mapping[str, Any]) -> Data:
    commits = rest.get(f"{path}/pulls/{pull['number']}/commits?per_page=100")
    last = rest.get(f"{path}/commits/{commits[-1]['sha']}")
    return {
        "id": pull["node_id"],
        "number": pull["number"],
        "title": pull["title"],
        "body": pull["body"] or "",
        "url": pull["html_url"],
        "mergedAt": pull["merged_at"],
        "state": "MERGED" if pull["merged_at"] else str(pull["state"]).upper(),
        "isCrossRepository": pull["head"]["repo"]["full_name"] != pull["base"]["repo"]["full_name"],
        "headRefOid": pull["head"]["sha"],
        "baseRefName": pull["base"]["ref"],
        "mergeable": _MERGEABLE[rest.get(f"{path}/pulls/{pull['number']}")["mergeable"]],
        "labels": {"nodes": [{"name": label["name"]} for label in pull["labels"]]},
        "commits": {"nodes": [{"commit": _commit(last)}]},
    }


def _commit(found: Mapping[str, Any]) -> Data:
    user, commit = found["committer"], found["commit"]
    committer = {"email": commit["committer"]["email"], "user": {"login": user["login"]} if user else None}
    return {"oid": found["sha"], "message": commit["message"], "committer": committer}

"""A front before an emulator: what that can do goes through as it comes, what it lacks is made of its own REST API.

What is made here is ours and proves nothing about GitHub; it lets the adapter meet all the rest that is not ours.
A query is known by its whole text, so that a changed one is noticed.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from bot.adapters.forge.github import queries
from bot.adapters.forge.github.calls import BRANCHES, NOWHERE
from tests.lab.emulators.answers import Data, GraphQLError, Input, graphql_error, in_json
from tests.lab.emulators.objects import Answers, Objects
from tests.lab.emulators.rest import Refused, Rest
from tests.lab.forward import forward
from tests.lab.web import Answer, Asked, Web, serve


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, and the emulator as whoever sent it sees it."""

    asked: Asked
    rest: Rest


class Lacking(Objects, Protocol):
    """What one emulator lacks, made of what it has."""

    def rest(self, call: Call) -> Answer | None:
        """Answer a request of the REST API that it cannot, else None."""
        ...

    def query(self, call: Call, text: str, given: Input) -> Data:
        """Answer a GraphQL query."""
        ...

    def commit(self, call: Call, repository: str, branch: str, given: Input) -> str:
        """Append a commit to a branch, of which it is known that it is where the input says, and return its id."""
        ...


class Bridge:
    """Answers for the emulator at `host`, whose API comes after `before`."""

    def __init__(self, host: str, before: str, lacking: Lacking) -> None:
        self._host, self._before, self._lacking = host, before, lacking
        self._names: dict[str, str] = {}
        self._comments: dict[str, str] = {}
        self._writing = threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        """Answer a request: pass it on, or make what the emulator lacks."""
        rest = Rest(host=self._host, authorization=asked.headers["Authorization"] or "", before=self._before)
        call = Call(asked=asked, rest=rest)
        try:
            if asked.path == "/graphql":
                return self._graphql(call)
            return self._lacking.rest(call) or forward(self._host, asked, before=self._before)
        except Refused as refused:
            return refused.answer

    def _graphql(self, call: Call) -> Answer:
        document = json.loads(call.asked.body)
        try:
            data = self._operate(call, document["query"], document["variables"])
        except GraphQLError as error:
            return in_json(error.document)
        return in_json({"data": data})

    def _operate(self, call: Call, text: str, given: Input) -> Data:
        if text == queries.COMMIT:
            return {"createCommitOnBranch": {"commit": {"oid": self._commit(call, given["input"])}}}
        if text == queries.MOVE:
            self._move(call, given["input"])
            return {"updateRefs": {"clientMutationId": None}}
        if text == queries.UNCOMMENT:
            return self._unsay(call, given["input"]["id"])
        if text == queries.COMMENTS:
            return self._said(call, given)
        found = Answers(objects=self._lacking, rest=call.rest).query(text, given)
        data = self._lacking.query(call, text, given) if found is None else found
        if text == queries.look(checks=False):
            self._names[data["repository"]["id"]] = f"{given['owner']}/{given['name']}"
        return data

    def _said(self, call: Call, given: Input) -> Data:
        """List comments, and remember where each can be deleted."""
        repository, number = f"{given['owner']}/{given['name']}", given["number"]
        found = call.rest.get(f"/repos/{repository}/issues/{number}/comments?per_page=100")
        assert len(found) < 100, "the bridge reads one page"
        me = call.rest.get("/user")["login"]
        self._comments |= {node(one): f"/repos/{repository}/issues/comments/{one['id']}" for one in found}
        nodes = [{"id": node(one), "body": one["body"], "viewerDidAuthor": one["user"]["login"] == me} for one in found]
        page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}
        return {"repository": {"pullRequest": {"comments": page}}}

    def _unsay(self, call: Call, comment: str) -> Data:
        """Delete a comment; one that is gone is found nowhere."""
        try:
            call.rest.do("DELETE", self._comments[comment])
        except Refused as refused:
            if refused.answer.status != 404:
                raise
            raise graphql_error("NOT_FOUND", f"Could not resolve to a node with the global id of '{comment}'") from None
        return {"deleteIssueComment": {"clientMutationId": None}}

    def _commit(self, call: Call, given: Input) -> str:
        repository, branch = given["branch"]["repositoryNameWithOwner"], given["branch"]["branchName"]
        with self._writing:
            at = tip(call.rest, repository, f"{BRANCHES}{branch}")
            if at != given["expectedHeadOid"]:
                raise graphql_error("STALE_DATA", f'Expected branch to point to "{at}" but it did not.')
            return self._lacking.commit(call, repository, branch, given)

    def _move(self, call: Call, given: Input) -> None:
        """Move references one after the other, once all are where they should be."""
        repository = self._names[given["repositoryId"]]
        with self._writing:
            moves = [(tip(call.rest, repository, move["name"]) or NOWHERE, move) for move in given["refUpdates"]]
            for now, move in moves:
                if move.get("beforeOid", now) != now:
                    raise graphql_error("UNPROCESSABLE", f"{move['name']} is at {now}")
            for now, move in moves:
                put(call.rest, repository, move["name"], now, move["afterOid"])


@contextmanager
def bridged(bridge: Bridge) -> Iterator[Web]:
    """Serve the front until the block ends."""
    with serve(bridge.answer) as web:
        yield web


def node(found: Mapping[str, Any]) -> str:
    """The id that GraphQL has for something that REST shows."""
    return str(found["node_id"])


def tip(rest: Rest, repository: str, reference: str) -> str | None:
    """Where a reference is, None if it is not there."""
    found = rest.find(f"/repos/{repository}/git/ref/{quote(reference.removeprefix('refs/'))}")
    return str(found["object"]["sha"]) if found else None


def put(rest: Rest, repository: str, reference: str, now: str, new: str) -> None:
    """Make, move or delete a reference that is at `now`."""
    path = f"/repos/{repository}/git/refs"
    if now == NOWHERE:
        rest.do("POST", path, {"ref": reference, "sha": new})
    elif new == NOWHERE:
        rest.do("DELETE", f"{path}/{quote(reference.removeprefix('refs/'))}")
    else:
        rest.do("PATCH", f"{path}/{quote(reference.removeprefix('refs/'))}", {"sha": new, "force": True})


def message(given: Input) -> str:
    """The message of a commit as git has it."""
    return f"{given['message']['headline']}\n\n{given['message']['body']}"

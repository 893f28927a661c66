"""GraphQL's answers, and what a bridge puts into more than one of them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.lab.emulators.rest import Rest
from tests.lab.web import Answer

Input = Mapping[str, Any]
"""The input of a mutation, or the variables of a query."""
Data = Mapping[str, Any]


class GraphQLError(Exception):
    """An answer with errors, and maybe with some data."""

    def __init__(self, document: Mapping[str, object]) -> None:
        super().__init__(str(document["errors"]))
        self.document = document


def graphql_error(kind: str, text: str) -> GraphQLError:
    """Build an answer without data."""
    return GraphQLError({"data": None, "errors": [{"type": kind, "message": text}]})


def no_repository(repository: str, place: str) -> Mapping[str, object]:
    """Build the error of that part of an answer whose repository is not there."""
    text = f"Could not resolve to a Repository with the name '{repository}'."
    return {"type": "NOT_FOUND", "path": [place], "message": text}


def in_json(document: object) -> Answer:
    """Answer a document."""
    return Answer(headers={"Content-Type": "application/json; charset=utf-8"}, body=json.dumps(document).encode())


def opened(rest: Rest, repository: str, branch: str) -> Data:
    """Show since when a pull request from a branch is open, if one is, as `associatedPullRequests` of the branch."""
    pulls = rest.get(f"/repos/{repository}/pulls?state=open&per_page=100")
    assert len(pulls) < 100, "the bridge reads one page"
    return {"nodes": [{"createdAt": one["created_at"]} for one in pulls if one["head"]["ref"] == branch][:1]}

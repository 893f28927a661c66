"""GraphQL requests: who calls, the check against the schema, and what an answer costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.lab.github import graphql
from tests.lab.github.accounts import Token
from tests.lab.github.graph import Graph
from tests.lab.github.graph_objects import Budget, GaveUp
from tests.lab.github.hub import Hub
from tests.lab.github.ledger import Ledger, charged, json_answer, lowered, refused, require_user_agent
from tests.lab.github.limits import primary_graphql_limit
from tests.lab.github.mutations import Mutations
from tests.lab.github.refusals import Refusal
from tests.lab.github.shapes import Shapes
from tests.lab.web import Answer, Asked

_GAVE_UP: Final = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."
    " Please include `0LAB:1:2:3` when reporting this issue."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphqlDoor:
    """Answers GraphQL requests."""

    hub: Hub
    ledger: Ledger

    def answer(self, asked: Asked, site: str) -> Answer | None:
        """Answer one request; None ends the connection."""
        headers = lowered(asked.headers)
        try:
            token = self._token(headers)
        except Refusal as refusal:
            return self.ledger.finish("graphql", asked, refused(refusal), writes=False)
        try:
            request = graphql.read(asked.body)
        except graphql.Malformed as malformed:
            self.ledger.violate(f"{asked.method} {asked.path}", [str(malformed)])
            answer = charged(self.hub, json_answer(200, {"errors": malformed.errors}), token, "graphql", 1)
            return self.ledger.finish("graphql", asked, answer, writes=False)
        self._check_headers(asked, request, headers)
        fault = self.ledger.faults.due({request.name, *request.fields}, writes=request.is_mutation)
        given = None
        if fault is None or fault.after:
            given = self._carry_out(asked, request, token, site)
        if fault:
            self.hub.limits.unheard()
        return self.ledger.finish(request.name, asked, given, fault, writes=request.is_mutation)

    def _token(self, headers: Mapping[str, str]) -> Token:
        require_user_agent(headers)
        token = self.hub.accounts.token(headers.get("authorization", ""))
        if token is None:
            raise Refusal(401, "This endpoint requires you to be authenticated.")
        return token

    def _check_headers(self, asked: Asked, request: graphql.Request, headers: Mapping[str, str]) -> None:
        what = f"{asked.method} {asked.path} ({request.name})"
        if asked.method != "POST":
            self.ledger.violate(what, ["GraphQL is asked by POST"])
        media_type = headers.get("content-type", "none").partition(";")[0]
        if media_type != "application/json":
            self.ledger.violate(what, [f"header Content-Type: {media_type} is not application/json"])

    def _carry_out(self, asked: Asked, request: graphql.Request, token: Token, site: str) -> Answer:
        quota = self.hub.limits.quota(token, "graphql")
        if not quota.remaining:
            return charged(self.hub, primary_graphql_limit(reset=quota.reset), token, "graphql", 0)
        if request.is_mutation and (too_many := self.hub.limits.creation(token, quota.remaining)):
            return charged(self.hub, too_many, token, "graphql", 1)
        budget = Budget(self.hub.largest_answer)
        graph = Graph(hub=self.hub, shapes=Shapes(hub=self.hub, api=site, site=site), token=token, budget=budget)
        root = Mutations(graph=graph).mutation() if request.is_mutation else graph.query()
        try:
            answer = json_answer(200, graphql.carry_out(request, root))
        except GaveUp:
            answer = json_answer(200, {"data": None, "errors": [{"message": _GAVE_UP}]})
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it, and the client get an answer
            answer = self.ledger.defect(asked, error)
        return charged(self.hub, answer, token, "graphql", 1)

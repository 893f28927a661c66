"""What happens to every request: which operation it is, who calls, what is planned for it, and both checks."""

import hashlib
import json
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from tests.lab.github import git_http, graphql, rest_apps, rest_checks, rest_git, rest_pulls
from tests.lab.github.accounts import Token
from tests.lab.github.calls import ENDPOINTS, Call, Reply
from tests.lab.github.faults import Fault, Faults
from tests.lab.github.graph import Graph
from tests.lab.github.hub import Hub
from tests.lab.github.limits import primary_limit
from tests.lab.github.mutations import Mutations
from tests.lab.github.openapi import Match, RestApi, Sent
from tests.lab.github.refusals import Gap, Refusal
from tests.lab.github.shapes import Shapes
from tests.lab.web import Answer, Asked

ROOMS: Final = (rest_apps, rest_checks, rest_git, rest_pulls)
"""The modules whose functions are endpoints; importing them registers these."""
_ENTERPRISE: Final = "/api/v3"
_GRAPHQL: Final = ("/graphql", "/api/graphql")
_JSON: Final = "application/json; charset=utf-8"
_FREE: Final = "rate-limit/get"
_BY_APP: Final = ("apps/get-org-installation", "apps/get-user-installation", "apps/create-installation-access-token")
_NEVER_WRITES: Final = ("apps/create-installation-access-token",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what became of it; `status` None where the connection ended."""

    operation: str
    method: str
    path: str
    status: int | None
    writes: bool


@dataclass(slots=True, kw_only=True)
class Server:
    """Answers requests, and remembers them."""

    hub: Hub
    rest: RestApi
    hooks: Path
    site: str = ""
    faults: Faults = field(default_factory=Faults)
    exchanges: list[Exchange] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def respond(self, asked: Asked) -> Answer | None:
        """Answer one request."""
        request = git_http.read(asked.path)
        if request:
            return self._git(asked, request)
        with self.hub.lock:
            path, _, query = asked.path.partition("?")
            if path in _GRAPHQL:
                return self._graphql(asked)
            return self._rest(asked, path, query)

    @property
    def counts(self) -> Counter[str]:
        """How often each operation was called."""
        return Counter(exchange.operation for exchange in self.exchanges)

    # REST

    def _rest(self, asked: Asked, path: str, query: str) -> Answer | None:
        prefix = _ENTERPRISE if path.startswith(f"{_ENTERPRISE}/") else ""
        path = self._by_name(path.removeprefix(prefix))
        match = self.rest.match(asked.method, path)
        if match is None or match.operation.id not in ENDPOINTS:
            name = match.operation.id if match else "no operation"
            self._violate(f"{asked.method} {asked.path}", [f"the fake does not speak it ({name})"])
            self._remember(name, asked, 404, writes=asked.method != "GET")
            return _json(404, Refusal(404, "Not Found").body)
        sent = Sent(headers=_lowered(asked.headers), body=asked.body)
        findings = self.rest.request_findings(match, query, sent)
        self._violate(f"{asked.method} {asked.path} ({match.operation.id})", findings)
        operation = match.operation.id
        writes = asked.method != "GET" and operation not in _NEVER_WRITES
        fault = self.faults.due({operation})
        answer = None
        if fault is None or fault.after:
            shapes = Shapes(hub=self.hub, api=f"{self.site}{prefix}", site=self.site)
            answer = self._answer_rest(shapes, asked, path, query, match, sent, findings)
            checked = Sent(headers={k.lower(): v for k, v in answer.headers.items()}, body=answer.body)
            wrong = self.rest.answer_findings(match, answer.status, checked)
            self._violate(f"the answer {answer.status} to {asked.method} {asked.path} ({operation})", wrong)
        return self._finish(asked, operation, answer, fault, writes=writes)

    def _answer_rest(
        self,
        shapes: Shapes,
        asked: Asked,
        path: str,
        query: str,
        match: Match,
        sent: Sent,
        findings: list[str],
    ) -> Answer:
        token: Token | None = None
        try:
            if "user-agent" not in sent.headers:
                raise Refusal(403, "Request forbidden by administrative rules. Please send a User-Agent header.")
            if match.operation.id not in _BY_APP:
                token = self.hub.accounts.token(sent.headers.get("authorization", ""))
            if findings:
                raise Refusal(422, f"Invalid request.\n\n{'; '.join(findings)}")
            quota = self.hub.limits.quota(token, "core")
            if not quota.remaining and match.operation.id != _FREE:
                return self._with_quota(primary_limit(reset=quota.reset), token, cost=0)
            call = Call(
                hub=self.hub,
                shapes=shapes,
                method=asked.method,
                path=path,
                values=match.values,
                query=_query(query),
                headers=sent.headers,
                body=json.loads(sent.body) if sent.body else {},
                token=token,
            )
            reply = ENDPOINTS[match.operation.id](call)
        except Refusal as refusal:
            reply = Reply(status=refusal.status, body=refusal.body, headers=refusal.headers)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it, and the client get an answer
            reply = self._defect(asked, error)
        answer = _conditional(_answer(reply), sent)
        return self._with_quota(answer, token, cost=0 if match.operation.id == _FREE or answer.status == 304 else 1)

    def _by_name(self, path: str) -> str:
        """Turn the address of a repository by its id into the one by its name, which alone is described."""
        steps = path.split("/", 3)
        if steps[1:2] != ["repositories"] or len(steps) < 3 or not steps[2].isdecimal():
            return path
        found = self.hub.by_id(int(steps[2]))
        return "/".join(["/repos", found.full_name, *steps[3:]]) if found else path

    # GraphQL

    def _graphql(self, asked: Asked) -> Answer | None:
        headers = _lowered(asked.headers)
        token: Token | None = None
        operations: set[str] = set()
        name, is_mutation = "graphql", False
        try:
            token = self.hub.accounts.token(headers.get("authorization", ""))
            if token is None:
                raise Refusal(401, "This endpoint requires you to be authenticated.")
            request = graphql.read(asked.body)
            name, is_mutation = request.name, request.is_mutation
            operations = {name, *request.fields}
            if headers.get("content-type", "").partition(";")[0] != "application/json":
                self._violate(f"{asked.method} {asked.path} ({name})", ["the Content-Type is not application/json"])
            fault = self.faults.due(operations)
            answer = None
            if fault is None or fault.after:
                answer = self._answer_graphql(request, token)
        except Refusal as refusal:
            fault, answer = None, _json(refusal.status, refusal.body)
        except graphql.Malformed as malformed:
            self._violate(f"{asked.method} {asked.path}", [str(malformed)])
            fault, answer = None, _json(200, {"errors": malformed.errors})
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it, and the client get an answer
            fault, answer = None, _answer(self._defect(asked, error))
        if answer:
            answer = self._with_quota(answer, token, cost=1, resource="graphql")
        return self._finish(asked, name, answer, fault, writes=is_mutation)

    def _answer_graphql(self, request: graphql.Request, token: Token) -> Answer:
        quota = self.hub.limits.quota(token, "graphql")
        if not quota.remaining:
            return _json(200, {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]})
        graph = Graph(hub=self.hub, shapes=Shapes(hub=self.hub, api=self.site, site=self.site), token=token)
        root = Mutations(graph=graph).mutation() if request.is_mutation else graph.query()
        return _json(200, graphql.carry_out(request, root))

    # Git

    def _git(self, asked: Asked, request: git_http.GitRequest) -> Answer | None:
        fault = self.faults.due({request.operation} if request.rest != "info/refs" else set())
        answer = None
        if fault is None or fault.after:
            answer = self._answer_git(asked, request)
        with self.hub.lock:
            return self._finish(asked, request.operation, answer, fault, writes=request.writes)

    def _answer_git(self, asked: Asked, request: git_http.GitRequest) -> Answer:
        try:
            with self.hub.lock:
                authorization = asked.headers.get("Authorization", "")
                repository, token = git_http.authorize(self.hub, request, authorization, self.site)
            answer = git_http.backend(asked, request, repository, token, self.hooks)
            if request.is_push:
                with self.hub.lock:
                    self.hub.settle(repository)
        except Refusal as refusal:
            headers = {"Content-Type": "text/plain", **refusal.headers}
            answer = Answer(status=refusal.status, headers=headers, body=refusal.message.encode())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it, and the client get an answer
            answer = _answer(self._defect(asked, error))
        return answer

    # All

    def _finish(
        self, asked: Asked, operation: str, answer: Answer | None, fault: Fault | None, *, writes: bool
    ) -> Answer | None:
        given = fault.answer if fault else answer
        self._remember(operation, asked, given.status if given else None, writes=writes)
        return given

    def _remember(self, operation: str, asked: Asked, status: int | None, *, writes: bool) -> None:
        self.exchanges.append(
            Exchange(operation=operation, method=asked.method, path=asked.path, status=status, writes=writes)
        )

    def _with_quota(self, answer: Answer, token: Token | None, *, cost: int, resource: str = "core") -> Answer:
        quota = self.hub.limits.quota(token, resource)
        quota.used += cost
        return replace(answer, headers={**quota.headers, **answer.headers})

    def _violate(self, what: str, findings: list[str]) -> None:
        self.violations += [f"{what}: {finding}" for finding in findings]

    def _defect(self, asked: Asked, error: Exception) -> Reply:
        told = str(error) if isinstance(error, Gap) else traceback.format_exc(limit=-6)
        self._violate(f"{asked.method} {asked.path}", [told])
        return Reply(status=500, body={"message": "defect of the lab"})


def _answer(reply: Reply) -> Answer:
    if isinstance(reply.body, bytes):
        return Answer(status=reply.status, headers=reply.headers, body=reply.body)
    if reply.body is None:
        return Answer(status=reply.status, headers=reply.headers)
    return _json(reply.status, reply.body, reply.headers)


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, headers={"Content-Type": _JSON, **(headers or {})}, body=json.dumps(body).encode())


def _conditional(answer: Answer, sent: Sent) -> Answer:
    """State the version of what was read, and spare the caller the one that it has."""
    if answer.status != 200:
        return answer
    tag = f'"{hashlib.sha256(answer.body).hexdigest()}"'
    headers = {**answer.headers, "ETag": f"W/{tag}"}
    known = [one.strip().removeprefix("W/") for one in sent.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Answer(status=304, headers={key: value for key, value in headers.items() if key != "Content-Type"})
    return replace(answer, headers=headers)


def _lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))

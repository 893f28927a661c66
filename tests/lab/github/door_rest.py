"""REST requests: which operation it is, both checks, and the rules of every answer (quota, ETag)."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl

from tests.lab.github import rest_actions, rest_apps, rest_checks, rest_git, rest_pulls
from tests.lab.github.accounts import Token
from tests.lab.github.calls import ENDPOINTS, Call, Reply
from tests.lab.github.hub import Hub
from tests.lab.github.ledger import Ledger, charged, json_answer, lowered, refused, require_user_agent
from tests.lab.github.limits import primary_limit
from tests.lab.github.openapi import Match, RestApi, Sent
from tests.lab.github.refusals import Refusal
from tests.lab.github.shapes import Shapes
from tests.lab.web import Answer, Asked

ROOMS: Final = (rest_actions, rest_apps, rest_checks, rest_git, rest_pulls)
"""The modules whose functions are endpoints; importing them registers these."""
ENTERPRISE: Final = "/api/v3"
_FREE: Final = "rate-limit/get"
_ISSUE: Final = "apps/create-installation-access-token"
_BY_APP: Final = ("apps/get-org-installation", "apps/get-user-installation", _ISSUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """A request once its operation is known; `path` has the repository by its name."""

    asked: Asked
    prefix: str
    path: str
    query: str
    match: Match
    sent: Sent

    @property
    def operation(self) -> str:
        return self.match.operation.id


@dataclass(frozen=True, slots=True, kw_only=True)
class RestDoor:
    """Answers REST requests."""

    hub: Hub
    ledger: Ledger
    api: RestApi

    def answer(self, asked: Asked, site: str) -> Answer | None:
        """Answer one request; None ends the connection."""
        arrived = self._read(asked)
        if arrived is None:
            return self.ledger.finish("unknown", asked, json_answer(404, Refusal(404, "Not Found").body), writes=True)
        findings = self.api.request_findings(arrived.match, arrived.query, arrived.sent)
        self.ledger.violate(f"{asked.method} {asked.path} ({arrived.operation})", findings)
        writes = asked.method != "GET" and arrived.operation != _ISSUE
        fault = self.ledger.faults.due({arrived.operation}, writes=writes)
        given = None
        if fault is None or fault.after:
            given = self._carry_out(arrived, site, findings, writes=writes)
            self._check(arrived, given)
        if fault:
            self.hub.limits.unheard()
        return self.ledger.finish(arrived.operation, asked, given, fault, writes=writes)

    def _read(self, asked: Asked) -> _Arrived | None:
        path, _, query = asked.path.partition("?")
        prefix = ENTERPRISE if path.startswith(f"{ENTERPRISE}/") else ""
        path = self._by_name(path.removeprefix(prefix))
        match = self.api.match(asked.method, path)
        if match is None or match.operation.id not in ENDPOINTS:
            name = match.operation.id if match else "no operation of GitHub"
            self.ledger.violate(f"{asked.method} {asked.path}", [f"the fake does not speak it ({name})"])
            return None
        sent = Sent(headers=lowered(asked.headers), body=asked.body)
        return _Arrived(asked=asked, prefix=prefix, path=path, query=query, match=match, sent=sent)

    def _by_name(self, path: str) -> str:
        """Turn the address of a repository by its id into the one by its name, which alone is described."""
        steps = path.split("/", 3)
        if steps[1:2] != ["repositories"] or len(steps) < 3 or not steps[2].isdecimal():
            return path
        found = self.hub.by_id(int(steps[2]))
        return "/".join(["/repos", found.full_name, *steps[3:]]) if found else path

    def _carry_out(self, arrived: _Arrived, site: str, findings: list[str], *, writes: bool) -> Answer:
        token: Token | None = None
        cost = 0 if arrived.operation == _FREE else 1
        try:
            token = self._token(arrived)
            quota = self.hub.limits.quota(token, "core")
            if cost and not quota.remaining:
                return charged(self.hub, primary_limit(reset=quota.reset), token, "core", 0)
            if writes and (too_many := self.hub.limits.creation(token, quota.remaining)):
                return charged(self.hub, too_many, token, "core", cost)
            answer = _written(self._reply(arrived, site, token, findings))
        except Refusal as refusal:
            answer = refused(refusal)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it, and the client get an answer
            answer = self.ledger.defect(arrived.asked, error)
        answer = _conditional(answer, arrived.sent)
        return charged(self.hub, answer, token, "core", 0 if answer.status == 304 else cost)

    def _token(self, arrived: _Arrived) -> Token | None:
        require_user_agent(arrived.sent.headers)
        if arrived.operation in _BY_APP:
            return None
        return self.hub.accounts.token(arrived.sent.headers.get("authorization", ""))

    def _reply(self, arrived: _Arrived, site: str, token: Token | None, findings: list[str]) -> Reply:
        if findings:
            raise Refusal(422, f"Invalid request.\n\n{'; '.join(findings)}")
        call = Call(
            hub=self.hub,
            shapes=Shapes(hub=self.hub, api=f"{site}{arrived.prefix}", site=site),
            method=arrived.asked.method,
            path=arrived.path,
            values=arrived.match.values,
            query=dict(parse_qsl(arrived.query, keep_blank_values=True)),
            headers=arrived.sent.headers,
            body=json.loads(arrived.sent.body) if arrived.sent.body else {},
            token=token,
        )
        return ENDPOINTS[arrived.operation](call)

    def _check(self, arrived: _Arrived, given: Answer) -> None:
        sent = Sent(headers={name.lower(): value for name, value in given.headers.items()}, body=given.body)
        findings = self.api.answer_findings(arrived.match, given.status, sent)
        what = f"the answer {given.status} to {arrived.asked.method} {arrived.asked.path} ({arrived.operation})"
        self.ledger.violate(what, findings)


def _written(reply: Reply) -> Answer:
    if reply.body is None or isinstance(reply.body, bytes):
        return Answer(status=reply.status, headers=reply.headers, body=reply.body or b"")
    return json_answer(reply.status, reply.body, reply.headers)


def _conditional(answer: Answer, sent: Sent) -> Answer:
    """State the version of what was read, and spare the caller the one that it has."""
    if answer.status != 200:
        return answer
    tag = f'"{hashlib.sha256(answer.body).hexdigest()}"'
    headers = {**answer.headers, "ETag": f"W/{tag}"}
    known = [one.strip().removeprefix("W/") for one in sent.headers.get("if-none-match", "").split(",")]
    if tag not in known:
        return replace(answer, headers=headers)
    del headers["Content-Type"]
    return Answer(status=304, headers=headers)

"""What happened: every exchange, what broke the descriptions or the fake, and what a test planned to go wrong."""

import json
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any, Final

from tests.lab.github.accounts import Token
from tests.lab.github.faults import Fault, Faults
from tests.lab.github.hub import Hub
from tests.lab.github.refusals import Gap, Refusal
from tests.lab.web import Answer, Asked

_JSON: Final = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what became of it; `status` None where the connection ended."""

    operation: str
    method: str
    path: str
    status: int | None
    writes: bool


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The memory that REST, GraphQL and git share."""

    faults: Faults = field(default_factory=Faults)
    exchanges: list[Exchange] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """How often each operation was called."""
        return Counter(exchange.operation for exchange in self.exchanges)

    def violate(self, what: str, findings: Iterable[str]) -> None:
        """Remember what is wrong with something."""
        self.violations += [f"{what}: {finding}" for finding in findings]

    def defect(self, asked: Asked, error: Exception) -> Answer:
        """Remember what the fake could not do, and answer the client something."""
        told = str(error) if isinstance(error, Gap) else traceback.format_exc(limit=-6)
        self.violate(f"{asked.method} {asked.path}", [told])
        return json_answer(500, {"message": "defect of the lab"})

    def finish(
        self, operation: str, asked: Asked, answer: Answer | None, fault: Fault | None = None, *, writes: bool
    ) -> Answer | None:
        """Remember an exchange, and return what is sent: what was planned, or else the answer."""
        given = fault.answer if fault else answer
        if fault and fault.act:
            fault.act()
        status = given.status if given else None
        self.exchanges.append(
            Exchange(operation=operation, method=asked.method, path=asked.path, status=status, writes=writes)
        )
        return given


def json_answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Build an answer in JSON."""
    return Answer(status=status, headers={"Content-Type": _JSON, **(headers or {})}, body=json.dumps(body).encode())


def refused(refusal: Refusal) -> Answer:
    """Build the answer that a refusal is."""
    return json_answer(refusal.status, refusal.body, refusal.headers)


def charged(hub: Hub, answer: Answer, token: Token | None, resource: str, cost: int) -> Answer:
    """Charge a caller for an answer, and state what is left of the quota."""
    quota = hub.limits.quota(token, resource)
    quota.used += cost
    scopes = {"X-OAuth-Scopes": token.scopes} if token and not token.is_integration else {}
    return replace(answer, headers={**quota.headers, **scopes, **answer.headers})


def lowered(headers: Message) -> dict[str, str]:
    """Return headers with their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def require_user_agent(headers: Mapping[str, str]) -> None:
    """Refuse a caller who does not say what it is."""
    if not headers.get("user-agent"):
        text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
        raise Refusal(403, text)

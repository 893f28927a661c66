"""Sends requests to one GitHub: headers, patience with its rate limits, refusals as errors. Knows no single call.

A read is repeated until it is answered. A write is sent once: if no answer comes, it may have happened, and whoever
sends it looks before trying again. A request that ran into a rate limit did not happen, so that is waited for in
either case, unless the wait is long: then this and all further requests under that limit are `Paused` until it is
over (see `gate`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from bot.adapters.forge.github.gate import SHORT, Gate
from bot.adapters.forge.github.limits import limit_of
from bot.adapters.forge.github.refusals import Said, refusal
from bot.adapters.forge.github.site import Site
from bot.adapters.transport import Response, Transport, TransportError, host_of
from bot.core.errors import ForgeError, Paused
from bot.ports.clock import Clock
from bot.ports.store import Pause

JSON: Final = "application/vnd.github+json"
RAW: Final = "application/vnd.github.raw+json"
LARGEST: Final = 64 * 2**20
"""Bytes of an answer; a tree of 100,000 entries, GitHub's own bound, stays below."""
_VERSION: Final = "2022-11-28"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What GraphQL answered: data, parts of which may be null, and the errors that say why."""

    data: Mapping[str, Any]
    errors: Sequence[Mapping[str, Any]]
    answer: Response

    def whole(self, errand: "Errand") -> Mapping[str, Any]:
        """Return the data; raises `Refusal` if anything of it is missing."""
        if self.errors:
            raise refusal(errand.what, errand.verb, self.answer, Said.of_graphql(self.errors))
        return self.data


@dataclass(frozen=True, slots=True)
class Errand:
    """What a request is for: the repository or owner, what is to be done there, the token for it, and whose that is.

    `identity` names under whose limits it is sent, such as `app 7 at acme`.
    """

    what: str
    verb: str
    token: str = field(repr=False)
    identity: str


class Unanswered(ForgeError):
    """A write that brought no answer; it may have happened."""


class Sender:
    """Sends REST and GraphQL requests; all methods raise `ForgeError` that names what it is for and the cure."""

    def __init__(self, transport: Transport, site: Site, clock: Clock, gate: Gate | None = None) -> None:
        self._transport, self._clock, self._gate = transport, clock, gate or Gate(clock)
        self.site = site
        self._place = f"github:{host_of(site.rest)}"

    def require_open(self, what: str, identity: str) -> None:
        """Raise `Paused` if an identity is to ask for nothing at all now; `what` is the repository or owner."""
        pause = self._gate.enter(f"{self._place}:{identity}", "", writes=False)
        if pause:
            raise _paused(what, pause)

    def read(self, path: str, errand: Errand, accept: str = JSON) -> Response:
        """GET a path."""
        return _expected(self._get(path, errand, accept), errand)

    def find(self, path: str, errand: Errand) -> Response | None:
        """GET a path that may not be there, which is None."""
        answer = self._get(path, errand, JSON)
        return None if answer.status == 404 else _expected(answer, errand)

    def write(self, method: str, path: str, errand: Errand, body: object) -> Response:
        """Send a body once."""
        url = f"{self.site.rest}{path}"
        return _expected(self._send(method, url, errand, _rest_fault, body=body, writes=True), errand)

    def query(self, text: str, variables: Mapping[str, object], errand: Errand, *, again: bool = True) -> Reply:
        """Ask a GraphQL query, `again` until it is answered."""
        return self._graphql(text, variables, errand, again=again)

    def mutate(self, text: str, variables: Mapping[str, object], errand: Errand) -> Mapping[str, Any]:
        """Send a GraphQL mutation once, and return its data."""
        return self._graphql(text, variables, errand, again=False, writes=True).whole(errand)

    def _get(self, path: str, errand: Errand, accept: str) -> Response:
        return self._send("GET", f"{self.site.rest}{path}", errand, _rest_fault, accept=accept, again=True)

    def _graphql(
        self, text: str, variables: Mapping[str, object], errand: Errand, *, again: bool, writes: bool = False
    ) -> Reply:
        body = {"query": text, "variables": variables}
        answer = self._send("POST", self.site.graphql, errand, _graphql_fault, body=body, again=again, writes=writes)
        document = _document(_expected(answer, errand))
        return Reply(data=document.get("data") or {}, errors=document.get("errors") or (), answer=answer)

    def _send(
        self,
        method: str,
        url: str,
        errand: Errand,
        fault_of: Callable[[Response], TransportError],
        *,
        accept: str = JSON,
        body: object = None,
        again: bool = False,
        writes: bool = False,
    ) -> Response:
        """Send a request until it is answered, or once; in either case again after a limit that it ran into."""
        headers = {"Accept": accept, "Authorization": f"Bearer {errand.token}", "X-GitHub-Api-Version": _VERSION}
        data = None if body is None else json.dumps(body).encode("ascii")
        if data is not None:
            headers["Content-Type"] = "application/json"

        who = f"{self._place}:{errand.identity}"
        resource = "graphql" if url == self.site.graphql else "core"

        def once() -> Response:
            pause = self._gate.enter(who, resource, writes=writes)
            if pause:
                raise _paused(errand.what, pause)
            try:
                answer = self._transport.open(method, url, headers=headers, body=data).whole(LARGEST)
            except TransportError as fault:
                self._heed(fault, who, resource)
                if again or not fault.retryable:
                    raise
                raise Unanswered(f"{errand.what}: {fault}; run again, to see whether it happened") from fault
            self._heed(fault_of(answer), who, resource)
            return answer

        try:
            return self._transport.repeat(once)
        except _Limited as limited:
            raise _paused(errand.what, limited.pause) from limited
        except TransportError as fault:
            cure = "run again later" if fault.retryable else "check forges in the settings"
            raise ForgeError(f"{errand.what}: {fault}; {cure}", retryable=fault.retryable) from fault

    def _heed(self, fault: TransportError, who: str, resource: str) -> None:
        """Tell the gate of an answer, if there was one; raises if it speaks of a limit."""
        if fault.status is None:
            return
        now = self._clock.now()
        limit = limit_of(fault.status, fault.headers, str(fault), now)
        if limit is None:
            self._gate.answered(who, resource, fault.headers)
            return
        pause = self._gate.refused(who, resource, fault.headers, limit)
        raise _Limited(fault, pause, is_short=pause.until - now <= SHORT)


class _Limited(TransportError):
    """A request that ran into a limit, so it did not happen and may be sent again; the gate waits before that."""

    def __init__(self, fault: TransportError, pause: Pause, *, is_short: bool) -> None:
        Exception.__init__(self, f"{fault} ({pause.why})")
        self.status, self.headers, self.pause = fault.status, fault.headers, pause
        self.retryable, self.wait = is_short, timedelta()


def _rest_fault(answer: Response) -> TransportError:
    """What an answer would be as a fault, for its limit."""
    said = f"answered {answer.status}: {answer.excerpt}"
    return TransportError(answer.method, answer.url, said, status=answer.status, headers=answer.headers)


def _graphql_fault(answer: Response) -> TransportError:
    """GraphQL tells of limits in its errors, with status 200; the data, which may say anything, is not looked at."""
    if answer.status != 200:
        return _rest_fault(answer)
    said = Said.of_graphql(_document(answer).get("errors") or ())
    limited = "RATE_LIMITED" in said.kinds or "rate limit" in said.message.casefold()
    status = 403 if limited else 200
    return TransportError(answer.method, answer.url, f"answered {said.message}", status=status, headers=answer.headers)


def _expected(answer: Response, errand: Errand) -> Response:
    if 200 <= answer.status < 300:
        return answer
    raise refusal(errand.what, errand.verb, answer, Said.of_rest(answer))


def _document(answer: Response) -> Mapping[str, Any]:
    """Read what GraphQL's specification (section 7, "Response Format") calls a response; raises `TransportError`."""
    document = answer.json()
    if isinstance(document, dict) and isinstance(document.get("data") or {}, dict):
        errors = document.get("errors") or []
        if isinstance(errors, list) and all(isinstance(error, dict) for error in errors):
            return document
    raise TransportError(answer.method, answer.url, f"answered no GraphQL: {answer.excerpt}", status=answer.status)


def _paused(what: str, pause: Pause) -> Paused:
    until = f"{pause.until:%Y-%m-%d %H:%M:%S} UTC"
    return Paused(f"{what}: {pause.why}; run again after {until}", until=pause.until)

"""Sends requests to one GitHub: headers, patience with its rate limits, refusals as errors. Knows no single call.

A read is repeated until it is answered. A write is sent once: if no answer comes, it may have happened, and whoever
sends it looks before trying again. A request that ran into a rate limit did not happen, so that is waited for in
either case, unless the wait is long: then this and all further requests with that token fail until it is over.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.adapters.forge.github.limits import Limit, limit_of
from bot.adapters.forge.github.refusals import Said, refusal
from bot.adapters.forge.github.site import Site
from bot.adapters.transport import Response, Transport, TransportError
from bot.core.errors import ForgeError
from bot.ports.clock import Clock

JSON: Final = "application/vnd.github+json"
RAW: Final = "application/vnd.github.raw+json"
LARGEST: Final = 64 * 2**20
"""Bytes of an answer; a tree of 100,000 entries, GitHub's own bound, stays below."""
_LONGEST_WAIT: Final = timedelta(minutes=2)
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
    """What a request is for: the repository or owner, what is to be done there, and the token for it."""

    what: str
    verb: str
    token: str = field(repr=False)


class Unanswered(ForgeError):
    """A write that brought no answer; it may have happened."""


class Sender:
    """Sends REST and GraphQL requests; all methods raise `ForgeError` that names what it is for and the cure."""

    def __init__(self, transport: Transport, site: Site, clock: Clock) -> None:
        self._transport, self._clock = transport, clock
        self.site = site
        self._closed: dict[str, tuple[datetime, Limit]] = {}

    def read(self, path: str, errand: Errand, accept: str = JSON) -> Response:
        """GET a path."""
        return _expected(self._get(path, errand, accept), errand)

    def find(self, path: str, errand: Errand) -> Response | None:
        """GET a path that may not be there, which is None."""
        answer = self._get(path, errand, JSON)
        return None if answer.status == 404 else _expected(answer, errand)

    def write(self, method: str, path: str, errand: Errand, body: object) -> Response:
        """Send a body once."""
        return _expected(self._send(method, f"{self.site.rest}{path}", errand, _rest_fault, body=body), errand)

    def query(self, text: str, variables: Mapping[str, object], errand: Errand, *, again: bool = True) -> Reply:
        """Ask a GraphQL query, `again` until it is answered."""
        return self._graphql(text, variables, errand, again=again)

    def mutate(self, text: str, variables: Mapping[str, object], errand: Errand) -> Mapping[str, Any]:
        """Send a GraphQL mutation once, and return its data."""
        return self._graphql(text, variables, errand, again=False).whole(errand)

    def _get(self, path: str, errand: Errand, accept: str) -> Response:
        return self._send("GET", f"{self.site.rest}{path}", errand, _rest_fault, accept=accept, again=True)

    def _graphql(self, text: str, variables: Mapping[str, object], errand: Errand, *, again: bool) -> Reply:
        body = {"query": text, "variables": variables}
        answer = self._send("POST", self.site.graphql, errand, _graphql_fault, body=body, again=again)
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
    ) -> Response:
        """Send a request until it is answered, or once; in either case again after a limit that it ran into."""
        headers = {"Accept": accept, "Authorization": f"Bearer {errand.token}", "X-GitHub-Api-Version": _VERSION}
        data = None if body is None else json.dumps(body).encode("ascii")
        if data is not None:
            headers["Content-Type"] = "application/json"

        def once() -> Response:
            self._require_open(errand)
            try:
                answer = self._transport.open(method, url, headers=headers, body=data).whole(LARGEST)
            except TransportError as fault:
                self._heed(fault, errand)
                if again or not fault.retryable:
                    raise
                raise Unanswered(f"{errand.what}: {fault}; run again, to see whether it happened") from fault
            self._heed(fault_of(answer), errand)
            return answer

        try:
            return self._transport.repeat(once)
        except TransportError as fault:
            cure = "run again later" if fault.retryable else "check forges in the settings"
            raise ForgeError(f"{errand.what}: {fault}; {cure}", retryable=fault.retryable) from fault

    def _require_open(self, errand: Errand) -> None:
        until, limit = self._closed.get(errand.token, (None, None))
        if until and limit and self._clock.now() < until:
            raise _too_long(errand, limit, until)

    def _heed(self, fault: TransportError, errand: Errand) -> None:
        """Raise if an answer speaks of a limit: a short wait is for the transport, a long one closes the door."""
        limit = limit_of(fault.status or 0, fault.headers, str(fault), self._clock.now())
        if limit is None:
            return
        if limit.wait > _LONGEST_WAIT:
            until = self._clock.now() + limit.wait
            self._closed[errand.token] = (until, limit)
            raise _too_long(errand, limit, until)
        raise _Limited(fault, limit)


class _Limited(TransportError):
    """A request that ran into a limit, so it did not happen and may be sent again after a short wait."""

    def __init__(self, fault: TransportError, limit: Limit) -> None:
        Exception.__init__(self, f"{fault} ({limit})")
        self.status, self.headers = fault.status, fault.headers
        self.retryable, self.wait = True, limit.wait


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


def _too_long(errand: Errand, limit: Limit, until: datetime) -> ForgeError:
    return ForgeError(f"{errand.what}: {limit}; run again after {until:%Y-%m-%d %H:%M:%S} UTC", retryable=True)

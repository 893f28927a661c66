"""A transport on which the process or the connection ends at a chosen request that writes."""

import json
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from bot.adapters.transport import Opened, Transport, TransportError


class End(Enum):
    """How it ends."""

    KILLED_BEFORE = auto()
    KILLED_AFTER = auto()
    NO_ANSWER = auto()
    """The thing is done, and nobody says so."""
    NOT_SENT = auto()


class Killed(BaseException):
    """The process ends here; nothing that an adapter catches."""


class CutTransport(Transport):
    """Ends at the n-th request that writes, counted from 1."""

    def __init__(self, *arguments: Any, at: int, end: End, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._at, self._end, self.writes = at, end, 0

    def open(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: Any = None) -> Opened:
        def send() -> Opened:
            return super(CutTransport, self).open(method, url, headers=headers, body=body)

        if not _writes(method, url, body):
            return send()
        self.writes += 1
        return self._cut(method, url, send) if self.writes == self._at else send()

    def _cut(self, method: str, url: str, send: Callable[[], Opened]) -> Opened:
        if self._end is End.KILLED_BEFORE:
            raise Killed
        if self._end is not End.NOT_SENT:
            send().whole()
        if self._end is End.KILLED_AFTER:
            raise Killed
        raise TransportError(method, url, "failed: Connection reset by peer", retryable=True)


def _writes(method: str, url: str, body: object) -> bool:
    if url.endswith("/graphql"):
        return isinstance(body, bytes) and json.loads(body)["query"].startswith("mutation")
    return method not in ("GET", "HEAD")

"""What comes back: answers read whole, answers still open, and the error for those that are of no use."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType, TracebackType
from typing import Final, Self

import requests
from urllib3.exceptions import HTTPError

from bot.adapters.transport.addresses import redacted

SMALL_BODY: Final = 1 << 20
_EXCERPT = 300
_BLOCK = 1 << 16
_DEEPEST_CAUSE = 10
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class TransportError(Exception):
    """A request that brought no usable answer; adapters turn it into the project's errors at their border.

    `retryable` says that the same request may succeed later; `wait` is how long the server asked to wait.
    `status` and `headers` are those of the answer, where there was one.
    """

    def __init__(
        self,
        method: str,
        url: str,
        reason: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        wait: timedelta | None = None,
        headers: Mapping[str, str] = _NONE,
    ) -> None:
        super().__init__(f"{method} {redacted(url)} {reason}")
        self.status, self.retryable, self.wait, self.headers = status, retryable, wait, headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer read whole; header names compare without regard to case."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> object:
        """Return the body as JSON; raises `TransportError` if it is something else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise TransportError(
                self.method, self.url, f"answered no JSON: {self.excerpt}", status=self.status
            ) from None

    @property
    def excerpt(self) -> str:
        """The beginning of the body on one line, for messages."""
        return excerpt(self.body)


class Opened:
    """An answer whose body is still to be read; close it, or use it in a `with`."""

    def __init__(self, answer: requests.Response, url: str, received: Callable[[int], None]) -> None:
        self._answer, self._received = answer, received
        self.method, self.url = str(answer.request.method), url
        self.status = answer.status_code
        self.headers: Mapping[str, str] = answer.headers

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes of the body as they were sent, none at its end."""
        try:
            block: bytes = self._answer.raw.read(size, decode_content=False)
        except (HTTPError, OSError) as fault:
            reason = f"broke off: {reason_of(fault)}"
            raise TransportError(self.method, self.url, reason, status=self.status, retryable=True) from None
        self._received(len(block))
        return block

    def whole(self, limit: int = SMALL_BODY) -> Response:
        """Read the rest and close; raises `TransportError` beyond `limit` bytes."""
        with self:
            body = b"".join(self._blocks(limit + 1))
        if len(body) > limit:
            raise TransportError(self.method, self.url, f"sends more than {limit} bytes", status=self.status)
        return Response(method=self.method, url=self.url, status=self.status, headers=self.headers, body=body)

    def beginning(self) -> str:
        """Read just enough for a message, and close."""
        with self:
            return excerpt(self.read(4 * _EXCERPT))

    def _blocks(self, left: int) -> Iterator[bytes]:
        while left and (block := self.read(min(left, _BLOCK))):
            left -= len(block)
            yield block

    def close(self) -> None:
        """Give the connection back, or drop it if the body was not read to its end."""
        self._answer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def excerpt(body: bytes) -> str:
    """Return the beginning of a body on one line, without what a terminal would obey."""
    text = body[: 4 * _EXCERPT].decode(errors="replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_EXCERPT]


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3); None where there is none that can be read."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:10]), 10**9))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(moment.replace(tzinfo=moment.tzinfo or UTC) - now, timedelta())


def reason_of(fault: BaseException) -> str:
    """Say why a connection failed without the library's message, which holds the whole URL."""
    causes = list(_causes(fault))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message}); set the CA bundle if it is your own"
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return type(fault).__name__


def is_passing(fault: BaseException) -> bool:
    """Say whether a failure to connect may be gone at the next try; a certificate stays what it is."""
    transient = isinstance(fault, requests.ConnectionError | requests.Timeout)
    return transient and not any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(fault))


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    for _ in range(_DEEPEST_CAUSE):
        if fault is None:
            return
        yield fault
        fault = fault.__cause__ or fault.__context__

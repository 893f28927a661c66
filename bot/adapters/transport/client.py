"""The sender (RFC 9110): patience, pacing, redirects by hand, counts.

A request may be sent more than once, so callers send only what is safe to repeat.
Cookies, netrc and REQUESTS_CA_BUNDLE play no part; proxies from the environment do, except towards loopback.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, TypeVar
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential
from urllib3.exceptions import HTTPError

from bot import __version__
from bot.adapters.transport.addresses import host_of, is_loopback, is_secure, same_origin
from bot.adapters.transport.answers import (
    SMALL_BODY,
    Opened,
    Response,
    TransportError,
    is_passing,
    reason_of,
    retry_after,
)
from bot.ports.clock import Clock

_AGAIN: Final = frozenset((429, 502, 503, 504))
_KEEP_METHOD: Final = frozenset((307, 308))
_REDIRECTS: Final = _KEEP_METHOD | {301, 302, 303}
_MOST_REDIRECTS = 5
_BACK_OFF = wait_exponential(multiplier=1, max=30)
_START = datetime.min.replace(tzinfo=UTC)
_HEADERS: Final = {
    "User-Agent": f"refrom/{__version__}",
    # What is compared with a digest must come unchanged, and a bound on bytes must bound them.
    "Accept-Encoding": "identity",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What one host cost so far: requests sent, redirects and repeats included, and body bytes received."""

    requests: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A body of known size that is opened anew each time it is sent."""

    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]


Body = bytes | Upload | None


class Transport:
    """Sends requests; one object serves all threads of a process.

    `paces` gives the requests a second that a host (`name` or `name:port`) is sent at most.
    A server that asks for more than `longest_wait` is not waited for: the error says so.
    `ca_bundle` replaces the certificate authorities that come with certifi.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        paces: Mapping[str, float] | None = None,
        ca_bundle: Path | None = None,
        attempts: int = 5,
        longest_wait: timedelta = timedelta(minutes=2),
        timeouts: tuple[float, float] = (10, 60),
    ) -> None:
        self._clock, self._paces, self._timeouts = clock, dict(paces or {}), timeouts
        self._attempts, self._longest_wait = attempts, longest_wait
        self._verify = str(ca_bundle) if ca_bundle else True
        self._adapter = HTTPAdapter(pool_connections=20, pool_maxsize=20)
        self._lock = threading.Lock()
        self._free_at: dict[str, datetime] = {}
        self._requests: Counter[str] = Counter()
        self._received: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, Traffic]:
        """The traffic of each host since the start."""
        with self._lock:
            return {
                host: Traffic(requests=number, received=self._received[host]) for host, number in self._requests.items()
            }

    def close(self) -> None:
        """Close all kept connections."""
        self._adapter.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        limit: int = SMALL_BODY,
    ) -> Response:
        """Send a request, again if need be, and return its whole answer whatever its status.

        Raises `TransportError` if no connection holds, if 429, 502, 503 or 504 stay, or if the body is too long.
        """
        return self.repeat(lambda: self.open(method, url, headers=headers, body=body).whole(limit))

    def repeat(self, work: Callable[[], T]) -> T:
        """Do something made of `open` until no retryable `TransportError` comes out of it, or attempts run out."""
        retrying = Retrying(
            retry=retry_if_exception(self._worth_repeating),
            stop=stop_after_attempt(self._attempts),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(work)

    def open(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: Body = None) -> Opened:
        """Send a request once, follow redirects, and return the answer as soon as its head is there.

        Authorization goes to the origin it was meant for and to no other.
        """
        here, sent = url, {**_HEADERS, **(headers or {})}
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._send(method, here, sent, body)
            location = _location(answer)
            if location is None:
                return self._usable(Opened(answer, here, self._counter(here)))
            answer.close()
            there = _next(method, here, location)
            if not same_origin(here, there):
                sent = {name: value for name, value in sent.items() if name.lower() != "authorization"}
            here = there
        raise TransportError(method, url, f"redirects more than {_MOST_REDIRECTS} times")

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: Body) -> requests.Response:
        try:
            host = host_of(url)
        except ValueError as fault:
            raise TransportError(method, url, f"cannot be sent: {fault}") from None
        self._keep_pace(host)
        self._count(host, requests=1)
        proxies = {} if is_loopback(url) else get_environ_proxies(url)
        with ExitStack() as stack:
            data = _Sized(stack.enter_context(body.open()), body.size) if isinstance(body, Upload) else body
            try:
                request = requests.Request(method, url, headers=headers, data=data).prepare()
                return self._adapter.send(
                    request, stream=True, timeout=self._timeouts, verify=self._verify, proxies=proxies
                )
            except (requests.RequestException, HTTPError, OSError) as fault:
                # from None: the library's message holds the whole URL, which may be signed.
                reason = f"failed: {reason_of(fault)}"
                raise TransportError(method, url, reason, retryable=is_passing(fault)) from None

    def _keep_pace(self, host: str) -> None:
        """Take the host's next free moment, then wait for it outside the lock."""
        pace = self._paces.get(host)
        if pace:
            with self._lock:
                turn = max(self._clock.now(), self._free_at.get(host, _START))
                self._free_at[host] = turn + timedelta(seconds=1 / pace)
            self._clock.wait_until(turn)

    def _counter(self, url: str) -> Callable[[int], None]:
        return lambda size: self._count(host_of(url), received=size)

    def _count(self, host: str, *, requests: int = 0, received: int = 0) -> None:
        with self._lock:
            self._requests[host] += requests
            self._received[host] += received

    def _usable(self, opened: Opened) -> Opened:
        """Turn the statuses that ask for another try into errors."""
        if opened.status not in _AGAIN:
            return opened
        wait = retry_after(opened.headers.get("Retry-After"), self._clock.now())
        reason = f"answered {opened.status}: {opened.beginning() or 'no reason given'}"
        if wait is not None and wait > self._longest_wait:
            reason += f"; it asks to wait {wait}, more than the {self._longest_wait} allowed; run again after that"
        raise TransportError(
            opened.method, opened.url, reason, status=opened.status, retryable=True, wait=wait, headers=opened.headers
        )

    def _worth_repeating(self, fault: BaseException) -> bool:
        if not isinstance(fault, TransportError) or not fault.retryable:
            return False
        return fault.wait is None or fault.wait <= self._longest_wait

    def _sleep(self, seconds: float) -> None:
        self._clock.wait_until(self._clock.now() + timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True)
class _Sized:
    """A stream with a length, so that it goes out with Content-Length and not in chunks."""

    stream: BinaryIO
    size: int

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.stream.read(1 << 16), b"")


def _pause(state: RetryCallState) -> float:
    """Wait what the server asked for, otherwise longer each time."""
    fault = state.outcome.exception() if state.outcome else None
    if isinstance(fault, TransportError) and fault.wait is not None:
        return fault.wait.total_seconds()
    return _BACK_OFF(state)


def _location(answer: requests.Response) -> str | None:
    """Return where an answer leads; a redirect that would change a writing method is none to follow."""
    followed = _REDIRECTS if answer.request.method in ("GET", "HEAD") else _KEEP_METHOD
    return answer.headers.get("Location") if answer.status_code in followed else None


def _next(method: str, here: str, location: str) -> str:
    try:
        there = urljoin(here, location)
        host_of(there)
    except ValueError as fault:
        raise TransportError(method, here, f"redirects to {fault}") from None
    if is_secure(here) and not is_secure(there):
        raise TransportError(method, here, "redirects from https to http, which is refused")
    return there

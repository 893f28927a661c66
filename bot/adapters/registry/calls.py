"""Requests to a registry's HTTP API: the right address, the right identity, refusals explained."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urljoin

from bot.adapters.registry.auth import Authority
from bot.adapters.registry.endpoint import Endpoint
from bot.adapters.registry.refusal import refusal, translated
from bot.adapters.transport import (
    Opened,
    Response,
    Transport,
    TransportError,
    Upload,
    host_of,
    is_secure,
    redacted,
    same_origin,
)
from bot.core.reference import Reference

T = TypeVar("T")


class Calls:
    """Sends requests about references; every failure is a `RegistryError` that names the reference."""

    def __init__(self, transport: Transport, endpoints: Iterable[Endpoint]) -> None:
        self._transport = transport
        self._authority = Authority(transport)
        self._endpoints = {endpoint.host: endpoint for endpoint in endpoints}

    def request(
        self,
        method: str,
        reference: Reference,
        where: str,
        *,
        scope: str,
        limit: int,
        expect: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """Send a request below the repository's address and return the whole answer."""
        return self.repeat(
            reference,
            lambda: self.once(method, reference, where, scope=scope, expect=expect, headers=headers, body=body).whole(
                limit
            ),
        )

    @contextmanager
    def stream(self, reference: Reference, where: str, *, scope: str) -> Iterator[Callable[[int], bytes]]:
        """Open an answer and give its `read`."""
        with self.repeat(reference, lambda: self.once("GET", reference, where, scope=scope)) as opened:

            def read(size: int) -> bytes:
                with translated(reference):
                    return opened.read(size)

            yield read

    def repeat(self, reference: Reference, work: Callable[[], T]) -> T:
        """Do something made of `once`, again while it fails for reasons that pass."""
        with translated(reference):
            return self._transport.repeat(work)

    def once(
        self,
        method: str,
        reference: Reference,
        where: str,
        *,
        scope: str,
        expect: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
        body: bytes | Upload | None = None,
    ) -> Opened:
        """Send a request, a second time if the registry first wants to know who we are."""
        endpoint = self._endpoints.get(reference.registry) or Endpoint(host=reference.registry)
        url = _address(method, endpoint, reference, where)

        def send() -> Opened:
            known = self._authority.headers(endpoint, scope) if same_origin(url, endpoint.base) else {}
            return self._transport.open(method, url, headers={**(headers or {}), **known}, body=body)

        opened = send()
        if opened.status == 401:
            opened.close()
            self._authority.answer(endpoint, scope, opened.headers.get("WWW-Authenticate", ""))
            opened = send()
        if opened.status not in expect:
            raise refusal(endpoint, reference, opened.whole())
        return opened


def _address(method: str, endpoint: Endpoint, reference: Reference, where: str) -> str:
    """Resolve a path below the repository, or the place that the registry named for an upload."""
    below = f"{endpoint.base}/v2/{reference.repository}/"
    try:
        url = urljoin(below, where)
        host_of(url)
    except ValueError as fault:
        raise TransportError(method, below, f"leads to {fault}") from None
    if is_secure(below) and not is_secure(url):
        raise TransportError(method, below, f"leads to {redacted(url)}, which is not https")
    return url

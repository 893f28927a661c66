"""Amazon Linux's advisories over HTTP: mirror list, repomd.xml, updateinfo.xml.gz, each of them kept.

A mirror list holds addresses of one repository; repomd.xml in it says where updateinfo lies and what its bytes are.
The first two are asked for with their ETag, the third only when repomd.xml names another one.
So a feed that did not move costs two requests without a body.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

from bot.adapters.advisories.repomd import Pointer, find_updateinfo
from bot.adapters.advisories.updateinfo import read_updateinfo
from bot.adapters.transport import Transport, TransportError, host_of, is_loopback, is_secure, redacted
from bot.core.advisories import Advisory, Bulletin
from bot.core.errors import AdvisoryError
from bot.core.platforms import Platform
from bot.ports.clock import Clock
from bot.ports.store import DocumentMemory, Kept

_ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
_LONGEST_LIST: Final = 1 << 16
_LONGEST_INDEX: Final = 1 << 20
_LONGEST_FEED: Final = 1 << 26
_MOST_MIRRORS: Final = 3
_PATIENCE: Final = timedelta(days=2)
"""How long a copy stands in for a server that does not answer; after that nobody knows what it would say."""
_CURE: Final = "correct or empty advisories.feeds in the settings if this stays"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AmazonAdvisories:
    """Reads feeds; implements `Advisories`.

    `feeds` gives the mirror list of each operating system, in which `{arch}` stands for rpm's name of an architecture.
    """

    feeds: Mapping[str, str]
    transport: Transport
    memory: DocumentMemory
    clock: Clock

    def bulletin(self, system: str, platform: Platform) -> Bulletin:
        """Read the feed of an operating system as it is now."""
        arch = _ARCHITECTURES.get(platform.architecture)
        if system not in self.feeds or arch is None:
            raise AdvisoryError(f"no feed of advisories for {system} on {platform}; name one in the settings")
        feed = _Feed(self, f"{system} {arch}", self.feeds[system].replace("{arch}", arch))
        return Bulletin(system, feed.advisories())


@dataclass(frozen=True, slots=True)
class _Feed:
    """One operating system on one architecture; `name` is what its documents are kept under."""

    room: AmazonAdvisories
    name: str
    address: str

    def advisories(self) -> tuple[Advisory, ...]:
        """Read them from the first mirror that gives them."""
        read = partial(_parsed, self.address, _mirrors)
        mirrors = self._fetch("mirror.list", self.address, _LONGEST_LIST, read)
        for mirror in mirrors[:-1]:
            with suppress(AdvisoryError):
                return self._read_mirror(mirror)
        return self._read_mirror(mirrors[-1])

    def _read_mirror(self, mirror: str) -> tuple[Advisory, ...]:
        url = f"{mirror}/repodata/repomd.xml"

        def read(index: bytes) -> tuple[Advisory, ...]:
            return self._read_feed(mirror, _parsed(url, find_updateinfo, index))

        return self._fetch("repomd.xml", url, _LONGEST_INDEX, read)

    def _read_feed(self, mirror: str, pointer: Pointer) -> tuple[Advisory, ...]:
        """Read the updateinfo that an index names: from its copy if that is still it, whoever touched the store."""
        url = f"{mirror}/{pointer.href}"
        kept = self._kept("updateinfo", pointer.checksum)
        if kept and pointer.fits(kept.content):
            return _parsed(url, _advisories, kept.content)
        answer = self._ask(url, None, _LONGEST_FEED)
        if not pointer.fits(answer.content):
            what = f"{redacted(url)} does not have the {pointer.algorithm} of its index"
            raise AdvisoryError(f"{what}; {_CURE}", retryable=True)
        found = _parsed(url, _advisories, answer.content)
        self._keep("updateinfo", replace(answer, source=pointer.checksum))
        return found

    def _fetch(self, part: str, url: str, limit: int, read: Callable[[bytes], T]) -> T:
        """Read a document as it is now, else its copy; it is kept only after it, and what it leads to, was read."""
        kept = self._kept(part, url)
        try:
            fresh = self._ask(url, kept, limit)
            result = read(fresh.content)
        except AdvisoryError:
            if kept is None or kept.confirmed + _PATIENCE < self._now:
                raise
            return read(kept.content)
        self._keep(part, fresh)
        return result

    def _ask(self, url: str, kept: Kept | None, limit: int) -> Kept:
        headers = {"If-None-Match": kept.etag} if kept and kept.etag else {}
        try:
            answer = self.room.transport.request("GET", url, headers=headers, limit=limit)
        except TransportError as fault:
            raise AdvisoryError(f"{fault}; {_CURE}", retryable=fault.retryable) from fault
        if answer.status == HTTPStatus.NOT_MODIFIED and kept:
            return replace(kept, confirmed=self._now)
        if answer.status != HTTPStatus.OK:
            raise AdvisoryError(f"{redacted(url)} answered {answer.status}: {answer.excerpt}; {_CURE}")
        return Kept(source=url, etag=answer.headers.get("ETag", ""), confirmed=self._now, content=answer.body)

    def _kept(self, part: str, source: str) -> Kept | None:
        kept = self.room.memory.get(f"{self.name} {part}")
        return kept if kept and kept.source == source else None

    def _keep(self, part: str, document: Kept) -> None:
        self.room.memory.put(f"{self.name} {part}", document)

    @property
    def _now(self) -> datetime:
        return self.room.clock.now()


def _parsed(url: str, parse: Callable[[bytes], T], content: bytes) -> T:
    """Parse what came from an address, which stands before what is wrong with it."""
    try:
        return parse(content)
    except AdvisoryError as fault:
        raise AdvisoryError(f"{redacted(url)} {fault}", retryable=fault.retryable) from fault


def _advisories(content: bytes) -> tuple[Advisory, ...]:
    return tuple(read_updateinfo(content))


def _mirrors(content: bytes) -> list[str]:
    """The first addresses of a list, at least one, that keep what is fetched safe from others on the way."""
    lines = (line.strip().rstrip("/") for line in content.decode("ascii", "replace").splitlines())
    safe = [line for line in lines if _is_safe(line)][:_MOST_MIRRORS]
    if not safe:
        raise AdvisoryError(f"lists no mirror over https; {_CURE}")
    return safe


def _is_safe(address: str) -> bool:
    try:
        return bool(host_of(address)) and (is_secure(address) or is_loopback(address))
    except ValueError:
        return False

"""updateinfo.xml, a distribution's advisories, as createrepo_c writes it and dnf reads it.

updates/update{id, issued@date, severity, references/reference@{type, id}, pkglist/collection/package@{name, epoch,
version, release, arch}}. An update that says to be of another type than `security` is no advisory.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bot.adapters.advisories.elements import End, Start, elements
from bot.core.advisories import Advisory, Severity
from bot.core.errors import AdvisoryError
from bot.core.layer import Package

MOST_EXPANDED: Final = 1 << 28
"""Bytes of the document, several times the longest one of Amazon Linux."""
_PIECE: Final = 1 << 16
_MOST_PACKAGES: Final = 5_000_000
_LONGEST: Final = 200
_TEXTS: Final = frozenset(("id", "severity"))
_EPOCH: Final = re.compile(r"[0-9]*", re.ASCII)
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}", re.ASCII)


def read_updateinfo(content: bytes, *, most: int = MOST_EXPANDED) -> Iterator[Advisory]:
    """Yield the advisories of an `updateinfo.xml.gz`.

    Raises `AdvisoryError` if any of it is malformed or beyond the bounds: half a feed would hide the other half.
    """
    reading, packages = _Update(), 0
    for event in elements(_expanded(content, most), _TEXTS):
        match event:
            case Start(name="update"):
                reading = _Update(kind=event.attributes.get("type", "security"))
            case Start():
                reading.start(event)
            case End(name="update"):
                packages += len(reading.packages)
                if packages > _MOST_PACKAGES:
                    raise AdvisoryError(f"names more than {_MOST_PACKAGES} packages; it is not read")
                if reading.kind == "security":
                    yield reading.advisory()
            case End():
                reading.end(event)


@dataclass(slots=True, kw_only=True)
class _Update:
    """One update as far as it was read."""

    kind: str = "security"
    identifier: str = ""
    severity: str = ""
    issued: str = ""
    cves: list[str] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)

    def start(self, element: Start) -> None:
        attributes = element.attributes
        match element.name:
            case "issued":
                self.issued = attributes.get("date", "")
            case "reference" if _CVE.fullmatch(attributes.get("id", "")):
                self.cves.append(attributes["id"])
            case "package":
                self.packages.append(_package(attributes))

    def end(self, element: End) -> None:
        match element.name:
            case "id":
                self.identifier = element.text.strip()
            case "severity":
                self.severity = element.text

    def advisory(self) -> Advisory:
        if not 0 < len(self.identifier) <= _LONGEST:
            raise AdvisoryError("has an update without id; it is no updateinfo that can be trusted")
        return Advisory(
            identifier=self.identifier,
            severity=Severity.read(self.severity),
            packages=tuple(self.packages),
            cves=tuple(dict.fromkeys(self.cves)),
            issued=_moment(self.issued),
        )


def _package(attributes: Mapping[str, str]) -> Package:
    name, arch = attributes.get("name", ""), attributes.get("arch", "")
    epoch, version, release = (attributes.get(key, "") for key in ("epoch", "version", "release"))
    parts = (name, arch, version, release)
    if not all(parts) or "-" in version + release or not _EPOCH.fullmatch(epoch):
        raise AdvisoryError(f"has a package without name, version, release or architecture: {str(attributes)[:120]}")
    if max(map(len, (*parts, epoch))) > _LONGEST:
        raise AdvisoryError(f"has a package with more than {_LONGEST} characters in a part; it is not read")
    return Package(name, arch, f"{epoch}:{version}-{release}" if epoch.strip("0") else f"{version}-{release}")


def _moment(text: str) -> datetime | None:
    """Read when an advisory was issued; Amazon writes UTC without saying so."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _expanded(content: bytes, most: int) -> Iterator[bytes]:
    """Unpack in bounded pieces; gzip's own checksum and length are compared at the end of each member."""
    given = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            while piece := file.read(_PIECE):
                given += len(piece)
                if given > most:
                    raise AdvisoryError(f"expands to more than {most} bytes; it is not read")
                yield piece
    except (OSError, EOFError, zlib.error) as fault:
        raise AdvisoryError(f"is no whole gzip file: {fault}; try again later", retryable=True) from fault

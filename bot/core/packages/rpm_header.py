"""RPM headers as they stand in a package database: no lead, no magic, no signature (rpm, "RPM v4 header format").

A header is two big-endian counts (index entries, bytes of data), the index, and the data.
Each index entry is tag, type, offset into the data, and count.
"""

import hashlib
import re
from collections.abc import Mapping
from struct import Struct
from typing import Final

from bot.core.errors import ContentsError
from bot.core.layer import Package

NAME: Final = 1000
VERSION: Final = 1001
RELEASE: Final = 1002
EPOCH: Final = 1003
ARCH: Final = 1022
_INSTALL_TIMES: Final = (1008, 1128)
"""INSTALLTIME and INSTALLTID, which is the time of the transaction."""
INT32: Final = 4
STRING: Final = 6

COUNTS: Final = Struct(">II")
ENTRY: Final = Struct(">IIII")
_INT32: Final = Struct(">I")
_MOST_ENTRIES: Final = 0xFFFF
"""rpm's own limit (`hdrchkTags`)."""
_TEXT: Final = re.compile(rb"[!-~]{1,255}\Z")
"""What rpmbuild lets into a name, version, release or architecture is printable ASCII without spaces."""

_Index = Mapping[int, tuple[int, int]]


def parse_header(blob: bytes) -> Package:
    """Read name, architecture and version out of one header; anything malformed is a `ContentsError`.

    A package without architecture, such as `gpg-pubkey`, gets `(none)`, as `rpm -qa` prints it.
    """
    index, data = _split(blob)
    version, release = _text(index, data, VERSION), _text(index, data, RELEASE)
    epoch = _number(index, data, EPOCH) if EPOCH in index else 0
    return Package(
        name=_text(index, data, NAME),
        arch=_text(index, data, ARCH) if ARCH in index else "(none)",
        evr=f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}",
    )


def header_identity(blob: bytes) -> bytes:
    """Digest a header without what only says when the package was installed: equal if and only if all else is equal.

    Each value ends where the next one begins, so a value is compared with the bytes that align the next.
    """
    index, data = _split(blob)
    starts = sorted({offset for _, offset in index.values()})
    ends = dict(zip(starts, [*starts[1:], len(data)], strict=True))
    sha256 = hashlib.sha256()
    for tag, (kind, offset) in sorted(index.items()):
        if tag not in _INSTALL_TIMES:
            value = data[offset : ends[offset]]
            sha256.update(ENTRY.pack(tag, kind, len(value), 0) + value)
    return sha256.digest()


def _split(blob: bytes) -> tuple[_Index, bytes]:
    if len(blob) < COUNTS.size:
        raise ContentsError(f"an RPM header has only {len(blob)} bytes")
    entries, length = COUNTS.unpack_from(blob)
    start = COUNTS.size + entries * ENTRY.size
    if entries > _MOST_ENTRIES or start + length > len(blob):
        raise ContentsError(f"an RPM header of {len(blob)} bytes claims {entries} entries and {length} bytes of data")
    index: dict[int, tuple[int, int]] = {}
    for tag, kind, offset, _ in ENTRY.iter_unpack(blob[COUNTS.size : start]):
        index.setdefault(tag, (kind, offset))
    return index, blob[start : start + length]


def _text(index: _Index, data: bytes, tag: int) -> str:
    kind, offset = index.get(tag, (0, 0))
    text = data[offset : max(offset, data.find(b"\0", offset, offset + 256))]
    if kind != STRING or not _TEXT.match(text):
        raise ContentsError(f"an RPM header has no readable text under tag {tag}")
    return text.decode("ascii")


def _number(index: _Index, data: bytes, tag: int) -> int:
    kind, offset = index[tag]
    if kind != INT32 or offset + _INT32.size > len(data):
        raise ContentsError(f"an RPM header has no readable number under tag {tag}")
    number: int = _INT32.unpack_from(data, offset)[0]
    return number

"""RPM headers as they stand in a package database (rpm, "RPM v4 header format"; no lead, no magic, no signature).

A header is two big-endian counts (index entries, bytes of data), the index, and the data.
Each index entry is tag, type, offset and count.
"""

from struct import Struct, error
from typing import Final

from bot.core.errors import ContentsError
from bot.core.layer import Package

NAME: Final = 1000
VERSION: Final = 1001
RELEASE: Final = 1002
EPOCH: Final = 1003
ARCH: Final = 1022
INT32: Final = 4
STRING: Final = 6

_COUNTS = Struct(">II")
_ENTRY = Struct(">IIII")
_INT32 = Struct(">I")
_MOST_ENTRIES = 10_000
_LONGEST = 1024
"""Bytes of a name, version, release or architecture."""


def parse_header(blob: bytes) -> Package:
    """Read name, architecture and version out of one header; a malformed one is a `ContentsError`."""
    try:
        entries, length = _COUNTS.unpack_from(blob)
        start = _COUNTS.size + entries * _ENTRY.size
        if entries > _MOST_ENTRIES or start + length > len(blob):
            raise ContentsError(f"an RPM header claims {entries} entries and {length} bytes, more than it has")
        index = {tag: (kind, offset) for tag, kind, offset, _ in _ENTRY.iter_unpack(blob[_COUNTS.size : start])}
        data = blob[start : start + length]
        name, version, release = (_text(index, data, tag) for tag in (NAME, VERSION, RELEASE))
        arch = _text(index, data, ARCH) if ARCH in index else "(none)"
        epoch = _INT32.unpack_from(data, index[EPOCH][1])[0] if EPOCH in index else 0
    except (KeyError, error) as fault:
        raise ContentsError(f"an RPM header cannot be read: {fault!r}") from fault
    return Package(name, arch, f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}")


def _text(index: dict[int, tuple[int, int]], data: bytes, tag: int) -> str:
    kind, offset = index[tag]
    end = data.find(b"\0", offset, offset + _LONGEST)
    if kind != STRING or end < 0:
        raise ContentsError(f"tag {tag} of an RPM header is no string of at most {_LONGEST} bytes")
    return data[offset:end].decode("utf-8", "replace")

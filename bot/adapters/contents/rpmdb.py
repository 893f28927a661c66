"""RPM databases: `rpmdb.sqlite` (AL2023) and the Berkeley hash file `Packages` (AL2 and older).

That the Lambda images hold these very files is UNVERIFIED; where neither is found, a layer has no package list.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from struct import error, unpack_from

from bot.core.errors import ContentsError
from bot.core.layer import Package
from bot.core.packages.rpm_header import parse_header

_SQLITE = b"SQLite format 3\0"
_HASH_MAGIC = 0x061561
_OVERFLOW, _OFF_PAGE, _HASH_PAGES = 7, 3, (2, 13)
_INSTANCE_COUNTER = b"\0\0\0\0"


def read_rpmdb(content: bytes) -> tuple[Package, ...]:
    """List the packages of either form of database, sorted; a damaged one is a `ContentsError`."""
    headers = _sqlite_headers(content) if content.startswith(_SQLITE) else _berkeley_headers(content)
    return tuple(sorted(parse_header(header) for header in headers))


def _sqlite_headers(content: bytes) -> list[bytes]:
    # Bytes 18 and 19 say "write-ahead log" (2); a copy in memory has none, so they are set to "rollback journal" (1).
    settled = bytearray(content)
    settled[18:20] = b"\x01\x01"
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(bytes(settled))
            rows = connection.execute("SELECT blob FROM Packages").fetchall()
        except sqlite3.Error as fault:
            raise ContentsError(f"the rpmdb.sqlite cannot be read: {fault}") from fault
    return [bytes(blob) for (blob,) in rows if isinstance(blob, bytes)]


def _berkeley_headers(content: bytes) -> Iterator[bytes]:
    """Walk the pages of a hash file (Berkeley DB 4 and 5): values that are headers lie on overflow pages."""
    try:
        order = "<" if unpack_from("<I", content, 12)[0] == _HASH_MAGIC else ">"
        magic, _, size = unpack_from(f"{order}III", content, 12)
        if magic != _HASH_MAGIC or not 512 <= size <= 65536:
            raise ContentsError("the RPM database is neither SQLite nor a Berkeley hash file")
        for start in range(size, len(content) - size + 1, size):
            count, kind = unpack_from(f"{order}H", content, start + 20)[0], content[start + 25]
            if kind in _HASH_PAGES:
                yield from _page_values(content, start, count, size, order)
    except error as fault:
        raise ContentsError(f"the Berkeley RPM database is cut off: {fault}") from fault


def _page_values(content: bytes, start: int, count: int, size: int, order: str) -> Iterator[bytes]:
    """The values of one hash page: items alternate between key and value, and key 0 holds a counter, no header."""
    for item in range(1, min(count, (size - 26) // 2), 2):
        offset = start + unpack_from(f"{order}H", content, start + 26 + 2 * item)[0]
        key = start + unpack_from(f"{order}H", content, start + 26 + 2 * (item - 1))[0]
        if content[offset] == _OFF_PAGE and content[key + 1 : key + 5] != _INSTANCE_COUNTER:
            page, length = unpack_from(f"{order}II", content, offset + 4)
            yield _overflow(content, page, length, size, order)


def _overflow(content: bytes, page: int, length: int, size: int, order: str) -> bytes:
    """Put a value together that is spread over overflow pages; a chain that does not end is refused."""
    parts, seen, left = [], set[int](), length
    while page and left > 0:
        start = page * size
        if page in seen or start + size > len(content) or content[start + 25] != _OVERFLOW:
            raise ContentsError("the Berkeley RPM database has a broken chain of pages")
        seen.add(page)
        page, used = unpack_from(f"{order}I", content, start + 16)[0], unpack_from(f"{order}H", content, start + 22)[0]
        parts.append(content[start + 26 : start + 26 + min(used, left)])
        left -= used
    return b"".join(parts)

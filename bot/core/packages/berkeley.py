"""Values of a Berkeley DB hash file, the form of RPM's `Packages` before SQLite (Berkeley DB 4 and 5, dbinc/db_page.h).

Only reading, and only what RPM's file uses: keys of four bytes, values on their page or on a chain of overflow pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from bot.core.errors import ContentsError

_MAGIC: Final = 0x061561
_META_MAGIC, _PAGE_HEADER = 12, 26
_HASH_PAGES, _OVERFLOW_PAGE = (2, 13), 7
_ON_PAGE, _OFF_PAGE = 1, 3
_PAGE_SIZES: Final = tuple(1 << power for power in range(9, 17))
_COUNTER: Final = b"\0\0\0\0"
"""The key under which RPM keeps the highest package number instead of a package."""


def berkeley_values(content: bytes) -> Iterator[bytes]:
    """Yield the value of every key but RPM's counter; a file that is damaged is a `ContentsError`.

    Takes time and memory in proportion to the file: an overflow page that two values claim is damage.
    """
    return _File.open(content).values()


@dataclass(slots=True, kw_only=True)
class _File:
    content: bytes
    size: int
    """Bytes of a page."""
    short: Struct
    long: Struct
    unclaimed: set[int]
    """Pages that no value has used yet."""

    @classmethod
    def open(cls, content: bytes) -> Self:
        for order in "<>":
            meta = Struct(f"{order}III")
            if len(content) >= _META_MAGIC + meta.size and meta.unpack_from(content, _META_MAGIC)[0] == _MAGIC:
                size = meta.unpack_from(content, _META_MAGIC)[2]
                if size not in _PAGE_SIZES:
                    raise ContentsError(f"a Berkeley DB file claims pages of {size} bytes")
                pages = set(range(1, len(content) // size))
                return cls(
                    content=content, size=size, short=Struct(f"{order}H"), long=Struct(f"{order}I"), unclaimed=pages
                )
        raise ContentsError("the file is no Berkeley DB hash file")

    def values(self) -> Iterator[bytes]:
        for start in range(self.size, len(self.content) - self.size + 1, self.size):
            if self.content[start + 25] in _HASH_PAGES:
                yield from self._page(self.content[start : start + self.size])

    def _page(self, page: bytes) -> Iterator[bytes]:
        """Items lie from the end of a page towards its start, key and value in turn."""
        count = self.short.unpack_from(page, 20)[0]
        most = (self.size - _PAGE_HEADER) // 2
        starts = [self.short.unpack_from(page, _PAGE_HEADER + 2 * item)[0] for item in range(min(count, most))]
        # Without the order, items could overlap and one page grow to gigabytes.
        if count > most or count % 2 or starts != sorted(starts, reverse=True):
            raise ContentsError(f"a Berkeley DB page of {self.size} bytes has {count} items out of order")
        items = [page[start:end] for start, end in zip(starts, [self.size, *starts], strict=False)]
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key[1:] != _COUNTER:
                yield self._value(value)

    def _value(self, item: bytes) -> bytes:
        if item[:1] == bytes([_ON_PAGE]):
            return item[1:]
        if item[:1] == bytes([_OFF_PAGE]) and len(item) >= 12:
            return self._chain(self.long.unpack_from(item, 4)[0], self.long.unpack_from(item, 8)[0])
        raise ContentsError("a Berkeley DB file has a value that is neither on its page nor on overflow pages")

    def _chain(self, page: int, length: int) -> bytes:
        parts, left = [], length
        while left > 0:
            start = page * self.size
            if page not in self.unclaimed or self.content[start + 25] != _OVERFLOW_PAGE:
                raise ContentsError(f"a Berkeley DB file has no overflow page {page} for a value of {length} bytes")
            self.unclaimed.remove(page)
            used = min(self.short.unpack_from(self.content, start + 22)[0], self.size - _PAGE_HEADER)
            parts.append(self.content[start + _PAGE_HEADER : start + _PAGE_HEADER + used])
            left -= used
            page = self.long.unpack_from(self.content, start + 16)[0]
        return b"".join(parts)[:length]

"""Text that remembers where each of its characters stands in the file."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple, Self

SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's unicode.IsSpace takes for white space; Python's str.isspace() also takes four control characters."""

NOWHERE: Final = -1
"""The place of a character that stands in no file, such as one of a build argument given from outside."""


_NEWLINE: Final = re.compile("\n")


def line_starts(text: str) -> list[int]:
    """Return the offsets at which the physical lines of a text begin."""
    return [0, *(found.end() for found in _NEWLINE.finditer(text))]


class Traced(NamedTuple):
    """A piece of text with the place, an offset into the file, of each of its characters."""

    text: str
    places: Sequence[int]

    @classmethod
    def from_outside(cls, text: str) -> Self:
        """Trace a text that stands in no file."""
        return cls(text, (NOWHERE,) * len(text))

    def slice(self, start: int, stop: int | None = None) -> "Traced":
        """Return a part of the text with its places."""
        return Traced(self.text[start:stop], self.places[start:stop])

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(slots=True)
class Joined:
    """The text of an instruction, put together from the runs of characters that continuation lines leave."""

    text: str = ""
    _starts: list[int] = field(default_factory=list)
    _offsets: list[int] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _length: int = 0

    def add(self, part: str, offset: int) -> None:
        """Append a run that stands at `offset` in the file."""
        self._starts.append(self._length)
        self._offsets.append(offset)
        self._parts.append(part)
        self._length += len(part)

    def close(self) -> None:
        """Put the runs together; nothing is added afterwards."""
        self.text = self._parts[0] if len(self._parts) == 1 else "".join(self._parts)
        self._parts.clear()

    def place(self, index: int) -> int:
        """Return the offset into the file of one character, or of the end."""
        run = bisect_right(self._starts, index) - 1
        return self._offsets[run] + index - self._starts[run]

    def trace(self, start: int, stop: int) -> Traced:
        """Return a part of the text with its places."""
        first = bisect_right(self._starts, start) - 1
        if first + 1 == len(self._starts) or stop <= self._starts[first + 1]:
            offset = self._offsets[first] + start - self._starts[first]
            return Traced(self.text[start:stop], range(offset, offset + stop - start))
        return Traced(self.text[start:stop], tuple(chain.from_iterable(self._runs(first, start, stop))))

    def _runs(self, run: int, start: int, stop: int) -> list[range]:
        found = []
        while start < stop:
            following = self._starts[run + 1] if run + 1 < len(self._starts) else stop
            end = min(stop, following)
            offset = self._offsets[run] + start - self._starts[run]
            found.append(range(offset, offset + end - start))
            start, run = end, run + 1
        return found

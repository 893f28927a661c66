"""XML as a stream of elements, for documents that may be hostile. Knows no vocabulary.

Entities are refused where they are declared, so none can expand and none can lead to a file or a host (XML 1.0, 4.2;
"billion laughs", external entities). Depth, number of elements and the length of everything that is held are bounded.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from bot.core.errors import AdvisoryError

_DEEPEST: Final = 32
_MOST_ELEMENTS: Final = 10_000_000
_LONGEST: Final = 1 << 20
"""Bytes of one tag or one text."""


@dataclass(frozen=True, slots=True)
class Start:
    """An element begins."""

    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class End:
    """An element ends; `text` is what stood in it, where it was asked for."""

    name: str
    text: str


Event = Start | End


def elements(pieces: Iterable[bytes], texts: frozenset[str]) -> Iterator[Event]:
    """Yield the elements of a document as its pieces come in, with the text of those named in `texts`.

    Raises `AdvisoryError` if the document is malformed, ends too early, declares an entity or exceeds the bounds.
    """
    reading = _Reading(texts)
    for piece in pieces:
        yield from reading.feed(piece)
    yield from reading.feed(b"", last=True)


class _Reading:
    """One document that is being read."""

    def __init__(self, texts: frozenset[str]) -> None:
        self._texts, self._fed, self._elements = texts, 0, 0
        self._open: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._events: list[Event] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._refuse_entity

    def feed(self, piece: bytes, *, last: bool = False) -> Iterator[Event]:
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as fault:
            raise AdvisoryError(f"is no XML: {fault}; it may have been cut off, try again later") from fault
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > _LONGEST:
            raise AdvisoryError(f"has a tag of more than {_LONGEST} bytes; it is not read")
        events, self._events = self._events, []
        yield from events

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._open.append(name)
        if len(self._open) > _DEEPEST or self._elements > _MOST_ELEMENTS:
            raise AdvisoryError(f"has elements deeper than {_DEEPEST} or more than {_MOST_ELEMENTS}; it is not read")
        self._text, self._length = [], 0
        self._events.append(Start(name, attributes))

    def _end(self, name: str) -> None:
        self._events.append(End(name, "".join(self._text)))
        self._open.pop()
        self._text, self._length = [], 0

    def _characters(self, text: str) -> None:
        if not self._open or self._open[-1] not in self._texts:
            return
        self._length += len(text)
        if self._length > _LONGEST:
            raise AdvisoryError(f"has a text of more than {_LONGEST} characters; it is not read")
        self._text.append(text)

    @staticmethod
    def _refuse_entity(name: str, *_declaration: object) -> None:
        raise AdvisoryError(f"declares the entity {name[:40]!r}, which no feed needs; it is not read")

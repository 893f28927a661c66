"""From a file to logical lines: parser directives, comments, continuation lines (BuildKit's parser.Parse).

A logical line is the text of one instruction without the continuation characters, comments and empty lines in between.
Heredocs follow a logical line; only the parser of instructions knows whether there are any, so it asks for them.
"""

import re
from typing import Final, NamedTuple

from bot.core.dockerfile.source import SPACE, Joined
from bot.core.errors import DockerfileError

BYTE_ORDER_MARK: Final = "\ufeff"
_LONGEST_LINE: Final = 65_535
"""In bytes; BuildKit's scanner gives up at longer ones."""
_SURELY_SHORT: Final = _LONGEST_LINE // 4
"""In characters, of which each takes four bytes at most."""
_DIRECTIVE: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z")
_DIRECTIVES: Final = frozenset({"syntax", "escape", "check"})


class LogicalLine(NamedTuple):
    """The text of one instruction, and the physical lines, counted from 1, on which it begins and ends."""

    joined: Joined
    first: int
    last: int

    @property
    def text(self) -> str:
        """The text as BuildKit sees it."""
        return self.joined.text


class Reader:
    """Goes once through the text of a file, line by line."""

    def __init__(self, text: str) -> None:
        self.escape = "\\"
        self.number = 0
        self._text = text
        self._position = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
        self._directives: set[str] | None = set()

    def next_line(self) -> LogicalLine | None:
        """Return the next logical line, None at the end; a `DockerfileError` says what BuildKit rejects."""
        while (physical := self.next_physical()) is not None:
            line, offset = physical
            bare = line.rstrip("\r\n").lstrip(SPACE)
            offset += len(line.rstrip("\r\n")) - len(bare)
            if self._directives is not None:
                self._read_directive(bare)
            if bare and bare[0] != "#":
                return self._continue(bare, offset)
        return None

    def next_physical(self) -> tuple[str, int] | None:
        """Return the next line, without its newline, and its offset; None at the end."""
        start = self._position
        if start >= len(self._text):
            return None
        end = self._text.find("\n", start)
        end = len(self._text) if end < 0 else end
        self._position = end + 1
        self.number += 1
        line = self._text[start:end]
        if len(line) > _SURELY_SHORT and len(line.encode(errors="surrogatepass")) > _LONGEST_LINE:
            raise DockerfileError(f"the line is longer than {_LONGEST_LINE} bytes; split it", line=self.number)
        return line, start

    def _continue(self, bare: str, offset: int) -> LogicalLine:
        """Join a line with those that continue it."""
        first = self.number
        joined = Joined()
        part, ended = self._without_continuation(bare)
        joined.add(part, offset)
        while not ended and (physical := self.next_physical()) is not None:
            line = physical[0].rstrip("\r\n")
            content = line.lstrip(SPACE)
            if content[:1] in ("", "#"):
                continue
            part, ended = self._without_continuation(line)
            if part:
                joined.add(part, physical[1])
        joined.close()
        return LogicalLine(joined, first, self.number)

    def _without_continuation(self, line: str) -> tuple[str, bool]:
        """Take the continuation character away; two of them in a row do not continue."""
        bare = line.rstrip(" \t")
        if bare[-1:] == self.escape and bare[-2:-1] != self.escape:
            return bare[:-1], False
        return line, True

    def _read_directive(self, line: str) -> None:
        """Directives stand above everything else, each at most once."""
        found = _DIRECTIVE.match(line[1:].lstrip(SPACE)) if line.startswith("#") else None
        name = found[1].lower() if found else ""
        if found is None or self._directives is None or name not in _DIRECTIVES:
            self._directives = None
            return
        if name in self._directives:
            raise DockerfileError(f"only one {name} parser directive can be used", line=self.number)
        self._directives.add(name)
        if name == "escape":
            if found[2] not in ("\\", "`"):
                raise DockerfileError(f"invalid escape token {found[2][:20]!r}; use \\ or `", line=self.number)
            self.escape = found[2]

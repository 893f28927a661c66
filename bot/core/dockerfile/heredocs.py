"""Heredocs: which ones the text of an instruction announces, and what they hold (BuildKit's parser)."""

import re
from dataclasses import dataclass
from typing import Final

from bot.core.dockerfile.lines import Reader
from bot.core.dockerfile.shell import Expander, WordError
from bot.core.dockerfile.source import Traced
from bot.core.errors import DockerfileError

_HEREDOC: Final = re.compile(r"(?P<descriptor>[0-9]*)<<(?P<chomp>-?)[\t\n\f\r ]*(?P<rest>[^<]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """One heredoc; `expand` says that its name was not quoted, `chomp` that leading tabs do not count."""

    name: str
    descriptor: int = 0
    expand: bool = True
    chomp: bool = False
    content: str = ""


def announced(text: str) -> list[Heredoc]:
    """Return the heredocs that a logical line announces, still empty; a `WordError` if a name is malformed."""
    try:
        words = _words(text, raw_quotes=True, raw_escapes=True)
    except WordError:
        return []  # BuildKit also finds none in a line that it cannot take apart
    return [heredoc for word in words if (heredoc := parse_heredoc(word))]


def parse_heredoc(word: str) -> Heredoc | None:
    """Read one word such as `<<-'EOF'`; None if it is no heredoc."""
    found = _HEREDOC.fullmatch(word)
    if not found or not found["rest"]:
        return None
    names = _words(found["rest"])
    if len(names) != 1:
        return None
    (raw,) = _words(found["rest"], raw_quotes=True)
    return Heredoc(
        name=names[0],
        descriptor=_descriptor(found["descriptor"]),
        expand=_quotes(names[0]) == _quotes(raw),
        chomp=bool(found["chomp"]),
    )


def read_content(heredoc: Heredoc, reader: Reader, first: int) -> Heredoc:
    """Read physical lines up to the one that ends the heredoc."""
    lines: list[str] = []
    while (physical := reader.next_physical()) is not None:
        line = physical[0].rstrip("\r")
        if (line.lstrip("\t") if heredoc.chomp else line) == heredoc.name:
            return Heredoc(
                name=heredoc.name,
                descriptor=heredoc.descriptor,
                expand=heredoc.expand,
                chomp=heredoc.chomp,
                content="".join(lines),
            )
        lines.append(f"{physical[0]}\n")
    raise DockerfileError(f"unterminated heredoc; end it with a line {heredoc.name!r}", line=first)


def _words(text: str, *, raw_quotes: bool = False, raw_escapes: bool = False) -> list[str]:
    expander = Expander(raw_quotes=raw_quotes, raw_escapes=raw_escapes, keep_unset=True)
    return expander.expand(Traced(text, range(len(text)))).words()


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')


def _descriptor(digits: str) -> int:
    return int(digits) if 0 < len(digits) < 19 else 0

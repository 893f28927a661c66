"""The words of shell commands and Makefiles, and the Dockerfiles that scripts write with heredocs.

A lexer in one pass, not a shell: it knows comments, quotes, escapes, heredocs and where a command ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bot.core.carriers.pieces import Pieces
from bot.core.dockerfile.source import Traced

_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r]+|\\\r?\n)
    |(?P<comment>(?<![^\s;&|()])\#[^\n]*)
    |(?P<heredoc><<(?P<chomp>-?)[ \t]*(?P<quote>['"]?)(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?P=quote))
    |(?P<end>\n|[;&|()<>]+)
    |'(?P<single>[^']*)'
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |(?P<inner>\$\{[^{}]*\}|\$\([^()\s]*\)|\$\{\{[^{}]*\}\}|\\.|[^\s;&|()<>'"\\$]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_OUTPUT_FLAGS: Final = frozenset({"-t", "--tag", "--cache-to", "-o", "--output", "--name", "--label"})
_FROM: Final = re.compile(r"^[ \t]*FROM[ \t]", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class _Heredoc:
    name: str
    chomp: bool


@dataclass(slots=True)
class _Command:
    """The words of one command so far; the runs of the word that is being read."""

    words: list[Traced] = field(default_factory=list)
    runs: list[Traced] = field(default_factory=list)

    def end_word(self) -> None:
        """Put the runs together."""
        if self.runs:
            text = "".join(run.text for run in self.runs)
            places = [place for run in self.runs for place in run.places] if len(self.runs) > 1 else self.runs[0].places
            self.words.append(Traced(text, places))
            self.runs = []


def read_shell(text: Traced) -> Pieces:
    """Take commands apart; words that say where an image goes are left out."""
    pieces = Pieces()
    command = _Command()
    heredocs: list[_Heredoc] = []
    position = 0
    while found := _TOKEN.match(text.text, position):
        position = found.end()
        if found["heredoc"]:
            heredocs.append(_Heredoc(found["name"], bool(found["chomp"])))
        if found["blank"] or found["comment"] or found["end"] or found["heredoc"]:
            command.end_word()
        else:
            command.runs.append(text.slice(*_span(found)))
        if found["end"]:
            _end_command(command, pieces)
            command = _Command()
        if found["end"] == "\n" and heredocs:
            position = _read_heredocs(text, position, heredocs, pieces)
    command.end_word()
    _end_command(command, pieces)
    return pieces


def _end_command(command: _Command, pieces: Pieces) -> None:
    if command.words:
        pieces.words += _inputs(command.words)
        pieces.commands.append([word.text for word in command.words])


def _span(found: re.Match[str]) -> tuple[int, int]:
    """Where the content of a token stands, without its quotes."""
    return next(found.span(kind) for kind in ("single", "double", "inner") if found[kind] is not None)


def _inputs(words: list[Traced]) -> Iterator[Traced]:
    """Leave out what names the result of a command."""
    texts = [word.text for word in words]
    for index, word in enumerate(words):
        before = texts[max(index - 2, 0) : index]
        is_output = before[-1:] and before[-1] in _OUTPUT_FLAGS
        is_pushed = before[-1:] == ["push"] or before[:1] == ["tag"]
        if not (is_output or is_pushed or word.text.startswith(("--tag=", "-t="))):
            yield word


def _read_heredocs(text: Traced, position: int, heredocs: list[_Heredoc], pieces: Pieces) -> int:
    """Read the heredocs that a line announced; one with a `FROM` is a Dockerfile."""
    for heredoc in heredocs:
        start = position
        stop = position
        while position < len(text.text):
            end = text.text.find("\n", position)
            end = len(text.text) if end < 0 else end
            line = text.text[position:end].rstrip("\r")
            stop, position = position, min(end + 1, len(text.text))
            if (line.lstrip("\t") if heredoc.chomp else line.strip(" ")) == heredoc.name:
                break
        content = text.slice(start, stop)
        if _FROM.search(content.text):
            pieces.dockerfiles.append(content)
    heredocs.clear()
    return position

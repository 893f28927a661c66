"""The instructions of a Dockerfile, parsed as BuildKit does (frontend/dockerfile/parser)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from bot.core.dockerfile.arguments import Arguments, ArgumentsError, Flag, parse_arguments, split_flags
from bot.core.dockerfile.heredocs import Heredoc, announced, read_content
from bot.core.dockerfile.lines import LogicalLine, Reader
from bot.core.dockerfile.shell import WordError
from bot.core.dockerfile.source import SPACE
from bot.core.errors import DockerfileError

_WHITE: Final = re.compile(r"[\t\v\f\r ]+")
_DEEPEST: Final = 100
_HEREDOC_NAMES: Final = frozenset({"add", "copy", "run"})


class Command(NamedTuple):
    """A name with flags and arguments; `rest` is the text of the arguments and `start` where it begins in the line."""

    name: str
    key: str
    """The name in lower case."""
    flags: tuple[Flag, ...]
    rest: str
    start: int
    arguments: Arguments
    trigger: "Command | None" = None
    """What an `ONBUILD` keeps for later."""


class Instruction(NamedTuple):
    """One instruction with its heredocs and the physical lines it takes."""

    command: Command
    line: LogicalLine
    last: int
    heredocs: tuple[Heredoc, ...] = ()

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.command.key

    @property
    def first(self) -> int:
        """The line on which it begins."""
        return self.line.first


@dataclass(frozen=True, slots=True)
class Parsed:
    """A whole file; `escape` is what its directive says."""

    instructions: tuple[Instruction, ...]
    escape: str


def parse(text: str) -> Parsed:
    """Parse a file; a `DockerfileError` says what BuildKit's parser rejects."""
    reader = Reader(text)
    instructions = tuple(_read(reader))
    if not instructions:
        raise DockerfileError("the file has no instructions", line=1)
    return Parsed(instructions, reader.escape)


def _read(reader: Reader) -> Iterator[Instruction]:
    while (line := reader.next_line()) is not None:
        try:
            command = _parse_command(line.text, 0, reader.escape)
            heredocs = tuple(read_content(heredoc, reader, line.first) for heredoc in _announced(command, line.text))
        except (ArgumentsError, WordError) as fault:
            raise DockerfileError(str(fault), line=line.first) from fault
        yield Instruction(command=command, line=line, last=reader.number, heredocs=heredocs)


def _parse_command(text: str, offset: int, escape: str, depth: int = 0) -> Command:
    """Split off the name and the flags; `offset` is where the text begins in the logical line."""
    if depth > _DEEPEST:
        raise ArgumentsError(f"ONBUILD is nested more than {_DEEPEST} deep; write one trigger")
    start = len(text) - len(text.lstrip(SPACE))
    bare = text.strip(SPACE)
    gap = _WHITE.search(bare)
    if gap is None:
        key = bare.lower()
        nothing = parse_arguments(key, "", escape)
        return Command(name=bare, key=key, flags=(), rest="", start=offset + len(text), arguments=nothing)
    name, after = bare[: gap.start()], bare[gap.end() :]
    key = name.lower()
    shift = offset + start + gap.end()
    flags, begin = split_flags(after) if after.startswith("--") else ((), 0)
    rest = after[begin:].lstrip(SPACE)  # nothing to strip at the end any more
    begin = len(after) - len(rest)
    flags = tuple(flag.shifted(shift) for flag in flags)
    trigger = _parse_command(rest, shift + begin, escape, depth + 1) if key == "onbuild" and rest else None
    arguments = parse_arguments(key, rest, escape)
    return Command(
        name=name, key=key, flags=flags, rest=rest, start=shift + begin, arguments=arguments, trigger=trigger
    )


def _announced(command: Command, text: str) -> list[Heredoc]:
    target = command.trigger or command
    if target.key not in _HEREDOC_NAMES or target.arguments.json or "<<" not in text:
        return []
    return announced(text)

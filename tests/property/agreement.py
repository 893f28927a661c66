"""Whether our parser and BuildKit's own (PyPI `dockerfile`) say the same of a file."""

import json
import re
from dataclasses import dataclass

import dockerfile

from bot.core.dockerfile.instructions import Command, Instruction, parse
from bot.core.errors import DockerfileError

_NEWER_THAN_THE_LIBRARY = re.compile(r"<<-?[ \t\r\\`]|(?i:#[ \t]*check[ \t]*=)|#[ \t]*\u00a0")
"""White space before the name of a heredoc, the check directive and Unicode spaces before a directive came later."""
_MAYBE_NEWER = re.compile(r"\]|<[\\`]")
"""In a file that we reject there is nothing to look at more closely than its text."""
_JSON_FORMS = frozenset({"add", "copy", "volume", "run", "cmd", "entrypoint", "shell", "healthcheck"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a parser saw of one instruction."""

    name: str
    trigger: str | None
    json: bool
    lines: tuple[int, int]
    flags: tuple[str, ...]
    values: tuple[str, ...]
    heredocs: tuple[tuple[str, int, str], ...]


def is_comparable(text: str) -> bool:
    """Say whether the library, which is older and works on bytes, can be asked about a file."""
    if "\u00a0" in text and "healthcheck" in text.lower():
        return False  # the library takes that character apart
    if "\0" in text or _NEWER_THAN_THE_LIBRARY.search(text):
        return False
    try:
        instructions = parse(text).instructions
    except DockerfileError:
        return text.isascii() and not _MAYBE_NEWER.search(text)
    if not all(flag.text.isascii() for each in instructions for flag in each.command.flags):
        return False  # BuildKit reads the bytes of a flag as Latin-1
    return not any(_has_more_than_json(each.command.trigger or each.command) for each in instructions)


def _has_more_than_json(command: Command) -> bool:
    """Whether text follows a JSON array; the library takes the array, later versions take all as shell form."""
    if command.key not in _JSON_FORMS or command.arguments.json:
        return False
    rest = command.arguments.values[-1] if command.key == "healthcheck" and command.arguments.values else command.rest
    try:
        value, _ = json.JSONDecoder().raw_decode(rest.lstrip())
    except ValueError:
        return False
    return isinstance(value, list)


def ours(text: str) -> list[Seen] | None:
    """What our parser saw; None if it rejects the file."""
    try:
        return [_ours(instruction) for instruction in parse(text).instructions]
    except DockerfileError:
        return None


def theirs(text: str) -> list[Seen] | None:
    """What BuildKit's parser saw; None if it rejects the file."""
    try:
        return [_theirs(command) for command in dockerfile.parse_string(text)]
    except dockerfile.GoParseError:
        return None


def _ours(instruction: Instruction) -> Seen:
    command = instruction.command
    inner = command.trigger or command
    values = inner.arguments.values
    if inner.key in ("env", "label"):  # the library leaves out the separators
        values = tuple(value for index, value in enumerate(values) if index % 3 != 2)
    return Seen(
        name=command.name.upper(),
        trigger=(command.trigger.name.upper() or None) if command.trigger else None,
        json=inner.arguments.json,
        lines=(instruction.first, instruction.last),
        flags=tuple(flag.text for flag in command.flags),
        values=values,
        # The library leaves out the heredocs of a trigger.
        heredocs=()
        if command.trigger
        else tuple((heredoc.name, heredoc.descriptor, heredoc.content) for heredoc in instruction.heredocs),
    )


def _theirs(command: dockerfile.Command) -> Seen:
    return Seen(
        name=(command.cmd or "").upper(),
        trigger=command.sub_cmd.upper() if command.sub_cmd else None,
        json=command.json,
        lines=(command.start_line, command.end_line),
        flags=tuple(command.flags),
        values=tuple(command.value),
        heredocs=tuple((heredoc.name, heredoc.file_descriptor, heredoc.content) for heredoc in command.heredocs),
    )

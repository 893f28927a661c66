"""How the arguments of an instruction are taken apart (BuildKit's line parsers and flags).

Values are those of BuildKit's parse tree: `ENV a=b` gives `a`, `b`, `=`; a shell form is one value; a JSON form is one
value for each string.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bot.core.dockerfile.source import SPACE

_WHITE: Final = re.compile(r"[\t\v\f\r ]+")
_SHELL_OR_JSON: Final = frozenset({"run", "cmd", "entrypoint", "shell"})
_LIST_OR_JSON: Final = frozenset({"add", "copy", "volume"})
_LIST: Final = frozenset({"from", "expose"})
_TEXT: Final = frozenset({"maintainer", "stopsignal", "user", "workdir"})
_NOT_SPACE: Final = re.compile(f"[^{SPACE}]")
_ASCII_SPACE: Final = "\t\n\v\f\r "
"""What BuildKit takes for white space between flags, where it looks at bytes."""
_NOT_ASCII_SPACE: Final = re.compile(f"[^{_ASCII_SPACE}]")


class ArgumentsError(ValueError):
    """Arguments that BuildKit rejects."""


class Arguments(NamedTuple):
    """The values of an instruction; `json` says that they were written as a JSON array."""

    values: tuple[str, ...] = ()
    json: bool = False


class Word(NamedTuple):
    """A word and where it starts in the logical line."""

    text: str
    start: int

    @property
    def stop(self) -> int:
        """Where the word ends in the logical line."""
        return self.start + len(self.text)


class Flag(NamedTuple):
    """A flag such as `--from=image`, without quotes, and where its characters stand in the logical line."""

    text: str
    indexes: Sequence[int]
    stop: int
    """Where the flag ends as it is written, quotes included."""

    def shifted(self, by: int) -> "Flag":
        """Return the flag as seen from the beginning of the line."""
        return Flag(self.text, [index + by for index in self.indexes], self.stop + by)


def parse_arguments(name: str, rest: str, escape: str) -> Arguments:
    """Take the arguments of an instruction, named in lower case, apart."""
    if name in _SHELL_OR_JSON:
        return _json(rest) or _one(rest)
    if name in _LIST_OR_JSON | _LIST:
        return (_json(rest) if name in _LIST_OR_JSON else None) or Arguments(split_white(rest))
    match name:
        case "arg":
            return Arguments(tuple(word.text for word in split_words(rest, 0, escape)))
        case "env" | "label":
            return _name_values(name, rest, escape)
        case "healthcheck":
            return _healthcheck(rest)
        case "onbuild" if not rest:
            return Arguments()
        case _:
            return _one(rest) if name in _TEXT else Arguments(("",))


def split_white(rest: str) -> tuple[str, ...]:
    """Split at white space, with no regard to quotes."""
    return tuple(_WHITE.split(rest)) if rest else ()


def white_words(rest: str, start: int) -> Iterator[Word]:
    """Split like `split_white`, and say where each word starts."""
    position = 0
    for gap in _WHITE.finditer(rest):
        yield Word(rest[position : gap.start()], start + position)
        position = gap.end()
    if rest:
        yield Word(rest[position:], start + position)


def split_words(rest: str, start: int, escape: str) -> Iterator[Word]:
    """Split at white space outside quotes and escapes; both stay in the words (BuildKit's parseWords)."""
    position = 0
    while found := _NOT_SPACE.search(rest, position):
        stop, position = _end_of_word(rest, found.start(), escape)
        if stop > found.start():
            yield Word(rest[found.start() : stop], start + found.start())


def _end_of_word(rest: str, position: int, escape: str) -> tuple[int, int]:
    """Return where a word stops and where to go on; an escape at the very end of the line is left out."""
    quote = ""
    while position < len(rest):
        character = rest[position]
        if character == escape and quote != "'":
            if position + 1 == len(rest):
                return position, len(rest)
            position += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in SPACE:
            return position, position
        elif character in "'\"":
            quote = character
        position += 1
    return len(rest), len(rest)


def split_flags(rest: str) -> tuple[tuple[Flag, ...], int]:
    """Take the flags in front of the arguments; return them and where the arguments start."""
    flags: list[Flag] = []
    position = 0
    while found := _NOT_ASCII_SPACE.search(rest, position):
        position = found.start()
        if not rest.startswith("--", position):
            return tuple(flags), position
        flag = _flag(rest, position)
        position = flag.stop
        if flag.text == "--":
            return tuple(flags), position
        flags.append(flag)
    return tuple(flags), len(rest)


def _flag(rest: str, position: int) -> Flag:
    """Read one flag; quotes and backslashes vanish, whatever the escape directive says."""
    text: list[str] = []
    indexes: list[int] = []
    quote = ""
    while position < len(rest):
        character = rest[position]
        if not quote and character in _ASCII_SPACE:
            break
        if character == "\\":
            position += 1
        elif quote and character == quote:
            quote, character = "", ""
        elif not quote and character in "'\"":
            quote, character = character, ""
        if character and position < len(rest):
            text.append(rest[position])
            indexes.append(position)
        position += 1
    return Flag("".join(text), indexes, min(position, len(rest)))


def _one(rest: str) -> Arguments:
    """Take the whole text as one value."""
    return Arguments((rest,) if rest else ())


def _json(rest: str) -> Arguments | None:
    """Read a JSON array of strings; None if this is no JSON array, an error if it holds something else."""
    bare = rest.lstrip(SPACE)
    if not bare.startswith("["):
        return None
    try:
        values = _JSON.decode(bare)
    except RecursionError:
        raise ArgumentsError("JSON is nested too deep; write an array of strings") from None
    except ValueError:
        return None
    if not all(isinstance(value, str) for value in values):
        raise ArgumentsError("when using JSON array syntax, arrays must be comprised of strings only")
    return Arguments(tuple(values), json=True)


def _reject(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_JSON: Final = json.JSONDecoder(parse_constant=_reject)


def _name_values(name: str, rest: str, escape: str) -> Arguments:
    """Read `name=value ...`, or the old form `name value`, which reaches to the end of the line."""
    words = [word.text for word in split_words(rest, 0, escape)]
    if not words:
        return Arguments()
    if "=" not in words[0]:
        parts = _WHITE.split(rest, maxsplit=1)
        if len(parts) < 2:
            raise ArgumentsError(f"{name.upper()} must have two arguments")
        return Arguments((*parts, ""))
    values: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ArgumentsError(f"can't find = in {word[:40]!r}; it must be of the form: name=value")
        values += (key, value, "=")
    return Arguments(tuple(values))


def _healthcheck(rest: str) -> Arguments:
    kind, *others = _WHITE.split(rest, maxsplit=1)
    if not kind:
        return Arguments()
    command = others[0] if others else ""
    parsed = _json(command) or _one(command)
    return Arguments((kind, *parsed.values), json=parsed.json)

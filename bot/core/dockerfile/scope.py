"""The arguments that `FROM` can see: those declared before the first `FROM`, with their defaults."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from bot.core.dockerfile.arguments import Word, split_words
from bot.core.dockerfile.instructions import Instruction
from bot.core.dockerfile.shell import Expander, Expansion, Hole, WordError
from bot.core.dockerfile.source import Traced
from bot.core.errors import DockerfileError

_MAY_BE_EMPTY: Final = frozenset({"BUILDVARIANT", "TARGETVARIANT", "BUILDOSVERSION", "TARGETOSVERSION"})
_AUTOMATIC: Final = _MAY_BE_EMPTY | {
    "BUILDPLATFORM", "BUILDOS", "BUILDARCH", "TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETSTAGE",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The default of one `ARG`: its value stands from `start` to `stop`, `end` is before a closing quote."""

    number: int
    name: str
    start: int
    stop: int
    end: int
    defaults: frozenset[int]
    """The numbers of the defaults that gave a part of it."""


@dataclass(slots=True, kw_only=True)
class Scope:
    """What arguments stand for, and where their defaults stand."""

    expander: Expander
    defaults: list[Default] = field(default_factory=list)


def read_scope(arguments: Iterable[Instruction], build_args: Mapping[str, str | None], escape: str) -> Scope:
    """Read the `ARG`s above the first `FROM`, each with what stands above it; build arguments win over defaults."""
    values: dict[str, Expansion] = dict(_automatic_values())
    values.update({name: _given(name, build_args[name]) for name in _AUTOMATIC & build_args.keys()})
    why_unset: dict[str, str] = {}
    scope = Scope(expander=Expander(values=values, why_unset=why_unset, escape=escape))
    for instruction in arguments:
        for word in split_words(instruction.command.rest, instruction.command.start, escape):
            name, equals, _ = word.text.partition("=")
            if name in build_args:
                values[name] = _given(name, build_args[name])
            elif equals:
                values[name] = _default(instruction, word, name, scope)
            else:
                why_unset[name] = f"ARG {name} has no default"
    return scope


def declared_names(instruction: Instruction, escape: str) -> list[str]:
    """Return the names that an `ARG` inside a stage declares without a value of their own."""
    words = split_words(instruction.command.rest, instruction.command.start, escape)
    return [word.text for word in words if "=" not in word.text]


def _default(instruction: Instruction, word: Word, name: str, scope: Scope) -> Expansion:
    written = instruction.line.joined.trace(word.start + len(name) + 1, word.stop)
    expander = scope.expander
    undeclared, expander.undeclared = expander.undeclared, f"is used by ARG {name} before it is declared"
    try:
        value = expander.expand(written)
    except WordError as fault:
        raise DockerfileError(f"ARG {name}: {fault}", line=instruction.first) from fault
    finally:
        expander.undeclared = undeclared
    value.default = len(scope.defaults)
    scope.defaults.append(_site(name, written, instruction.line.joined.place(word.stop), value))
    return value


def _site(name: str, written: Traced, end: int, value: Expansion) -> Default:
    """Say where a default stands; an empty one stands at the end of its word."""
    quoted = len(written.text) > 1 and written.text[-1] in "'\""
    return Default(
        number=value.default,
        name=name,
        start=written.places[0] if written else end,
        stop=written.places[-1] + 1 if written else end,
        end=written.places[-1] + (not quoted) if written else end,
        defaults=value.defaults,
    )


@cache
def _automatic_values() -> Mapping[str, Expansion]:
    return {name: _automatic(name) for name in _AUTOMATIC}


def _automatic(name: str) -> Expansion:
    expansion = Expansion()
    expansion.add_hole(Hole(f"{name} is set by each build", blank=name in _MAY_BE_EMPTY))
    return expansion


def _given(name: str, value: str | None) -> Expansion:
    """The value of a build argument; None is one that is given but not known."""
    expansion = Expansion()
    if value is None:
        expansion.add_hole(Hole(f"{name} is given by the build, with a value that is not known here", blank=False))
        return expansion
    traced = Traced.from_outside(value)
    expansion.add(traced.text, traced.places, hard=False)
    return expansion

"""The patterns of `${NAME#pattern}`, `${NAME%pattern}` and `${NAME/pattern/...}`: `*`, `?` and escapes.

BuildKit turns them into regular expressions that run in linear time. Here all positions of the pattern are followed at
once, which needs as many steps as pattern times text; that product is bounded.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final

_MOST_STEPS: Final = 2_000_000
_NEWLINE: Final = "\n"


class PatternError(ValueError):
    """A pattern that BuildKit rejects, or that would take too long."""


class _Wildcard(Enum):
    ONE = "?"
    MANY = "*"


_Pattern = Sequence[str | _Wildcard]


def trimmed_prefix(pattern: str, text: str, *, longest: bool) -> int:
    """Return how many characters `#` (or `##`) takes away at the front."""
    return _match(_parse(pattern, len(text)), text, longest=longest) or 0


def trimmed_suffix(pattern: str, text: str, *, longest: bool) -> int:
    """Return how many characters `%` (or `%%`) takes away at the end."""
    return _match(_parse(pattern, len(text))[::-1], text[::-1], longest=longest) or 0


def occurrences(pattern: str, text: str, *, every: bool) -> list[tuple[int, int]]:
    """Return where `/` (or all places where `//`) finds the pattern, each as long as possible."""
    parsed = _parse(pattern, len(text) ** 2)
    found: list[tuple[int, int]] = []
    start = last_end = 0
    while start <= len(text):
        length = _match(parsed, text[start:], longest=True)
        if length is None:
            start += 1
            continue
        # As Go's regexp does: no empty match right after another match.
        if length or start > last_end or start == 0:
            found.append((start, start + length))
            if not every:
                break
        last_end = start + length
        start = last_end if length else start + 1
    return found


def _match(pattern: _Pattern, text: str, *, longest: bool) -> int | None:
    """Return the length of the match at the front of the text, None if there is none."""
    positions = _skip_stars(pattern, {0})
    best = 0 if len(pattern) in positions else None
    for index, character in enumerate(text):
        if best is not None and not longest:
            break
        positions = _skip_stars(pattern, _step(pattern, positions, character))
        if not positions:
            break
        if len(pattern) in positions:
            best = index + 1
    return best


def _step(pattern: _Pattern, positions: set[int], character: str) -> set[int]:
    following = set()
    for position in positions:
        token = pattern[position] if position < len(pattern) else None
        if token is _Wildcard.MANY and character != _NEWLINE:
            following.add(position)
        elif token == character or (token is _Wildcard.ONE and character != _NEWLINE):
            following.add(position + 1)
    return following


def _skip_stars(pattern: _Pattern, positions: set[int]) -> set[int]:
    """Add the positions that are reached when a star stands for nothing."""
    reached = set(positions)
    for position in positions:
        while position < len(pattern) and pattern[position] is _Wildcard.MANY:
            position += 1  # noqa: PLW2901 - walking on from where the loop stands
            reached.add(position)
    return reached


def _parse(pattern: str, length: int) -> _Pattern:
    if (len(pattern) + 1) * (length + 1) > _MOST_STEPS:
        raise PatternError(f"pattern {pattern[:40]!r} and its value are too long; shorten them")
    tokens: list[str | _Wildcard] = []
    characters = iter(pattern)
    for character in characters:
        match character:
            case "*":
                tokens.append(_Wildcard.MANY)
            case "?":
                tokens.append(_Wildcard.ONE)
            case "\\":
                escaped = next(characters, "")
                if escaped not in ("*", "?", "\\", "}", "/"):
                    raise PatternError(f"invalid escape '\\{escaped}' in pattern {pattern[:40]!r}")
                tokens.append(escaped)
            case _:
                tokens.append(character)
    return tokens

"""The string literals of TypeScript and Python, outside comments.

A lexer in one pass: every alternative takes what it began with to its end, also where its closing sign is missing,
so that hostile text costs no more than any other.
"""

import re
from typing import Final

from bot.core.carriers.pieces import Pieces
from bot.core.dockerfile.source import Traced

_PYTHON: Final = re.compile(
    r"""\#[^\n]*
    |(?P<triple>\"{3}|'{3})(?:[^\\"']|\\.|(?!(?P=triple))["'])*+(?:(?P=triple)|\\?\Z)
    |"(?P<double>(?:[^"\\\n]|\\.)*+)(?:"|(?P<open>\\?(?=\n|\Z)))
    |'(?P<single>(?:[^'\\\n]|\\.)*+)(?:'|(?P<open_>\\?(?=\n|\Z)))""",
    re.VERBOSE | re.DOTALL,
)
_TYPESCRIPT: Final = re.compile(
    r"""//[^\n]*
    |/\*.*?(?:\*/|\Z)
    |(?<=[(,=:\[!&|?{};])[ \t]*+/(?![/*])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*+\])++/
    |"(?P<double>(?:[^"\\\n]|\\.)*+)(?:"|(?P<open>\\?(?=\n|\Z)))
    |'(?P<single>(?:[^'\\\n]|\\.)*+)(?:'|(?P<open_>\\?(?=\n|\Z)))
    |`(?P<template>(?:[^`\\]|\\.)*+)(?:`|\\?\Z)""",
    re.VERBOSE | re.DOTALL,
)
"""The third alternative is a regular expression, which may hold quotes; elsewhere `/` divides."""


def read_code(path: str, text: str) -> Pieces:
    """Return all strings as words; which of them are references is seen later."""
    pattern = _PYTHON if path.endswith(".py") else _TYPESCRIPT
    pieces = Pieces()
    for found in pattern.finditer(text):
        for kind in ("double", "single", "template"):
            if kind in pattern.groupindex and found[kind] and found["open"] is found["open_"] is None:
                start, end = found.span(kind)
                pieces.words.append(Traced(text[start:end], range(start, end)))
    return pieces

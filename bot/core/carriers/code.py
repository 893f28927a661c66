"""The string literals of TypeScript and Python, outside comments."""

import re
from typing import Final

from bot.core.carriers.pieces import Pieces
from bot.core.dockerfile.source import Traced

_PYTHON: Final = re.compile(
    r"""\#[^\n]*
    |(?P<triple>\"{3}|'{3})(?:[^\\]|\\.)*?(?P=triple)
    |"(?P<double>(?:[^"\\\n]|\\.)*)"
    |'(?P<single>(?:[^'\\\n]|\\.)*)'""",
    re.VERBOSE | re.DOTALL,
)
_TYPESCRIPT: Final = re.compile(
    r"""//[^\n]*
    |/\*.*?(?:\*/|\Z)
    |"(?P<double>(?:[^"\\\n]|\\.)*)"
    |'(?P<single>(?:[^'\\\n]|\\.)*)'
    |`(?P<template>(?:[^`\\]|\\.)*)`""",
    re.VERBOSE | re.DOTALL,
)


def read_code(path: str, text: str) -> Pieces:
    """Return all strings as words; which of them are references is seen later."""
    pattern = _PYTHON if path.endswith(".py") else _TYPESCRIPT
    pieces = Pieces()
    for found in pattern.finditer(text):
        for kind in ("double", "single", "template"):
            if kind in pattern.groupindex and found[kind]:
                start, end = found.span(kind)
                pieces.words.append(Traced(text[start:end], range(start, end)))
    return pieces

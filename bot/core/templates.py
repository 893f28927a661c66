"""Texts with named fields, such as `{summary}`, that the settings may word otherwise.

A field is a name and nothing else: what `str.format` would also take (attributes, indexes, formats) is refused,
so that a template shows what it is given and reaches no further. `{{` and `}}` are braces.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Self

_REF_PART = re.compile(r"(?![.-])[^\x00-\x20\x7f~^:?*\[\\]+\Z")
_LONGEST_BRANCH = 200
"""In bytes; a name is a file name to git, and a forge adds to it."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text in parts: each is literal text, and the field that follows it, None at the end."""

    parts: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, text: str, fields: tuple[str, ...]) -> Self:
        """Read a template of which only these fields may be used. Raises `ValueError` with the cure."""
        known = ", ".join(f"{{{field}}}" for field in fields)
        try:
            parsed = list(Formatter().parse(text))
        except ValueError:
            raise ValueError(f"has a brace alone; write {{{{ or }}}} for a brace, or one of {known}") from None
        for _, field, form, conversion in parsed:
            if field is not None and (field not in fields or form or conversion):
                raise ValueError(f"has a field that is not known here; use {known}, each by its name alone")
        return cls(tuple((literal, field) for literal, field, _, _ in parsed))

    @property
    def fields(self) -> frozenset[str]:
        """The fields that are used."""
        return frozenset(field for _, field in self.parts if field)

    @property
    def prefix(self) -> str:
        """The literal text before the first field."""
        literal = ""
        for text, field in self.parts:
            literal += text
            if field:
                break
        return literal

    def render(self, values: Mapping[str, str]) -> str:
        """Fill the fields in; braces in a value are text."""
        return "".join(literal + (values[field] if field else "") for literal, field in self.parts)


def is_branch(name: str) -> bool:
    """Whether git takes a name for a branch (git-check-ref-format(1)), and it is not too long for a forge."""
    parts = name.split("/")
    whole = ".." not in name and "@{" not in name and name != "@" and not name.endswith(".")
    fits = len(name.encode()) <= _LONGEST_BRANCH
    return whole and fits and all(_REF_PART.match(part) and not part.endswith(".lock") for part in parts)

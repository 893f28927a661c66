"""The tag of a built image: a text with named fields, which together say what the image was made from.

A crash between push and update repeats nothing, because the next run finds the image under the tag that the same order
gives; so the fields that tell orders apart have to be in it, and nothing in it may come from a clock.
"""

import string
from dataclasses import dataclass
from typing import Final, Self

from bot.core.errors import InvalidReference
from bot.core.reference import Reference

_NEEDED: Final = ("commit", "base", "recipe")
_LONGEST: Final = {
    "commit": "c" * 12,
    "base": "b" * 12,
    "recipe": "r" * 12,
    "runtime": "provided.al2023",
    "function": "f" * 64,
}
"""A value of the greatest length for each field."""


@dataclass(frozen=True, slots=True)
class TagTemplate:
    """A tag with fields in braces: `commit`, `base` and `recipe`, without which orders would share a tag, and others.

    The others are `runtime` and `function`.
    `recipe` is a digest of Dockerfile path, context, stage, build arguments and platform.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check a template; raises `InvalidReference` where a field is unknown or missing, or the tag is none."""
        try:
            parts = [part for part in string.Formatter().parse(text) if part[1] is not None]
        except ValueError as fault:
            raise InvalidReference(
                f"{text[:140]!r} cannot be filled in ({fault}); write fields as {{commit}}"
            ) from fault
        plain = all(not spec and not conversion for _, _, spec, conversion in parts)
        fields = [name for _, name, _, _ in parts]
        unknown = [f"{{{name}}}" for name in fields if name not in _LONGEST]
        missing = [f"{{{name}}}" for name in _NEEDED if name not in fields]
        if unknown or not plain:
            known = ", ".join(f"{{{name}}}" for name in _LONGEST)
            raise InvalidReference(f"{text[:140]!r} has {', '.join(unknown) or 'a format'}; the fields are {known}")
        if missing:
            raise InvalidReference(f"{text[:140]!r} lacks {', '.join(missing)}; two images must not share a tag")
        Reference.parse(f"registry.example/image:{text.format(**_LONGEST)}")
        return cls(text)

    def fill(self, *, commit: str, base: str, recipe: str, runtime: str, function: str) -> str:
        """Write the tag of one order."""
        return self.text.format(commit=commit, base=base, recipe=recipe, runtime=runtime, function=function)


DEFAULT_TAG: Final = TagTemplate("refrom-{commit}-{base}-{recipe}")

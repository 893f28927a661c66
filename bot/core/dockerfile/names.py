"""The parts of a reference after expansion, also where some of it is not known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.core.dockerfile.shell import Expansion
from bot.core.errors import InvalidReference
from bot.core.reference import Reference
from bot.core.tags import LambdaImage, LambdaTag, lambda_image, runtime_identifier

_STAND_IN: Final = "x"
"""Stands for what is not known where the grammar of references wants something."""
_SAYS_SOMETHING: Final = re.compile(r"[A-Za-z0-9]")
_DATED: Final = re.compile(r"(?P<version>.*?)(?:-preview)?\.(?:[0-9]{4}\.(?:[0-9]{2}\.){0,2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A text and where in it the tag and the digest stand, without their `:` and `@`.

    `reference` is None where something is not known; `why_unknown` says why, if it is the name of the image.
    """

    text: str
    places: Sequence[int]
    name_stop: int
    tag: tuple[int, int] | None
    digest: tuple[int, int] | None
    reference: Reference | None
    lambda_image: LambdaImage | None
    says_something: bool = True
    why_unknown: str = ""

    def part(self, span: tuple[int, int] | None) -> str | None:
        """Return the text of the tag or the digest."""
        return self.text[span[0] : span[1]] if span else None


def named(expansion: Expansion, mirrors: Sequence[str]) -> Named:
    """Take an expanded word apart; raises `InvalidReference` if it is known and no reference."""
    text = expansion.text
    name_stop, tag, digest = _spans(text)
    if expansion.holes:
        reference, image = None, _lambda_image_with_holes(text, name_stop, tag, set(expansion.holes), mirrors)
    else:
        reference = Reference.parse(text)
        image = lambda_image(reference, mirrors=mirrors)
    return Named(
        text=text,
        places=expansion.places,
        name_stop=name_stop,
        tag=tag,
        digest=digest,
        reference=reference,
        lambda_image=image,
        says_something=bool(not expansion.holes or _SAYS_SOMETHING.search(expansion.plain)),
        why_unknown=_why_unknown(expansion, text, name_stop),
    )


def _why_unknown(expansion: Expansion, text: str, name_stop: int) -> str:
    last_part = range(text.rfind("/", 0, name_stop) + 1, name_stop)
    return next((hole.reason for index, hole in expansion.holes.items() if index in last_part), "")


def _spans(text: str) -> tuple[int, tuple[int, int] | None, tuple[int, int] | None]:
    """Find the end of the name, the tag and the digest."""
    at = text.find("@")
    end = at if at >= 0 else len(text)
    digest = (at + 1, len(text)) if at >= 0 else None
    colon = text.rfind(":", 0, end)
    if colon < 0 or "/" in text[colon:end]:
        return end, None, digest
    return colon, (colon + 1, end), digest


def _lambda_image_with_holes(
    text: str, name_stop: int, tag: tuple[int, int] | None, holes: set[int], mirrors: Sequence[str]
) -> LambdaImage | None:
    """Recognise a Lambda base of which a part is not known."""
    name = "".join(_STAND_IN if index in holes else character for index, character in enumerate(text[:name_stop]))
    try:
        image = lambda_image(Reference.parse(name), mirrors=mirrors)
    except InvalidReference:
        return None
    if image is None or tag is None:
        return image
    known = next((index for index in range(*tag) if index in holes), tag[1])
    whole = known == tag[1]
    runtime = _runtime(image.name, text[tag[0] : known], whole=whole)
    return replace(image, runtime=runtime, tag=LambdaTag.parse(text[slice(*tag)]) if whole else None)


def _runtime(name: str, start: str, *, whole: bool) -> str | None:
    """Read the runtime from the beginning of a tag, if the rest can only be a date or an architecture."""
    if whole or start.endswith("-"):
        tag = LambdaTag.parse(start if whole else start[:-1])
        return runtime_identifier(name, tag.version) if tag else None
    dated = _DATED.fullmatch(start)
    # After `8.` a Java tag may go on with `al2`, which is another runtime.
    return runtime_identifier(name, dated["version"]) if dated and name != "java" else None

"""Whether a word of a carrier is a reference to a Lambda base, and where its parts stand.

A word counts only as a whole: `KEY=reference` and `docker-image://reference` do, a sentence does not. What a carrier's
own language puts in (`${...}`, `$(...)`, `{{ ... }}`) is not known, except for a default that is written out.
"""

import re
from collections.abc import Sequence
from typing import Final

from bot.core.carriers.kinds import short_name
from bot.core.dockerfile.found import Found
from bot.core.dockerfile.names import Named, named
from bot.core.dockerfile.shell import Expander, Expansion, Hole, WordError
from bot.core.dockerfile.source import NOWHERE, Traced
from bot.core.dockerfile.uses import Literal, Unresolvable, Use
from bot.core.errors import InvalidReference
from bot.core.reference import DEFAULT_REGISTRY
from bot.core.tags import UPSTREAM

_LONGEST: Final = 1_000
_PREFIX: Final = re.compile(r"(?:--build-arg=)?(?:[A-Za-z_][A-Za-z0-9_.]*=)?(?:docker-image://|docker://)?")
_PUT_IN: Final = re.compile(
    r"\$\{\{[^{}]*\}\}|\{\{[^{}]*\}\}|\$\{[^{}]*\}|\$\([^()]*\)|\$[A-Za-z_][A-Za-z0-9_]*|\{[^{}\s]*\}"
)
_LITERAL: Final = re.compile(r"[A-Za-z0-9._:/@+-]*")


def recognise(word: Traced, line: int, mirrors: Sequence[str]) -> Found | None:
    """Return the use that a word is, None if it is no reference to a Lambda base; `line` is where the word begins."""
    if len(word.text) > _LONGEST or not _may_be_meant(word.text, mirrors):
        return None
    prefix = _PREFIX.match(word.text)
    start = prefix.end() if prefix else 0
    written = word.slice(start)
    expansion = _expand(written)
    if expansion is None:
        return None
    try:
        name = named(expansion, mirrors)
    except InvalidReference:
        return None
    if name.lambda_image is None or not _is_meant(name, mirrors):
        return None
    end = NOWHERE if name.places[-1] == NOWHERE else name.places[-1] + 1
    return Found(use=_use(written, expansion, name, line), named=name, end=end)


def _expand(written: Traced) -> Expansion | None:
    """Split a word into what is written out and what is put in; None if it is no reference at all."""
    try:
        # Compose and shells share BuildKit's `${NAME:-default}`.
        expansion = Expander(undeclared="is not known here").expand(written)
    except WordError:
        expansion = Expansion()
    if not _is_literal(expansion):
        expansion = _put_in(written)
    return expansion if _is_literal(expansion) else None


def _is_literal(expansion: Expansion) -> bool:
    """Whether what is known of a text are characters of a reference."""
    return bool(expansion.size and _LITERAL.fullmatch(expansion.plain))


def _put_in(written: Traced) -> Expansion:
    expansion = Expansion()
    position = 0
    for gap in _PUT_IN.finditer(written.text):
        expansion.add(*_slice(written, position, gap.start()), hard=False)
        expansion.add_hole(Hole(f"it comes from {gap[0][:80]}"))
        position = gap.end()
    expansion.add(*_slice(written, position, len(written.text)), hard=False)
    return expansion


def _slice(written: Traced, start: int, stop: int) -> tuple[str, Sequence[int]]:
    part = written.slice(start, stop)
    return part.text, part.places


def _may_be_meant(text: str, mirrors: Sequence[str]) -> bool:
    return "lambda" in text or any(short_name(mirror) in text for mirror in mirrors)


def _is_meant(name: Named, mirrors: Sequence[str]) -> bool:
    """Whether this is an image and not a path such as `src/lambda/python`: a copy needs a registry and a tag."""
    text = name.text[: name.name_stop]
    if any(text.removeprefix(f"{DEFAULT_REGISTRY}/").startswith(f"{short_name(mirror)}/") for mirror in mirrors):
        return True
    if text.startswith((f"{UPSTREAM}/lambda/", "amazon/aws-lambda-", f"{DEFAULT_REGISTRY}/amazon/aws-lambda-")):
        return True
    has_registry = name.reference is None or name.reference.registry != DEFAULT_REGISTRY
    return has_registry and (name.tag is not None or name.digest is not None)


def _use(written: Traced, expansion: Expansion, name: Named, line: int) -> Use:
    reference = name.reference
    return Use(
        line=line,
        kind="literal",
        raw=written.text,
        resolved=None if expansion.holes else name.text,
        reference=reference,
        stage=None,
        final=True,
        platform=None,
        lambda_image=name.lambda_image,
        edit=_edit(written, expansion, name, line),
    )


def _edit(written: Traced, expansion: Expansion, name: Named, line: int) -> Literal | Unresolvable:
    anchor = name.tag or name.digest or (len(name.text) - 1, len(name.text))
    hole = expansion.holes.get(anchor[0])
    if hole:
        return Unresolvable(reason=hole.reason)
    if name.why_unknown or any(index in expansion.holes for index in range(*anchor)):
        return Literal(line=line, obstacle="a part of the reference is put in; write it out")
    rest = sum(place > name.places[-1] for place in written.places)
    goes_on = written.text[len(written.text) - rest :].strip("}")
    return Literal(line=line, obstacle=f"it goes on after the tag with {goes_on[:80]!r}" if goes_on else "")

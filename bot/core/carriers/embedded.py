"""Dockerfiles inside other files: taken out of their indentation, read, and placed back."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.dockerfile.found import Findings, Found
from bot.core.dockerfile.reading import read
from bot.core.dockerfile.source import NOWHERE, Traced
from bot.core.dockerfile.uses import ArgDefault, Literal, Unresolvable


def read_embedded(block: Traced, mirrors: Sequence[str], first_line: int) -> Findings:
    """Read a Dockerfile that begins on a line of a file; raises `DockerfileError` with a line of the Dockerfile."""
    dockerfile = dedent(block)
    findings = read(dockerfile.text, mirrors=mirrors)
    shift = first_line - 1
    return Findings(
        found=[_put_back(found, dockerfile, shift) for found in findings.found if found.use.lambda_image],
        skipped=[replace(unread, line=unread.line + shift) for unread in findings.skipped],
    )


def dedent(block: Traced) -> Traced:
    """Take the common indentation away; the places stay."""
    lines = block.text.split("\n")
    indents = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    margin = min(indents, default=0)
    parts: list[str] = []
    places: list[int] = []
    position = 0
    for line in lines:
        start = position + min(margin, len(line) - len(line.lstrip(" ")))
        end = position + len(line) + 1
        parts.append(block.text[start:end])
        places += block.places[start:end]
        position = end
    return Traced("".join(parts), places)


def _put_back(found: Found, dockerfile: Traced, shift: int) -> Found:
    """Give places and lines as in the whole file."""
    places = [NOWHERE if place == NOWHERE else dockerfile.places[place] for place in found.named.places]
    end = NOWHERE if found.end == NOWHERE else dockerfile.places[found.end - 1] + 1
    use = replace(
        found.use,
        line=found.use.line + shift,
        kind="literal",
        stage=None,
        platform=None,
        edit=_shifted(found.use.edit, shift),
    )
    return replace(found, use=use, named=replace(found.named, places=places), end=end)


def _shifted(edit: Literal | ArgDefault | Unresolvable, shift: int) -> Literal | ArgDefault | Unresolvable:
    match edit:
        case Unresolvable():
            return edit
        case Literal():
            return Literal(line=edit.line + shift, also=_also(edit.also, shift), obstacle=edit.obstacle)
        case ArgDefault():
            also = _also(edit.also, shift)
            return ArgDefault(line=edit.line + shift, arg=edit.arg, also=also, obstacle=edit.obstacle)


def _also(sites: Sequence[Literal | ArgDefault], shift: int) -> tuple[Literal | ArgDefault, ...]:
    return tuple(replace(site, line=site.line + shift) for site in sites)

"""The byte-exact edit of references, and the proof that nothing else changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.digest import Digest
from bot.core.dockerfile.reading import Found, Whole, read
from bot.core.dockerfile.source import NOWHERE
from bot.core.dockerfile.uses import Use
from bot.core.errors import DockerfileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Repoint:
    """What one reference shall say: this tag (None leaves the tag as it is) and this digest (None: no digest)."""

    use: Use
    tag: str | None
    digest: Digest | None


def repoint(text: str, changes: Sequence[Repoint]) -> str:
    """Return the text in which exactly these references say something else.

    The result is read again; a `DockerfileError` says which other reference would have changed with it, why a reference
    cannot be edited, or that two changes want different things of one place. Repeating an edit changes nothing.
    """
    before = read(text)
    draft = _Draft(text=text)
    wanted: dict[int, _Parts] = {}
    for change in changes:
        index, found = _find(before, change)
        parts = _wanted(change, found)
        if wanted.setdefault(index, parts) != parts:
            raise DockerfileError(f"{found.use.raw} shall say two different things", line=found.use.line)
        _edit(draft, before, found, change)
    result = draft.result()
    _prove(before, read(result), wanted)
    return result


def same_but_for_bases(old: str, new: str, *, mirrors: Sequence[str] = ()) -> bool:
    """Say whether two files are the same once the tags and digests of all Lambda bases are left out."""
    if old == new:
        return True
    try:
        return _without_bases(old, mirrors) == _without_bases(new, mirrors)
    except DockerfileError:
        return False


_Parts = tuple[str | None, str | None]
"""A tag and a digest."""


def _find(whole: Whole, change: Repoint) -> tuple[int, Found]:
    """Find the use that a change means, also after the change was made."""
    for index, found in enumerate(whole.found):
        if (found.use.line, found.use.kind) == (change.use.line, change.use.kind) and _is_meant(found, change):
            return index, found
    raise DockerfileError(f"{change.use.raw} is not there any more; read the file again", line=change.use.line)


def _is_meant(found: Found, change: Repoint) -> bool:
    here, there = found.use, change.use
    if here.reference is None or there.reference is None:
        return here.reference is there.reference and _bare(here.raw) == _bare(there.raw)
    if here.reference.name != there.reference.name:
        return False
    said = (there.reference.tag, str(there.reference.digest) if there.reference.digest else None)
    return _parts(found) in (said, _wanted(change, found))


def _bare(raw: str) -> str:
    """A written reference without a digest, which an edit may have added."""
    return raw.partition("@")[0]


def _parts(found: Found) -> _Parts:
    return found.named.part(found.named.tag), found.named.part(found.named.digest)


def _wanted(change: Repoint, found: Found) -> _Parts:
    return change.tag or found.named.part(found.named.tag), str(change.digest) if change.digest else None


def _edit(draft: "_Draft", whole: Whole, found: Found, change: Repoint) -> None:
    name = found.named
    tag, digest = _wanted(change, found)
    if (tag, digest) == _parts(found):
        return
    if found.use.cannot_edit:
        raise DockerfileError(f"{found.use.raw} is not edited: {found.use.cannot_edit}", line=found.use.line)
    added = f":{tag}" if tag and name.tag is None else ""
    if tag and name.tag and tag != name.part(name.tag):
        draft.replace(found, name.tag, tag)
    if name.digest is None:
        if added or digest:
            draft.insert(found, whole.sites.end_of(found.source, name), f"{added}@{digest}" if digest else added)
    elif digest is None:
        draft.replace(found, (name.digest[0] - 1, name.digest[1]), added)
    else:
        draft.replace(found, name.digest, digest)
        if added:
            draft.replace(found, (name.digest[0] - 1, name.digest[0]), f"{added}@")


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A text with the changes that are to be made to it, character by character."""

    text: str
    _replaced: dict[int, str] = field(default_factory=dict)
    _inserted: dict[int, str] = field(default_factory=dict)

    def replace(self, found: Found, span: tuple[int, int], text: str) -> None:
        """Put a text in the place of characters, which may stand on several lines."""
        first, *rest = found.named.places[span[0] : span[1]]
        self._put(self._replaced, found, first, text)
        for place in rest:
            self._put(self._replaced, found, place, "")

    def insert(self, found: Found, place: int, text: str) -> None:
        """Add a text before a character."""
        self._put(self._inserted, found, place, text)

    def result(self) -> str:
        """Make the changes."""
        parts: list[str] = []
        position = 0
        for place in sorted(self._replaced.keys() | self._inserted.keys()):
            parts += (self.text[position:place], self._inserted.get(place, ""), self._replaced.get(place, ""))
            position = place + (place in self._replaced)
        return "".join((*parts, self.text[position:]))

    def _put(self, where: dict[int, str], found: Found, place: int, text: str) -> None:
        if place == NOWHERE:
            raise DockerfileError(f"{found.use.raw} is not written in this file", line=found.use.line)
        if where.setdefault(place, text) != text:
            raise DockerfileError(
                f"{found.use.raw} shares its text with a use that shall change otherwise", line=found.use.line
            )


def _prove(before: Whole, after: Whole, wanted: Mapping[int, _Parts]) -> None:
    """Raise unless the references meant say what they shall, and every other use is what it was."""
    if len(before.found) != len(after.found) or before.skipped != after.skipped:
        raise DockerfileError("the edit would change which images are pulled; edit it by hand", line=1)
    for index, (old, new) in enumerate(zip(before.found, after.found, strict=True)):
        if index in wanted or _in_step(before, old, new, wanted):
            name = old.named.text[: old.named.name_stop]
            fine = _parts(new) == wanted.get(index, _parts(new)) and new.named.text.startswith(name)
        else:
            fine = (new.use.raw, new.use.resolved) == (old.use.raw, old.use.resolved)
        if not fine or _essence(new.use) != _essence(old.use):
            reason = f"the edit would make {old.use.raw} {new.use.resolved or new.use.raw}; edit it by hand"
            raise DockerfileError(reason, line=old.use.line)


def _in_step(before: Whole, old: Found, new: Found, wanted: Mapping[int, _Parts]) -> bool:
    """Whether a use that was not named says the same as one that was, from the same `ARG`, and goes with it."""
    return any(
        before.found[index].named.text == old.named.text
        and before.found[index].source.expansion.defaults & old.source.expansion.defaults
        and _parts(new) == parts
        for index, parts in wanted.items()
    )


def _essence(use: Use) -> tuple[object, ...]:
    return use.line, use.kind, use.stage, use.final, use.platform


def _without_bases(text: str, mirrors: Sequence[str]) -> str:
    cut: set[int] = set()
    for found in read(text, mirrors=mirrors).found:
        if found.use.lambda_image:
            cut.update(found.named.places[found.named.name_stop :])
    return "".join(character for place, character in enumerate(text) if place not in cut)

"""The byte-exact edit of references, and the proof that nothing else changed; for any kind of file."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.core.digest import Digest
from bot.core.dockerfile.found import Findings, Found
from bot.core.dockerfile.source import NOWHERE
from bot.core.dockerfile.uses import Use
from bot.core.errors import DockerfileError

Read = Callable[[str], Findings]
"""How a kind of file is read; raises `DockerfileError`."""

_DIGEST: Final = re.compile(r"@[a-z0-9]+:[a-f0-9]+")

_Parts = tuple[str | None, str | None]
"""A tag and a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repoint:
    """What one reference shall say: this tag (None leaves the tag as it is) and this digest (None: no digest)."""

    use: Use
    tag: str | None
    digest: Digest | None


def edit(text: str, changes: Sequence[Repoint], read: Read) -> str:
    """Return the text in which exactly these references say something else.

    The result is read again; a `DockerfileError` says which other reference would have changed with it, why a reference
    cannot be edited, or that two changes want different things of one place. Repeating an edit changes nothing.
    """
    before = read(text)
    draft = _Draft(text=text)
    wanted: dict[int, _Parts] = {}
    by_place: dict[tuple[int, str], list[tuple[int, Found]]] = defaultdict(list)
    for index, found in enumerate(before.found):
        by_place[found.use.line, found.use.kind].append((index, found))
    for change in changes:
        index, found = _find(by_place[change.use.line, change.use.kind], change)
        parts = _wanted(change, found)
        if wanted.setdefault(index, parts) != parts:
            raise DockerfileError(f"{found.use.raw} shall say two different things", line=found.use.line)
        _change(draft, found, parts)
    result = draft.result()
    try:
        after = read(result)
    except DockerfileError as fault:
        raise DockerfileError(f"the edit would break the file ({fault}); edit it by hand", line=fault.line) from fault
    _prove(before, after, wanted)
    return result


def without_bases(text: str, read: Read) -> str:
    """Leave out the tags and digests of all Lambda bases."""
    cut: set[int] = set()
    for found in read(text).found:
        if found.use.lambda_image:
            cut.update(found.named.places[found.named.name_stop :])
    return "".join(character for place, character in enumerate(text) if place not in cut)


def _find(candidates: Sequence[tuple[int, Found]], change: Repoint) -> tuple[int, Found]:
    """Find the use that a change means, also after the change was made."""
    for index, found in candidates:
        if _is_meant(found, change):
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
    return _DIGEST.sub("", raw)


def _parts(found: Found) -> _Parts:
    return found.named.part(found.named.tag), found.named.part(found.named.digest)


def _wanted(change: Repoint, found: Found) -> _Parts:
    return change.tag or found.named.part(found.named.tag), str(change.digest) if change.digest else None


def _change(draft: "_Draft", found: Found, wanted: _Parts) -> None:
    """Put another tag and digest into the draft."""
    name = found.named
    tag, digest = wanted
    if wanted == _parts(found):
        return
    if found.use.cannot_edit:
        raise DockerfileError(f"{found.use.raw} is not edited: {found.use.cannot_edit}", line=found.use.line)
    added = f":{tag}" if tag and name.tag is None else ""
    if tag and name.tag and tag != name.part(name.tag):
        draft.replace(found, name.tag, tag)
    if name.digest is None:
        if added or digest:
            draft.insert(found, f"{added}@{digest}" if digest else added)
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

    def insert(self, found: Found, text: str) -> None:
        """Add a text at the end of a reference."""
        self._put(self._inserted, found, found.end, text)

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
            reason = "shares its text with a use that shall say something else"
            raise DockerfileError(f"{found.use.raw} {reason}", line=found.use.line)


def _prove(before: Findings, after: Findings, wanted: Mapping[int, _Parts]) -> None:
    """Raise unless the references meant say what they shall, and every other use is what it was."""
    if len(before.found) != len(after.found) or before.skipped != after.skipped:
        raise DockerfileError("the edit would change which images are pulled; edit it by hand", line=1)
    changed = {index: before.found[index] for index in wanted}
    for index, (old, new) in enumerate(zip(before.found, after.found, strict=True)):
        if index in wanted:
            fine = _parts(new) == wanted[index] and _name(new) == _name(old)
        else:
            fine = (new.use.raw, new.use.resolved) == (old.use.raw, old.use.resolved)
            fine = fine or any(_in_step(old, new, changed[i], parts) for i, parts in wanted.items())
        if not fine or _essence(new.use) != _essence(old.use):
            reason = f"the edit would make {old.use.raw} {new.use.resolved or new.use.raw}; edit it by hand"
            raise DockerfileError(reason, line=old.use.line)


def _in_step(old: Found, new: Found, changed: Found, wanted: _Parts) -> bool:
    """Whether a use that was not named says the same as one that was, from the same `ARG`, and goes with it."""
    return old.named.text == changed.named.text and bool(old.defaults & changed.defaults) and _parts(new) == wanted


def _name(found: Found) -> str:
    return found.named.text[: found.named.name_stop]


def _essence(use: Use) -> tuple[object, ...]:
    return use.line, use.kind, use.stage, use.final, use.platform

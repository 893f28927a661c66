"""Whether a function's own layers may lie on another base without anybody running the Dockerfile.

They may where swapping gives the same file system as building would, as far as file lists can prove it
(OCI image-spec, layer.md): what the base change touches, the own layers leave alone, and they hide nothing of a base.
What a RUN instruction computed from the old base is out of reach, except where its path says what it was computed from;
the same language line keeps such files usable.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from bot.core.filesystem import DATABASES, FileSystem, stack
from bot.core.layer import Entry, Kind, Language, Layer

_LINE_PARTS: Final = {"node": 1, "java": 1}
"""How many parts of a version name its line: `22` of node, `3.13` of python and all others."""
_LINKER_CACHE: Final = "etc/ld.so.cache"
"""What ldconfig makes of all libraries that are there when it runs (ld.so(8))."""
_COMPILED: Final = re.compile(r"(?P<folder>(?:.*/)?)__pycache__/(?P<module>[^/.]+)\.[^/]+\.pyc")
"""Where Python keeps what it compiled (PEP 3147)."""
_OVERLAY: Final = ("trusted.overlay.", "user.overlay.")
"""Attributes with which overlayfs hides what lies below (Linux, Documentation/filesystems/overlayfs.rst)."""


@dataclass(frozen=True, slots=True, order=True)
class Overlap:
    """One reason against a swap: the path, without leading slash, and what is wrong with it.

    The path is empty where the reason is no path's, such as another language line.
    """

    path: str
    why: str

    def __str__(self) -> str:
        return f"/{self.path} {self.why}" if self.path else self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What file lists say of one swap: what the function brings, how many paths the bases change, what overlaps."""

    own: tuple[str, ...]
    changed: int
    overlaps: tuple[Overlap, ...]

    @property
    def safe(self) -> bool:
        """Whether nothing speaks against the swap."""
        return not self.overlaps

    def __str__(self) -> str:
        found = "nothing overlaps" if self.safe else f"{len(self.overlaps)} overlap"
        return f"{len(self.own):,} paths of the function, {self.changed:,} that differ between the bases, {found}"


@dataclass(frozen=True, kw_only=True)
class BaseSwap:
    """One base in the place of another: what is at a path, what is below it, what differs."""

    old: FileSystem
    new: FileSystem

    @classmethod
    def of(cls, old_layers: Sequence[Layer], new_layers: Sequence[Layer]) -> Self:
        """Take both bases' layers, the lowest first."""
        return cls(old=stack(old_layers), new=stack(new_layers))

    def prove(self, own_layers: Sequence[Layer]) -> Proof:
        """List everything that speaks against the swap under a function's own layers, in path order."""
        found = set(_check_language(self.old, self.new))
        seen: dict[str, Entry] = {}
        for layer in own_layers:
            found.update(_check_databases(layer), _check_hidden(layer, self), _check_links(layer, seen))
            found.update(_check_entries(layer, self), _check_computed(layer, self), _check_parents(layer, self, seen))
            seen.update(layer.entries)
        return Proof(own=tuple(sorted(seen)), changed=self.changed, overlaps=tuple(sorted(found)))

    @cached_property
    def changed(self) -> int:
        """How many paths differ between the bases."""
        return sum(1 for path in self._paths if self.differ_at(path))

    @cached_property
    def _paths(self) -> Sequence[str]:
        return sorted(self.old.entries.keys() | self.new.entries.keys())

    def have(self, path: str) -> bool:
        """Say whether a base has the path, or something below it."""
        return path in self.old.entries or path in self.new.entries or self.have_below(path)

    def have_below(self, directory: str) -> bool:
        """Say whether a base has something below a directory."""
        prefix = f"{directory}/" if directory else ""
        place = bisect_left(self._paths, prefix)
        return place < len(self._paths) and self._paths[place].startswith(prefix)

    def differ_at(self, path: str) -> bool:
        """Say whether the bases differ at a path."""
        return self.old.entries.get(path) != self.new.entries.get(path)

    def lose_directory(self, path: str) -> bool:
        """Say whether a path is no directory in one base, or no longer there in the new one."""
        old, new = self.old.entries.get(path), self.new.entries.get(path)
        gone = old is not None and new is None
        return gone or any(entry.kind is not Kind.DIRECTORY for entry in (old, new) if entry is not None)


def _check_entries(layer: Layer, bases: BaseSwap) -> Iterator[Overlap]:
    for path, entry in layer.entries.items():
        if any(name.startswith(_OVERLAY) for name, _ in entry.xattrs):
            yield Overlap(path, "has an attribute with which overlayfs hides what lies below")
        if bases.differ_at(path):
            yield Overlap(path, "is in the function's layers and differs between the bases")
        elif entry.kind is not Kind.DIRECTORY and bases.have_below(path):
            yield Overlap(path, "replaces a directory of the base")
        elif entry.kind is Kind.OTHER and bases.have(path):
            yield Overlap(path, "is a device or a pipe over a path of the base")


def _check_hidden(layer: Layer, bases: BaseSwap) -> Iterator[Overlap]:
    for path in layer.whiteouts:
        if bases.have(path):
            yield Overlap(path, "of the base is deleted by the function's layers")
    for path in layer.opaque:
        if bases.have_below(path):
            yield Overlap(path, "of the base is hidden by the function's layers")


def _check_links(layer: Layer, seen: Mapping[str, Entry]) -> Iterator[Overlap]:
    """A hard link shares its target's content, so the target has to come from the function's layers too."""
    for path, entry in layer.entries.items():
        target = "/".join(part for part in entry.content.split("/") if part not in ("", "."))
        if entry.kind is Kind.HARDLINK and target not in layer.entries and target not in seen:
            yield Overlap(path, f"is a hard link to /{target} of the base")


def _check_computed(layer: Layer, bases: BaseSwap) -> Iterator[Overlap]:
    """What the path itself says was computed from the base."""
    for path, entry in layer.entries.items():
        if path == _LINKER_CACHE and entry.kind is not Kind.DIRECTORY:
            yield Overlap(path, "lists the libraries of the base")
        elif path.endswith(".pyc") and (found := _COMPILED.fullmatch(path)):
            source = f"{found['folder']}{found['module']}.py"
            if bases.differ_at(source):
                yield Overlap(path, f"was compiled from /{source}, which differs between the bases")


def _check_parents(layer: Layer, bases: BaseSwap, seen: Mapping[str, Entry]) -> Iterator[Overlap]:
    """A path below a link is really somewhere else, where the other checks would not look."""
    for parent in _parents(layer):
        mine = layer.entries.get(parent) or seen.get(parent)
        if bases.lose_directory(parent) or (mine is not None and mine.kind is not Kind.DIRECTORY):
            yield Overlap(parent, "has paths of the function below it and is no directory in every layer")


def _parents(layer: Layer) -> Iterable[str]:
    parents = set(layer.opaque - {""})
    for path in (*layer.entries, *layer.whiteouts, *layer.opaque):
        # Once a parent is known, so are its own parents.
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    return parents


def _check_databases(layer: Layer) -> Iterator[Overlap]:
    paths = [path for path, entry in layer.entries.items() if _is_database(path, entry)]
    for path in paths:
        yield Overlap(path, "is a package database in the function's layers")
    if layer.packages is not None and not paths:
        yield Overlap("", f"layer {layer.digest.short} of the function has a package database")
    for reason in layer.unread:
        yield Overlap("", f"layer {layer.digest.short} of the function was not read whole ({reason})")


def _is_database(path: str, entry: Entry) -> bool:
    return entry.kind is not Kind.DIRECTORY and path.startswith(DATABASES)


def _check_language(old: FileSystem, new: FileSystem) -> Iterator[Overlap]:
    before, after = old.language, new.language
    if before is None and after is None and not (old.unread or new.unread):
        return
    if before is None or after is None:
        yield Overlap("", "the bases do not both show a language version")
    elif _line(before) != _line(after):
        yield Overlap("", f"{before.name} {before.version} becomes {after.name} {after.version}, another line")


def _line(language: Language) -> tuple[str, ...]:
    parts = language.version.split(".")[: _LINE_PARTS.get(language.name, 2)]
    return (language.name, *parts)

"""Whether a function's own layers may lie on another base without anybody running the Dockerfile.

They may where swapping gives the same file system as building would, as far as file lists can prove it
(OCI image-spec, layer.md): what the base change touches, the own layers leave alone, and they hide nothing of a base.
What a RUN instruction computed from the old base is out of reach; the same language line keeps such files usable.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.filesystem import DATABASES, FileSystem, stack
from bot.core.layer import Entry, Kind, Language, Layer

_LINE_PARTS: Final = {"node": 1, "java": 1}
"""How many parts of a version name its line: `22` of node, `3.13` of python and all others."""


@dataclass(frozen=True, slots=True, order=True)
class Overlap:
    """One reason against a swap: the path, without leading slash, and what is wrong with it.

    The path is empty where the reason is no path's, such as another language line.
    """

    path: str
    why: str

    def __str__(self) -> str:
        return f"/{self.path} {self.why}" if self.path else self.why


def unsafe_paths(
    own_layers: Sequence[Layer], old_base_layers: Sequence[Layer], new_base_layers: Sequence[Layer]
) -> tuple[Overlap, ...]:
    """List everything that speaks against a swap, in path order; nothing means it is safe."""
    old, new = stack(old_base_layers), stack(new_base_layers)
    bases = _Bases.of(old.entries, new.entries)
    found = set(_check_language(old, new))
    seen: dict[str, Entry] = {}
    for layer in own_layers:
        found.update(_check_databases(layer), _check_hidden(layer, bases), _check_links(layer, seen))
        found.update(_check_entries(layer, bases), _check_parents(layer, bases, seen))
        seen.update(layer.entries)
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bases:
    """Both bases as one question: what is at a path, what is below it, what differs."""

    old: Mapping[str, Entry]
    new: Mapping[str, Entry]
    paths: Sequence[str]

    @classmethod
    def of(cls, old: Mapping[str, Entry], new: Mapping[str, Entry]) -> "_Bases":
        return cls(old=old, new=new, paths=sorted(old.keys() | new.keys()))

    def have(self, path: str) -> bool:
        return path in self.old or path in self.new

    def have_below(self, directory: str) -> bool:
        prefix = f"{directory}/" if directory else ""
        place = bisect_left(self.paths, prefix)
        return place < len(self.paths) and self.paths[place].startswith(prefix)

    def differ_at(self, path: str) -> bool:
        return self.old.get(path) != self.new.get(path)

    def lose_directory(self, path: str) -> bool:
        """Say whether a path is no directory in one base, or no longer there in the new one."""
        there = [entry for entry in (self.old.get(path), self.new.get(path)) if entry is not None]
        gone = path in self.old and path not in self.new
        return gone or any(entry.kind is not Kind.DIRECTORY for entry in there)


def _check_entries(layer: Layer, bases: _Bases) -> Iterator[Overlap]:
    for path, entry in layer.entries.items():
        if bases.differ_at(path):
            yield Overlap(path, "is in the function's layers and differs between the bases")
        elif entry.kind is not Kind.DIRECTORY and bases.have_below(path):
            yield Overlap(path, "replaces a directory of the base")


def _check_hidden(layer: Layer, bases: _Bases) -> Iterator[Overlap]:
    for path in layer.whiteouts:
        if bases.have(path) or bases.have_below(path):
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


def _check_parents(layer: Layer, bases: _Bases, seen: Mapping[str, Entry]) -> Iterator[Overlap]:
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

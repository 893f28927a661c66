"""Layers on top of each other (OCI image-spec, layer.md), and where in a base image a path belongs."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.core.layer import Component, Entry, Kind, Language, Layer, Package


class PathGroup(StrEnum):
    """What a path of a Lambda base image is for."""

    RUNTIME = "runtime"
    """Lambda's own: the runtime interface client, the emulator, the entry point."""
    LANGUAGE = "language"
    DATABASE = "package database"
    LOGS = "logs and caches"
    """What installers leave behind, with times in it."""
    SYSTEM = "system"
    OTHER = "other"


DATABASES: Final = ("var/lib/rpm/", "usr/lib/sysimage/rpm/", "var/lib/dpkg/", "lib/apk/db/", "usr/lib/apk/db/")
"""Where package managers keep their databases."""
_FILE_A_PACKAGE: Final = "var/lib/dpkg/status.d/"
"""Where distroless images keep a file for each package, in the layer that brings the package."""
_GROUPS: Final = (
    (PathGroup.RUNTIME, ("var/runtime/", "usr/local/bin/aws-lambda-rie/", "lambda-entrypoint.sh/")),
    (PathGroup.LANGUAGE, ("var/lang/",)),
    (PathGroup.DATABASE, DATABASES),
    (PathGroup.LOGS, ("var/log/", "var/cache/", "var/lib/dnf/", "var/lib/yum/", "var/tmp/", "tmp/", "run/")),
    (PathGroup.SYSTEM, ("bin/", "boot/", "etc/", "lib/", "lib32/", "lib64/", "libx32/", "sbin/", "usr/", "var/lib/")),
)


def group_of(path: str) -> PathGroup:
    """Say what a path is for; the groups are tried in their order."""
    inside = f"{path}/"
    return next((group for group, places in _GROUPS if inside.startswith(places)), PathGroup.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """What layers show when they lie on top of each other."""

    entries: Mapping[str, Entry]
    packages: tuple[Package, ...] | None
    language: Language | None
    unread: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    hidden: frozenset[str] = frozenset()
    """Paths at which nothing shows of the layers below these."""


def stack(layers: Sequence[Layer], *, over_others: bool = False) -> FileSystem:
    """Lay layers on top of each other, the lowest first, whiteouts applied.

    With `over_others` there are layers below, of which these may hide something.
    Links are names here: a path below a symbolic link stays where the layer names it.
    """
    entries: dict[str, Entry] = {}
    packages: tuple[Package, ...] | None = None
    language: Language | None = None
    components: dict[str, Component] = {}
    for layer in layers:
        entries = _uncovered(entries, layer)
        entries.update(layer.entries)
        packages = _laid_over(packages, layer)
        language = layer.language or language
        components |= {component.name: component for component in layer.components}
    return FileSystem(
        entries=entries,
        packages=packages,
        language=language,
        unread=tuple(reason for layer in layers for reason in layer.unread),
        components=tuple(c for _, c in sorted(components.items()) if c.path in entries),
        hidden=_hidden(layers) if over_others else frozenset(),
    )


def _laid_over(below: tuple[Package, ...] | None, layer: Layer) -> tuple[Package, ...] | None:
    """Let a layer's packages stand for those below, or add to them where each package has a file of its own."""
    if layer.packages is None or below is None:
        return below if layer.packages is None else layer.packages
    if not any(path.startswith(_FILE_A_PACKAGE) for path in layer.entries):
        return layer.packages
    renewed = {(package.name, package.arch) for package in layer.packages}
    kept = (package for package in below if (package.name, package.arch) not in renewed)
    return tuple(sorted((*kept, *layer.packages)))


def hidden_only_in(one: FileSystem, other: FileSystem) -> list[str]:
    """List the paths that show nothing from below in one file system and do in the other, all else being equal.

    A file hides by itself what was in its place; a directory shows what lies below too, unless it was made anew.
    """
    entries = {path: one.entries.get(path) for path in one.hidden - other.hidden}
    return [
        path
        for path, entry in entries.items()
        if (entry is None or entry.kind is Kind.DIRECTORY) and entry == other.entries.get(path)
    ]


def _hidden(layers: Sequence[Layer]) -> frozenset[str]:
    """Gather what layers hide; what lies in a folder that is hidden as a whole says nothing more."""
    hidden = frozenset[str]().union(*(layer.whiteouts | layer.opaque for layer in layers))
    closed = _Closed(hidden)
    return frozenset(path for path in hidden if not path or not closed.inside(_folder(path)))


def _uncovered(entries: dict[str, Entry], layer: Layer) -> dict[str, Entry]:
    """Keep what a layer neither hides nor replaces by something that is no directory."""
    if not entries:
        return entries
    replaced = {path for path, entry in layer.entries.items() if entry.kind is not Kind.DIRECTORY}
    closed = _Closed(layer.whiteouts | layer.opaque | replaced)
    return {
        path: entry
        for path, entry in entries.items()
        if path not in layer.whiteouts and not closed.inside(_folder(path))
    }


class _Closed:
    """Answers what lies in closed folders, however many there are: each folder is looked at once."""

    def __init__(self, folders: AbstractSet[str]) -> None:
        self._folders = folders
        self._known = {"": "" in folders}

    def inside(self, folder: str) -> bool:
        """Walk up to a folder that is known, and down again; a path may have two thousand folders."""
        unknown = []
        while folder not in self._known:
            unknown.append(folder)
            folder = _folder(folder)
        closed = self._known[folder]
        for each in reversed(unknown):
            closed = closed or each in self._folders
            self._known[each] = closed
        return closed


def _folder(path: str) -> str:
    return path.rpartition("/")[0]

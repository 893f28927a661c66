"""What really differs between two base images, and how much that matters.

A digest is not news: two images are compared by what a container would see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.core.digest import Digest
from bot.core.image import ImageConfig
from bot.core.layer import Entry, Language, Layer, Package
from bot.core.platforms import Platform


class Significance(StrEnum):
    """How much a change matters, in rising order."""

    NONE = "none"
    METADATA = "metadata"
    FILES = "files"
    PACKAGES = "packages"
    LANGUAGE = "language"
    SECURITY = "security"

    # str's own comparisons would go by the alphabet, so all four are replaced.
    def __lt__(self, other: str) -> bool:
        return _ORDER.index(self) < _ORDER.index(Significance(other))

    def __le__(self, other: str) -> bool:
        return self == other or self < other

    def __gt__(self, other: str) -> bool:
        return not self <= other

    def __ge__(self, other: str) -> bool:
        return not self < other


_ORDER = tuple(Significance)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package that was added (`old` is None), removed (`new` is None) or changed."""

    name: str
    arch: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageChange:
    """The language versions before and after; None where an image shows none."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChanges:
    """How many paths were added, removed and changed."""

    added: int = 0
    removed: int = 0
    changed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChange:
    """What differs on one platform; `language` is None where the version stayed."""

    platform: Platform
    files: FileChanges = FileChanges()
    packages: tuple[PackageChange, ...] = ()
    language: LanguageChange | None = None
    metadata: tuple[str, ...] = ()
    """The parts of the image config that differ, such as `environment`."""
    unread: tuple[str, ...] = ()
    """What could not be read, so that nobody takes silence for safety."""

    @property
    def identical(self) -> bool:
        """Whether a container would see no difference."""
        return self.significance is Significance.NONE

    @property
    def significance(self) -> Significance:
        """The most that this change amounts to; where files differ, what could not be read may be a package."""
        if self.language:
            return Significance.LANGUAGE
        if self.packages or (self.files and self.unread):
            return Significance.PACKAGES
        if self.files:
            return Significance.FILES
        return Significance.METADATA if self.metadata else Significance.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseChange:
    """What differs between two base images, platform by platform."""

    old: Digest
    new: Digest
    platforms: tuple[PlatformChange, ...]

    @property
    def significance(self) -> Significance:
        """The most significant of the platforms."""
        return max((change.significance for change in self.platforms), default=Significance.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """What layers show when they lie on top of each other."""

    entries: Mapping[str, Entry]
    packages: tuple[Package, ...] | None
    language: Language | None
    unread: tuple[str, ...] = ()


def stack(layers: Sequence[Layer]) -> FileSystem:
    """Lay layers on top of each other, the lowest first, whiteouts applied (OCI image-spec, layer.md)."""
    entries: dict[str, Entry] = {}
    packages: tuple[Package, ...] | None = None
    language: Language | None = None
    for layer in layers:
        _hide(entries, layer)
        entries.update(layer.entries)
        packages = layer.packages if layer.packages is not None else packages
        language = layer.language or language
    unread = tuple(reason for layer in layers for reason in layer.unread)
    return FileSystem(entries=entries, packages=packages, language=language, unread=unread)


def compare(
    platform: Platform, old: FileSystem, new: FileSystem, before: ImageConfig, after: ImageConfig
) -> PlatformChange:
    """Compare two file systems and the image configs that go with them."""
    return PlatformChange(
        platform=platform,
        files=_compare_files(old.entries, new.entries),
        packages=_compare_packages(old.packages or (), new.packages or ()),
        language=_compare_language(old.language, new.language),
        metadata=compare_configs(before, after),
        unread=tuple(dict.fromkeys((*old.unread, *new.unread))),
    )


def compare_configs(before: ImageConfig, after: ImageConfig) -> tuple[str, ...]:
    """Name the parts of two image configs that a container would notice."""
    parts = (
        ("environment", before.env, after.env),
        ("entry point", before.entrypoint, after.entrypoint),
        ("command", before.cmd, after.cmd),
        ("working directory", before.working_dir, after.working_dir),
        ("labels", before.labels, after.labels),
    )
    return tuple(name for name, old, new in parts if old != new)


def _hide(entries: dict[str, Entry], layer: Layer) -> None:
    if not (layer.whiteouts or layer.opaque):
        return
    below = tuple(f"{path}/" if path else "" for path in (*layer.opaque, *layer.whiteouts))
    for path in [path for path in entries if path in layer.whiteouts or path.startswith(below)]:
        del entries[path]


def _compare_files(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> FileChanges:
    return FileChanges(
        added=len(new.keys() - old.keys()),
        removed=len(old.keys() - new.keys()),
        changed=sum(1 for path, entry in old.items() if path in new and new[path] != entry),
    )


def _compare_packages(old: Sequence[Package], new: Sequence[Package]) -> tuple[PackageChange, ...]:
    before, after = _versions(old), _versions(new)
    return tuple(
        PackageChange(name=name, arch=arch, old=_join(before, (name, arch)), new=_join(after, (name, arch)))
        for name, arch in sorted(before.keys() | after.keys())
        if before.get((name, arch)) != after.get((name, arch))
    )


def _versions(packages: Sequence[Package]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Group the versions of a package: some, such as gpg-pubkey, are installed several times."""
    found: dict[tuple[str, str], list[str]] = {}
    for package in sorted(packages):
        found.setdefault((package.name, package.arch), []).append(package.evr)
    return {key: tuple(versions) for key, versions in found.items()}


def _join(versions: Mapping[tuple[str, str], tuple[str, ...]], key: tuple[str, str]) -> str | None:
    return ", ".join(versions[key]) if key in versions else None


def _compare_language(old: Language | None, new: Language | None) -> LanguageChange | None:
    if old == new:
        return None
    name = new.name if new else old.name if old else ""
    return LanguageChange(name=name, old=old.version if old else None, new=new.version if new else None)

"""What really differs between two base images, and how much that matters.

A digest is not news: two images are compared by what a container would see.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from bot.core.config_change import ConfigChange, compare_settings, parts_of
from bot.core.digest import Digest
from bot.core.filesystem import FileSystem, PathGroup, group_of, hidden_only_in
from bot.core.image import ImageConfig
from bot.core.layer import Component, Language, Package
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

    def __add__(self, other: Self) -> Self:
        return replace(
            self,
            added=self.added + other.added,
            removed=self.removed + other.removed,
            changed=self.changed + other.changed,
        )


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
    groups: tuple[tuple[PathGroup, FileChanges], ...] = ()
    """The same files, by what they are for; groups in which nothing differs are left out."""
    settings: tuple[ConfigChange, ...] = ()
    """The same parts of the image config, setting by setting."""
    components: tuple[LanguageChange, ...] = ()
    """Parts of Lambda's own that differ, such as the runtime interface emulator; no advisory covers them."""

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


def compare(
    platform: Platform, old: FileSystem, new: FileSystem, before: ImageConfig, after: ImageConfig
) -> PlatformChange:
    """Compare two file systems and the image configs that go with them."""
    groups, settings = _compare_files(old, new), compare_settings(before, after)
    return PlatformChange(
        platform=platform,
        files=sum(groups.values(), FileChanges()),
        groups=tuple((group, groups[group]) for group in PathGroup if group in groups),
        packages=() if _is_half_read(old, new) else _compare_packages(old.packages or (), new.packages or ()),
        language=_compare_language(old.language, new.language),
        components=_compare_components(old.components, new.components),
        metadata=parts_of(settings),
        settings=settings,
        unread=tuple(dict.fromkeys((*old.unread, *new.unread))),
    )


def compare_configs(platform: Platform, before: ImageConfig, after: ImageConfig) -> PlatformChange:
    """Compare two images whose file systems are the same."""
    settings = compare_settings(before, after)
    return PlatformChange(platform=platform, metadata=parts_of(settings), settings=settings)


def _is_half_read(old: FileSystem, new: FileSystem) -> bool:
    """Say whether a package list is missing because it could not be read, which is no package removed."""
    return any(side.packages is None and side.unread for side in (old, new))


def _compare_files(old: FileSystem, new: FileSystem) -> dict[PathGroup, FileChanges]:
    before, after = old.entries, new.entries
    added = Counter(group_of(path) for path in after if path not in before)
    removed = Counter(group_of(path) for path in before if path not in after)
    changed = Counter(group_of(path) for path, entry in before.items() if after.get(path, entry) != entry)
    added.update(map(group_of, hidden_only_in(old, new)))
    removed.update(map(group_of, hidden_only_in(new, old)))
    return {
        group: FileChanges(added=added[group], removed=removed[group], changed=changed[group])
        for group in added | removed | changed
    }


def _compare_components(old: Sequence[Component], new: Sequence[Component]) -> tuple[LanguageChange, ...]:
    before, after = ({each.name: each.version for each in components} for components in (old, new))
    return tuple(
        LanguageChange(name=name, old=before.get(name), new=after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
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

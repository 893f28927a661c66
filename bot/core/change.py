"""What really differs between two base images, and how much that matters.

A digest is not news: two images are compared by what a container would see.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from bot.core.advisories import Assessment, Fix, Severity, lowest, worst
from bot.core.config_change import ConfigChange, compare_settings, parts_of
from bot.core.digest import Digest
from bot.core.filesystem import FileSystem, PathGroup, group_of, hidden_only_in
from bot.core.image import ImageConfig
from bot.core.layer import Component, Language, Package
from bot.core.platforms import Platform
from bot.core.ranks import Ranked

_BETWEEN = ", "
"""What stands between the versions of one package that are installed side by side."""


class Significance(Ranked):
    """How much a change matters, in rising order."""

    NONE = "none"
    METADATA = "metadata"
    FILES = "files"
    PACKAGES = "packages"
    LANGUAGE = "language"
    SECURITY = "security"


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
class Reason:
    """One thing that gives a change its significance; `what` is for people, and may hold an image's own text."""

    significance: Significance
    what: str
    severity: Severity | None = None


UNREAD_ADVISORIES = Assessment(unknown="no advisories were read")


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
    security: Assessment = UNREAD_ADVISORIES
    """What advisories say about the packages, as of the feed that was read; a later feed may say more."""

    @property
    def identical(self) -> bool:
        """Whether a container would see no difference."""
        return self.significance is Significance.NONE

    @property
    def significance(self) -> Significance:
        """The most that this change amounts to."""
        return self.weigh(Severity.LOW)

    def weigh(self, least: Severity) -> Significance:
        """What this change amounts to where only fixes of at least this severity count as security.

        Where files differ, what could not be read may be a package.
        """
        if any(fix.severity >= least for fix in self.security.fixes):
            return Significance.SECURITY
        if self.language:
            return Significance.LANGUAGE
        if self._may_move_packages:
            return Significance.PACKAGES
        if self.files:
            return Significance.FILES
        return Significance.METADATA if self.metadata else Significance.NONE

    @property
    def unassessed(self) -> str:
        """Why nobody can tell whether this fixes an advisory; empty where it is known, or where no package moved."""
        if not self._may_move_packages:
            return ""
        return self.security.unknown or (self.unread[0] if self.unread and not self.packages else "")

    @property
    def uncovered(self) -> tuple[str, ...]:
        """What changed and is accounted for by no advisory that was read: nobody said that it is safe."""
        fixing = {name for fix in self.security.fixes for name in fix.packages}
        packages = () if self.unassessed else tuple(p.name for p in self.packages if p.name not in fixing)
        own = (*((self.language,) if self.language else ()), *self.components)
        files = ("files of no package",) if self.files else ()
        return (*(f"{each.name} itself" for each in own), *dict.fromkeys(packages), *files)

    @property
    def reasons(self) -> Iterator[Reason]:
        """Each thing that counts, the most significant first."""
        for fix in self.security.fixes:
            what = f"{fix.identifier} ({', '.join(fix.packages)})"
            yield Reason(significance=Significance.SECURITY, what=what, severity=fix.severity)
        if self.language:
            yield Reason(significance=Significance.LANGUAGE, what=_moved(self.language))
        for package in self.packages:
            yield Reason(significance=Significance.PACKAGES, what=_moved(package))
        if self._may_move_packages and not self.packages:
            yield Reason(significance=Significance.PACKAGES, what=f"not known, {self.unread[0]}")
        if self.files:
            counts = f"{self.files.added} added, {self.files.removed} removed, {self.files.changed} changed"
            yield Reason(significance=Significance.FILES, what=counts)
        for part in self.metadata:
            yield Reason(significance=Significance.METADATA, what=part)

    @property
    def _may_move_packages(self) -> bool:
        return bool(self.packages or (self.files and self.unread))


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseChange:
    """What differs between two base images, platform by platform."""

    old: Digest
    new: Digest
    platforms: tuple[PlatformChange, ...]

    @property
    def significance(self) -> Significance:
        """The most significant of the platforms."""
        return self.weigh(Severity.LOW)

    def weigh(self, least: Severity) -> Significance:
        """The most significant of the platforms where only fixes of at least this severity count as security."""
        return max((change.weigh(least) for change in self.platforms), default=Significance.NONE)

    @property
    def severity(self) -> Severity | None:
        """The worst severity of what is fixed; None where no advisory that was read is fixed."""
        return worst(fix for change in self.platforms for fix in change.security.fixes)

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What is fixed on any platform, each advisory once, the worst first."""
        fixes = {fix.identifier: fix for change in self.platforms for fix in change.security.fixes}
        return tuple(sorted(fixes.values(), key=lambda fix: (-fix.severity.rank, fix.identifier)))

    @property
    def unassessed(self) -> str:
        """Why nobody can tell of some platform whether an advisory is fixed; empty where it is known of all."""
        return next((change.unassessed for change in self.platforms if change.unassessed), "")

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Each thing that counts on any platform, once, the most significant first."""
        reasons = dict.fromkeys(reason for change in self.platforms for reason in change.reasons)
        return tuple(sorted(reasons, key=lambda reason: -reason.significance.rank))

    def assessed(self, assess: Callable[[PlatformChange], Assessment]) -> "BaseChange":
        """Return this change with what advisories say now; whatever they said before does not count."""
        return replace(self, platforms=tuple(replace(each, security=assess(each)) for each in self.platforms))


def upgrades(change: PlatformChange) -> tuple[tuple[Package, Package], ...]:
    """The packages that moved from one version to another; of several installed side by side, the lowest counts."""
    return tuple(
        (
            Package(package.name, package.arch, lowest(package.old.split(_BETWEEN))),
            Package(package.name, package.arch, lowest(package.new.split(_BETWEEN))),
        )
        for package in change.packages
        if package.old and package.new
    )


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
    return _BETWEEN.join(versions[key]) if key in versions else None


def _moved(change: PackageChange | LanguageChange) -> str:
    added, removed = ("added", "removed") if isinstance(change, PackageChange) else ("unknown", "unknown")
    return f"{change.name} {change.old or added} -> {change.new or removed}"


def _compare_language(old: Language | None, new: Language | None) -> LanguageChange | None:
    if old == new:
        return None
    name = new.name if new else old.name if old else ""
    return LanguageChange(name=name, old=old.version if old else None, new=new.version if new else None)

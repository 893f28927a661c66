"""Security advisories of a distribution, and which of them an upgrade fixes.

An advisory names the version of a package from which on its vulnerabilities are fixed.
So an upgrade fixes the advisories whose version lies in (old, new] by rpm's own order, for the same name and
architecture; nothing is concluded from a package that no advisory names.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cmp_to_key
from typing import Final

from bot.core.layer import Package
from bot.core.packages.evr import compare_evr
from bot.core.ranks import Ranked

_IDENTIFIER: Final = re.compile(r"ALAS(?:2(?:023)?)?(?:[A-Z][A-Z0-9._-]{0,30})?-[0-9]{4}-[0-9]{1,6}", re.ASCII)
_PAGES: Final = {"AL2": "https://alas.aws.amazon.com/AL2", "AL2023": "https://alas.aws.amazon.com/AL2023"}
"""UNVERIFIED for AL2 before 2025, when its pages left the 2 out of an identifier such as ALAS2-2024-1."""
_ORDER: Final = cmp_to_key(compare_evr)


class Severity(Ranked):
    """How bad an advisory calls what it fixes; what has no rating that we know may be the worst."""

    LOW = "low"
    MEDIUM = "medium"
    IMPORTANT = "important"
    CRITICAL = "critical"
    UNRATED = "unrated"

    @classmethod
    def read(cls, text: str) -> "Severity":
        """Read a feed's word; Red Hat's `moderate` is Amazon's `medium`."""
        word = text.strip().lower()
        word = "medium" if word == "moderate" else word
        return cls(word) if word in tuple(cls) else cls.UNRATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """One advisory: `packages` are the first versions that are not vulnerable."""

    identifier: str
    severity: Severity
    packages: tuple[Package, ...]
    cves: tuple[str, ...] = ()
    issued: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """An advisory of a system that an upgrade fixes; `packages` are the names of those by which it does."""

    system: str
    identifier: str
    severity: Severity
    cves: tuple[str, ...]
    packages: tuple[str, ...]
    issued: datetime | None = None

    @property
    def page(self) -> str | None:
        """Where people read it; None unless its identifier is of the form that Amazon's site uses."""
        site = _PAGES.get(self.system)
        return f"{site}/{self.identifier}.html" if site and _IDENTIFIER.fullmatch(self.identifier) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What advisories say about an upgrade; `unknown` says why nobody could tell, so that silence is not safety."""

    fixes: tuple[Fix, ...] = ()
    unknown: str = ""


class Bulletin:
    """All advisories of one operating system, such as AL2023, for one architecture."""

    __slots__ = ("_by_package", "_system")

    def __init__(self, system: str, advisories: Iterable[Advisory]) -> None:
        self._system = system
        self._by_package: dict[tuple[str, str], list[tuple[str, Advisory]]] = defaultdict(list)
        for advisory in advisories:
            for package in advisory.packages:
                self._by_package[package.name, package.arch].append((package.evr, advisory))

    def assess(self, upgrades: Iterable[tuple[Package, Package]]) -> Assessment:
        """Say what upgrades from one version of a package to another fix, the worst first."""
        fixed: dict[str, tuple[Advisory, set[str]]] = {}
        for old, new in upgrades:
            for advisory in self._fixed(old, new):
                fixed.setdefault(advisory.identifier, (advisory, set()))[1].add(new.name)
        fixes = (self._fix(advisory, names) for advisory, names in fixed.values())
        return Assessment(fixes=tuple(sorted(fixes, key=lambda fix: (-fix.severity.rank, fix.identifier))))

    def _fixed(self, old: Package, new: Package) -> list[Advisory]:
        named = self._by_package.get((new.name, new.arch), ()) if (old.name, old.arch) == (new.name, new.arch) else ()
        lowest, highest = _ORDER(old.evr), _ORDER(new.evr)
        return [advisory for evr, advisory in named if lowest < _ORDER(evr) <= highest]

    def _fix(self, advisory: Advisory, names: Iterable[str]) -> Fix:
        return Fix(
            system=self._system,
            identifier=advisory.identifier,
            severity=advisory.severity,
            cves=advisory.cves,
            packages=tuple(sorted(names)),
            issued=advisory.issued,
        )


def lowest(versions: Iterable[str]) -> str:
    """The lowest of the versions installed side by side: as long as it stays, so do its vulnerabilities."""
    return min(versions, key=_ORDER)


def worst(fixes: Iterable[Fix]) -> Severity | None:
    """The worst severity among fixes; None where there are none."""
    return max((fix.severity for fix in fixes), key=lambda severity: severity.rank, default=None)

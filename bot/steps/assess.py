"""Assess: which advisories a change fixes, by what the feed says now.

A comparison of two images stays true, what advisories say about it does not: so it is asked anew in every inquiry,
and kept nowhere longer.
"""

from bot.core.advisories import Assessment, Bulletin
from bot.core.change import BaseChange, PlatformChange, upgrades
from bot.core.errors import AdvisoryError
from bot.core.platforms import Platform
from bot.ports.advisories import Advisories


class Assessor:
    """Assesses changes; reads each feed at most once, and one that failed not a second time."""

    def __init__(self, advisories: Advisories) -> None:
        self._advisories = advisories
        self._bulletins: dict[tuple[str, Platform], Bulletin] = {}
        self._faults: dict[str, AdvisoryError] = {}

    def assess(self, change: BaseChange, system: str) -> BaseChange:
        """Return the change with what it fixes; where advisories cannot be read, it says so and nothing is raised."""
        return change.assessed(lambda each: self._assess(each, system))

    def _assess(self, change: PlatformChange, system: str) -> Assessment:
        if not change.packages:
            return Assessment()
        try:
            return self._bulletin(system, change.platform).assess(upgrades(change))
        except AdvisoryError as fault:
            return Assessment(unknown=str(fault))

    def _bulletin(self, system: str, platform: Platform) -> Bulletin:
        """Read a feed; where one of an operating system failed, its others are spared the same wait."""
        if system in self._faults:
            raise self._faults[system]
        if (system, platform) not in self._bulletins:
            try:
                self._bulletins[system, platform] = self._advisories.bulletin(system, platform)
            except AdvisoryError as fault:
                self._faults[system] = fault
                raise
        return self._bulletins[system, platform]

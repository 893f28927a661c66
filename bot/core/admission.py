"""Admission: how many pull requests may be open and how many may be new, and which come first.

Whoever counts hands in what a forge shows now, so losing the store loosens no limit on what is open.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bot.core.decision import Update
from bot.core.windows import Window

HOUR: Final = timedelta(hours=1)
"""The span that `new_per_hour` is about."""
Branch = tuple[str, str]
"""A source repository, and a branch of ours in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many pull requests may be open in all and in one source repository, and be opened within an hour."""

    open: int = 200
    open_per_repository: int = 3
    new_per_hour: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """Why a pull request is not opened or refreshed now, and the moment from which it may be; None: nobody knows."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Which pull requests are open, and when which were opened lately: the last hour is enough."""

    open: frozenset[Branch] = frozenset()
    opened: Mapping[Branch, tuple[datetime, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, shown: Mapping[Branch, datetime], remembered: Iterable[tuple[Branch, datetime]]) -> "Load":
        """Count what a forge shows as open, with since when, and what is remembered of those that it no longer shows.

        Of one branch, what is shown was also remembered, if the memory was not lost: the larger number counts.
        """
        opened: dict[Branch, tuple[datetime, ...]] = {}
        for branch, moment in remembered:
            opened[branch] = (*opened.get(branch, ()), moment)
        return cls(open=frozenset(shown), opened={**{branch: (moment,) for branch, moment in shown.items()}, **opened})

    def with_opened(self, branch: Branch, now: datetime) -> "Load":
        """Count one more that is open."""
        return replace(
            self, open=self.open | {branch}, opened={**self.opened, branch: (*self.opened.get(branch, ()), now)}
        )

    def with_closed(self, branch: Branch) -> "Load":
        """Count one less that is open; it stays one that was opened lately."""
        return replace(self, open=self.open - {branch})

    def defers(self, repository: str, limits: Limits, now: datetime) -> Deferral | None:
        """Say why no further pull request may be opened in a source repository now; None if one may."""
        if len(self.open) >= limits.open:
            return Deferral(reason=f"{len(self.open)} pull requests are open, and the limit is {limits.open} in all")
        here = Counter(name for name, _ in self.open)[repository]
        if here >= limits.open_per_repository:
            limit = limits.open_per_repository
            return Deferral(reason=f"{here} pull requests are open in it, and the limit is {limit} in a repository")
        recent = sorted(moment for moments in self.opened.values() for moment in moments if moment > now - HOUR)
        if len(recent) < limits.new_per_hour:
            return None
        reason = f"{len(recent)} pull requests were opened within an hour, and the limit is {limits.new_per_hour}"
        return Deferral(reason=reason, until=recent[-limits.new_per_hour] + HOUR if limits.new_per_hour else None)


def deferral(
    load: Load, repository: str, limits: Limits, window: Window | None, now: datetime, *, opens: bool
) -> Deferral | None:
    """Say why a pull request may not be opened now, or only refreshed where it is not to be opened; None if it may.

    What is open costs no room, so limits stop no refresh.
    """
    if window and not window.is_open(now):
        return Deferral(reason="outside of the schedule", until=window.opens(now))
    return load.defers(repository, limits, now) if opens else None


def urgency(updates: Iterable[Update], name: str) -> tuple[bool, int, float, str]:
    """The place in line of a pull request for some updates, the smaller the earlier.

    First goes what leaves a blocked base for an older one, then what fixes the worst, then what is behind for longest,
    then the name.
    """
    due = list(updates)
    severities = [update.change.severity.rank for update in due if update.change and update.change.severity]
    moments = [update.behind_since.timestamp() for update in due if update.behind_since]
    return (
        not any(update.back for update in due),
        -max(severities, default=-1),
        min(moments, default=float("inf")),
        name,
    )

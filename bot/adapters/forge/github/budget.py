"""What one identity may send to GitHub, and when: a pure account of what it sent and was answered.

Three rules: a share of each hourly quota is left to others; requests that change something keep a distance and a
number for each hour (docs.github.com, "Best practices for using the REST API" and "Rate limits for the REST API"); and
limits that come one after the other are answered with longer and longer waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bot.adapters.forge.github.limits import Limit, Quota

WRITE_EVERY: Final = timedelta(seconds=1)
"""The distance that GitHub asks for; the 80 a minute that it allows are never reached with it."""
WRITES_AN_HOUR: Final = 500
"""GitHub counts what creates content and does not say which requests those are, so all that change something count."""
_HOUR: Final = timedelta(hours=1)
_LONGEST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The account of one identity; what is written into it gives the next account."""

    quotas: Mapping[str, Quota] = field(default_factory=dict)
    """What was last stated, by resource."""
    writes: tuple[datetime, ...] = ()
    """When something was changed in the last hour."""
    refusals: int = 0
    """Limits in a row."""

    def stated(self, quota: Quota) -> "Budget":
        """An answer stated a quota."""
        return replace(self, quotas={**self.quotas, quota.resource: quota})

    def answered(self) -> "Budget":
        """An answer spoke of no limit."""
        return replace(self, refusals=0) if self.refusals else self

    def refused(self) -> "Budget":
        """An answer spoke of a limit."""
        return replace(self, refusals=self.refusals + 1)

    def wrote(self, at: datetime) -> "Budget":
        """Something is changed at a moment; what is older than an hour before it is forgotten."""
        return replace(self, writes=(*(one for one in self.writes if one > at - _HOUR), at))

    def next_write(self, now: datetime) -> datetime:
        """The first moment from now on at which something may be changed."""
        moment = now
        if self.writes:
            moment = max(moment, self.writes[-1] + WRITE_EVERY)
        if len(self.writes) >= WRITES_AN_HOUR:
            moment = max(moment, self.writes[-WRITES_AN_HOUR] + _HOUR)
        return moment

    def wait_after(self, limit: Limit) -> timedelta:
        """How long to keep quiet: as long as GitHub says, or twice as long each time, at most an hour."""
        if not limit.guessed:
            return min(limit.wait, _LONGEST)
        return min(limit.wait * float(2 ** min(self.refusals, 10)), _HOUR)


def is_for_others(remaining: int, limit: int, reserve: float) -> bool:
    """Whether what remains of a quota is within the share that is left to others."""
    return remaining < limit * reserve

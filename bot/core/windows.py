"""When pull requests may be opened and refreshed: days and hours as a clock on the wall of some place shows them.

Where the hour is put back, a window that lies in the hour that comes twice is open twice; where it is put forward,
the hour that is left out opens nothing, and a window that goes on after it opens with its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import chain

DAY = 24 * 60
"""In minutes."""
_MINUTE = timedelta(minutes=1)
_LARGEST_STEP = timedelta(hours=2)
"""The clocks of today are put on by an hour or less."""
_LOOK_AHEAD = 15
"""In days: two weeks, for an opening that lies in the hour that is left out once a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Days of the week (0 is Monday) and, on each, from minute `start` of the day to before minute `end`.

    An `end` that is not after `start` lies on the next day: the night belongs to the day on which it begins.
    """

    zone: tzinfo
    days: frozenset[int] = frozenset(range(7))
    start: int = 0
    end: int = DAY

    def is_open(self, moment: datetime) -> bool:
        """Say whether a moment lies in it."""
        local = moment.astimezone(self.zone)
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        since_yesterday = (today - 1) % 7 in self.days and minute < self.end
        return since_yesterday or (today in self.days and minute >= self.start)

    def opens(self, moment: datetime) -> datetime:
        """Return the first moment from this one on that lies in it, in UTC."""
        if self.is_open(moment):
            return moment
        today = moment.astimezone(self.zone).date()
        days = (today + timedelta(days=ahead) for ahead in range(_LOOK_AHEAD + 1))
        starts = (opening for day in days for opening in self._openings(day) if opening > moment)
        return next(chain(self._again(moment), starts))

    def _openings(self, day: date) -> Iterator[datetime]:
        """The moments about this day's `start` that lie in the window: one, or several where the clock is put on."""
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(minutes=self.start)
        first, last = sorted(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        return self._open_between(first, last)

    def _again(self, moment: datetime) -> Iterator[datetime]:
        """The moments soon after this one that lie in the window because the clock was put back over its end."""
        soon = moment + _LARGEST_STEP
        if moment.astimezone(self.zone).utcoffset() == soon.astimezone(self.zone).utcoffset():
            return iter(())
        return self._open_between(moment.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE, soon)

    def _open_between(self, first: datetime, last: datetime) -> Iterator[datetime]:
        minutes = (first + number * _MINUTE for number in range((last - first) // _MINUTE + 1))
        return (moment for moment in minutes if self.is_open(moment))

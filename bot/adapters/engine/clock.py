"""The system's clock, and one that moves only when it is told to."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

LONGEST_NAP: Final = 60.0
"""Seconds; a wait looks at the clock again this often, so that a clock set forward or a resumed machine ends it."""


class SystemClock:
    """The machine's time; implements `Clock`."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)

    def wait_until(self, moment: datetime) -> None:
        """Sleep until the moment has come; return at once if it is past."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            time.sleep(min(left, LONGEST_NAP))


class VirtualClock:
    """A clock for rehearsals: waiting takes no time, it moves the clock; implements `Clock`."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment that the clock was moved to, in UTC."""
        return self._now

    def wait_until(self, moment: datetime) -> None:
        """Jump to the moment; a clock never goes back."""
        self._now = max(self._now, moment.astimezone(UTC))

    def advance(self, by: timedelta) -> None:
        """Let some time pass."""
        self.wait_until(self._now + by)

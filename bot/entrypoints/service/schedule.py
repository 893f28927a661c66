"""When the next cycle comes: a pure rule over times."""

from datetime import datetime, timedelta
from typing import Final

JITTER: Final = 0.1
"""The part of the interval by which a cycle may come later, so that many bots do not ask at the same moment."""


def next_start(started: datetime, ended: datetime, every: timedelta, chance: float) -> datetime:
    """Return when the next cycle starts: `every` after the last one started, and up to a tenth of that later.

    `chance` is a number from 0 to 1. A cycle that took longer than that is followed at once.
    """
    return max(ended, started + every * (1 + JITTER * chance))

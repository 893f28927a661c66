"""Time, as the engine and the entry points see it; rules get `now` as a value."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time in UTC and lets it pass."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        ...

    def wait_until(self, moment: datetime) -> None:
        """Return once the moment has come."""
        ...

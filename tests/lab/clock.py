"""A clock that tests wind: waiting moves it and takes no time."""

from datetime import UTC, datetime, timedelta


class WoundClock:
    """Keeps the port's promise for `Clock`, and remembers for how long it was made to wait."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self._now = now
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self._now

    def wait_until(self, moment: datetime) -> None:
        if moment > self._now:
            self.waits.append((moment - self._now) / timedelta(seconds=1))
            self._now = moment

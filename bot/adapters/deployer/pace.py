"""The pace of calls to a service that counts them by the second."""

import threading
from datetime import UTC, datetime, timedelta

from bot.ports.clock import Clock


class Pace:
    """A token bucket that holds one token: calls pass evenly spaced, whichever thread makes them.

    Without a burst no second holds more calls than the rate, wherever the second begins.
    """

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._gap = timedelta(seconds=1 / per_second)
        self._clock = clock
        self._next = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next call may go out."""
        with self._lock:
            slot = max(self._clock.now(), self._next)
            self._next = slot + self._gap
        self._clock.wait_until(slot)

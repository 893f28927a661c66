"""Wishes to end: one that a signal handler may utter at any moment, and one that never comes."""

from datetime import datetime
from queue import Empty, SimpleQueue

from bot.adapters.engine.clock import LONGEST_NAP
from bot.ports.clock import Clock


class AskedStop:
    """Comes when somebody asks, and wakes who waits; implements `Stop`.

    `ask` may be called from a signal handler while the same thread waits: a `SimpleQueue` is reentrant
    (docs.python.org/3/library/queue.html), a `threading.Event` is not.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked = False
        self._wake = SimpleQueue[None]()

    @property
    def asked(self) -> bool:
        """Whether somebody has asked."""
        return self._asked

    def ask(self) -> None:
        """Ask for the end; asking again changes nothing."""
        self._asked = True
        self._wake.put(None)

    def wait_until(self, moment: datetime) -> None:
        """Return once the moment has come, or somebody asks."""
        while not self._asked and (left := (moment - self._clock.now()).total_seconds()) > 0:
            try:
                self._wake.get(timeout=min(left, LONGEST_NAP))
            except Empty:
                continue


class NoStop:
    """Never comes, for commands that end by themselves; implements `Stop`."""

    asked = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def wait_until(self, moment: datetime) -> None:
        """Return once the moment has come."""
        self._clock.wait_until(moment)

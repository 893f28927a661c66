"""An engine in memory: a heap of due times, one tick after the other, nothing kept when the process ends.

That suits a command or a scheduled action: every key advances until its first long wait, and the next run reads the
truth anew. The order is deterministic: due time, then the order in which keys were given or came back.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Final

from bot.adapters.engine.stop import NoStop
from bot.ports.clock import Clock
from bot.ports.engine import Again, Done, Key, Stop, Tick

_STOPPED: Final = "refrom stops; the next run goes on with it"


class MemoryEngine:
    """Runs ticks one at a time and waits at most `stay` for those that come due; implements `Engine`.

    `stop` ends a wait and keeps the next tick from starting; the one that runs ends by itself.
    """

    def __init__(self, clock: Clock, stay: timedelta = timedelta(), stop: Stop | None = None) -> None:
        self._clock = clock
        self._stay = stay
        self._stop = stop or NoStop(clock)

    def drain(self, keys: Iterable[Key], tick: Tick) -> tuple[tuple[Key, Again], ...]:
        """Tick every key once, and again as long as it asks for a moment within the stay; return the others.

        The stay counts from the start of the drain; a moment that is not later than the tick itself is always granted.
        Which keys are returned therefore depends on what they asked for, not on how long other ticks took.
        A key given twice is ticked as one. What a tick raises ends the drain.
        """
        start = self._clock.now()
        order = count()
        due: list[tuple[datetime, int, Key]] = [(start, next(order), key) for key in dict.fromkeys(keys)]
        waiting: list[tuple[datetime, int, Key, Again]] = []
        while due:
            moment, number, key = heappop(due)
            self._stop.wait_until(moment)
            if self._stop.asked:
                waiting.append((moment, number, key, Again(moment, _STOPPED)))
                continue
            now = self._clock.now()
            match tick(key, now):
                case Again() as again if again.at <= max(now, start + self._stay):
                    heappush(due, (again.at, next(order), key))
                case Again() as again:
                    waiting.append((again.at, next(order), key, again))
                case Done():
                    pass
        return tuple((key, again) for _, _, key, again in sorted(waiting))

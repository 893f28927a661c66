"""The gate that every request to GitHub passes: it keeps budgets and pauses, and waits where the wait is short.

A pause that is over soon is waited for here; a longer one is given to the sender, whose caller comes back later. Pauses
are kept under the name of whose limits they are, with the part that they close: all of it (``), the quota of one
resource (`core`, `graphql`), or what changes something (`writes`). They are asked for at each request, so that
processes with the same store heed each other's.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.adapters.forge.github.budget import WRITES_AN_HOUR, Budget, is_for_others
from bot.adapters.forge.github.limits import Kind, Limit, Quota
from bot.ports.clock import Clock
from bot.ports.store import Pause, Pauses

SHORT: Final = timedelta(minutes=2)
"""What is waited for within a request."""
_LONGEST: Final = timedelta(days=1)
"""A pause that ends later was kept when a clock was wrong."""
_WRITES: Final = "writes"


class MemoryPauses:
    """Pauses that end with the process; implements `Pauses`."""

    def __init__(self) -> None:
        self._pauses: dict[str, Pause] = {}

    def get(self, name: str) -> Pause | None:
        """Return what was last kept under a name."""
        return self._pauses.get(name)

    def put(self, name: str, pause: Pause) -> None:
        """Keep a pause under its name."""
        self._pauses[name] = pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What was last said to be left of each quota, and until when what is closed; by the names of `Pauses`."""

    remaining: Mapping[str, int] = field(default_factory=dict)
    paused_until: Mapping[str, datetime] = field(default_factory=dict)


class Gate:
    """Lets requests pass; one object serves all threads of a process.

    `reserve` is the share of each hourly quota that is left to others. `who` is a name as in `Pauses`.
    """

    def __init__(self, clock: Clock, pauses: Pauses | None = None, *, reserve: float = 0) -> None:
        self._clock, self._reserve = clock, reserve
        self._pauses = pauses or MemoryPauses()
        self._lock = threading.Lock()
        self._budgets: dict[str, Budget] = defaultdict(Budget)
        self._met: dict[str, datetime] = {}

    @property
    def limits(self) -> Limits:
        """How the limits stand for this process, for those who watch it."""
        now = self._clock.now()
        with self._lock:
            left = {
                _name(who, quota.resource): quota.remaining
                for who, budget in self._budgets.items()
                for quota in budget.quotas.values()
            }
            met = {name: until for name, until in self._met.items() if until > now}
        return Limits(remaining=left, paused_until=met)

    def enter(self, who: str, resource: str, *, writes: bool) -> Pause | None:
        """Return once a request may be sent; or at once with the pause, if that is a longer one.

        Without a `resource` only what closes everything is asked for.
        """
        parts = ["", resource, _WRITES if writes else ""]
        for name in dict.fromkeys(_name(who, part) for part in parts):
            pause = self._pause(name)
            if pause and pause.until - self._clock.now() > SHORT:
                return pause
            if pause:
                self._clock.wait_until(pause.until)
        return self._take_turn(who) if writes else None

    def answered(self, who: str, resource: str, headers: Mapping[str, str]) -> None:
        """An answer came that speaks of no limit; what is left for us may be at its end all the same."""
        now = self._clock.now()
        quota = Quota.of(headers, resource, now)
        self._write_down(who, quota, refused=False)
        if quota and is_for_others(quota.remaining, quota.limit, self._reserve):
            left = f"{quota.remaining} of {quota.limit} of this hour's quota ({quota.resource}) are left"
            self._put(_name(who, quota.resource), Pause(quota.reset, f"{left}, and kept for others by reserve"))

    def refused(self, who: str, resource: str, headers: Mapping[str, str], limit: Limit) -> Pause:
        """An answer speaks of a limit; return the pause that follows."""
        now = self._clock.now()
        quota = Quota.of(headers, resource, now)
        with self._lock:
            wait = self._budgets[who].wait_after(limit)
        self._write_down(who, quota, refused=True)
        named = quota.resource if quota else resource
        pause = Pause(now + wait, str(limit))
        self._put(_name(who, named if limit.kind is Kind.PRIMARY else ""), pause)
        return pause

    def _take_turn(self, who: str) -> Pause | None:
        """Wait for the turn of a request that changes something."""
        with self._lock:
            now = self._clock.now()
            turn = self._budgets[who].next_write(now)
            is_near = turn - now <= SHORT
            if is_near:
                self._budgets[who] = self._budgets[who].wrote(turn)
        if is_near:
            self._clock.wait_until(turn)
            return None
        pause = Pause(turn, f"{WRITES_AN_HOUR} requests of this hour changed something, and GitHub allows no more")
        self._put(_name(who, _WRITES), pause)
        return pause

    def _write_down(self, who: str, quota: Quota | None, *, refused: bool) -> None:
        with self._lock:
            budget = self._budgets[who]
            budget = budget.refused() if refused else budget.answered()
            self._budgets[who] = budget.stated(quota) if quota else budget

    def _pause(self, name: str) -> Pause | None:
        now, pause = self._clock.now(), self._pauses.get(name)
        if pause is None or not now < pause.until <= now + _LONGEST:
            return None
        self._remember(name, pause)
        return pause

    def _put(self, name: str, pause: Pause) -> None:
        self._remember(name, pause)
        self._pauses.put(name, pause)

    def _remember(self, name: str, pause: Pause) -> None:
        with self._lock:
            self._met[name] = pause.until


def _name(who: str, part: str) -> str:
    return f"{who}:{part}" if part else who

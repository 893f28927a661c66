"""What the service knows of itself, as one value: the loop replaces it, the pages read it while a cycle runs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bot.core.outcome import Outcome
from bot.entrypoints.documents import Document
from bot.ports.engine import Key


class Ending(StrEnum):
    """How a cycle ended."""

    DONE = "done"
    ATTENTION = "attention"
    """It ran to its end, and something in it failed or was refused."""
    FAILED = "failed"
    """It could not go on; what it had not come to is left to the next one."""
    STOPPED = "stopped"
    """The process was asked to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A cycle that runs: since when, when it last came to something new, and to what."""

    started: datetime
    moved: datetime
    key: Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A cycle that ended; `reason` says why where it failed."""

    started: datetime
    ended: datetime
    ending: Ending
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """The audit after the last cycle that ran to its end, and how often that cycle decided what."""

    at: datetime
    document: Document
    decisions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything at one moment; counts are since the start of the process."""

    running: Running | None = None
    last: Ended | None = None
    next_start: datetime | None = None
    succeeded: datetime | None = None
    """When a cycle last ran to its end, whatever single repositories, streams or functions met in it."""
    audited: Audited | None = None
    cycles: Mapping[Ending, int] = field(default_factory=Counter)
    seconds: float = 0.0
    """How long all cycles took together."""
    outcomes: Mapping[tuple[str, str], int] = field(default_factory=Counter)
    """How often which step had which result."""

    def started(self, now: datetime) -> "State":
        """A cycle starts."""
        return replace(self, running=Running(started=now, moved=now), next_start=None)

    def planned(self, start: datetime) -> "State":
        """The next cycle is to start at a moment."""
        return replace(self, next_start=start)

    def moved(self, now: datetime, key: Key | None = None) -> "State":
        """The running cycle comes to a key, or has finished with one."""
        return replace(self, running=replace(self.running, moved=now, key=key) if self.running else None)

    def told(self, outcome: Outcome) -> "State":
        """A step of the running cycle had an outcome."""
        return replace(self, outcomes=Counter(self.outcomes) + Counter({(outcome.step, str(outcome.result)): 1}))

    def ended(self, cycle: Ended, audited: Audited | None) -> "State":
        """The running cycle ended; the audit before it stays where it gave none."""
        complete = cycle.ending in (Ending.DONE, Ending.ATTENTION)
        return replace(
            self,
            running=None,
            last=cycle,
            succeeded=cycle.ended if complete else self.succeeded,
            audited=audited or self.audited,
            cycles=Counter(self.cycles) + Counter({cycle.ending: 1}),
            seconds=self.seconds + (cycle.ended - cycle.started).total_seconds(),
        )


class Board:
    """Holds the present state: one thread replaces it, any other may read it."""

    def __init__(self) -> None:
        self.state = State()

"""Whether the service is healthy: a pure rule over its state and the time.

A cycle that failed is no reason to restart the process: the next one comes, and the metrics tell. A cycle that comes to
nothing new any more, or does not start, is one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.entrypoints.documents import Document, time_text
from bot.entrypoints.service.state import State

STUCK: Final = timedelta(minutes=90)
"""No single piece of work takes longer: the longest, a build, is ended after an hour."""
OVERDUE: Final = timedelta(minutes=5)
"""How late a cycle may start, say after the machine slept."""


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict, and its reason in words."""

    healthy: bool
    reason: str


def health(state: State, now: datetime) -> Health:
    """Judge the state."""
    running, due = state.running, state.next_start
    if running and now - running.moved > STUCK:
        where = f"with {running.key}" if running.key else "between its pieces of work"
        return Health(False, f"the running cycle is stuck {where} since {time_text(running.moved)}")
    if running:
        return Health(True, f"a cycle runs since {time_text(running.started)}")
    if due and now - due > OVERDUE:
        return Health(False, f"a cycle should have started at {time_text(due)}")
    return Health(True, f"the next cycle starts at {time_text(due)}" if due else "the service starts or stops")


def health_document(state: State, now: datetime) -> Document:
    """`refrom.health/1`."""
    verdict, last = health(state, now), state.last
    return {
        "schema": "refrom.health/1",
        "healthy": verdict.healthy,
        "reason": verdict.reason,
        "running_since": time_text(state.running.started) if state.running else None,
        "last": {
            "started": time_text(last.started),
            "ended": time_text(last.ended),
            "result": str(last.ending),
            "reason": last.reason or None,
        }
        if last
        else None,
        "next": time_text(state.next_start),
    }

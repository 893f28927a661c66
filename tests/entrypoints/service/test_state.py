"""The state counts what happened, and keeps the last audit when a cycle gives none."""

from datetime import UTC, datetime, timedelta

from bot.core.outcome import Outcome, Result
from bot.entrypoints.service.state import Audited, Ended, Ending, State
from bot.ports.engine import Key

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AUDITED = Audited(at=NOON, document={"functions": []}, decisions={"current": 1})


def cycle(ending: Ending, *, reason: str = "") -> Ended:
    return Ended(started=NOON, ended=NOON + MINUTE, ending=ending, reason=reason)


def test_a_cycle_starts_moves_and_ends() -> None:
    before = State(next_start=NOON)

    running = before.started(NOON)
    moved = running.moved(NOON + MINUTE, Key("stream", "python3.13"))
    ended = moved.ended(cycle(Ending.DONE), AUDITED)

    assert running.running is not None
    assert moved.running is not None
    assert (running.next_start, running.running.moved, running.running.key) == (None, NOON, None)
    assert (moved.running.started, moved.running.moved) == (NOON, NOON + MINUTE)
    assert moved.running.key == Key("stream", "python3.13")
    assert (ended.running, ended.last, ended.audited) == (None, cycle(Ending.DONE), AUDITED)
    assert before == State(next_start=NOON), "a state is a value"


def test_what_fails_or_is_stopped_is_no_success_and_leaves_the_audit() -> None:
    state = State().ended(cycle(Ending.ATTENTION), AUDITED)
    for ending in (Ending.FAILED, Ending.STOPPED):
        state = state.ended(Ended(started=NOON, ended=NOON + 2 * MINUTE, ending=ending), None)

    assert state.succeeded == NOON + MINUTE
    assert state.audited == AUDITED
    assert dict(state.cycles) == {Ending.ATTENTION: 1, Ending.FAILED: 1, Ending.STOPPED: 1}
    assert state.seconds == 300


def test_outcomes_are_counted_by_step_and_result() -> None:
    state = State()
    for subject in ("acme/orders", "acme/billing"):
        state = state.told(Outcome(step="propose", subject=subject, result=Result.OPENED, message=""))
    state = state.told(Outcome(step="watch", subject="java21", result=Result.FAILED, message=""))

    assert dict(state.outcomes) == {("propose", "opened"): 2, ("watch", "failed"): 1}

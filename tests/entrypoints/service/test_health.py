"""Healthy means that the process does its work; the reason says why not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.entrypoints.service.health import OVERDUE, STUCK, health, health_document
from bot.entrypoints.service.state import Ended, Ending, Running, State
from bot.ports.engine import Key

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
ORDERS = Key("function", "orders")


def runs(moved: timedelta, key: Key | None = None) -> State:
    """A cycle that started a day ago and came to something new that long ago."""
    return State(running=Running(started=NOON - DAY, moved=NOON - moved, key=key))


def waits(due: timedelta, ending: Ending = Ending.DONE) -> State:
    """The next cycle is due that long ago."""
    last = Ended(started=NOON - DAY, ended=NOON - DAY + SECOND, ending=ending, reason="the forge does not answer")
    return State(last=last, next_start=NOON - due)


@pytest.mark.parametrize(
    ("state", "healthy", "reason"),
    [
        pytest.param(State(), True, "the service starts or stops", id="just started"),
        pytest.param(runs(SECOND), True, "a cycle runs since 2026-11-19T12:00:00Z", id="a long cycle that gets on"),
        pytest.param(runs(STUCK), True, "a cycle runs since 2026-11-19T12:00:00Z", id="the longest piece of work"),
        pytest.param(
            runs(STUCK + SECOND, ORDERS),
            False,
            "the running cycle is stuck with function:orders since 2026-11-20T10:29:59Z",
            id="stuck in a tick",
        ),
        pytest.param(
            runs(STUCK + SECOND),
            False,
            "the running cycle is stuck between its pieces of work since 2026-11-20T10:29:59Z",
            id="stuck elsewhere",
        ),
        pytest.param(waits(-SECOND), True, "the next cycle starts at 2026-11-20T12:00:01Z", id="waiting"),
        pytest.param(waits(-SECOND, Ending.FAILED), True, "the next cycle starts at 2026-11-20T12:00:01Z", id="failed"),
        pytest.param(waits(OVERDUE), True, "the next cycle starts at 2026-11-20T11:55:00Z", id="a little late"),
        pytest.param(
            waits(OVERDUE + SECOND), False, "a cycle should have started at 2026-11-20T11:54:59Z", id="overdue"
        ),
        pytest.param(
            replace(waits(DAY), running=Running(started=NOON, moved=NOON)),
            True,
            "a cycle runs since 2026-11-20T12:00:00Z",
            id="late, but it runs",
        ),
    ],
)
def test_the_verdict_and_its_reason(state: State, *, healthy: bool, reason: str) -> None:
    found = health(state, NOON)

    assert (found.healthy, found.reason) == (healthy, reason)


def test_the_document_says_when_the_last_cycle_ended_and_with_what() -> None:
    assert health_document(waits(-SECOND, Ending.FAILED), NOON) == {
        "schema": "refrom.health/1",
        "healthy": True,
        "reason": "the next cycle starts at 2026-11-20T12:00:01Z",
        "running_since": None,
        "last": {
            "started": "2026-11-19T12:00:00Z",
            "ended": "2026-11-19T12:00:01Z",
            "result": "failed",
            "reason": "the forge does not answer",
        },
        "next": "2026-11-20T12:00:01Z",
    }


def test_a_service_that_has_done_nothing_yet_says_so() -> None:
    document = health_document(runs(SECOND), NOON)

    assert (document["last"], document["next"]) == (None, None)
    assert document["running_since"] == "2026-11-19T12:00:00Z"

"""Cycles start an interval apart, a tenth later at most, and never before the last one ended."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.entrypoints.service.schedule import next_start

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("took", "chance", "expected"),
    [
        pytest.param(1, 0.0, 60, id="an interval after the start"),
        pytest.param(1, 0.5, 63, id="later by chance"),
        pytest.param(1, 1.0, 66, id="a tenth at most"),
        pytest.param(62, 0.5, 63, id="a long cycle"),
        pytest.param(90, 0.5, 90, id="a cycle that took longer is followed at once"),
    ],
)
def test_the_next_start(took: int, chance: float, expected: int) -> None:
    start = next_start(NOON, NOON + timedelta(minutes=took), HOUR, chance)

    assert start == NOON + timedelta(minutes=expected)


@given(
    took=st.timedeltas(timedelta(), timedelta(days=2)),
    every=st.timedeltas(timedelta(minutes=1), timedelta(days=30)),
    chance=st.floats(0, 1),
)
def test_a_cycle_never_starts_before_the_last_one_ended(took: timedelta, every: timedelta, chance: float) -> None:
    start = next_start(NOON, NOON + took, every, chance)

    assert start >= NOON + max(took, every)
    assert start <= NOON + max(took, every * 1.1 + timedelta(microseconds=1))

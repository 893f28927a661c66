"""Calls to a service that counts them by the second."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.deployer.pace import Pace
from tests.lab.clock import WoundClock

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    rate=st.integers(min_value=1, max_value=200),
    idle=st.lists(st.integers(min_value=0, max_value=2000), min_size=1, max_size=60),
)
def test_no_second_holds_more_calls_than_the_rate(rate: int, idle: Sequence[int]) -> None:
    """Wherever the second begins, and however long the caller is busy between two calls (in milliseconds)."""
    clock = WoundClock(START)
    pace = Pace(rate, clock)
    calls = []

    for milliseconds in idle:
        pace.wait()
        calls.append(clock.now())
        clock.wait_until(clock.now() + timedelta(milliseconds=milliseconds))

    second = timedelta(seconds=1) - timedelta(milliseconds=1)  # a gap is rounded to microseconds
    assert all(late - early > second for early, late in zip(calls, calls[rate:], strict=False))


def test_a_call_after_a_pause_goes_out_at_once() -> None:
    clock = WoundClock(START)
    pace = Pace(2, clock)
    pace.wait()
    clock.wait_until(START + timedelta(seconds=5))
    clock.waits.clear()

    pace.wait()

    assert not clock.waits


def test_threads_share_the_rate() -> None:
    clock = WoundClock(START)
    pace = Pace(10, clock)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: pace.wait(), range(21)))

    assert (clock.now() - START).total_seconds() == pytest.approx(2)

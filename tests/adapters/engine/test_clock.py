"""Clocks tell UTC and never go back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.ports.clock import Clock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=[SystemClock, lambda: VirtualClock(NOON)], ids=["system", "virtual"])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_now_is_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


def test_a_wait_ends_when_the_moment_has_come(clock: Clock) -> None:
    moment = clock.now() + timedelta(milliseconds=5)

    clock.wait_until(moment)

    assert clock.now() >= moment


def test_a_moment_in_the_past_is_no_wait(clock: Clock) -> None:
    before = clock.now()

    clock.wait_until(before - timedelta(days=400))

    assert clock.now() >= before


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(NOON)

    seen = [clock.now(), clock.now()]
    clock.advance(timedelta(hours=3))
    seen.append(clock.now())

    assert seen == [NOON, NOON, NOON + timedelta(hours=3)]


def test_a_virtual_clock_waits_by_jumping() -> None:
    clock = VirtualClock(NOON)

    clock.wait_until(NOON + timedelta(days=30))

    assert clock.now() == NOON + timedelta(days=30)


def test_a_virtual_clock_translates_other_zones() -> None:
    clock = VirtualClock(datetime(2026, 11, 20, 14, tzinfo=timezone(timedelta(hours=2))))

    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC

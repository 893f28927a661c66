"""Stops wake who waits, and an engine that is stopped starts no further tick."""

import signal
import threading
from datetime import UTC, datetime, timedelta

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.engine.stop import AskedStop, NoStop
from bot.ports.engine import Again, Done, Key

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
A, B, C = Key("stream", "a"), Key("stream", "b"), Key("stream", "c")
FAR = timedelta(days=1)


def test_a_wait_ends_when_its_moment_has_come() -> None:
    clock = SystemClock()
    stop, moment = AskedStop(clock), clock.now() + timedelta(milliseconds=5)

    stop.wait_until(moment)

    assert clock.now() >= moment
    assert not stop.asked


def test_a_wait_ends_when_another_thread_asks() -> None:
    clock = SystemClock()
    stop = AskedStop(clock)
    asking = threading.Timer(0.01, stop.ask)
    asking.start()

    stop.wait_until(clock.now() + FAR)

    asking.join()
    assert stop.asked


def test_a_wait_ends_when_a_signal_handler_asks_in_the_waiting_thread() -> None:
    clock = SystemClock()
    stop = AskedStop(clock)
    before = signal.signal(signal.SIGALRM, lambda _number, _frame: stop.ask())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        stop.wait_until(clock.now() + FAR)
    finally:
        signal.signal(signal.SIGALRM, before)

    assert stop.asked


def test_once_asked_no_wait_waits() -> None:
    clock = SystemClock()
    stop = AskedStop(clock)
    stop.ask()
    stop.ask()

    for _ in range(3):
        stop.wait_until(clock.now() + FAR)

    assert stop.asked


def test_what_nobody_stops_waits_by_its_clock() -> None:
    clock = VirtualClock(NOON)
    stop = NoStop(clock)

    stop.wait_until(NOON + FAR)

    assert (clock.now(), stop.asked) == (NOON + FAR, False)


def test_the_tick_that_runs_ends_and_no_other_starts() -> None:
    clock = VirtualClock(NOON)
    stop = AskedStop(clock)
    ticked = []

    def tick(key: Key, now: datetime) -> Done:  # noqa: ARG001 - a tick is told the time
        ticked.append(key)
        if key == B:
            stop.ask()
        return Done()

    waiting = MemoryEngine(clock, stop=stop).drain([A, B, C], tick)

    assert ticked == [A, B]
    assert [key for key, _ in waiting] == [C]
    assert all(again.why for _, again in waiting)


def test_a_key_that_waits_is_left_when_the_stop_comes() -> None:
    clock = SystemClock()
    stop = AskedStop(clock)
    due = clock.now() + FAR

    def tick(key: Key, now: datetime) -> Again:  # noqa: ARG001 - a tick is told key and time
        stop.ask()
        return Again(due, "the service works on it")

    assert [(k, a.at) for k, a in MemoryEngine(clock, 2 * FAR, stop).drain([A], tick)] == [(A, due)]


def test_a_stopped_engine_returns_every_key() -> None:
    clock = VirtualClock(NOON)
    stop = AskedStop(clock)
    stop.ask()

    waiting = MemoryEngine(clock, stop=stop).drain([A, B], lambda _key, _now: Done())

    assert [key for key, _ in waiting] == [A, B]

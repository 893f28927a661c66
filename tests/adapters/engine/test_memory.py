"""The engine in memory keeps the promises of the port `Engine`."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.engine.clock import VirtualClock
from bot.adapters.engine.memory import MemoryEngine
from bot.ports.engine import Again, Done, Key

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
A, B, C = Key("stream", "a"), Key("stream", "b"), Key("stream", "c")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


class Script:
    """Ticks that answer for each key, one after the other, with seconds to wait from the tick on; then `Done`."""

    def __init__(self, clock: VirtualClock, waits: dict[Key, list[float]], cost: float = 0) -> None:
        self.clock, self.cost = clock, seconds(cost)
        self.waits = {key: iter(numbers) for key, numbers in waits.items()}
        self.seen: list[tuple[Key, float]] = []
        self.running: set[Key] = set()

    def __call__(self, key: Key, now: datetime) -> Done | Again:
        assert key not in self.running, "one key ticks twice at once"
        self.running.add(key)
        self.seen.append((key, (now - NOON).total_seconds()))
        self.clock.advance(self.cost)
        self.running.remove(key)
        wait = next(self.waits.get(key, iter(())), None)
        return Done() if wait is None else Again(now + seconds(wait), f"{key} waits {wait} s")


def drain(
    keys: Iterable[Key], waits: dict[Key, list[float]], *, stay: float = 0, cost: float = 0
) -> tuple[Script, tuple[tuple[Key, Again], ...]]:
    clock = VirtualClock(NOON)
    script = Script(clock, waits, cost)
    return script, MemoryEngine(clock, seconds(stay)).drain(keys, script)


def test_every_key_ticks_once_in_the_order_given() -> None:
    script, waiting = drain([C, A, B], {})

    assert script.seen == [(C, 0), (A, 0), (B, 0)]
    assert waiting == ()


def test_a_key_given_twice_is_ticked_as_one() -> None:
    script, _ = drain([A, B, A], {})

    assert script.seen == [(A, 0), (B, 0)]


def test_no_keys_are_no_work() -> None:
    script, waiting = drain([], {})

    assert script.seen == []
    assert waiting == ()


def test_a_wait_longer_than_the_stay_is_returned_with_its_reason() -> None:
    script, waiting = drain([A, B], {A: [61]}, stay=60)

    assert script.seen == [(A, 0), (B, 0)]
    assert waiting == ((A, Again(NOON + seconds(61), "stream:a waits 61 s")),)


def test_a_wait_within_the_stay_is_waited_for() -> None:
    script, waiting = drain([A, B], {A: [10, 20], B: [15]}, stay=60)

    assert script.seen == [(A, 0), (B, 0), (A, 10), (B, 15), (A, 30)]
    assert waiting == ()


def test_the_stay_counts_from_the_start_of_the_drain() -> None:
    script, waiting = drain([A], {A: [40, 40]}, stay=60)

    assert script.seen == [(A, 0), (A, 40)]
    assert [again.at for _, again in waiting] == [NOON + seconds(80)]


@pytest.mark.parametrize("wait", [0, -5], ids=["now", "in the past"])
def test_a_key_that_is_due_at_once_goes_on_without_any_stay(wait: float) -> None:
    script, waiting = drain([A, B], {A: [wait, wait]})

    assert [key for key, _ in script.seen].count(A) == 3
    assert waiting == ()


def test_keys_due_at_the_same_moment_tick_in_the_order_in_which_they_came_back() -> None:
    script, _ = drain([A, B, C], {A: [5], B: [5], C: [5]}, stay=10)

    assert script.seen[3:] == [(A, 5), (B, 5), (C, 5)]


def test_what_waits_is_returned_in_the_order_in_which_it_comes_due() -> None:
    _, waiting = drain([A, B, C], {A: [30], B: [10], C: [30]})

    assert [key for key, _ in waiting] == [B, A, C]


def test_slow_ticks_of_others_do_not_change_what_is_returned() -> None:
    """B asks for a second each time; though its moment passes while A works, it gets no more than the stay."""
    script, waiting = drain([A, B], {B: [1, 1, 1]}, cost=100)

    assert [key for key, _ in script.seen] == [A, B]
    assert [key for key, _ in waiting] == [B]


MANY = [Key("pull-request", f"acme/r{number} refrom/x") for number in range(500)]


class PausedForge:
    """Ticks of keys that a forge pauses until a moment, as they answer it; other keys are done at once."""

    def __init__(self, until: datetime) -> None:
        self.until, self.seen = until, list[tuple[Key, datetime]]()

    def __call__(self, key: Key, now: datetime) -> Done | Again:
        self.seen.append((key, now))
        is_paused = key.kind == "pull-request" and now < self.until
        return Again(self.until, "GitHub's secondary rate limit") if is_paused else Done()


def test_keys_that_are_all_paused_tick_once_before_and_once_after_and_hold_up_no_other() -> None:
    clock, forge = VirtualClock(NOON), PausedForge(NOON + seconds(240))

    waiting = MemoryEngine(clock, seconds(300)).drain([*MANY, A, B], forge)

    assert waiting == ()
    before, after = forge.seen[: len(MANY) + 2], forge.seen[len(MANY) + 2 :]
    assert before == [(key, NOON) for key in [*MANY, A, B]]
    assert after == [(key, forge.until) for key in MANY]


def test_a_pause_longer_than_the_stay_returns_every_key_with_the_reason() -> None:
    clock, forge = VirtualClock(NOON), PausedForge(NOON + seconds(3600))

    waiting = MemoryEngine(clock, seconds(300)).drain([*MANY, A], forge)

    assert waiting == tuple((key, Again(forge.until, "GitHub's secondary rate limit")) for key in MANY)
    assert len(forge.seen) == len(MANY) + 1
    assert clock.now() == NOON, "nothing was waited for"


def test_what_a_tick_raises_ends_the_drain() -> None:
    def tick(key: Key, now: datetime) -> Done:
        raise ZeroDivisionError(key, now)

    with pytest.raises(ZeroDivisionError):
        MemoryEngine(VirtualClock(NOON)).drain([A], tick)


@given(
    waits=st.dictionaries(st.sampled_from([A, B, C]), st.lists(st.integers(0, 50), max_size=6)),
    stay=st.integers(0, 120),
    cost=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_key_either_finishes_or_is_returned_and_none_ticks_early(
    waits: dict[Key, list[float]], stay: int, cost: int
) -> None:
    script, waiting = drain([A, B, C], waits, stay=stay, cost=cost)

    for key in (A, B, C):
        ticks = [moment for seen, moment in script.seen if seen == key]
        gaps = [later - earlier for earlier, later in pairwise(ticks)]
        assert all(gap >= wait for gap, wait in zip(gaps, waits.get(key, []), strict=False))
        assert (len(ticks) == len(waits.get(key, [])) + 1) != (key in dict(waiting))
    assert all(again.at > NOON + seconds(stay) for _, again in waiting)

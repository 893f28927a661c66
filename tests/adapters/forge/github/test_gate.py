"""What the gate lets pass, what it waits for, and what it remembers for others."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.forge.github.gate import Gate, MemoryPauses
from bot.adapters.forge.github.limits import Kind, Limit
from bot.adapters.store.store import open_store
from bot.ports.store import Pause, Pauses
from tests.lab.clock import WoundClock

WHO = "github:api.github.com:app 7 at acme"
OTHER = "github:api.github.com:app 7 at other"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BURST = Limit(Kind.SECONDARY, MINUTE, guessed=True)


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture(params=["memory", "store"])
def pauses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pauses]:
    if request.param == "memory":
        yield MemoryPauses()
    else:
        with open_store(tmp_path / "refrom.db") as store:
            yield store.pauses


def stated(clock: WoundClock, remaining: int, *, limit: int = 5000, resource: str = "core") -> Mapping[str, str]:
    """The headers of an answer, as the transport gives those of this case."""
    reset = int((clock.now() + 40 * MINUTE).timestamp())
    told = {"Limit": limit, "Remaining": remaining, "Reset": reset, "Resource": resource}
    return {f"X-RateLimit-{name}": str(value) for name, value in told.items()}


def closed(gate: Gate, who: str = WHO, resource: str = "core", *, writes: bool = False) -> datetime | None:
    """Until when a request is refused at the gate."""
    pause = gate.enter(who, resource, writes=writes)
    return pause.until if pause else None


def test_below_the_reserve_no_further_request_is_let_out_until_the_reset(clock: WoundClock, pauses: Pauses) -> None:
    gate, reset = Gate(clock, pauses, reserve=0.1), clock.now() + 40 * MINUTE

    gate.answered(WHO, "core", stated(clock, 500))
    assert closed(gate) is None
    gate.answered(WHO, "core", stated(clock, 499))

    assert closed(gate) == reset
    assert closed(gate, resource="graphql") is None, "each resource has a quota of its own"
    assert closed(gate, OTHER) is None, "and each identity"
    clock.wait_until(reset)
    assert closed(gate) is None
    assert clock.waits == [2400]


def test_a_workflow_s_smaller_quota_leaves_its_share_too(clock: WoundClock, pauses: Pauses) -> None:
    gate = Gate(clock, pauses, reserve=0.1)

    gate.answered(WHO, "core", stated(clock, 99, limit=1000))

    pause = gate.enter(WHO, "core", writes=False)
    assert pause
    assert pause.why == "99 of 1000 of this hour's quota (core) are left, and kept for others by reserve"


def test_without_a_reserve_all_is_used(clock: WoundClock, pauses: Pauses) -> None:
    gate = Gate(clock, pauses)

    gate.answered(WHO, "core", stated(clock, 0))

    assert closed(gate) is None


def test_a_server_that_states_no_quota_is_never_spared(clock: WoundClock, pauses: Pauses) -> None:
    gate = Gate(clock, pauses, reserve=0.9)

    gate.answered(WHO, "core", {})

    assert closed(gate) is None


@pytest.mark.parametrize(
    ("kind", "others"),
    [pytest.param(Kind.SECONDARY, True, id="secondary"), pytest.param(Kind.PRIMARY, False, id="primary")],
)
def test_a_secondary_limit_closes_all_and_a_used_up_quota_its_resource(
    clock: WoundClock, pauses: Pauses, kind: Kind, others: bool
) -> None:
    gate = Gate(clock, pauses)

    pause = gate.refused(WHO, "graphql", {}, Limit(kind, HOUR))

    assert closed(gate, resource="graphql") == pause.until == clock.now() + HOUR
    assert (closed(gate, resource="core") is not None) == others
    assert closed(gate, OTHER) is None


def test_a_short_pause_is_waited_for(clock: WoundClock, pauses: Pauses) -> None:
    gate = Gate(clock, pauses)

    gate.refused(WHO, "core", {}, BURST)

    assert closed(gate) is None
    assert clock.waits == [60]


def test_limits_in_a_row_become_pauses_and_an_answer_ends_the_row(clock: WoundClock, pauses: Pauses) -> None:
    gate = Gate(clock, pauses)

    waits = [(gate.refused(WHO, "core", {}, BURST).until - clock.now()) / MINUTE for _ in range(4)]
    gate.answered(WHO, "core", {})

    assert waits == [1, 2, 4, 8]
    assert gate.refused(WHO, "core", {}, BURST).until == clock.now() + MINUTE


def test_changes_are_a_second_apart_and_reads_are_not(clock: WoundClock, pauses: Pauses) -> None:
    gate = Gate(clock, pauses)

    for writes in (True, False, True, False, False, True):
        assert closed(gate, writes=writes) is None
    assert closed(gate, OTHER, writes=True) is None

    assert clock.waits == [1, 1]


def test_after_500_changes_in_an_hour_reads_go_on_and_changes_wait(clock: WoundClock, pauses: Pauses) -> None:
    gate, start = Gate(clock, pauses), clock.now()
    for _ in range(500):
        assert closed(gate, writes=True) is None

    assert closed(gate, writes=True) == start + HOUR
    assert closed(gate) is None
    clock.wait_until(start + HOUR)
    assert closed(gate, writes=True) is None


def test_another_process_with_the_same_store_heeds_a_pause(clock: WoundClock, tmp_path: Path) -> None:
    with open_store(tmp_path / "refrom.db") as store:
        until = Gate(clock, store.pauses).refused(WHO, "core", {}, Limit(Kind.SECONDARY, HOUR)).until

    with open_store(tmp_path / "refrom.db") as store:
        assert closed(Gate(clock, store.pauses)) == until
    assert closed(Gate(clock)) is None, "without the store nothing is known"


def test_a_pause_that_was_kept_under_a_wrong_clock_is_none(clock: WoundClock, pauses: Pauses) -> None:
    """Else nothing would be asked for years."""
    pauses.put(WHO, Pause(clock.now() + timedelta(days=9000), "the clock was wrong"))

    assert closed(Gate(clock, pauses)) is None


def test_every_pause_lies_ahead(clock: WoundClock, pauses: Pauses) -> None:
    """Whoever comes back at its moment would else come back at once, for ever."""
    gate = Gate(clock, pauses, reserve=0.1)
    past = {**stated(clock, 1), "X-RateLimit-Reset": "0"}

    gate.answered(WHO, "core", past)

    assert closed(gate) is None
    assert clock.waits == [1]


def test_what_is_left_and_what_is_closed_is_told(clock: WoundClock, pauses: Pauses) -> None:
    gate = Gate(clock, pauses, reserve=0.1)
    gate.answered(WHO, "core", stated(clock, 4000))
    gate.answered(WHO, "graphql", stated(clock, 7, resource="graphql"))

    assert gate.limits.remaining == {f"{WHO}:core": 4000, f"{WHO}:graphql": 7}
    assert gate.limits.paused_until == {f"{WHO}:graphql": clock.now() + 40 * MINUTE}
    clock.wait_until(clock.now() + HOUR)
    assert gate.limits.paused_until == {}

"""Admission: no limit is ever exceeded, and what is worst goes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.admission import HOUR, Branch, Limits, Load, deferral, urgency
from bot.core.advisories import Assessment, Fix, Severity
from bot.core.change import Significance
from bot.core.decision import Action, Update
from bot.core.windows import Window
from tests.core.facts import FIX, NEW, NOW, OLD, change, use

A, B = ("acme/a", "refrom/x"), ("acme/b", "refrom/x")
OTHER = ("acme/a", "refrom/y")
LONG_AGO = NOW - timedelta(days=9)


def update(fix: Fix | None = None, days: int | None = 3) -> Update:
    security = Assessment(fixes=(fix,) if fix else ())
    return Update(
        use=use(),
        action=Action.BUMP,
        reason="new",
        old=OLD,
        new=NEW,
        tag=None,
        change=change(Significance.PACKAGES, security=security),
        behind_since=None if days is None else NOW - timedelta(days=days),
    )


@pytest.mark.parametrize(
    ("shown", "limits", "reason"),
    [
        pytest.param({}, Limits(), "", id="nothing is open"),
        pytest.param({A: LONG_AGO, B: LONG_AGO}, Limits(open=2), "2 pull requests are open, and the limit is 2 in all"),
        pytest.param(
            {A: LONG_AGO, OTHER: LONG_AGO}, Limits(open_per_repository=2),
            "2 pull requests are open in it, and the limit is 2 in a repository",
        ),
        pytest.param({B: LONG_AGO}, Limits(open_per_repository=1), "", id="another repository has its own limit"),
        pytest.param({B: NOW}, Limits(new_per_hour=1),
                     "1 pull requests were opened within an hour, and the limit is 1"),
        pytest.param({B: NOW - HOUR}, Limits(new_per_hour=1), "", id="an hour ago"),
        pytest.param({}, Limits(new_per_hour=0), "0 pull requests were opened within an hour, and the limit is 0"),
        pytest.param({}, Limits(open=0), "0 pull requests are open, and the limit is 0 in all"),
    ],
)  # fmt: skip
def test_a_limit_that_is_reached_defers(shown: dict[Branch, datetime], limits: Limits, reason: str) -> None:
    deferral = Load.of(shown, ()).defers("acme/a", limits, NOW)

    assert (deferral.reason if deferral else "") == reason


def test_the_hour_says_from_when_on_the_next_may_come() -> None:
    shown = {(f"acme/{n}", "refrom/x"): NOW - timedelta(minutes=50 - n) for n in range(4)}

    deferral = Load.of(shown, ()).defers("acme/a", Limits(new_per_hour=2), NOW)

    assert deferral
    assert deferral.until == NOW - timedelta(minutes=48) + HOUR
    assert Load.of(shown, ()).defers("acme/a", Limits(new_per_hour=2), deferral.until) is None


def test_what_was_merged_within_the_hour_counts_as_opened_and_not_as_open() -> None:
    load = Load.of({A: NOW}, [(A, NOW), (B, NOW)])

    assert load.defers("acme/c", Limits(open=2), NOW) is None
    assert load.defers("acme/c", Limits(new_per_hour=2), NOW)
    assert load.defers("acme/c", Limits(new_per_hour=3), NOW) is None


def test_what_fixes_the_worst_goes_first_then_what_is_behind_for_longest_then_the_name() -> None:
    critical, low = (replace(FIX, severity=severity) for severity in (Severity.CRITICAL, Severity.LOW))
    line = [
        urgency([update(low), update(critical, days=1)], "z"),
        urgency([update(low, days=9)], "y"),
        urgency([update(low, days=2)], "b"),
        urgency([update(days=99)], "x"),
        urgency([update(days=3)], "a"),
        urgency([update(days=3)], "c"),
        urgency([update(days=None)], "a"),
    ]

    assert sorted(line) == line


BRANCHES = st.tuples(st.sampled_from(["acme/a", "acme/b", "acme/c"]), st.sampled_from(["refrom/x", "refrom/y"]))
LIMITS = st.builds(
    Limits, open=st.integers(0, 5), open_per_repository=st.integers(0, 3), new_per_hour=st.integers(0, 4)
)


@given(
    limits=LIMITS,
    shown=st.dictionaries(BRANCHES, st.integers(0, 200).map(lambda n: NOW - timedelta(minutes=n)), max_size=3),
    events=st.lists(st.tuples(BRANCHES, st.booleans(), st.integers(0, 40)), max_size=30),
)
def test_whatever_comes_nothing_is_admitted_over_a_limit(
    limits: Limits, shown: dict[Branch, datetime], events: list[tuple[Branch, bool, int]]
) -> None:
    load, now = Load.of(shown, ()), NOW
    opened = [moment for moments in load.opened.values() for moment in moments]
    for branch, opens, minutes in events:
        now += timedelta(minutes=minutes)
        if not opens:
            load = load.with_closed(branch)
        elif branch not in load.open and load.defers(branch[0], limits, now) is None:
            load = load.with_opened(branch, now)
            opened.append(now)

            assert len(load.open) <= limits.open
            assert sum(name == branch[0] for name, _ in load.open) <= limits.open_per_repository
            assert sum(moment > now - HOUR for moment in opened) <= limits.new_per_hour


@pytest.mark.parametrize("opens", [True, False], ids=["opened", "refreshed"])
@pytest.mark.parametrize(
    ("day", "limits", "reason"),
    [
        pytest.param(1, Limits(), "", id="in the window"),
        pytest.param(2, Limits(), "outside of the schedule", id="outside"),
        pytest.param(2, Limits(open=0), "outside of the schedule", id="outside, and no room"),
        pytest.param(1, Limits(open=0), "0 pull requests are open, and the limit is 0 in all", id="no room"),
        pytest.param(None, Limits(), "", id="no window"),
    ],
)
def test_the_window_stops_all_and_limits_only_what_is_opened(
    day: int | None, limits: Limits, reason: str, *, opens: bool
) -> None:
    """The window is open on one day of the week; the facts stand on a Tuesday."""
    window = None if day is None else Window(zone=UTC, days=frozenset([day]))

    stops = deferral(Load(), "acme/a", limits, window, NOW, opens=opens)

    assert (stops.reason if stops else "") == (reason if opens or not reason.startswith("0") else "")
    assert (stops.until if stops and day == 2 else None) == (NOW.replace(hour=0, day=NOW.day + 1) if day == 2 else None)

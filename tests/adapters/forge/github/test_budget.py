"""What one identity may send, and when: the rules by themselves."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.forge.github.budget import WRITES_AN_HOUR, Budget, is_for_others
from bot.adapters.forge.github.limits import Kind, Limit, Quota

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def wrote(*moments: float) -> Budget:
    budget = Budget()
    for moment in moments:
        budget = budget.wrote(NOON + seconds(moment))
    return budget


@pytest.mark.parametrize(
    ("limit", "remaining", "reserve", "expected"),
    [
        pytest.param(5000, 500, 0.1, False, id="at the share"),
        pytest.param(5000, 499, 0.1, True, id="below it"),
        pytest.param(1000, 99, 0.1, True, id="a workflow's token"),
        pytest.param(15000, 1500, 0.1, False, id="an enterprise's App"),
        pytest.param(5000, 0, 0, False, id="none is left to others"),
        pytest.param(5000, 4999, 0.99, False, id="nearly all"),
        pytest.param(0, 0, 0.1, False, id="a quota of nothing"),
    ],
)
def test_a_share_of_the_quota_is_left_to_others(limit: int, remaining: int, reserve: float, expected: bool) -> None:
    assert is_for_others(remaining, limit, reserve) == expected


@pytest.mark.parametrize(
    ("moments", "now", "next_at"),
    [
        pytest.param([], 0, 0, id="the first"),
        pytest.param([0], 0, 1, id="at once"),
        pytest.param([0], 0.4, 1, id="too soon"),
        pytest.param([0], 5, 5, id="later"),
        pytest.param([0, 1, 2], 2, 3, id="a queue"),
        pytest.param(range(WRITES_AN_HOUR - 1), 700, 700, id="nearly all of an hour"),
        pytest.param(range(WRITES_AN_HOUR), 700, 3600, id="all of an hour"),
        pytest.param(range(WRITES_AN_HOUR), 3600, 3600, id="an hour after the first"),
        pytest.param(range(0, WRITES_AN_HOUR * 10, 10), 5000, 5000, id="spread over more than an hour"),
    ],
)
def test_changes_keep_their_distance_and_their_number(moments: list[float], now: float, next_at: float) -> None:
    assert wrote(*moments).next_write(NOON + seconds(now)) == NOON + seconds(next_at)


@given(st.lists(st.floats(0, 20), min_size=1, max_size=1600))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_no_sequence_of_changes_breaks_what_github_allows(gaps: list[float]) -> None:
    """However eager, never two within a second, more than 80 in a minute, or more than 500 in an hour."""
    budget, now, sent = Budget(), NOON, []
    for gap in gaps:
        now = budget.next_write(now + seconds(gap))
        budget = budget.wrote(now)
        sent.append(now)

    assert all(later - earlier >= seconds(1) for earlier, later in pairwise(sent))
    for span, most in ((timedelta(minutes=1), 80), (HOUR, 500)):
        assert all(later - earlier >= span for earlier, later in zip(sent, sent[most:], strict=False))


@pytest.mark.parametrize(("refusals", "minutes"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (10**6, 60)], ids=str)
def test_limits_in_a_row_are_answered_with_longer_waits(refusals: int, minutes: int) -> None:
    guessed = Limit(Kind.SECONDARY, timedelta(minutes=1), guessed=True)

    assert Budget(refusals=refusals).wait_after(guessed) == timedelta(minutes=minutes)


@pytest.mark.parametrize("refusals", [0, 7])
@pytest.mark.parametrize(("asked", "wait"), [(seconds(7), seconds(7)), (timedelta(days=3), timedelta(days=1))])
def test_a_time_that_github_names_is_kept(refusals: int, asked: timedelta, wait: timedelta) -> None:
    """Up to a day: after that one request asks again."""
    assert Budget(refusals=refusals).wait_after(Limit(Kind.SECONDARY, asked)) == wait


def test_an_answer_without_a_limit_ends_a_row() -> None:
    budget = Budget().refused().refused()

    assert budget.refusals == 2
    assert budget.answered().refusals == 0


def test_quotas_are_of_each_resource() -> None:
    core, points = (Quota(resource=name, limit=5000, remaining=7, reset=NOON) for name in ("core", "graphql"))

    assert Budget().stated(core).stated(points).quotas == {"core": core, "graphql": points}

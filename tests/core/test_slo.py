"""The SLO: the first deadline binds, each runs from when the fix could be had, and a sample survives the journal."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.advisories import Severity
from bot.core.outcome import Outcome, Result
from bot.core.slo import Agreement, Freshness, Lack, Rule, Sample, sample_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)
THREE = Freshness(any=30 * DAY, security_critical=3 * DAY, security_important=7 * DAY)
SINCE = st.integers(0, 90).map(lambda days: NOW - days * DAY)
LACKS = st.lists(st.builds(lambda rule, since: Lack(rule=rule, since=since), st.sampled_from(Rule), SINCE), max_size=4)


@pytest.mark.parametrize(
    ("freshness", "urgent", "rule", "days"),
    [
        pytest.param(THREE, [], Rule.ANY, 30, id="nothing urgent"),
        pytest.param(THREE, [(Rule.SECURITY_CRITICAL, 0)], Rule.SECURITY_CRITICAL, 3, id="critical since the start"),
        pytest.param(THREE, [(Rule.SECURITY_IMPORTANT, 0)], Rule.SECURITY_IMPORTANT, 7, id="important"),
        pytest.param(THREE, [(Rule.SECURITY_CRITICAL, 20)], Rule.SECURITY_CRITICAL, 23, id="from when it could be had"),
        pytest.param(THREE, [(Rule.SECURITY_CRITICAL, 28)], Rule.ANY, 30, id="what came last is not the first to end"),
        pytest.param(
            THREE, [(Rule.SECURITY_CRITICAL, 9), (Rule.SECURITY_IMPORTANT, 0)], Rule.SECURITY_IMPORTANT, 7, id="older"
        ),
        pytest.param(
            *(Freshness(any=30 * DAY, security_critical=0 * DAY), [(Rule.SECURITY_CRITICAL, 0)]),
            *(Rule.SECURITY_CRITICAL, 0),
            id="no time at all is a time",
        ),
        pytest.param(
            Freshness(any=30 * DAY), [(Rule.SECURITY_CRITICAL, 0)], Rule.SECURITY_CRITICAL, 30, id="not agreed on"
        ),
    ],
)
def test_the_first_deadline_binds(freshness: Freshness, urgent: list[tuple[Rule, int]], rule: Rule, days: int) -> None:
    found = freshness.deadline(NOW, [Lack(rule=each, since=NOW + later * DAY) for each, later in urgent])

    assert (found.rule, found.at - NOW) == (rule, days * DAY)


@given(SINCE, LACKS, LACKS)
def test_lacking_more_never_gives_more_time(since: datetime, some: list[Lack], more: list[Lack]) -> None:
    assert THREE.deadline(since, [*some, *more]).at <= THREE.deadline(since, some).at <= since + THREE.any


def test_what_the_settings_leave_open_the_policy_says() -> None:
    assert Agreement().within(5 * DAY) == Freshness(any=5 * DAY)
    assert Agreement(any=2 * DAY, security_critical=DAY).within(5 * DAY) == Freshness(
        any=2 * DAY, security_critical=DAY
    )


def test_only_what_was_agreed_on_has_to_be_looked_for() -> None:
    assert Agreement(any=DAY).urgent == ()
    assert Agreement(security_important=DAY).urgent == (Rule.SECURITY_IMPORTANT,)


def test_a_fix_without_rating_counts_as_the_worst() -> None:
    assert [rule for rule in Rule if rule.severity and rule.severity <= Severity.UNRATED] == [
        Rule.SECURITY_CRITICAL,
        Rule.SECURITY_IMPORTANT,
    ]


def test_a_sample_comes_back_from_the_journal_and_nothing_else_does() -> None:
    sample = Sample(day=date(2026, 11, 24), functions=6, within=4, overdue=1)

    assert sample_of(sample.outcome) == sample
    assert sample_of(Outcome(step="audit", subject="orders", result=Result.FAILED, message="")) is None
    assert sample_of(Outcome(step="propose", subject="slo", result=Result.OPENED, message="")) is None

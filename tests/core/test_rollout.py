"""Rollouts: who is in which wave, when each opens, what halts, and which base comes next."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.advisories import Severity
from bot.core.change import BaseChange, Significance
from bot.core.policy import Policy
from bot.core.rollout import Phase, Rollout, RolloutPolicy, Troubles, Wave, admission, advance, phase
from tests.core.facts import NEW, NOW, OLD, change, unassessed

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RULES = RolloutPolicy(
    soaks={Severity.IMPORTANT: DAY, Severity.CRITICAL: 6 * HOUR},
    waves=(Wave(share=0.1), Wave(repositories=("acme/tools-*",)), Wave(share=0.4)),
)
ROLLOUT = Rollout(runtime="python3.13", base=OLD, began=NOW)
QUIET = Troubles()
NAMES = [f"acme/repository-{number}" for number in range(2000)]
SEVERITIES = st.none() | st.sampled_from(Severity)
SPANS = st.integers(0, 60 * 24).map(lambda hours: timedelta(hours=hours))
MOMENTS = st.integers(-60 * 24, 60 * 24).map(lambda hours: NOW + timedelta(hours=hours))
ANY_RULES = st.builds(
    RolloutPolicy,
    active=SPANS,
    soak=SPANS,
    soaks=st.dictionaries(st.sampled_from(Severity), SPANS, max_size=3),
    waves=st.lists(
        st.builds(Wave, share=st.integers(1, 30).map(lambda percent: percent / 100))
        | st.just(Wave(repositories=("acme/repository-1*",))),
        max_size=4,
    ).map(tuple),
    every=SPANS,
    tolerated=st.integers(0, 2),
)
ROLLOUTS = st.builds(
    Rollout,
    runtime=st.just("python3.13"),
    base=st.sampled_from([OLD, NEW]),
    began=MOMENTS,
    severity=SEVERITIES,
    paused=SPANS,
    makeshift=st.booleans(),
)
TROUBLES = st.builds(
    Troubles,
    failures=st.lists(st.just("carts cannot be built"), max_size=3).map(tuple),
    taken_back=st.lists(st.just("carts was rolled back"), max_size=1).map(tuple),
    blocked=st.sampled_from(["", "it is blocked"]),
)
CHANGES = st.none() | st.sampled_from([*map(change, Significance), unassessed()])
PROPERTY = settings(max_examples=150, deadline=None, derandomize=True)


def test_shares_are_about_as_large_as_they_say_and_names_come_first() -> None:
    waves = [RULES.wave_of(name) for name in NAMES]

    assert [round(waves.count(number) / len(waves), 1) for number in range(4)] == [0.1, 0.0, 0.4, 0.5]
    assert RULES.wave_of("acme/tools-lint") == 1


def test_a_repository_stays_in_its_wave_of_shares_where_names_are_added() -> None:
    named = replace(RULES, waves=(Wave(repositories=("other/*",)), *RULES.waves))

    assert all(named.wave_of(name) == RULES.wave_of(name) + 1 for name in NAMES)


def test_shares_of_a_whole_leave_nobody_over() -> None:
    whole = RolloutPolicy(waves=(Wave(share=0.3), Wave(share=0.7)))

    assert {whole.wave_of(name) for name in NAMES} == {0, 1}


@pytest.mark.parametrize(
    ("severity", "soak", "urgent"),
    [
        (None, 3 * DAY, False),
        (Severity.LOW, 3 * DAY, False),
        (Severity.MEDIUM, 3 * DAY, False),
        (Severity.IMPORTANT, DAY, True),
        (Severity.CRITICAL, 6 * HOUR, True),
        (Severity.UNRATED, 6 * HOUR, True),
    ],
)
def test_the_worse_what_a_base_fixes_the_shorter_its_soak(
    severity: Severity | None, soak: timedelta, *, urgent: bool
) -> None:
    """What nobody rated may be the worst."""
    assert (RULES.soak_for(severity), RULES.is_urgent(severity)) == (soak, urgent)


def test_without_shorter_soaks_nothing_is_urgent() -> None:
    assert not RolloutPolicy().is_urgent(Severity.CRITICAL)


def test_waves_open_one_by_one_after_the_soak_and_then_it_is_done() -> None:
    told = [phase(RULES, ROLLOUT, QUIET, NOW + day * DAY) for day in range(9)]

    assert told == [
        *[(Phase.ONE, 0)] * 3,
        *[(Phase.WAVES, opened) for opened in (1, 2, 3, 4)],
        *[(Phase.DONE, 4)] * 2,
    ]


@pytest.mark.parametrize(
    ("troubles", "why"),
    [
        pytest.param(QUIET, "", id="none"),
        pytest.param(Troubles(failures=("a",)), "", id="as many as are tolerated"),
        pytest.param(Troubles(failures=("a", "b")), "a; b", id="one more"),
        pytest.param(Troubles(taken_back=("c",)), "c", id="a roll back"),
        pytest.param(Troubles(failures=("a",), taken_back=("c",)), "c", id="only what halts is told"),
        pytest.param(Troubles(blocked="d", taken_back=("c",)), "d; c", id="a block"),
    ],
)
def test_what_halts_says_who_it_happened_to(troubles: Troubles, why: str) -> None:
    rules = replace(RULES, tolerated=1)

    assert troubles.halt(rules) == why
    admitted = admission(rules, ROLLOUT, troubles, "acme/orders", NOW)
    assert (admitted.opens is None) == bool(why)
    assert why in admitted.why
    assert (phase(rules, ROLLOUT, troubles, NOW + 30 * DAY)[0] is Phase.HALTED) == bool(why)


def test_while_it_is_halted_the_time_of_soak_and_waves_stands_still() -> None:
    halted = ROLLOUT.went_on(NOW + DAY, halts=True)
    later = halted.went_on(NOW + 5 * DAY, halts=True)

    goes_on = later.went_on(NOW + 11 * DAY, halts=False)

    assert later == halted
    assert phase(RULES, halted, Troubles(taken_back=("c",)), NOW + 11 * DAY) == (Phase.HALTED, 0)
    assert (goes_on.halted, goes_on.paused) == (None, 10 * DAY)
    assert goes_on.opens(RULES, 0) == NOW + 13 * DAY
    assert goes_on.went_on(NOW + 12 * DAY, halts=False) is goes_on


NEWEST = Rollout(runtime="python3.13", base=NEW, began=NOW + DAY)
AFTER = replace(NEWEST, began=NOW + 8 * DAY)
"""When the first one is done."""


def fixing(severity: Severity, rollout: Rollout = NEWEST) -> Rollout:
    return replace(rollout, severity=severity)


@pytest.mark.parametrize(
    ("newest", "what", "troubles", "goes_on"),
    [
        pytest.param(replace(NEWEST, base=OLD), None, QUIET, False, id="the same digest"),
        pytest.param(NEWEST, change(Significance.LANGUAGE), QUIET, False, id="underway, so the next one waits"),
        pytest.param(fixing(Severity.LOW), change(Significance.SECURITY), QUIET, False, id="a small fix waits, too"),
        pytest.param(
            fixing(Severity.IMPORTANT), change(Significance.SECURITY), QUIET, True, id="an urgent fix does not"
        ),
        pytest.param(NEWEST, None, QUIET, False, id="underway, and nobody could compare"),
        pytest.param(AFTER, change(Significance.LANGUAGE), QUIET, True, id="done, and it matters"),
        pytest.param(AFTER, change(Significance.PACKAGES), QUIET, False, id="done, and it does not matter"),
        pytest.param(AFTER, None, QUIET, True, id="done, and nobody could compare"),
        pytest.param(
            replace(AFTER, began=NOW + 30 * DAY), change(Significance.FILES), QUIET, True, id="done, and too old"
        ),
        pytest.param(
            replace(AFTER, began=NOW + 90 * DAY), change(Significance.NONE), QUIET, False, id="old, and the same"
        ),
        pytest.param(NEWEST, change(Significance.FILES), Troubles(taken_back=("c",)), True, id="halted"),
        pytest.param(NEWEST, None, Troubles(taken_back=("c",)), True, id="halted, and nobody could compare"),
        pytest.param(NEWEST, change(Significance.NONE), Troubles(taken_back=("c",)), False, id="halted, and the same"),
        pytest.param(NEWEST, change(Significance.FILES), Troubles(blocked="b"), True, id="blocked"),
        pytest.param(NEWEST, change(Significance.NONE), Troubles(blocked="b"), False, id="blocked, and the same"),
        pytest.param(NEWEST, change(Significance.FILES), Troubles(failures=("f",)), True, id="halted by a failure"),
    ],
)
def test_the_newest_base_takes_its_turn(
    newest: Rollout, what: BaseChange | None, troubles: Troubles, *, goes_on: bool
) -> None:
    chosen = advance(ROLLOUT, newest, what, RULES, Policy(), troubles)

    assert (chosen.base, chosen.began) == ((NEW, newest.began) if goes_on else (OLD, NOW))
    assert chosen.makeshift == (goes_on and bool(troubles.blocked))


def test_a_stream_without_one_begins_with_its_newest_base() -> None:
    assert advance(None, NEWEST, None, RULES, Policy(), QUIET) is NEWEST


def test_what_takes_the_place_of_an_unfinished_base_fixes_what_that_one_fixed() -> None:
    halted = Troubles(taken_back=("c",))

    early = advance(fixing(Severity.CRITICAL, ROLLOUT), NEWEST, change(Significance.FILES), RULES, Policy(), halted)
    late = advance(fixing(Severity.CRITICAL, ROLLOUT), AFTER, change(Significance.LANGUAGE), RULES, Policy(), QUIET)

    assert (early.severity, late.severity) == (Severity.CRITICAL, None)


def test_what_follows_a_blocked_base_gives_way_to_whatever_matters() -> None:
    back = replace(ROLLOUT, makeshift=True)

    follows = advance(back, NEWEST, change(Significance.LANGUAGE), RULES, Policy(), QUIET)
    stays = advance(back, NEWEST, change(Significance.FILES), RULES, Policy(), QUIET)

    assert (follows.base, follows.makeshift, stays.base) == (NEW, False, OLD)


@PROPERTY
@given(rules=ANY_RULES, rollout=ROLLOUTS, name=st.sampled_from(NAMES), changed=st.none() | MOMENTS)
def test_nobody_is_in_phase_two_before_the_soak_of_phase_one(
    rules: RolloutPolicy, rollout: Rollout, name: str, changed: datetime | None
) -> None:
    admitted = admission(rules, rollout, QUIET, name, changed)

    active = changed is not None and changed >= rollout.began - rules.active
    assert admitted.opens is not None
    assert active or admitted.opens >= rollout.began + rollout.paused + rules.soak_for(rollout.severity)
    assert admitted.opens <= rollout.ends(rules)


@PROPERTY
@given(rules=ANY_RULES, rollout=ROLLOUTS, name=st.sampled_from(NAMES), changed=MOMENTS, later=SPANS)
def test_a_change_never_makes_a_repository_wait_longer(
    rules: RolloutPolicy, rollout: Rollout, name: str, changed: datetime, later: timedelta
) -> None:
    before, after, never = (admission(rules, rollout, QUIET, name, when) for when in (changed, changed + later, None))

    moments = [admitted.opens for admitted in (after, before, never) if admitted.opens]
    assert len(moments) == 3
    assert moments == sorted(moments)


@PROPERTY
@given(rules=ANY_RULES, rollout=ROLLOUTS, now=MOMENTS, later=SPANS)
def test_no_wave_that_is_open_is_closed_again_by_time(
    rules: RolloutPolicy, rollout: Rollout, now: datetime, later: timedelta
) -> None:
    order = [Phase.ONE, Phase.WAVES, Phase.DONE]
    (one, opened), (other, more) = (phase(rules, rollout, QUIET, moment) for moment in (now, now + later))

    assert opened <= more
    assert order.index(one) <= order.index(other)


@PROPERTY
@given(rules=ANY_RULES, rollout=ROLLOUTS, now=MOMENTS, pause=SPANS, wave=st.integers(0, 4))
def test_a_halt_moves_every_wave_by_as_long_as_it_lasts(
    rules: RolloutPolicy, rollout: Rollout, now: datetime, pause: timedelta, wave: int
) -> None:
    after = rollout.went_on(now, halts=True).went_on(now + pause, halts=False)

    assert after.opens(rules, wave) == rollout.opens(rules, wave) + pause


@PROPERTY
@given(current=ROLLOUTS, newest=ROLLOUTS, what=CHANGES, rules=ANY_RULES, troubles=TROUBLES, max_age=SPANS, later=SPANS)
def test_a_stream_goes_to_one_of_two_bases_and_never_back_with_time(
    current: Rollout,
    newest: Rollout,
    what: BaseChange | None,
    rules: RolloutPolicy,
    troubles: Troubles,
    max_age: timedelta,
    later: timedelta,
) -> None:
    policy = Policy(max_age=max_age)

    chosen = advance(current, newest, what, rules, policy, troubles)
    then = advance(current, replace(newest, began=newest.began + later), what, rules, policy, troubles)

    assert chosen is current or (chosen.base, chosen.began) == (newest.base, newest.began)
    if chosen is not current:
        assert newest.base != current.base
        assert what is None or what.significance is not Significance.NONE
        assert then is not current
    if troubles.halt(rules) and newest.base != current.base and (what is None or what.significance.rank):
        assert chosen is not current

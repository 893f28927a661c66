"""The plan: what holds for all facts, policies and declarations."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.advisories import Severity
from bot.core.change import Significance
from bot.core.plan import Known, Skip, Unwatched, Update, Waiting, decide, plan
from bot.core.policy import Block, Declarations, Hold, OnUnknown, Policy, Style, UpdateOn
from tests.core.facts import (
    CHANGES,
    DATE,
    DATED,
    NEW,
    NEW_AMD64,
    NEW_ARM64,
    NOTHING,
    NOW,
    OLD,
    PINNED,
    UNEDITABLE,
    UNPINNED,
    change,
    latest,
    unassessed,
    use,
)

MOMENTS = st.integers(-400, 400).map(lambda days: NOW + timedelta(days=days))
SPANS = st.integers(0, 200).map(lambda days: timedelta(days=days))
POLICIES = st.builds(
    Policy,
    update_on=st.sampled_from(UpdateOn),
    min_severity=st.sampled_from([Severity.LOW, Severity.CRITICAL]),
    max_age=SPANS,
    soak=SPANS,
    style=st.sampled_from(Style),
    on_unknown=st.sampled_from(OnUnknown),
)
USES = st.sampled_from(
    [use(text, path) for text in (PINNED, UNPINNED, DATED, UNEDITABLE) for path in ("Dockerfile", "a.Dockerfile")]
)
DIGESTS = st.sampled_from([OLD, NEW, NEW_AMD64, NEW_ARM64])
CHANGED = [make(significance) for significance in CHANGES for make in (change, unassessed)]
FACTS = st.one_of(
    st.builds(Unwatched, use=USES, fault=st.just("no version")),
    st.builds(
        Known,
        use=USES,
        latest=MOMENTS.map(latest),
        candidate=st.sampled_from([NEW, NEW_ARM64]),
        in_use=st.none() | DIGESTS,
        change=st.none() | st.sampled_from(CHANGED),
        dated_tag=st.none() | st.just(DATE),
        behind_since=st.none() | MOMENTS,
    ),
)
DATES = st.none() | MOMENTS.map(datetime.date)
DECLARED = st.builds(
    Declarations,
    holds=st.lists(
        st.builds(Hold, reason=st.just("freeze"), until=DATES, path=st.sampled_from([None, "a.*"])), max_size=2
    ).map(tuple),
    blocks=st.lists(st.builds(Block, digest=DIGESTS, reason=st.just("bad"), until=DATES), max_size=2).map(tuple),
)
PROPERTY = settings(max_examples=150, deadline=None, derandomize=True)


@PROPERTY
@given(facts=FACTS, policy=POLICIES, declared=DECLARED, now=MOMENTS)
def test_whatever_the_facts_nothing_held_blocked_or_equal_is_updated(
    facts: Known | Unwatched, policy: Policy, declared: Declarations, now: datetime
) -> None:
    decision = decide(facts, policy, declared, now)

    assert decision.use is facts.use
    assert decision.reason
    if isinstance(decision, Update):
        assert not any(
            (not hold.until or now.date() <= hold.until) and (not hold.path or facts.use.located.path.startswith("a."))
            for hold in declared.holds
        )
        assert not declared.is_blocked(decision.new, now.date())
        assert decision.change is None or decision.change.significance is not Significance.NONE or not decision.old
    if isinstance(decision, Skip):
        assert isinstance(facts, Unwatched) or facts.use.located.use.cannot_edit


@PROPERTY
@given(facts=st.lists(st.tuples(FACTS, POLICIES), max_size=5), declared=DECLARED, data=st.data())
def test_a_plan_depends_on_the_facts_alone_and_not_on_their_order(
    facts: list[tuple[Known | Unwatched, Policy]], declared: Declarations, data: st.DataObject
) -> None:
    unique = list({entry[0].use.sort_key: entry for entry in facts}.values())
    shuffled = data.draw(st.permutations(unique))

    assert plan(shuffled, declared, NOW) == plan(unique, declared, NOW)


@PROPERTY
@given(facts=FACTS, policy=POLICIES, now=MOMENTS, later=SPANS)
def test_what_is_due_stays_due(facts: Known | Unwatched, policy: Policy, now: datetime, later: timedelta) -> None:
    if isinstance(decide(facts, policy, NOTHING, now), Update):
        assert isinstance(decide(facts, policy, NOTHING, now + later), Update)


@PROPERTY
@given(facts=FACTS, policy=POLICIES, now=MOMENTS)
def test_a_policy_that_updates_on_less_takes_all_that_one_that_updates_on_more_takes(
    facts: Known | Unwatched, policy: Policy, now: datetime
) -> None:
    taken = [
        isinstance(decide(facts, replace(policy, update_on=update_on), NOTHING, now), Update)
        for update_on in (UpdateOn.SECURITY, UpdateOn.LANGUAGE, UpdateOn.PACKAGES, UpdateOn.ANY)
    ]

    assert taken == sorted(taken)


@PROPERTY
@given(facts=FACTS, policy=POLICIES, now=MOMENTS)
def test_waiting_ends_when_it_says(facts: Known | Unwatched, policy: Policy, now: datetime) -> None:
    decision = decide(facts, policy, NOTHING, now)

    if isinstance(decision, Waiting) and decision.until and isinstance(facts, Known) and facts.behind_since:
        assert decision.until > now
        assert not isinstance(decide(facts, policy, NOTHING, decision.until), Waiting)

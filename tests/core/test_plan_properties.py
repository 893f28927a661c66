"""The plan: what holds for all facts, policies and declarations."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.advisories import Severity
from bot.core.change import Significance
from bot.core.decision import Known, Skip, Unwatched, Update, Waiting
from bot.core.modes import Mode, UpdateMode, effective
from bot.core.plan import decide, plan
from bot.core.policy import Block, Declarations, Hold, OnUnknown, Policy, Style, UpdateOn
from bot.core.rollout import Rollout, RolloutPolicy, Troubles, Wave, admission
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
        then = decide(facts, policy, NOTHING, decision.until)
        assert decision.until > now
        if isinstance(then, Waiting):  # what has soaked may still wait for the tag that names it, and that ends too
            assert "no date-stamped tag" in then.reason.removeprefix(decision.reason)
            assert then.until
            assert not isinstance(decide(facts, policy, NOTHING, then.until), Waiting)


DAY = timedelta(days=1)
WAVES = (Wave(share=0.2), Wave(repositories=("acme/tools-*",)), Wave(share=0.5))
RULES = st.builds(
    RolloutPolicy,
    active=SPANS,
    soak=SPANS,
    waves=st.sampled_from([(), WAVES]),
    every=SPANS,
    tolerated=st.integers(0, 1),
)
MODES = st.lists(
    st.builds(
        UpdateMode,
        mode=st.sampled_from(Mode),
        said_by=st.sampled_from(["the policy", "tag refrom:mode"]),
        until=DATES,
        narrows=st.booleans(),
    ),
    max_size=3,
).map(tuple)
TROUBLES = st.builds(
    Troubles,
    failures=st.lists(st.just("carts cannot be built on it"), max_size=2).map(tuple),
    taken_back=st.lists(st.just("carts was rolled back"), max_size=1).map(tuple),
)
KNOWN = FACTS.filter(lambda facts: isinstance(facts, Known))
REPOSITORIES = st.sampled_from(["acme/orders", "acme/tools-lint", *(f"acme/r{number}" for number in range(20))])


@st.composite
def rolled_out(draw: st.DrawFn) -> tuple[Known, RolloutPolicy, Rollout, Troubles]:
    """Facts of a use whose stream is rolled out, with the rollout."""
    facts = draw(KNOWN)
    assert isinstance(facts, Known)
    rollout = Rollout(runtime="python3.13", base=NEW, began=draw(MOMENTS), paused=draw(SPANS))
    rules, troubles, changed = draw(RULES), draw(TROUBLES), draw(st.none() | MOMENTS)
    repository = draw(REPOSITORIES)
    admitted = admission(rules, rollout, troubles, repository, changed)
    use_there = replace(facts.use, repository=repository)
    facts = replace(facts, use=use_there, changed=changed, admission=admitted, sick=draw(st.booleans()))
    return facts, rules, rollout, troubles


@PROPERTY
@given(made=rolled_out(), policy=POLICIES, modes=MODES, declared=DECLARED, now=MOMENTS)
def test_nothing_is_updated_in_mode_manual(
    made: tuple[Known, RolloutPolicy, Rollout, Troubles],
    policy: Policy,
    modes: tuple[UpdateMode, ...],
    declared: Declarations,
    now: datetime,
) -> None:
    decision = decide(made[0], replace(policy, modes=modes), declared, now)

    if effective(modes, now.date()).mode is Mode.MANUAL:
        assert not isinstance(decision, Update)


@PROPERTY
@given(made=rolled_out(), policy=POLICIES, modes=MODES, declared=DECLARED, now=MOMENTS)
def test_nothing_is_updated_in_phase_two_before_the_soak_of_phase_one_nor_while_the_rollout_is_halted(
    made: tuple[Known, RolloutPolicy, Rollout, Troubles],
    policy: Policy,
    modes: tuple[UpdateMode, ...],
    declared: Declarations,
    now: datetime,
) -> None:
    """What leaves a blocked base alone does not wait."""
    facts, rules, rollout, troubles = made

    decision = decide(facts, replace(policy, modes=modes), declared, now)

    if isinstance(decision, Update) and not (facts.sick and facts.in_use):
        assert not troubles.halt(rules)
        assert now >= rollout.began
        active = facts.changed and facts.changed >= rollout.began - rules.active
        assert active or now >= rollout.began + rollout.paused + rules.soak


@PROPERTY
@given(made=rolled_out(), policy=POLICIES, modes=MODES, declared=DECLARED, now=MOMENTS)
def test_nothing_is_updated_to_a_blocked_base_whatever_the_rollout(
    made: tuple[Known, RolloutPolicy, Rollout, Troubles],
    policy: Policy,
    modes: tuple[UpdateMode, ...],
    declared: Declarations,
    now: datetime,
) -> None:
    decision = decide(made[0], replace(policy, modes=modes), declared, now)

    if isinstance(decision, Update):
        assert not declared.is_blocked(decision.new, now.date())


@PROPERTY
@given(made=rolled_out(), policy=POLICIES, now=MOMENTS, later=SPANS)
def test_what_a_rollout_lets_through_it_lets_through_later(
    made: tuple[Known, RolloutPolicy, Rollout, Troubles], policy: Policy, now: datetime, later: timedelta
) -> None:
    if isinstance(decide(made[0], policy, NOTHING, now), Update):
        assert isinstance(decide(made[0], policy, NOTHING, now + later), Update)


@PROPERTY
@given(made=st.lists(rolled_out(), max_size=6), data=st.data())
def test_a_plan_under_rollouts_is_the_same_for_any_order(
    made: list[tuple[Known, RolloutPolicy, Rollout, Troubles]], data: st.DataObject
) -> None:
    unique = list({facts.use.sort_key: (facts, Policy()) for facts, *_ in made}.values())

    assert plan(data.draw(st.permutations(unique)), NOTHING, NOW) == plan(unique, NOTHING, NOW)


PLAN_OF_A_FLEET = """
from dataclasses import replace
from datetime import timedelta
from bot.core.plan import plan
from bot.core.policy import Policy
from bot.core.rollout import Rollout, RolloutPolicy, Troubles, Wave, admission
from tests.core.facts import NEW, NOTHING, NOW, known

rules = RolloutPolicy(waves=(Wave(share=0.1), Wave(repositories=("acme/tools-*",)), Wave(share=0.5)))
rollout = Rollout(runtime="python3.13", base=NEW, began=NOW - timedelta(days=4))
facts = known()
uses = {replace(facts.use, repository=f"acme/{kind}{n}") for n in range(300) for kind in ("r", "tools-")}
fleet = [
    (replace(facts, use=use, admission=admission(rules, rollout, Troubles(), use.repository, None)), Policy())
    for use in uses
]
for decision in plan(fleet, NOTHING, NOW):
    print(decision.use.repository, type(decision).__name__, decision.reason, getattr(decision, "until", ""))
"""


def test_every_worker_makes_the_same_plan_and_the_same_waves() -> None:
    """Two processes whose hashes of text differ read a set of uses in different orders."""
    told = []
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", PLAN_OF_A_FLEET],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        told.append(ran.stdout)

    assert told[0] == told[1]
    assert told[0].count("Update") > 50
    assert told[0].count("Waiting") > 50

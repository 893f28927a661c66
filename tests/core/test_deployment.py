"""A deployment goes on by steps, stops at harm, ends, and says the same however often it is asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.deployment import (
    AT_ONCE,
    LOOK,
    Alias,
    Finish,
    Leave,
    Mark,
    RollBack,
    Served,
    Shift,
    Signs,
    Strategy,
    Wait,
    next_step,
    underway,
)
from bot.core.errors import DeployError

NOW = datetime(2026, 11, 25, 16, 42, 24, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OLD = Alias(name="live", version="1", revision="r", description="payments, ask Ann")
CANARY = replace(Strategy.parse("LambdaCanary10Percent5Minutes"), bake=10 * MINUTE)
GOOD = Signs()


def begun(strategy: Strategy = CANARY) -> Alias:
    """The alias after the first shift."""
    step = next_step(strategy, OLD, "2", GOOD, NOW)
    assert isinstance(step, Shift)
    return step.alias


def served_alone(strategy: Strategy = CANARY) -> Alias:
    """The alias once the new version serves all and is baked, five minutes later."""
    step = next_step(strategy, begun(strategy), "2", GOOD, NOW + 5 * MINUTE)
    assert isinstance(step, Shift)
    return step.alias


@pytest.mark.parametrize(
    ("name", "weights", "minutes"),
    [
        pytest.param("all-at-once", (1.0,), 0, id="at once"),
        pytest.param("CodeDeployDefault.LambdaAllAtOnce", (1.0,), 0, id="at once, as CodeDeploy says it"),
        pytest.param("LambdaCanary10Percent5Minutes", (0.1, 1.0), 5, id="canary"),
        pytest.param("CodeDeployDefault.LambdaCanary10Percent30Minutes", (0.1, 1.0), 30, id="canary in full"),
        pytest.param("LambdaLinear10PercentEvery1Minute", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0), 1),
        pytest.param("LambdaLinear40PercentEvery2Minutes", (0.4, 0.8, 1.0), 2, id="a rest"),
    ],
)
def test_strategies_are_named_as_codedeploy_names_them(name: str, weights: tuple[float, ...], minutes: int) -> None:
    strategy = Strategy.parse(name)

    assert (strategy.weights, strategy.every) == (weights, minutes * MINUTE)
    assert strategy.lasts == (len(weights) - 1) * minutes * MINUTE


@pytest.mark.parametrize(
    "name",
    [
        "",
        "canary",
        "LambdaCanary0Percent5Minutes",
        "LambdaCanary10Percent0Minutes",
        "LambdaCanary100Percent5Minutes",
        "LambdaLinear10PercentEvery1Minutes1",
        "LambdaCanary10Percent5Minute",
        "ECSCanary10Percent5Minutes",
    ],
)
def test_what_is_no_strategy_is_told_with_the_cure(name: str) -> None:
    with pytest.raises(ValueError, match="is no strategy; write all-at-once, or as CodeDeploy does"):
        Strategy.parse(name)


class TestBeginning:
    def test_a_canary_begins_with_its_part_and_a_mark(self) -> None:
        alias = begun()

        assert (alias.version, alias.weights) == ("1", (("2", 0.1),))
        assert alias.description == "payments, ask Ann [refrom: 1>2 since 2026-11-25T16:42:24Z]"
        assert underway(alias) == Mark(old="1", new="2", since=NOW)

    def test_all_at_once_without_a_bake_leaves_no_mark(self) -> None:
        step = next_step(AT_ONCE, OLD, "2", GOOD, NOW)

        assert step == Shift(replace(OLD, version="2"), 1.0)

    def test_all_at_once_with_a_bake_is_marked_and_watched(self) -> None:
        step = next_step(replace(AT_ONCE, bake=MINUTE), OLD, "2", GOOD, NOW)

        assert isinstance(step, Shift)
        assert (step.alias.version, step.alias.weights) == ("2", ())
        assert underway(step.alias) == Mark(old="1", new="2", since=NOW)

    @pytest.mark.parametrize(
        ("signs", "why"),
        [
            pytest.param(Signs(alarms=("errors",)), "alarm errors rings", id="alarm"),
            pytest.param(Signs(unready="1 of 2 are there"), "1 of 2 are there", id="unready"),
            pytest.param(Signs(unseen="no network"), "no network", id="unseen"),
            pytest.param(Signs(failure="version 2 failed"), "version 2 failed", id="failure"),
        ],
    )
    def test_nothing_begins_while_something_speaks_against_it(self, signs: Signs, why: str) -> None:
        assert next_step(CANARY, OLD, "2", signs, NOW) == Wait(NOW + LOOK, f"nothing is shifted yet: {why}")

    def test_what_is_served_already_is_finished(self) -> None:
        assert next_step(CANARY, OLD, "1", GOOD, NOW) == Finish(OLD)

    def test_a_stale_mark_of_versions_long_gone_is_replaced(self) -> None:
        stale = replace(OLD, description=Mark(old="7", new="8", since=NOW).on("text"))

        step = next_step(CANARY, stale, "2", GOOD, NOW)

        assert isinstance(step, Shift)
        assert step.alias.description == "text [refrom: 1>2 since 2026-11-25T16:42:24Z]"

    def test_a_description_without_room_for_the_mark_is_refused_before_anything_moves(self) -> None:
        full = replace(OLD, description="x" * 230)

        with pytest.raises(DeployError, match="leaves no room for refrom's mark; shorten it by 18 characters"):
            next_step(CANARY, full, "2", GOOD, NOW)

    def test_a_description_has_room_for_the_mark_of_the_rollback_too(self) -> None:
        for length in range(195, 256):
            try:
                step = next_step(CANARY, replace(OLD, description="x" * length), "2", GOOD, NOW)
            except DeployError:
                break
            assert isinstance(step, Shift)
            back = next_step(CANARY, step.alias, "2", Signs(failure="f"), NOW)
            assert isinstance(back, RollBack)
            assert len(step.alias.description) <= 256
            assert len(back.alias.description) <= 256


class TestGoingOn:
    def test_each_weight_is_watched_for_its_time(self) -> None:
        early = next_step(CANARY, begun(), "2", GOOD, NOW + 4 * MINUTE + timedelta(seconds=30))

        assert early == Wait(NOW + 5 * MINUTE, "version 2 serves 10% and is watched")

    def test_a_watched_step_is_looked_at_every_minute(self) -> None:
        assert next_step(CANARY, begun(), "2", GOOD, NOW) == Wait(NOW + LOOK, "version 2 serves 10% and is watched")

    def test_then_the_new_version_serves_all_and_is_baked(self) -> None:
        alias = served_alone()

        assert (alias.version, alias.weights) == ("2", ())
        assert underway(alias) == Mark(old="1", new="2", since=NOW + 5 * MINUTE)

    def test_after_the_bake_the_mark_is_gone_and_a_person_s_words_are_as_they_were(self) -> None:
        step = next_step(CANARY, served_alone(), "2", GOOD, NOW + 15 * MINUTE)

        assert step == Finish(replace(OLD, version="2"))

    def test_a_pause_of_hours_skips_no_weight(self) -> None:
        linear = Strategy.parse("LambdaLinear10PercentEvery1Minute")

        step = next_step(linear, begun(linear), "2", GOOD, NOW + timedelta(hours=9))

        assert isinstance(step, Shift)
        assert step.weight == pytest.approx(0.2)

    def test_other_settings_in_the_middle_still_lead_to_the_end(self) -> None:
        step = next_step(AT_ONCE, begun(), "2", GOOD, NOW + MINUTE)

        assert isinstance(step, Shift)
        assert (step.weight, step.alias.version) == (1.0, "2")

    @pytest.mark.parametrize("minutes", [5, 19])
    def test_what_is_not_ready_is_waited_for(self, minutes: int) -> None:
        step = next_step(CANARY, begun(), "2", Signs(unready="0 of 2 are there"), NOW + minutes * MINUTE)

        assert step == Wait(NOW + (minutes + 1) * MINUTE, "0 of 2 are there")

    @pytest.mark.parametrize("signs", [Signs(unready="0 of 2 are there"), Signs(unseen="access denied")])
    def test_but_not_for_longer_than_the_timeout(self, signs: Signs) -> None:
        step = next_step(CANARY, begun(), "2", signs, NOW + 20 * MINUTE)

        assert isinstance(step, RollBack)
        assert step.why == f"it took too long: {signs.missing}"

    def test_all_the_weight_beside_the_old_version_is_not_the_end_yet(self) -> None:
        step = next_step(CANARY, replace(begun(), weights=(("2", 1.0),)), "2", GOOD, NOW + 5 * MINUTE)

        assert isinstance(step, Shift)
        assert (step.alias.version, step.alias.weights) == ("2", ())


class TestGoingBack:
    @pytest.mark.parametrize("alias", [begun(), served_alone()], ids=["shifting", "baking"])
    @pytest.mark.parametrize(
        ("signs", "why"),
        [
            pytest.param(Signs(alarms=("a", "b")), "alarm a, b rings", id="alarms"),
            pytest.param(
                Signs(failure="version 2 failed: ImageDeleted"), "version 2 failed: ImageDeleted", id="failed"
            ),
            pytest.param(
                Signs(now=Served(invocations=20, errors=10), before=Served(invocations=200, errors=1)),
                "10 of 20 invocations failed, of the version before 1 of 200",
                id="errors",
            ),
        ],
    )
    def test_harm_brings_the_old_version_back_at_once(self, alias: Alias, signs: Signs, why: str) -> None:
        step = next_step(CANARY, alias, "2", signs, NOW + 5 * MINUTE)

        back = replace(OLD, description="payments, ask Ann [refrom: 2 taken back 2026-11-25T16:47:24Z]")
        assert step == RollBack(back, "2", why)

    def test_a_version_that_was_taken_back_is_not_tried_again(self) -> None:
        step = next_step(CANARY, begun(), "2", Signs(failure="f"), NOW)
        assert isinstance(step, RollBack)

        again = next_step(CANARY, step.alias, "2", GOOD, NOW + timedelta(days=9))

        assert isinstance(again, Leave)
        assert again.refused
        assert "version 2 was taken back from alias live at 2026-11-25T16:42:24Z; deploy another image" in again.why

    def test_the_version_after_it_is_tried(self) -> None:
        step = next_step(CANARY, begun(), "2", Signs(failure="f"), NOW)
        assert isinstance(step, RollBack)

        assert isinstance(next_step(CANARY, step.alias, "3", GOOD, NOW), Shift)

    @pytest.mark.parametrize(
        ("now", "before", "worse"),
        [
            pytest.param((2, 2), (100, 0), False, id="two errors prove nothing"),
            pytest.param((3, 3), (100, 0), True, id="all of three fail"),
            pytest.param((100, 5), (100, 0), False, id="within five points"),
            pytest.param((100, 6), (100, 0), True, id="beyond five points"),
            pytest.param((100, 40), (100, 20), False, id="twice as many"),
            pytest.param((100, 41), (100, 20), True, id="more than twice as many"),
            pytest.param((100, 100), (100, 50), False, id="one that mostly failed before"),
            pytest.param((0, 0), (100, 0), False, id="not called"),
        ],
    )
    def test_errors_are_compared_with_those_of_the_version_before(
        self, now: tuple[int, int], before: tuple[int, int], worse: bool
    ) -> None:
        signs = Signs(
            now=Served(invocations=now[0], errors=now[1]), before=Served(invocations=before[0], errors=before[1])
        )

        assert bool(signs.bad) is worse

    def test_what_cannot_be_seen_hides_nothing_that_can(self) -> None:
        parts = [Signs(unseen="no metrics"), Signs(alarms=("a",)), Signs(unready="u"), Signs(now=Served(invocations=1))]

        together = Signs.together(parts)

        assert together == Signs(unseen="no metrics", alarms=("a",), unready="u", now=Served(invocations=1))
        assert isinstance(next_step(CANARY, begun(), "2", together, NOW), RollBack)


class TestOthers:
    def test_weights_without_our_mark_are_somebody_else_s(self) -> None:
        theirs = replace(OLD, weights=(("2", 0.5),))

        step = next_step(CANARY, theirs, "2", GOOD, NOW)

        assert step == Leave("alias live is being shifted by somebody else; left alone")

    def test_weights_that_are_not_those_of_our_mark_are_somebody_else_s(self) -> None:
        assert isinstance(next_step(CANARY, replace(begun(), weights=(("3", 0.1),)), "2", GOOD, NOW), Leave)

    def test_what_a_person_took_back_stays_there(self) -> None:
        step = next_step(CANARY, replace(begun(), weights=()), "2", GOOD, NOW)

        assert isinstance(step, Leave)
        assert (step.refused, "somebody took version 2 back" in step.why) == (False, True)

    @pytest.mark.parametrize(
        "text",
        [
            "[refrom: 1>2 since yesterday]",
            "[refrom: 1>2 since 2026-13-45T99:99:99Z]",
            "[refrom: 2 since 2026-11-25T16:42:24Z]",
        ],
    )
    def test_what_only_looks_like_a_mark_is_none(self, text: str) -> None:
        assert Mark.read(text) is None


texts = st.text(st.characters(exclude_characters="[", exclude_categories=["Cs"]), max_size=180)
moments = st.integers(0, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds - 10**8))


@given(texts, st.integers(1, 10**6), st.integers(1, 10**6), moments, st.booleans())
def test_a_mark_comes_back_from_any_description_and_leaves_it_as_it_was(
    text: str, old: int, new: int, since: datetime, back: bool
) -> None:
    mark = Mark(old=None if back else str(old), new=str(new), since=since)

    assert Mark.read(mark.on(text)) == mark
    assert mark.on(Mark(old="1", new="2", since=NOW).on(text)) == mark.on(text)
    finished = next_step(
        AT_ONCE,
        Alias(name="live", version="2", revision="r", description=Mark(old="1", new="2", since=NOW).on(text)),
        "2",
        GOOD,
        NOW,
    )
    assert isinstance(finished, Finish)
    assert finished.alias.description == text


strategies = st.builds(
    lambda name, bake: replace(Strategy.parse(name), bake=bake * MINUTE, timeout=5 * MINUTE),
    st.one_of(
        st.just("all-at-once"),
        st.builds("LambdaCanary{}Percent{}Minutes".format, st.integers(1, 99), st.integers(1, 9)),
        st.builds("LambdaLinear{}PercentEvery{}Minutes".format, st.integers(5, 99), st.integers(1, 9)),
    ),
    st.integers(0, 9),
)
seen = st.builds(
    Signs,
    failure=st.sampled_from([""] * 9 + ["failed"]),
    unready=st.sampled_from(["", "not ready"]),
    unseen=st.sampled_from(["", "", "not seen"]),
    alarms=st.sampled_from([()] * 9 + [("alarm",)]),
    now=st.sampled_from([Served(), Served(invocations=9, errors=9)] + [Served(invocations=9)] * 8),
)


@given(strategies, st.lists(st.tuples(seen, st.integers(0, 900)), min_size=1), st.booleans())
def test_whatever_is_seen_weights_rise_until_the_end_or_fall_to_nothing_at_once(
    strategy: Strategy, looks: list[tuple[Signs, int]], repeated: bool
) -> None:
    """The looks are repeated for ever; `repeated` asks the rule twice before its answer is acted upon."""
    alias, now, weights, ended = OLD, NOW, [0.0], ""
    for turn in range(3000):
        signs, seconds = looks[turn % len(looks)]
        now += timedelta(seconds=seconds) if underway(alias) else timedelta()
        step = next_step(strategy, alias, "2", signs, now)
        assert not repeated or next_step(strategy, alias, "2", signs, now) == step
        match step:
            case Wait(until=until):
                assert until > now or underway(alias)
                now = max(now, until)
                if underway(alias) is None and all(s.bad or s.missing for s, _ in looks):
                    return  # nothing may ever begin
            case Shift(alias=alias, weight=weight):
                assert not signs.bad
                assert not signs.missing
                weights.append(weight)
            case RollBack(alias=alias):
                ended = "back"
            case Finish(alias=alias):
                assert not signs.bad
                ended = "done"
        if ended or (weights[-1] == 1 and underway(alias) is None):
            break
    else:
        pytest.fail("a deployment that never ends")
    assert weights == sorted(set(weights)), "only ever more"
    assert (alias.version, alias.weights) == (("1", ()) if ended == "back" else ("2", ()))
    assert underway(alias) is None

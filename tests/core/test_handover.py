"""An alias that was handed over: what CodeDeploy's deployments say that is to be done next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.deployment import Alias, Finish, Leave, Mark, RollBack, hand_over, handed_over, is_begun, underway
from bot.core.errors import DeployError
from bot.core.handover import Create, Follow, Handover, HandoverState, next_handover

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MARK = Mark(old="1", new="2", since=NOW, handed=True)
OLD = Alias(name="live", version="1", revision="r", description=MARK.on("Ann's"))
SHIFTING = replace(OLD, weights=(("2", 0.1),))
NEW = replace(OLD, version="2")
GOING = Handover(id="d-1", version="2", state=HandoverState.UNDERWAY)
DONE = replace(GOING, state=HandoverState.SUCCEEDED)
FAILED = replace(GOING, state=HandoverState.FAILED, why="failed (no reason given)", ended=NOW)
BACK = Handover(id="d-2", version="1", state=HandoverState.UNDERWAY)


def test_the_mark_of_a_handover_is_read_back_and_is_no_deployment_of_refrom_s_own() -> None:
    marked = hand_over(replace(OLD, description="Ann's"), "2", NOW)

    assert marked == OLD
    assert OLD.description == "Ann's [refrom: 1>2 with CodeDeploy since 2026-11-25T12:00:00Z]"
    assert handed_over(OLD) == Mark.read(OLD.description) == MARK
    assert [underway(alias) for alias in (OLD, SHIFTING, NEW)] == [None, None, None]
    assert is_begun(SHIFTING)


def test_what_was_taken_back_or_is_somebody_else_s_is_not_handed_over() -> None:
    back = replace(OLD, description=Mark(new="2", since=NOW).on(""))

    taken = hand_over(back, "2", NOW)
    theirs = hand_over(replace(SHIFTING, description=""), "2", NOW)

    assert isinstance(taken, Leave)
    assert isinstance(theirs, Leave)
    assert (taken.refused, theirs.refused) == (True, False)
    with pytest.raises(DeployError, match="leaves no room for refrom's mark; shorten it by"):
        hand_over(replace(OLD, description="x" * 250), "2", NOW)


@pytest.mark.parametrize(
    ("alias", "seen", "step"),
    [
        pytest.param(OLD, (), Create(), id="nothing was created"),
        pytest.param(OLD, (GOING,), Follow(GOING), id="it has not begun"),
        pytest.param(SHIFTING, (GOING,), Follow(GOING), id="it shifts"),
        pytest.param(NEW, (DONE,), Finish(replace(NEW, description="Ann's")), id="it ended well"),
        pytest.param(SHIFTING, (BACK, FAILED), Follow(BACK), id="it is rolled back"),
        pytest.param(SHIFTING, (FAILED,), Follow(FAILED), id="a rollback may begin yet"),
    ],
)
def test_what_is_to_be_done(alias: Alias, seen: tuple[Handover, ...], step: object) -> None:
    assert next_handover(alias, MARK, seen, NOW) == step


@pytest.mark.parametrize("seen", [(FAILED,), (replace(BACK, state=HandoverState.SUCCEEDED), FAILED)])
def test_what_codedeploy_took_back_gets_the_mark_of_that(seen: tuple[Handover, ...]) -> None:
    step = next_handover(OLD, MARK, seen, NOW)

    assert isinstance(step, RollBack)
    assert (step.alias.version, step.version, step.why) == ("1", "2", "CodeDeploy d-1 failed (no reason given)")
    assert Mark.read(step.alias.description) == Mark(new="2", since=NOW)


@pytest.mark.parametrize(
    ("alias", "seen", "refused"),
    [
        pytest.param(SHIFTING, (FAILED,), True, id="left half way"),
        pytest.param(NEW, (FAILED,), True, id="left on the new version"),
        pytest.param(OLD, (DONE,), False, id="taken back by a person after it ended"),
        pytest.param(replace(OLD, version="3"), (), False, id="moved by a person before it began"),
    ],
)
def test_an_alias_that_is_elsewhere_is_left_alone(alias: Alias, seen: tuple[Handover, ...], refused: bool) -> None:
    step = next_handover(alias, MARK, seen, NOW + timedelta(minutes=5))

    assert isinstance(step, Leave)
    assert step.refused is refused

"""An alias that CodeDeploy moves, over the wire: begun once, followed to its end, never tried again once taken back."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.deployment import Mark
from bot.core.handover import DeploymentGroup
from bot.core.outcome import Result
from tests.steps.test_redeploy_aws import Redeploy, Start, images, lab_registry, start

__all__ = ["images", "lab_registry", "start"]

GROUP = DeploymentGroup(application="shop", name="live")


@pytest.fixture
def redeploy(start: Start) -> Redeploy:
    made = start()
    made.aws.codedeploy.groups.add((GROUP.application, GROUP.name))
    made.target = replace(made.target, codedeploy=GROUP)
    return made


def each_look(*acts: Callable[[Redeploy], None]) -> Callable[[Redeploy], None]:
    """What CodeDeploy does from look to look once it is at it."""
    left = list(acts)

    def act(redeploy: Redeploy) -> None:
        if left and redeploy.aws.codedeploy.going:
            left.pop(0)(redeploy)

    return act


def shift(redeploy: Redeploy) -> None:
    redeploy.aws.codedeploy.shift(0.1)


def stop(redeploy: Redeploy) -> None:
    redeploy.aws.codedeploy.fail("Stopped", "ALARM_ACTIVE", "errors")


def break_off(redeploy: Redeploy) -> None:
    redeploy.aws.codedeploy.fail("Failed", "HOOK_EXECUTION_FAILURE", "no rollback", rolls_back=False)


def test_codedeploy_moves_it_and_refrom_sees_the_end(redeploy: Redeploy) -> None:
    redeploy.run(meanwhile=each_look(shift, shift, lambda one: one.aws.codedeploy.succeed()))

    redeploy.require_new()
    assert redeploy.results == [Result.UPDATED, Result.HANDED_OVER, Result.SETTLED]
    writes = [request.operation for request in redeploy.aws.writes]
    assert writes == ["UpdateFunctionCode", "PublishVersion", "UpdateAlias", "CreateDeployment", "UpdateAlias"]


def test_what_codedeploy_takes_back_is_told_with_its_reason_and_not_tried_again(redeploy: Redeploy) -> None:
    redeploy.run(meanwhile=each_look(shift, stop, shift, lambda one: one.aws.codedeploy.finish_rollback()))

    redeploy.require_taken_back()
    assert redeploy.results == [Result.UPDATED, Result.HANDED_OVER, Result.ROLLED_BACK]
    assert "stopped (ALARM_ACTIVE: errors; rolled back by d-" in redeploy.outcomes[-1].message
    redeploy.run()
    assert redeploy.results[-1] is Result.REFUSED
    assert len(redeploy.aws.codedeploy.deployments) == 2, "the one, and CodeDeploy's own rollback of it"


def test_once_a_person_takes_the_mark_out_it_is_tried_again(redeploy: Redeploy) -> None:
    redeploy.run(meanwhile=each_look(shift, stop, lambda one: one.aws.codedeploy.finish_rollback()))
    redeploy.clock.wait_until(redeploy.clock.now().replace(hour=23))
    redeploy.aws.client("lambda").update_alias(FunctionName="orders", Name="live", Description="")

    redeploy.run(meanwhile=each_look(lambda one: one.aws.codedeploy.succeed()))

    redeploy.require_new()


def test_a_deployment_that_ends_half_way_and_is_not_taken_back_is_told_until_somebody_does(redeploy: Redeploy) -> None:
    redeploy.run(meanwhile=each_look(shift, break_off))

    assert redeploy.alias.weights == (("2", 0.1),)
    assert redeploy.results == [Result.UPDATED, Result.HANDED_OVER, Result.REFUSED]
    redeploy.run()
    assert redeploy.results[-1] is Result.REFUSED
    told = redeploy.outcomes[-1].message
    assert "failed (HOOK_EXECUTION_FAILURE: no rollback), and left alias live as it was then; take it back" in told


def test_an_alias_that_somebody_moved_meanwhile_is_left_alone(redeploy: Redeploy) -> None:
    def move_back(one: Redeploy) -> None:
        one.aws.codedeploy.succeed()
        one.aws.client("lambda").update_alias(FunctionName="orders", Name="live", FunctionVersion="1")

    redeploy.run(meanwhile=each_look(move_back))

    redeploy.require_old()
    assert redeploy.results[-1] is Result.UNCHANGED
    assert "somebody moved alias live" in redeploy.outcomes[-1].message


def test_settings_that_name_codedeploy_no_longer_move_nothing_under_it(redeploy: Redeploy) -> None:
    def forget(one: Redeploy) -> None:
        one.target = replace(one.target, codedeploy=None)

    redeploy.run(meanwhile=each_look(forget))

    assert redeploy.results[-1] is Result.REFUSED
    mark = Mark.read(redeploy.alias.description)
    assert mark is not None
    assert (redeploy.alias.version, mark.old, mark.handed) == ("1", "1", True)

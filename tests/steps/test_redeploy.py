"""Redeploy: one change at a time, each only when the service is ready for it."""

from datetime import timedelta

import pytest

from bot.adapters.deployer.local_functions import LocalFunctions
from bot.core.errors import DeployError
from bot.core.outcome import Outcome, Result
from bot.core.reference import Reference
from bot.core.target import Target
from bot.entrypoints.demo.fleet import AMD64
from bot.entrypoints.demo.images import publish_function
from bot.ports.deployer import UpdateStatus
from bot.steps.redeploy import follow_alias, update_code
from tests.steps.shop import PYTHON, Shop


@pytest.fixture
def target(shop: Shop) -> Target:
    base = shop.publish()
    return shop.deploy("orders", base, "c" * 40)


def newer(shop: Shop, target: Target) -> Reference:
    """Push another image of the function."""
    image = target.destination.with_tag("second")
    digest = publish_function(shop.writer, shop.writer, PYTHON.with_tag("3.13"), AMD64, {"b": b"x"}, image, {})
    return target.destination.with_digest(digest)


def follow(functions: LocalFunctions, target: Target) -> Outcome | None:
    return follow_alias(target, functions.function(target.function), functions, functions, ours=True)


def serving(functions: LocalFunctions) -> str:
    alias = functions.alias("orders", "live")
    assert alias
    return alias.version


def test_the_alias_follows_only_after_the_version_is_ready(shop: Shop, target: Target) -> None:
    functions, image = shop.functions, newer(shop, target)

    updated = update_code(functions.function("orders"), image, functions)

    assert (updated.result, updated.details["image"]) == (Result.UPDATED, str(image))
    with pytest.raises(DeployError, match="is being updated"):
        follow(functions, target)
    assert serving(functions) == "1"
    shop.clock.advance(timedelta(seconds=2))
    moved = follow(functions, target)
    assert moved
    assert (moved.result, serving(functions)) == (Result.MOVED, "2")
    assert functions.function("orders", "2").image == image


def test_a_version_that_is_not_ready_is_waited_for(shop: Shop, target: Target) -> None:
    """Lambda publishes a version before it serves, so its state is looked at before the alias moves."""
    functions = shop.functions
    update_code(functions.function("orders"), newer(shop, target), functions)
    shop.clock.advance(timedelta(seconds=2))
    slow = LocalFunctions(
        shop.folder / "functions.json", shop.registry, type(shop.clock)(shop.now - timedelta(seconds=1))
    )
    latest = functions.function("orders")
    functions.publish_version(latest)

    outcome = follow_alias(target, latest, slow, functions, ours=True)

    assert outcome
    assert (outcome.result, serving(functions)) == (Result.PUBLISHED, "1")
    assert slow.function("orders", "2").status is UpdateStatus.IN_PROGRESS


def test_a_second_run_changes_nothing(shop: Shop, target: Target) -> None:
    functions = shop.functions
    update_code(functions.function("orders"), newer(shop, target), functions)
    shop.clock.advance(timedelta(seconds=2))
    follow(functions, target)
    before = (shop.folder / "functions.json").read_bytes()

    assert follow(functions, target) is None
    assert (shop.folder / "functions.json").read_bytes() == before


def test_after_a_crash_between_publish_and_move_the_same_version_is_taken(shop: Shop, target: Target) -> None:
    functions = shop.functions
    update_code(functions.function("orders"), newer(shop, target), functions)
    shop.clock.advance(timedelta(seconds=2))
    functions.publish_version(functions.function("orders"))

    follow(functions, target)

    assert serving(functions) == "2"
    with pytest.raises(DeployError, match="has no version 3"):
        functions.function("orders", "3")


def test_what_somebody_else_deployed_is_left_for_them_to_serve(shop: Shop, target: Target) -> None:
    functions = shop.functions
    update_code(functions.function("orders"), newer(shop, target), functions)
    shop.clock.advance(timedelta(seconds=2))

    outcome = follow_alias(target, functions.function("orders"), functions, functions, ours=False)

    assert outcome
    assert (outcome.result, serving(functions)) == (Result.UNCHANGED, "1")
    assert "left alone" in outcome.message


def test_a_function_without_an_alias_serves_its_latest(shop: Shop) -> None:
    target = shop.deploy("plain", shop.publish(), "c" * 40, alias=None)

    assert follow(shop.functions, target) is None


def test_a_missing_alias_is_told_with_the_cure(shop: Shop) -> None:
    shop.deploy("plain", shop.publish(), "c" * 40, alias=None)
    target = Target(
        function="plain", repository="acme/plain", dockerfile="Dockerfile", destination=PYTHON, alias="live"
    )

    with pytest.raises(DeployError, match="has no alias live; create it"):
        follow(shop.functions, target)

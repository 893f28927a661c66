"""Redeploy: one change at a time, each only when the service is ready for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.deployer.local_functions import LocalFunctions
from bot.core.errors import DeployError
from bot.core.outcome import Result
from bot.core.reference import Reference
from bot.core.target import Target
from bot.entrypoints.demo.fleet import AMD64
from bot.entrypoints.demo.images import publish_function
from bot.ports.deployer import UpdateStatus
from bot.steps.redeploy import Followed, alias_of, follow_alias, update_code
from tests.steps.shop import PYTHON, Shop


@pytest.fixture
def target(shop: Shop) -> Target:
    base = shop.publish()
    return shop.deploy("orders", base, "c" * 40)


def newer(shop: Shop, target: Target) -> Reference:
    """Push another image of the function."""
    assert target.destination
    image = target.destination.with_tag("second")
    digest = publish_function(shop.writer, shop.writer, PYTHON.with_tag("3.13"), AMD64, {"b": b"x"}, image, {})
    return target.destination.with_digest(digest)


def follow(shop: Shop, target: Target, *, ours: bool = True, functions: LocalFunctions | None = None) -> Followed:
    """Take one step with the alias, as one tick does."""
    latest, alias = shop.functions.function(target.function), alias_of(target, shop.functions)
    assert alias
    world = replace(shop.world(), functions=functions or shop.functions)
    return follow_alias(target, latest, alias, world, shop.now, ours=ours)


def told(followed: Followed) -> list[Result]:
    return [outcome.result for outcome in followed.outcomes]


def serving(functions: LocalFunctions) -> str:
    alias = functions.alias("orders", "live")
    assert alias
    return alias.version


def test_the_alias_follows_only_after_the_version_is_ready(shop: Shop, target: Target) -> None:
    functions, image = shop.functions, newer(shop, target)

    updated = update_code(functions.function("orders"), image, functions)

    assert (updated.result, updated.details["image"]) == (Result.UPDATED, str(image))
    with pytest.raises(DeployError, match="is being updated"):
        follow(shop, target)
    assert serving(functions) == "1"
    shop.clock.advance(timedelta(seconds=2))
    moved = follow(shop, target)
    assert (told(moved), serving(functions)) == ([Result.MOVED], "2")
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

    followed = follow(shop, target, functions=slow)

    assert (told(followed), followed.why, serving(functions)) == ([], "version 2 is not ready yet", "1")
    assert followed.again is not None
    assert slow.function("orders", "2").status is UpdateStatus.IN_PROGRESS


def test_a_second_run_changes_nothing(shop: Shop, target: Target) -> None:
    functions = shop.functions
    update_code(functions.function("orders"), newer(shop, target), functions)
    shop.clock.advance(timedelta(seconds=2))
    follow(shop, target)
    before = (shop.folder / "functions.json").read_bytes()

    assert follow(shop, target) == Followed()
    assert (shop.folder / "functions.json").read_bytes() == before


def test_after_a_crash_between_publish_and_move_the_same_version_is_taken(shop: Shop, target: Target) -> None:
    functions = shop.functions
    update_code(functions.function("orders"), newer(shop, target), functions)
    shop.clock.advance(timedelta(seconds=2))
    functions.publish_version(functions.function("orders"))

    follow(shop, target)

    assert serving(functions) == "2"
    with pytest.raises(DeployError, match="has no version 3"):
        functions.function("orders", "3")


def test_what_somebody_else_deployed_is_left_for_them_to_serve(shop: Shop, target: Target) -> None:
    functions = shop.functions
    update_code(functions.function("orders"), newer(shop, target), functions)
    shop.clock.advance(timedelta(seconds=2))

    followed = follow(shop, target, ours=False)

    assert (told(followed), serving(functions)) == ([Result.UNCHANGED], "1")
    assert "left alone" in followed.outcomes[0].message


def test_a_function_without_an_alias_serves_its_latest(shop: Shop) -> None:
    target = shop.deploy("plain", shop.publish(), "c" * 40, alias=None)

    assert alias_of(target, shop.functions) is None


def test_a_missing_alias_is_told_with_the_cure(shop: Shop) -> None:
    shop.deploy("plain", shop.publish(), "c" * 40, alias=None)
    target = Target(
        function="plain", repository="acme/plain", dockerfile="Dockerfile", destination=PYTHON, alias="live"
    )

    with pytest.raises(DeployError, match="has no alias live; create it"):
        alias_of(target, shop.functions)

"""By hand: back to what ran before, with one guarded change, and the loop leaves it there."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.recording import RecordingDeployer
from bot.adapters.engine.memory import MemoryEngine
from bot.core.deployment import Alias, Mark, Strategy
from bot.core.digest import Digest
from bot.core.errors import DeployError, RegistryError, SettingsError
from bot.core.outcome import Result
from bot.core.policy import Declarations
from bot.core.responsibility import State, Verdict
from bot.core.target import Target
from bot.steps.audit import audit
from bot.steps.byhand import WayBack, find_target, find_way_back, roll_back
from bot.steps.cycle import Cycle
from tests.adapters.forge.world import File
from tests.core.facts import manual
from tests.steps.shop import Shop, pinned


@pytest.fixture
def moved(shop: Shop) -> Shop:
    """A function whose alias the loop has moved from version 1 to 2, which stands on the merged base."""
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.cycle()
    assert serving(shop) == "2"
    return shop


def serving(shop: Shop) -> str | None:
    alias = shop.functions.alias("orders", "live")
    return alias.version if alias else None


def way(shop: Shop, to: str | None = None, target: Target | None = None) -> WayBack:
    return find_way_back(target or shop.targets[0], to, shop.functions, shop.registry)


def go(shop: Shop, found: WayBack) -> list[tuple[Result, str]]:
    outcomes, waiting = roll_back(found, shop.world(), MemoryEngine(shop.clock, timedelta(minutes=5)))
    assert not waiting
    return [(outcome.result, outcome.message) for outcome in outcomes]


def without_alias(shop: Shop) -> Target:
    shop.targets[0] = replace(shop.targets[0], alias=None)
    return shop.targets[0]


def image(shop: Shop, version: str = "$LATEST") -> Digest:
    found = shop.functions.function("orders", version).image
    assert found is not None
    assert found.digest is not None
    return found.digest


@pytest.mark.parametrize("to", [None, "1", "digest"])
def test_the_alias_goes_back_to_what_it_served_before(moved: Shop, to: str | None) -> None:
    found = way(moved, str(image(moved, "1")) if to == "digest" else to)

    told = go(moved, found)

    assert str(found).startswith(
        "orders: move alias live back to version 1 alone, from version 2; it runs registry.exa"
    )
    assert told == [(Result.ROLLED_BACK, "alias live is back on version 1 alone, from version 2")]
    assert serving(moved) == "1"
    assert [outcome.result for _, outcome in moved.store.journal.entries(1)] == [Result.ROLLED_BACK]


def test_the_loop_leaves_it_there_while_it_is_manual_and_the_audit_says_so(moved: Shop) -> None:
    go(moved, way(moved))
    until = (moved.now + timedelta(days=7)).date()
    moved.declared = Declarations(modes=(manual("orders", "it hangs", until),))

    moved.cycle()
    (found,) = audit(moved.inquiry(), moved.now).findings

    assert serving(moved) == "1"
    assert (found.mode, found.verdict, found.duties[0].state) == ("manual", Verdict.BEHIND, State.EXCEPTED)
    assert found.duties[0].why == f"manual until {until}: it hangs"


def test_after_the_end_the_version_that_was_taken_back_does_not_come_by_itself(moved: Shop) -> None:
    go(moved, way(moved))

    report = moved.cycle()

    assert serving(moved) == "1"
    assert [o.result for o in report.outcomes if o.step == "redeploy"] == [Result.REFUSED, Result.COMMENTED]


def test_a_dry_run_says_that_a_version_was_taken_back(moved: Shop) -> None:
    """It is asked why the loop does nothing, so it must not say that it would."""
    go(moved, way(moved))
    moved.ports["deployer"] = RecordingDeployer(moved.functions)

    (told,) = [o for o in moved.cycle().outcomes if o.step == "redeploy" and o.result is not Result.COMMENTED]

    assert (told.result, told.message.partition(" at ")[0]) == (
        Result.REFUSED,
        "version 2 was taken back from alias live",
    )


def test_while_an_alias_is_shifted_the_way_back_is_its_own_version(moved: Shop) -> None:
    alias = moved.functions.alias("orders", "live")
    assert alias is not None
    mark = Mark(old="1", new="2", since=moved.now).on("ours")
    shifting = replace(alias, version="1", weights=(("2", 0.1),), description=mark)
    moved.functions.move_alias(moved.functions.function("orders"), shifting)

    found = way(moved)
    go(moved, found)

    after = moved.functions.alias("orders", "live")
    assert after is not None
    assert (found.version, found.leaves) == ("1", "2")
    assert (after.version, after.weights) == ("1", ())
    assert after.description.startswith("ours [refrom: 2 taken back ")


def test_without_an_alias_the_code_goes_back_and_is_waited_for(moved: Shop) -> None:
    found = way(moved, target=without_alias(moved))
    old = image(moved, "1")

    told = go(moved, found)

    assert str(found).startswith("orders: point $LATEST back at registry.example/orders@")
    assert [result for result, _ in told] == [Result.ROLLED_BACK]
    assert image(moved) == old


def test_without_an_alias_a_digest_that_no_version_runs_will_do(moved: Shop) -> None:
    target, second = without_alias(moved), image(moved)
    go(moved, way(moved, target=target))

    go(moved, way(moved, str(second), target))

    assert image(moved) == second


def test_what_changed_since_it_was_read_is_refused(moved: Shop) -> None:
    found = way(moved)
    alias = moved.functions.alias("orders", "live")
    assert alias is not None
    moved.functions.move_alias(moved.functions.function("orders"), alias)

    with pytest.raises(DeployError, match="alias live of function orders changed meanwhile; run again"):
        go(moved, found)

    assert serving(moved) == "2"


@dataclass(frozen=True, slots=True)
class OnLatest:
    """Functions whose alias serves `$LATEST`, as Lambda lets it."""

    inner: LocalFunctions

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def alias(self, function: str, name: str) -> Alias | None:
        alias = self.inner.alias(function, name)
        return alias and replace(alias, version="$LATEST")


@pytest.mark.parametrize("to", [None, "1"])
def test_from_latest_the_alias_goes_back_without_a_mark_that_nobody_could_read(moved: Shop, to: str | None) -> None:
    found = find_way_back(moved.targets[0], to, OnLatest(moved.functions), moved.registry)

    told = go(moved, found)

    after = moved.functions.alias("orders", "live")
    assert after is not None
    assert told == [(Result.ROLLED_BACK, "alias live is back on version 1 alone, from version $LATEST")]
    assert (after.version, after.description) == ("1", "")


def test_an_alias_on_latest_is_watched_by_nobody_so_nothing_is_built_for_it(shop: Shop) -> None:
    base = shop.publish()
    target = shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    before = image(shop)
    shop.ports["functions"] = OnLatest(shop.functions)
    shop.targets[0] = replace(target, strategy=Strategy.parse("LambdaCanary10Percent5Minutes"))

    report = shop.cycle()

    (told,) = [outcome for outcome in report.outcomes if outcome.step == "redeploy"]
    assert (told.result, "serves $LATEST" in told.message) == (Result.FAILED, True)
    assert image(shop) == before


@pytest.mark.parametrize(
    ("to", "message"),
    [
        pytest.param("2", "alias live of orders serves version 2 alone already", id="there already"),
        pytest.param("9", "function orders has no version 9", id="no such version"),
        pytest.param(f"sha256:{'0' * 64}", "no version of orders runs registry.example/orders@sha256:000", id="digest"),
    ],
)
def test_where_there_is_no_such_way_nothing_is_done(moved: Shop, to: str, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        way(moved, to)


def test_a_function_with_one_version_has_no_way_back(shop: Shop) -> None:
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))

    with pytest.raises(DeployError, match="orders has no older version with another image; name a digest with --to"):
        way(shop)


def test_an_image_that_is_gone_is_no_way_back(moved: Shop) -> None:
    emptied = type(moved.writer)(moved.folder / "nothing")

    with pytest.raises(RegistryError, match=r"registry\.example/orders"):
        find_way_back(moved.targets[0], None, moved.functions, emptied)


def test_a_function_is_found_by_its_name_its_arn_or_the_end_of_it(shop: Shop) -> None:
    base = shop.publish()
    named = shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    by_arn = replace(named, function="arn:aws:lambda:eu-west-1:123456789012:function:search")
    twin = replace(by_arn, function=by_arn.function.replace("eu-west-1", "us-east-1"))
    rules = replace(shop.rules(), targets=(named, by_arn))

    assert [find_target(rules, name) for name in ("orders", "search", by_arn.function)] == [named, by_arn, by_arn]
    with pytest.raises(SettingsError, match="ghost is no function that the settings name or find; run refrom doctor"):
        find_target(rules, "ghost")
    with pytest.raises(SettingsError, match=r"search is arn:aws:lambda:eu-west-1.*; write one of them out"):
        find_target(replace(rules, targets=(by_arn, twin)), "search")


def test_a_redeploy_brings_one_function_to_the_merged_base_and_proposes_nothing(shop: Shop) -> None:
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.deploy("search", base, shop.push("acme/search", pinned(base)))
    newer = shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    before = [len(shop.pull_requests(f"acme/{name}")) for name in ("orders", "search")]

    report = Cycle(shop.world(), shop.rules()).redeploy(MemoryEngine(shop.clock, timedelta(minutes=5)), "orders")

    assert [outcome.result for outcome in report.outcomes][-1] is Result.PROVEN
    assert (shop.base_of("orders"), shop.base_of("search")) == (newer, base)
    assert [len(shop.pull_requests(f"acme/{name}")) for name in ("orders", "search")] == before


def test_a_redeploy_of_what_is_held_is_refused_with_the_reason(moved: Shop) -> None:
    moved.declared = Declarations(modes=(manual("orders", "it hangs", moved.now.date()),))

    report = Cycle(moved.world(), moved.rules()).redeploy(MemoryEngine(moved.clock), "orders")

    assert [(o.result, o.message) for o in report.outcomes] == [
        (
            Result.REFUSED,
            f"it is held: manual until {moved.now.date()}: it hangs; take that out first",
        )
    ]


def test_a_redeploy_of_a_repository_that_cannot_be_read_fails_and_touches_nothing(shop: Shop) -> None:
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.people.create_repository("acme/odd", {".github/refrom.yaml": File(b"version: 2\n")})
    shop.targets[0] = replace(shop.targets[0], repository="acme/odd")

    report = Cycle(shop.world(), shop.rules()).redeploy(MemoryEngine(shop.clock), "orders")

    assert [(o.step, o.result) for o in report.outcomes] == [("survey", Result.FAILED)]

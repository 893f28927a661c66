"""A block closes what offers a base, begins nothing on it, and proposes the way back, to the newest good one first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.engine.memory import MemoryEngine
from bot.core.decision import Held, Update
from bot.core.deployment import Strategy
from bot.core.digest import Digest
from bot.core.layer import Language
from bot.core.modes import Mode, UpdateMode
from bot.core.outcome import Outcome, Result
from bot.core.policy import Block, Declarations, Hold, Style
from bot.ports.forge import PullRequest, PullRequestState
from bot.steps.cycle import Cycle, Report
from tests.adapters.forge.world import File
from tests.steps.shop import AFTER, BEFORE, RUNTIME, UNPINNED, Shop, pinned

NAME = "acme/orders"
WORSE = replace(AFTER, created=AFTER.created + timedelta(days=1), language=Language("python", "3.13.99"))
"""What AWS publishes after that."""


def block(shop: Shop, *digests: Digest) -> None:
    blocks = tuple(Block(digest=digest, reason="breaks dnf") for digest in digests)
    shop.declared = replace(shop.declared, blocks=blocks)


def seen(shop: Shop, digest: Digest) -> Digest:
    """A base that was watched when it was there."""
    shop.watch()
    return digest


def merge(shop: Shop) -> None:
    """A person merges what is open."""
    (opened,) = [pull for pull in shop.pull_requests(NAME) if pull.state is PullRequestState.OPEN]
    shop.forge.merge(NAME, opened.number)


def newest(shop: Shop) -> PullRequest:
    return shop.pull_requests(NAME)[0]


def of(report: Report, function: str) -> list[Outcome]:
    return [outcome for outcome in report.outcomes if outcome.subject == function]


@pytest.fixture
def bases(shop: Shop) -> tuple[Digest, Digest, Digest]:
    """Three bases of one stream, the newest last; a repository is pinned to the first, and its function runs that."""
    first = seen(shop, shop.publish(BEFORE))
    shop.deploy("orders", first, shop.push(NAME, pinned(first)))
    second = seen(shop, shop.move(AFTER))
    shop.clock.wait_until(shop.now + timedelta(days=1))
    return first, second, seen(shop, shop.publish(WORSE))


def test_a_block_closes_what_offers_it_and_offers_the_newest_good_one(
    shop: Shop, bases: tuple[Digest, Digest, Digest]
) -> None:
    _, second, third = bases
    shop.cycle()
    assert shop.dockerfile(NAME, newest(shop).branch) == pinned(third)

    block(shop, third)
    shop.cycle()

    assert shop.dockerfile(NAME, newest(shop).branch) == pinned(second)
    assert newest(shop).state is PullRequestState.OPEN


def test_where_the_base_in_use_is_the_newest_good_one_what_is_open_is_closed(
    shop: Shop, bases: tuple[Digest, Digest, Digest]
) -> None:
    _, second, third = bases
    shop.cycle()

    block(shop, second, third)
    report = shop.cycle()

    assert newest(shop).state is PullRequestState.CLOSED
    assert newest(shop).closed_by_us
    (decision,) = report.decisions
    assert isinstance(decision, Held)
    assert decision.reason == f"the current base {third.short} is blocked, and this is the newest other one"


def test_what_stands_on_a_blocked_base_is_taken_back_to_the_newest_good_one(
    shop: Shop, bases: tuple[Digest, Digest, Digest]
) -> None:
    """Pull request first, then the merged older base is deployed as any other."""
    _, second, third = bases
    shop.cycle()
    merge(shop)
    shop.cycle()
    assert shop.base_of("orders") == third

    block(shop, third)
    (decision,) = shop.cycle().decisions
    merge(shop)
    shop.cycle()

    assert isinstance(decision, Update)
    assert (decision.old, decision.new, decision.back) == (third, second, True)
    assert decision.reason == f"the base in use, {third.short}, is blocked"
    assert newest(shop).title.startswith(f"Take back Lambda base image {RUNTIME}")
    assert "The Lambda base image in use is blocked. This goes back" in newest(shop).body
    assert "AWS published a newer" not in newest(shop).body
    assert "has been behind since" not in newest(shop).body
    assert shop.dockerfile(NAME) == pinned(second)
    assert shop.base_of("orders") == second


def test_an_older_base_that_is_blocked_is_left_for_the_newest(shop: Shop, bases: tuple[Digest, Digest, Digest]) -> None:
    first, _, third = bases

    block(shop, first)
    (decision,) = shop.cycle().decisions

    assert isinstance(decision, Update)
    assert (decision.new, decision.back) == (third, False)
    assert newest(shop).title.startswith("Update Lambda base image")


def test_a_merged_base_that_is_blocked_is_not_built_on(shop: Shop, bases: tuple[Digest, Digest, Digest]) -> None:
    first, _, third = bases
    shop.cycle()
    merge(shop)

    block(shop, third)
    report = shop.cycle()

    (told,) = of(report, "orders")
    assert (told.step, told.result) == ("rebuild", Result.UNCHANGED)
    assert told.message.endswith("is blocked; nothing is built or shifted to it")
    assert shop.base_of("orders") == first


@pytest.mark.parametrize("meddled", [False, True])
def test_a_version_that_is_being_shifted_to_on_a_blocked_base_is_taken_back(
    shop: Shop, bases: tuple[Digest, Digest, Digest], *, meddled: bool
) -> None:
    """The version counts, though somebody pointed `$LATEST` at another image meanwhile."""
    first, _, third = bases
    shop.targets = [replace(shop.targets[0], strategy=Strategy.parse("LambdaCanary10Percent30Minutes"))]
    shop.cycle()
    merge(shop)
    underway = Cycle(shop.world(), shop.rules()).run(MemoryEngine(shop.clock, timedelta(minutes=5)))
    alias = shop.functions.alias("orders", "live")
    old = shop.functions.function("orders", "1").image
    if meddled and old:
        shop.functions.update_code(shop.functions.function("orders"), old)

    block(shop, third)
    report = shop.cycle()

    assert of(underway, "orders")[-1].result is Result.SHIFTED
    assert alias
    assert alias.weights
    (back,) = [told for told in of(report, "orders") if told.result is Result.ROLLED_BACK]
    assert "is blocked" in back.message
    assert shop.base_of("orders") == first
    after = shop.functions.alias("orders", "live")
    assert after
    assert not after.weights


def test_a_moving_tag_that_names_a_blocked_base_is_not_built(shop: Shop) -> None:
    """A rebuild would take what the tag names, whatever is good."""
    first = seen(shop, shop.publish(BEFORE))
    shop.policy = replace(shop.policy, style=Style.TAG)
    shop.deploy("orders", first, shop.push(NAME, UNPINNED))
    seen(shop, shop.move(AFTER))
    third = seen(shop, shop.publish(WORSE))

    block(shop, third)
    report = shop.cycle()

    (decision,) = report.decisions
    assert isinstance(decision, Held)
    assert decision.reason.endswith(f"python:3.13 names {third.short}, which is blocked")
    assert of(report, "orders") == []
    assert shop.base_of("orders") == first


def test_what_was_rebuilt_on_a_blocked_base_is_pinned_to_the_newest_good_one(shop: Shop) -> None:
    """The moving tag names what is blocked, so that only a digest leads away from it."""
    first = seen(shop, shop.publish(BEFORE))
    shop.policy = replace(shop.policy, style=Style.TAG)
    shop.deploy("orders", first, shop.push(NAME, UNPINNED))
    second = seen(shop, shop.move(AFTER))
    shop.cycle()
    assert shop.base_of("orders") == second

    block(shop, second)
    shop.cycle()
    merge(shop)
    shop.cycle()

    assert shop.dockerfile(NAME) == pinned(first)
    assert shop.base_of("orders") == first


def test_a_base_that_the_registry_no_longer_has_is_none_to_go_back_to(
    shop: Shop, bases: tuple[Digest, Digest, Digest]
) -> None:
    first, second, third = bases
    shop.cycle()
    merge(shop)
    for blob in shop.folder.rglob(second.hex):
        blob.unlink()

    block(shop, third)
    (decision,) = shop.cycle().decisions

    assert isinstance(decision, Update)
    assert decision.new == first


def test_a_person_who_holds_a_use_or_took_it_back_wins(shop: Shop, bases: tuple[Digest, Digest, Digest]) -> None:
    shop.cycle()
    merge(shop)
    block(shop, bases[2])
    until = shop.now.date()
    manual = UpdateMode(mode=Mode.MANUAL, said_by="policy", reason="we look at it", until=until)

    shop.declared = replace(shop.declared, holds=(Hold(reason="freeze", repository=NAME),))
    held = shop.cycle().decisions
    shop.declared = replace(shop.declared, holds=())
    shop.policy = replace(shop.policy, modes=(manual,))
    pinned_by_mode = shop.cycle().decisions

    assert [decision.reason for decision in (*held, *pinned_by_mode)] == ["held: freeze", str(manual)]


def test_a_close_answers_the_way_back_and_an_earlier_one_does_not(
    shop: Shop, bases: tuple[Digest, Digest, Digest]
) -> None:
    """Who once refused the older base did not know that the newer one would be blocked."""
    _, second, third = bases
    block(shop, third)
    shop.cycle()
    assert shop.dockerfile(NAME, newest(shop).branch) == pinned(second)
    shop.forge.close_by_person(NAME, newest(shop).number)
    shop.declared = Declarations()
    shop.people.push(NAME, "main", {"Dockerfile": File(pinned(third).encode())})

    block(shop, third)
    shop.cycle()
    offered = newest(shop)
    shop.forge.close_by_person(NAME, offered.number)
    shop.cycle()

    assert offered.title.startswith("Take back")
    assert len(shop.pull_requests(NAME)) == 2

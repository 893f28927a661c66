"""A cycle that is killed before or after any write, and run again, ends where an undisturbed one ends."""

from dataclasses import replace

import pytest

from bot.core.digest import Digest
from bot.core.marker import is_unfinished
from bot.core.policy import Block, Declarations, UpdateOn
from bot.core.proposals import PullRequestPolicy
from bot.core.pull_request import BRANCH
from tests.steps.killing import Killed, Watched, Writes
from tests.steps.shop import AFTER, Shop, pinned

WRITES = (
    "journal.append",
    "ledger.record",
    "pull_requests.create",
    "builder.build",
    "deployer.update_code",
    "deployer.publish_version",
    "deployer.move_alias",
)
"""Every write of a plain update; the first test below keeps it honest."""
OTHERS = ("pull_requests.refresh", "pull_requests.close", "pull_requests.finish", "pull_requests.comment_once")


def watch_writes(shop: Shop, writes: Writes) -> None:
    """Put every writing port of the shop's world under watch."""
    shop.ports.clear()
    world = shop.world()
    for port in ("journal", "ledger", "pull_requests", "builder", "deployer"):
        shop.ports[port] = Watched(port, getattr(world, port), writes, (*WRITES, *OTHERS))


def start(shop: Shop) -> Digest:
    """One pinned function on the current base, then the base moves."""
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.watch()
    return shop.move()


def update(shop: Shop, writes: Writes) -> None:
    """Run until the pull request is there, merge it, run until the function follows; after a kill, run again."""
    watch_writes(shop, writes)
    run(shop)
    (pull,) = shop.pull_requests("acme/orders")
    shop.forge.merge("acme/orders", pull.number)
    run(shop)


def run(shop: Shop) -> None:
    try:
        shop.cycle()
    except Killed:
        shop.cycle()


def end(shop: Shop) -> tuple[object, ...]:
    """What is left once all is done: what serves, how many versions there are, and what the forge shows."""
    state = shop.functions.function("orders")
    alias = shop.functions.alias("orders", "live")
    pulls = [(pull.number, pull.state) for pull in shop.pull_requests("acme/orders")]
    return (shop.base_of("orders"), state.image, alias.version if alias else "", pulls, shop.dockerfile("acme/orders"))


def test_the_writes_of_an_update_are_those_that_are_tried(shop: Shop) -> None:
    start(shop)
    writes = Writes()

    update(shop, writes)

    assert set(writes.made) == set(WRITES)
    once = [name for name in writes.made if name.startswith(("pull_requests", "builder", "deployer"))]
    assert once == list(WRITES[2:]), "each once"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", WRITES)
def test_a_kill_at_any_write_leads_to_the_same_end(shop: Shop, write: str, *, after: bool) -> None:
    new = start(shop)
    writes = Writes(fatal=(write, 1, after))

    update(shop, writes)

    base, image, version, pulls, dockerfile = end(shop)
    assert writes.made.count(write) >= 1
    assert (base, version, pulls, dockerfile) == (new, "2", [(1, "merged")], pinned(new))
    assert image == shop.functions.function("orders", "2").image
    report = shop.cycle()
    assert (report.outcomes, report.waiting) == ((), ())


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_kill_at_any_record_leads_to_the_same_end(shop: Shop, number: int) -> None:
    new = start(shop)

    update(shop, Writes(fatal=("journal.append", number, False)))

    assert end(shop)[0] == new
    assert end(shop)[2] == "2"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_a_refresh_leaves_one_pull_request_for_the_newest_base(shop: Shop, *, after: bool) -> None:
    start(shop)
    shop.cycle()
    newest = shop.publish(replace(AFTER, created=shop.now, extra={"opt/newest": b"1"}))
    shop.policy = replace(shop.policy, update_on=UpdateOn.ANY)
    writes = Writes(fatal=("pull_requests.refresh", 1, after))
    watch_writes(shop, writes)

    run(shop)

    assert "pull_requests.refresh" in writes.made
    assert [pull.state for pull in shop.pull_requests("acme/orders")] == ["open"]
    assert shop.dockerfile("acme/orders", BRANCH) == pinned(newest)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_a_close_leaves_nothing_open(shop: Shop, *, after: bool) -> None:
    new = start(shop)
    shop.cycle()
    shop.declared = Declarations(blocks=(Block(digest=new, reason="breaks TLS"),))
    writes = Writes(fatal=("pull_requests.close", 1, after))
    watch_writes(shop, writes)

    run(shop)

    assert "pull_requests.close" in writes.made
    assert [pull.state for pull in shop.pull_requests("acme/orders")] == ["closed"]
    assert BRANCH not in shop.people.branches("acme/orders")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", ["pull_requests.create", "pull_requests.finish"])
def test_a_kill_before_the_labels_leaves_one_pull_request_with_them(shop: Shop, write: str, *, after: bool) -> None:
    shop.proposing = PullRequestPolicy(labels=("bases",))
    start(shop)
    writes = Writes(fatal=(write, 1, after))
    watch_writes(shop, writes)

    run(shop)

    (pull,) = shop.pull_requests("acme/orders")
    assert (write in writes.made, pull.labels, is_unfinished(pull.body)) == (True, ("bases",), False)
    assert [str(outcome.result) for outcome in shop.cycle().outcomes] == ["unchanged"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_a_comment_leaves_one_comment(shop: Shop, *, after: bool) -> None:
    start(shop)
    shop.cycle()
    shop.people.push("acme/orders", BRANCH, shop.files(mine="mine = True\n"))
    writes = Writes(fatal=("pull_requests.comment_once", 1, after))
    watch_writes(shop, writes)

    run(shop)

    assert "pull_requests.comment_once" in writes.made
    assert len(shop.forge.record("acme/orders", 1).comments) == 1

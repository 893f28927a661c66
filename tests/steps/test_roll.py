"""Rollouts in whole cycles: who takes a base when, what halts it, what comes next, and what is remembered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.engine.memory import MemoryEngine
from bot.core.decision import Current, Decision, Held, Update, Waiting
from bot.core.digest import Digest
from bot.core.errors import BuildError, RegistryError
from bot.core.outcome import Outcome, Result
from bot.core.policy import Block, Declarations, Style
from bot.core.rollout import Phase, RolloutPolicy, Wave, phase
from bot.core.troubles import BASE, CHECKS, IMAGE
from bot.entrypoints.demo.fleet import MOVED
from bot.entrypoints.demo.images import BaseSpec
from bot.ports.builder import BuildOrder
from bot.steps.byhand import find_way_back, roll_back
from bot.steps.cycle import Cycle, Report
from bot.steps.roll import Standing
from tests.steps.memory_forge import MemoryForge
from tests.steps.shop import AFTER, RUNTIME, UNPINNED, Shop, pinned

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BUSY, QUIET, LAST = "acme/busy", "acme/tools-quiet", "acme/last"
RULES = RolloutPolicy(waves=(Wave(repositories=("acme/tools-*",)),))
LATER = replace(
    AFTER,
    created=MOVED + DAY,
    language=replace(AFTER.language, version="3.13.12") if AFTER.language else None,
)
"""One more move that matters."""
AGAIN = replace(AFTER, created=MOVED + DAY)
"""One more digest with the contents of the move before."""


@pytest.fixture
def forge(shop: Shop) -> MemoryForge:
    """Three repositories on a base that moves; somebody works on one of them."""
    made = MemoryForge(shop.clock)
    shop.ports |= {"forge": made, "pull_requests": made}
    shop.rollout = RULES
    base = shop.publish()
    for name in (BUSY, QUIET, LAST):
        made.push(name, pinned(base))
    made.changed[BUSY] = shop.now
    return made


def rolled(shop: Shop, spec: BaseSpec = AFTER) -> Digest:
    """Let the first base be done, and the next one move."""
    shop.cycle()
    new = shop.move(spec)
    shop.cycle()
    return new


def work(forge: MemoryForge, name: str) -> None:
    """Let somebody change something in a repository just before the base moves."""
    forge.changed[name] = MOVED
    forge.push(name, "print()\n", "app.py")


def decisions(report: Report) -> dict[str, Decision]:
    return {decision.use.repository: decision for decision in report.decisions}


def shown(report: Report) -> dict[str, str]:
    return {name: type(decision).__name__ for name, decision in decisions(report).items()}


def standing(shop: Shop) -> Standing:
    found = shop.inquiry().standing(RUNTIME, shop.now)
    assert found
    return found


def test_a_new_base_comes_to_those_that_somebody_works_on_then_to_the_others_in_waves(
    shop: Shop, forge: MemoryForge
) -> None:
    shop.cycle()
    work(forge, BUSY)
    new = shop.move()

    told = []
    for _ in range(5):
        told.append(list(shown(shop.cycle()).values()))
        shop.clock.wait_until(shop.now + DAY)

    assert told == [
        ["Update", "Waiting", "Waiting"],
        ["Update", "Waiting", "Waiting"],
        ["Update", "Waiting", "Waiting"],
        ["Update", "Waiting", "Update"],
        ["Update", "Update", "Update"],
    ]
    assert [kept.pull.repository for kept in forge.pulls] == [BUSY, QUIET, LAST]
    assert str(new) in forge.of(LAST)[0].files["Dockerfile"].decode()
    waiting = decisions(shop.cycle())[LAST]
    assert isinstance(waiting, Update)


@pytest.mark.usefixtures("forge")
def test_what_waits_says_for_which_wave_and_until_when(shop: Shop) -> None:
    rolled(shop)

    waiting = decisions(shop.cycle())[LAST]

    assert isinstance(waiting, Waiting)
    assert waiting.reason.endswith("; phase two, wave 2 of 2")
    assert waiting.until == standing(shop).rollout.began + 4 * DAY


def test_a_base_that_comes_meanwhile_waits_and_pins_lead_to_the_one_that_is_rolled_out(
    shop: Shop, forge: MemoryForge
) -> None:
    first = rolled(shop)
    shop.clock.wait_until(LATER.created + 2 * HOUR)
    newest = shop.publish(LATER)

    shop.clock.wait_until(shop.now + 3 * DAY)
    report = shop.cycle()

    assert {d.new for d in report.decisions if isinstance(d, Update)} == {first}
    shop.clock.wait_until(shop.now + 2 * DAY)
    for name in (BUSY, QUIET, LAST):
        forge.merge(name)
    assert shown(shop.cycle()) == {BUSY: "Waiting", QUIET: "Waiting", LAST: "Waiting"}
    assert standing(shop).rollout.base == newest


def test_a_use_on_a_newer_base_than_the_rollouts_stays_there(shop: Shop, forge: MemoryForge) -> None:
    rolled(shop)
    shop.clock.wait_until(LATER.created + 2 * HOUR)
    newest = shop.publish(LATER)
    forge.push(QUIET, pinned(newest))

    decision = decisions(shop.cycle())[QUIET]

    assert isinstance(decision, Current)
    assert decision.reason == "ahead of the rollout"


def test_a_rebuild_takes_what_its_tag_names_at_the_time_of_the_rollout(shop: Shop, forge: MemoryForge) -> None:
    """The first base of the fleet is deployed, as its pin says; the tag has moved twice since."""
    shop.policy = replace(shop.policy, style=Style.TAG)
    commit = shop.push("acme/tags", UNPINNED)
    shop.cycle()
    base = standing(shop).latest.digest
    shop.deploy("tags", base, commit, alias=None)
    forge.push("acme/tags", UNPINNED)
    rolled(shop)
    shop.clock.wait_until(LATER.created + 2 * HOUR)
    newest = shop.publish(LATER)

    inquiry = shop.inquiry()
    _, (waiting,) = inquiry.read(inquiry.repositories()["acme/tags"], shop.now)
    shop.clock.wait_until(shop.now + 3 * DAY)
    inquiry = shop.inquiry()
    _, (due,) = inquiry.read(inquiry.repositories()["acme/tags"], shop.now)

    assert isinstance(waiting, Waiting)
    assert isinstance(due, Update)
    assert (due.action, due.new) == ("rebuild", newest)


def journal(shop: Shop, *outcomes: Outcome) -> None:
    for outcome in outcomes:
        shop.store.journal.append(outcome, shop.now)


@pytest.mark.usefixtures("forge")
@pytest.mark.parametrize("spec", [AGAIN, LATER], ids=["the same again", "another one"])
def test_a_roll_back_halts_until_another_base_comes(shop: Shop, spec: BaseSpec) -> None:
    new = rolled(shop)
    built = {BASE: str(new), IMAGE: "registry.example/busy@sha256:1", "arn": "arn:busy"}
    journal(
        shop,
        Outcome(step="rebuild", subject="busy", result=Result.BUILT, message="", details=built),
        Outcome(step="redeploy", subject="busy", result=Result.ROLLED_BACK, message="alarm", details=built),
    )

    shop.clock.wait_until(shop.now + 20 * DAY)
    report = shop.cycle()

    assert shown(report) == dict.fromkeys((BUSY, LAST, QUIET), "Waiting")
    assert all("halted: busy was rolled back" in decision.reason for decision in report.decisions)
    shop.clock.wait_until(shop.now + DAY)
    newest = shop.publish(spec)
    shop.cycle()
    found = standing(shop)
    assert found.rollout.base == (newest if spec is LATER else new)
    assert (phase(RULES, found.rollout, found.troubles, shop.now)[0] is Phase.HALTED) == (spec is AGAIN)


def test_a_build_that_fails_halts_and_goes_on_once_it_succeeds(shop: Shop) -> None:
    class Broken:
        def build(self, order: BuildOrder) -> object:
            raise BuildError(f"{order.base} has no compiler")

    shop.rollout = RULES
    base = shop.publish()
    commit = shop.push("acme/orders", pinned(base))
    shop.deploy("orders", base, commit)
    shop.push("acme/waits", pinned(base))
    shop.cycle()
    new = shop.move()
    shop.cycle()
    shop.clock.wait_until(shop.now + 4 * DAY)
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.ports["builder"] = Broken()

    failed = shop.cycle()
    halted = decisions(shop.cycle())["acme/waits"]
    del shop.ports["builder"]
    shop.cycle()

    (outcome,) = [o for o in failed.outcomes if o.subject == "orders"]
    assert (outcome.step, outcome.result, outcome.details) == ("rebuild", Result.FAILED, {BASE: str(new)})
    assert isinstance(halted, Waiting)
    assert halted.reason.endswith("halted: orders cannot be built on it")
    assert standing(shop).troubles.failures == ()


def test_a_mark_of_an_alias_halts_though_the_store_is_lost(shop: Shop) -> None:
    """What the function itself says holds: it was taken back from the newest base."""
    shop.rollout = RULES
    base = shop.publish()
    commit = shop.push("acme/orders", pinned(base))
    shop.deploy("orders", base, commit)
    shop.cycle()
    shop.move()
    shop.clock.wait_until(shop.now + 5 * DAY)
    shop.cycle()
    shop.clock.wait_until(shop.now + 5 * DAY)
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.cycle()
    engine = MemoryEngine(shop.clock, timedelta(minutes=5))
    way = find_way_back(shop.targets[0], None, shop.functions, shop.registry)
    roll_back(way, shop.world(), engine)
    shop.forget()

    cycle = Cycle(shop.world(), shop.rules())
    found = cycle.inquiry.standing(RUNTIME, shop.now)

    assert found
    assert found.troubles.halt(RULES) == "orders was rolled back"


def test_checks_that_fail_halt_are_told_once_and_are_over_once_they_pass(shop: Shop, forge: MemoryForge) -> None:
    shop.cycle()
    work(forge, BUSY)
    shop.move()
    shop.cycle()
    forge.change(BUSY, fails_checks=True)

    told = shop.cycle()
    again = shop.cycle()

    (warned,) = [o for o in told.outcomes if o.result is Result.WARNED]
    assert warned.message == f"the checks of {forge.of(BUSY)[0].pull.url} fail"
    assert str(standing(shop).rollout.base) in warned.details[CHECKS]
    assert Result.WARNED not in [o.result for o in again.outcomes]
    assert shown(again)[BUSY] == "Waiting"
    forge.change(BUSY, fails_checks=False)
    assert Result.SETTLED in [o.result for o in shop.cycle().outcomes]
    assert shown(shop.cycle())[BUSY] == "Update"


def test_checks_of_a_pull_request_that_a_person_closed_hold_up_nobody(shop: Shop, forge: MemoryForge) -> None:
    shop.cycle()
    work(forge, BUSY)
    shop.move()
    shop.cycle()
    forge.change(BUSY, fails_checks=True)
    shop.cycle()
    forge.close_by_person(BUSY)

    shop.cycle()

    assert standing(shop).troubles.failures == ()


def test_checks_of_a_repository_that_is_archived_meanwhile_hold_up_nobody(shop: Shop, forge: MemoryForge) -> None:
    shop.cycle()
    work(forge, BUSY)
    shop.move()
    shop.cycle()
    forge.change(BUSY, fails_checks=True)
    shop.cycle()
    forge.read_only[BUSY] = "it is archived"

    shop.cycle()

    assert standing(shop).troubles.failures == ()


def test_without_a_rollout_nobody_is_told_of_checks(shop: Shop, forge: MemoryForge) -> None:
    shop.rollout = None
    rolled(shop)
    forge.change(BUSY, fails_checks=True)

    assert Result.WARNED not in [o.result for o in shop.cycle().outcomes]
    assert shop.store.rollouts.get(RUNTIME) is None


@pytest.mark.usefixtures("forge")
def test_a_block_leads_back_to_the_newest_base_that_holds_something_else(shop: Shop) -> None:
    """The bad base moved once more, with the same contents under a digest that nobody blocked."""
    shop.cycle()
    before = standing(shop).rollout.base
    bad = shop.move()
    shop.cycle()
    shop.clock.wait_until(AGAIN.created + 2 * HOUR)
    shop.publish(AGAIN)
    shop.declared = Declarations(blocks=(Block(digest=bad, reason="crashes"),))

    report = shop.cycle()

    found = standing(shop)
    assert (found.rollout.base, found.rollout.makeshift) == (before, True)
    assert shown(report) == dict.fromkeys((BUSY, LAST, QUIET), "Current")


@pytest.mark.usefixtures("forge")
def test_where_every_base_is_blocked_it_halts_and_says_so(shop: Shop) -> None:
    shop.cycle()
    only = standing(shop).rollout.base
    shop.declared = Declarations(blocks=(Block(digest=only, reason="crashes"),))

    report = shop.cycle()

    assert all(isinstance(decision, Held) for decision in report.decisions)
    assert standing(shop).troubles.halt(RULES) == "it is blocked (crashes)"


@pytest.mark.usefixtures("forge")
def test_losing_the_store_begins_again_with_phase_one(shop: Shop) -> None:
    rolled(shop)
    shop.clock.wait_until(shop.now + 30 * DAY)
    assert shown(shop.cycle())[LAST] == "Update"

    shop.forget()

    assert shown(shop.cycle())[LAST] == "Waiting"


@pytest.mark.usefixtures("forge")
def test_where_two_bases_cannot_be_compared_the_stream_stays_where_it_is_and_that_is_told(shop: Shop) -> None:
    first = rolled(shop)
    shop.clock.wait_until(shop.now + 30 * DAY)
    shop.cycle()
    shop.publish(LATER)
    cycle = Cycle(shop.world(), shop.rules())
    fault = RegistryError("the registry is out of order", retryable=True)
    inquiry = cycle.inquiry
    inquiry.observe(RUNTIME, shop.now)
    newest = inquiry.observations[0]
    name = newest.reference.with_tag(None)
    inquiry._judged[name.with_digest(first), name.with_digest(newest.digest)] = fault

    found = inquiry.standing(RUNTIME, shop.now)

    assert found
    assert (found.rollout.base, found.fault) == (first, fault)
    assert inquiry.failed_streams == ((RUNTIME, "the registry is out of order"),)

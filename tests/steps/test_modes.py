"""Update modes in whole cycles: what each does to pull requests and to functions, wherever it was said."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.adapters.engine.memory import MemoryEngine
from bot.core.decision import Held, Update, Waiting
from bot.core.digest import Digest
from bot.core.layer import Language
from bot.core.modes import Mode, UpdateMode
from bot.core.outcome import Result
from bot.core.policy import Declarations, FunctionMode
from bot.core.responsibility import RETURN, Duty, State
from bot.ports.forge import PullRequestState
from bot.steps.audit import audit
from bot.steps.cycle import Cycle
from tests.adapters.forge.world import BareRepositories, File
from tests.core.facts import manual
from tests.steps.shop import AFTER, Shop, pinned

NAME = "acme/orders"
RIDES = UpdateMode(mode=Mode.FUNCTION_UPDATE, said_by="policy")
AUTO = UpdateMode(mode=Mode.AUTO, said_by="policy")
LATER = date(2027, 1, 31)


def change(shop: Shop) -> None:
    """A person changes something now."""
    people = BareRepositories(shop.folder / "repositories", shop.folder / "desk", shop.now)
    people.push(NAME, "main", {})


def behind(shop: Shop, **tags: str) -> tuple[Digest, Digest]:
    """A function and its repository on a base that moved since they were changed."""
    old = shop.publish()
    shop.deploy("orders", old, shop.push(NAME, pinned(old)), **tags)
    shop.watch()
    return old, shop.move()


def merge(shop: Shop) -> None:
    (opened,) = [pull for pull in shop.pull_requests(NAME) if pull.state is PullRequestState.OPEN]
    shop.forge.merge(NAME, opened.number)


# function-update: pull requests


def test_in_function_update_a_base_comes_with_the_next_change_of_somebody(shop: Shop) -> None:
    _, new = behind(shop)
    shop.policy = replace(shop.policy, modes=(RIDES,))

    (before,) = shop.cycle().decisions
    change(shop)
    (after,) = shop.cycle().decisions

    assert isinstance(before, Waiting)
    assert before.reason.endswith("; mode function-update: comes with the next change of acme/orders")
    assert isinstance(after, Update)
    assert after.new == new
    assert len(shop.pull_requests(NAME)) == 1


def test_what_we_merge_is_no_change_of_somebody(shop: Shop) -> None:
    """Else the second of two bases would ride with the first one's pull request."""
    behind(shop)
    shop.policy = replace(shop.policy, modes=(RIDES,))
    change(shop)
    shop.cycle()
    shop.clock.wait_until(shop.now + timedelta(days=1))
    shop.publish(replace(AFTER, created=shop.now, language=Language("python", "3.13.99")))
    merge(shop)
    shop.clock.wait_until(shop.now + timedelta(days=1))

    (decision,) = shop.cycle().decisions

    assert isinstance(decision, Waiting)


def test_the_repositorys_own_file_may_ask_for_it(shop: Shop) -> None:
    old, _ = behind(shop)
    shop.people.push(NAME, "main", {".github/refrom.yaml": File(b"version: 1\npolicy: {mode: function-update}\n")})

    (decision,) = shop.cycle().decisions

    assert isinstance(decision, Waiting)
    assert shop.base_of("orders") == old


def test_the_repositorys_own_file_cannot_ask_for_more(shop: Shop) -> None:
    behind(shop)
    stays = UpdateMode(mode=Mode.MANUAL, said_by="policy", reason="we look at it", until=LATER)
    shop.policy = replace(shop.policy, modes=(stays,))
    shop.people.push(NAME, "main", {".github/refrom.yaml": File(b"version: 1\npolicy: {mode: auto}\n")})

    (decision,) = shop.cycle().decisions

    assert isinstance(decision, Held)
    assert decision.reason == "manual until 2027-01-31: we look at it"


# functions


def test_a_function_in_function_update_waits_for_a_change_though_the_base_is_merged(shop: Shop) -> None:
    old, new = behind(shop, mode="function-update")
    shop.cycle()
    merge(shop)

    report = shop.cycle()
    waits = [(o.step, o.result, o.message) for o in report.outcomes if o.subject == "orders"]
    stays = shop.base_of("orders")
    change(shop)
    shop.cycle()

    assert [(step, result) for step, result, _ in waits] == [("rebuild", Result.UNCHANGED)]
    assert waits[0][2].startswith("mode function-update: ")
    assert waits[0][2].endswith("comes with the next change of acme/orders")
    assert stays == old
    assert shop.base_of("orders") == new


def test_by_hand_a_function_in_function_update_is_brought_up_at_once(shop: Shop) -> None:
    _, new = behind(shop, mode="function-update")
    shop.cycle()
    merge(shop)

    Cycle(shop.world(), shop.rules()).redeploy(MemoryEngine(shop.clock, timedelta(minutes=5)), "orders")

    assert shop.base_of("orders") == new


@pytest.mark.parametrize("where", ["tag", "holds file", "policy"])
def test_a_function_in_manual_is_left_alone_wherever_that_was_said(shop: Shop, where: str) -> None:
    said = {"mode": "manual", "reason": "it hangs", "until": str(LATER)} if where == "tag" else {}
    old, _ = behind(shop, **said)
    shop.cycle()
    merge(shop)
    if where == "holds file":
        shop.declared = Declarations(modes=(manual("orders", "it hangs", LATER),))
    if where == "policy":
        stays = UpdateMode(mode=Mode.MANUAL, said_by="policy", reason="it hangs", until=LATER)
        shop.policy = replace(shop.policy, modes=(stays,))

    report = shop.cycle()
    (found,) = audit(shop.inquiry(), shop.now).findings

    assert [o for o in report.outcomes if o.subject == "orders"] == []
    assert shop.base_of("orders") == old
    assert found.mode == "manual"
    assert (found.duties[0].state, found.duties[0].why) == (State.EXCEPTED, "manual until 2027-01-31: it hangs")
    assert found.duties[1].state is State.DUE


def test_the_holds_file_says_more_of_a_function_than_its_tags(shop: Shop) -> None:
    _, new = behind(shop, mode="manual", reason="it hangs", until=str(LATER))
    shop.cycle()
    merge(shop)
    shop.declared = Declarations(modes=(FunctionMode(function="orders", mode=AUTO),))

    shop.cycle()

    assert shop.base_of("orders") == new


def test_tags_that_nobody_understands_leave_the_function_alone_and_fail(shop: Shop) -> None:
    old, _ = behind(shop, mode="frozen")
    shop.cycle()
    merge(shop)

    report = shop.cycle()
    (found,) = audit(shop.inquiry(), shop.now).findings

    (told,) = [o for o in report.outcomes if o.subject == "orders"]
    assert (told.result, told.message) == (
        Result.FAILED,
        "orders is left alone: tag refrom:mode says 'frozen'; write auto, function-update, manual",
    )
    assert report.needs_attention
    assert shop.base_of("orders") == old
    assert Duty(duty=RETURN, state=State.UNKNOWN, why=told.message.partition(": ")[2]) in found.duties
    assert found.breaks_slo


def test_after_its_end_the_loop_goes_on_and_the_audit_asks_to_take_it_out(shop: Shop) -> None:
    _, new = behind(shop, mode="manual", reason="it hangs", until="2026-01-01")
    shop.cycle()
    merge(shop)

    shop.cycle()
    (found,) = audit(shop.inquiry(), shop.now).findings

    assert shop.base_of("orders") == new
    assert found.mode == "auto"
    overdue = next(duty for duty in found.duties if duty.duty == RETURN)
    assert (overdue.state, overdue.days) == (State.OVERDUE, (shop.now.date() - date(2026, 1, 1)).days)
    assert overdue.why == ("manual until 2026-01-01: it hangs is over, and tag refrom:mode still says it; take it out")
    assert found.breaks_slo

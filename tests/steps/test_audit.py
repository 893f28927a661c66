"""Audit: who stands on what, how far behind, and what could not be read; nothing is changed by asking."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.engine.stop import AskedStop
from bot.core.decision import Update
from bot.core.deployment import Alias
from bot.core.digest import Digest
from bot.core.layer import Language
from bot.core.outcome import Result
from bot.core.policy import Declarations, Hold
from bot.core.responsibility import Finding, State, Verdict
from bot.entrypoints.audit_documents import audit_document
from bot.entrypoints.demo.fleet import AMD64
from bot.entrypoints.demo.images import publish_function
from bot.steps.audit import Audit, audit, audit_after
from bot.steps.cycle import Cycle
from bot.steps.serving import prove_served
from tests.steps.shop import AFTER, PYTHON, SAME, Shop, pinned


@pytest.fixture
def fleet(shop: Shop) -> Shop:
    """One function on the current base, as its Dockerfile pins it."""
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    audited(shop)
    return shop


def audited(shop: Shop) -> Audit:
    return audit(shop.inquiry(), shop.now)


def finding(shop: Shop) -> Finding:
    (found,) = audited(shop).findings
    return found


def test_a_function_on_the_current_base_has_met_its_duty(fleet: Shop) -> None:
    found = audited(fleet)

    assert [(f.verdict, f.duties[0].state, f.evidence.version) for f in found.findings] == [
        (Verdict.CURRENT, State.MET, "1")
    ]
    assert (found.faults, found.unwatched, found.needs_attention) == ((), (), False)


def test_a_function_on_an_older_base_is_behind_and_then_overdue(fleet: Shop) -> None:
    fleet.move()
    behind = finding(fleet)
    fleet.clock.advance(timedelta(days=31))
    overdue = finding(fleet)

    assert (behind.verdict, behind.duties[0].state) == (Verdict.BEHIND, State.DUE)
    assert (overdue.verdict, overdue.duties[0].state) == (Verdict.BEHIND, State.OVERDUE)
    assert audited(fleet).needs_attention


def test_a_base_that_moved_in_digest_alone_leaves_the_function_current(fleet: Shop) -> None:
    fleet.move(SAME)

    assert finding(fleet).verdict is Verdict.CURRENT


def test_what_is_merged_and_not_deployed_has_drifted(fleet: Shop) -> None:
    fleet.move()
    fleet.cycle()
    fleet.forge.merge("acme/orders", 1)

    assert finding(fleet).verdict is Verdict.DRIFTED


@dataclass(frozen=True, slots=True)
class Shifting:
    """Functions of which every alias sends a part of the requests to another version."""

    functions: Any
    weights: tuple[tuple[str, float], ...]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.functions, name)

    def alias(self, function: str, name: str) -> Alias:
        found: Alias = replace(self.functions.alias(function, name), weights=self.weights)
        return found


def deploy_by_hand(shop: Shop, base: Digest, tag: str, *, moved: bool = False) -> str:
    """Let somebody else build on a base, deploy and publish it; return the version."""
    repository = shop.targets[0].destination
    assert repository
    digest = publish_function(
        shop.writer,
        shop.writer,
        PYTHON.with_digest(base),
        AMD64,
        {"var/task/x": tag.encode()},
        repository.with_tag(tag),
        {},
    )
    shop.functions.update_code(shop.functions.function("orders"), repository.with_digest(digest))
    shop.clock.advance(timedelta(minutes=1))
    version = shop.functions.publish_version(shop.functions.function("orders"))
    if moved:
        alias = shop.functions.alias("orders", "live")
        assert alias is not None
        shop.functions.move_alias(shop.functions.function("orders"), replace(alias, version=version))
    return version


def test_what_somebody_deployed_beside_the_default_branch_has_drifted_too(fleet: Shop) -> None:
    deploy_by_hand(fleet, fleet.move(), "hand", moved=True)

    found = finding(fleet)

    assert (found.verdict, found.evidence.version) == (Verdict.DRIFTED, "2")
    assert found.duties[0].why.startswith("something else was deployed: acme/orders names ")


def test_what_is_merged_and_stands_on_latest_alone_is_named_so(fleet: Shop) -> None:
    newer = fleet.move()
    fleet.cycle()
    fleet.forge.merge("acme/orders", 1)
    deploy_by_hand(fleet, newer, "hand")

    found = finding(fleet)

    assert found.verdict is Verdict.DRIFTED
    why = "merged but not deployed: $LATEST has it, alias live does not serve it; "
    assert found.duties[0].why.startswith(why)


def test_every_version_that_an_alias_serves_by_weight_is_judged(fleet: Shop) -> None:
    second = deploy_by_hand(fleet, fleet.move(), "hand")
    fleet.ports["functions"] = Shifting(fleet.functions, ((second, 0.1),))

    found = finding(fleet)

    assert [(s.version, round(s.weight, 3), s.verdict) for s in found.serves] == [
        ("1", 0.9, Verdict.BEHIND),
        ("2", 0.1, Verdict.DRIFTED),
    ]
    assert found.verdict is Verdict.DRIFTED


def test_a_redeploy_is_proven_by_all_that_serves(fleet: Shop) -> None:
    """What follow_alias has moved is read once more from the service and the registry."""
    old = fleet.publish()
    goal = fleet.watch().platforms[AMD64]
    second = deploy_by_hand(fleet, fleet.move(), "hand")
    shifting = Shifting(fleet.functions, ((second, 0.25),))

    whole = prove_served(fleet.targets[0], goal, fleet.functions, fleet.registry)
    astray = prove_served(fleet.targets[0], goal, shifting, fleet.registry)

    assert goal.reference.digest == old
    assert (whole.result, whole.message) == (Result.PROVEN, f"all that alias live serves stands on {goal.reference}")
    assert astray.result is Result.FAILED
    assert f"version {second} with 25% of the requests runs registry.example/orders@" in astray.message


def test_a_hold_is_an_exception_with_its_reason(fleet: Shop) -> None:
    fleet.move()
    fleet.declared = Declarations(holds=(Hold(reason="freeze", function="orders"),))

    duty = finding(fleet).duties[0]

    assert (duty.state, duty.why) == (State.EXCEPTED, "freeze")


def test_what_cannot_be_read_is_a_row_and_the_others_go_on(fleet: Shop) -> None:
    fleet.targets.append(replace(fleet.targets[0], function="gone"))
    fleet.people.create_broken("acme/broken")

    found = audited(fleet)

    assert [(f.evidence.function.rpartition(":")[2], f.verdict) for f in found.findings] == [
        ("orders", Verdict.CURRENT),
        ("gone", Verdict.UNKNOWN),
    ]
    assert "does not exist" in found.findings[1].evidence.fault
    assert [name for name, _ in found.faults] == ["acme/broken"]
    assert found.needs_attention


def test_a_base_whose_stream_no_tag_tells_is_a_row_that_says_so(fleet: Shop) -> None:
    """Proven by its digest in a label, with the store lost and only other date stamps around its hour."""
    untagged = fleet.publish(replace(AFTER, tag="copied"))
    fleet.publish(replace(AFTER, tag="3.12", language=Language("python", "3.12.9")))
    fleet.deploy("search", untagged, fleet.push("acme/search", pinned(untagged)))
    fleet.forget()

    found = {f.evidence.function.rpartition(":")[2]: f for f in audited(fleet).findings}["search"]

    assert found.evidence.fault.startswith(f"no tag leads to public.ecr.aws/lambda/python@{untagged}, so")


def test_asking_changes_neither_forge_nor_functions_nor_journal(fleet: Shop) -> None:
    fleet.move()
    state, branches = (fleet.folder / "functions.json").read_bytes(), fleet.people.branches("acme/orders")

    found = audited(fleet)

    assert [type(decision) for decision in found.decisions] == [Update]
    assert (fleet.folder / "functions.json").read_bytes() == state
    assert fleet.people.branches("acme/orders") == branches
    assert not fleet.store.journal.entries()


def test_after_a_cycle_the_audit_is_the_one_that_asks_anew(fleet: Shop) -> None:
    """What the cycle decided stands in it, though the pull request is open by then; nothing is surveyed again."""
    fleet.targets.append(replace(fleet.targets[0], function="gone"))
    fleet.people.create_broken("acme/broken")
    fleet.move()
    cycle, engine = Cycle(fleet.world(), fleet.rules()), MemoryEngine(fleet.clock)
    cycle.run(engine)

    after, anew = audit_after(cycle, engine), audited(fleet)

    assert audit_document(after) == audit_document(anew)
    assert [name for name, _ in after.faults] == ["acme/broken"]
    assert [type(decision) for decision in after.decisions] == [Update]
    assert len(after.findings) == 2


def test_a_stopped_engine_judges_no_further_function(fleet: Shop) -> None:
    stop = AskedStop(fleet.clock)
    engine = MemoryEngine(fleet.clock, stop=stop)
    cycle = Cycle(fleet.world(), fleet.rules())
    cycle.run(engine)
    stop.ask()

    assert audit_after(cycle, engine).findings == ()

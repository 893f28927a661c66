"""A cycle: the loop from a moved base to a proven function, and that one failure does not stop the others."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.builder.recording import RecordingBuilder
from bot.core.decision import Current, Held, Skip, Update, Waiting
from bot.core.errors import BuildError
from bot.core.outcome import Outcome, Result
from bot.core.policy import Block, Declarations, Hold, OnUnknown, Policy, Style, UpdateOn
from bot.core.target import SmokeTest
from bot.entrypoints.demo.fleet import ARM64, MOVED
from bot.ports.builder import Builder, Building, BuildOrder, Built
from bot.ports.engine import Key
from bot.steps.cycle import Cycle, Report
from tests.adapters.forge.world import File
from tests.steps.shop import AFTER, BEFORE, PYTHON, SAME, UNPINNED, Shop, pinned


def results(report: Report, subject: str) -> list[str]:
    return [f"{o.step} {o.result}" for o in report.outcomes if o.subject == subject]


def failures(report: Report) -> list[Outcome]:
    return [outcome for outcome in report.outcomes if outcome.needs_attention]


def furnish(shop: Shop, name: str = "orders", dockerfile: str = "") -> None:
    """One repository and its function on the current base."""
    base = shop.publish()
    commit = shop.push(f"acme/{name}", dockerfile or pinned(base))
    shop.deploy(name, base, commit)


@pytest.mark.parametrize("dockerfile", ["", UNPINNED], ids=["pinned", "not pinned"])
def test_a_moved_base_is_proposed_merged_built_deployed_and_proven(shop: Shop, dockerfile: str) -> None:
    furnish(shop, dockerfile=dockerfile)
    assert not shop.cycle().outcomes
    new = shop.move()

    proposed = shop.cycle()

    assert results(proposed, "acme/orders") == ["propose opened"]
    assert not results(proposed, "orders")
    shop.forge.merge("acme/orders", 1)
    deployed = shop.cycle()
    assert results(deployed, "orders") == ["rebuild built", "redeploy updated", "redeploy moved", "prove proven"]
    assert not deployed.waiting
    assert shop.base_of("orders") == new
    assert shop.dockerfile("acme/orders") == pinned(new)


class Elsewhere:
    """A builder whose image is there when it is looked for the third time."""

    def __init__(self, builder: Builder) -> None:
        self._builder, self.looks = builder, 0

    def build(self, order: BuildOrder) -> Built | Building:
        self.looks += 1
        if self.looks < 3:
            return Building(why="another service builds it", look=timedelta(seconds=15))
        return self._builder.build(order)


def test_a_build_elsewhere_is_looked_at_again_in_the_same_cycle_and_told_once(shop: Shop) -> None:
    furnish(shop)
    new = shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    builder = Elsewhere(shop.world().builder)
    shop.ports["builder"] = builder

    report = shop.cycle()

    done = ["rebuild built", "redeploy updated", "redeploy moved", "prove proven"]
    assert results(report, "orders") == ["rebuild waiting", *done]
    assert (builder.looks, shop.base_of("orders")) == (3, new)


def test_a_cycle_over_a_finished_fleet_writes_nothing(shop: Shop) -> None:
    furnish(shop)
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.cycle()
    state, branches = (shop.folder / "functions.json").read_bytes(), shop.people.branches("acme/orders")
    journal = shop.store.journal.entries()

    report = shop.cycle()

    assert (report.outcomes, report.needs_attention) == ((), False)
    assert [type(decision) for decision in report.decisions] == [Current]
    assert (shop.folder / "functions.json").read_bytes() == state
    assert shop.people.branches("acme/orders") == branches
    assert shop.store.journal.entries() == journal


def test_in_the_style_of_tags_a_function_is_rebuilt_without_a_pull_request(shop: Shop) -> None:
    shop.policy = Policy(update_on=UpdateOn.PACKAGES, style=Style.TAG)
    furnish(shop, dockerfile=UNPINNED)
    new = shop.move()

    report = shop.cycle()

    assert results(report, "orders")[-1] == "prove proven"
    assert shop.base_of("orders") == new
    assert not shop.pull_requests("acme/orders")
    assert [type(decision) for decision in shop.cycle().decisions] == [Current]


@pytest.mark.parametrize("before", ["3.13", f"3.13.{BEFORE.created:%Y.%m.%d.%H}"], ids=["a tag", "a date"])
def test_in_the_style_of_dates_a_date_is_proposed_merged_and_built(shop: Shop, before: str) -> None:
    shop.policy = Policy(update_on=UpdateOn.PACKAGES, style=Style.DATED)
    furnish(shop, dockerfile=UNPINNED.replace("3.13", before))
    assert not shop.cycle().outcomes
    new = shop.move()

    assert results(shop.cycle(), "acme/orders") == ["propose opened"]
    shop.forge.merge("acme/orders", 1)
    deployed = shop.cycle()

    assert results(deployed, "orders")[-1] == "prove proven"
    assert shop.base_of("orders") == new
    assert shop.dockerfile("acme/orders") == UNPINNED.replace("3.13", f"3.13.{MOVED:%Y.%m.%d.%H}")
    after = shop.cycle()
    assert (after.outcomes, [type(decision) for decision in after.decisions]) == ((), [Current])


def test_a_target_whose_arguments_name_another_base_has_a_decision_of_its_own(shop: Shop) -> None:
    """The plain build takes Python 3.12, which nobody publishes here; the target's own arguments say 3.13."""
    shop.policy = Policy(update_on=UpdateOn.PACKAGES, style=Style.TAG)
    furnish(shop, dockerfile=f"ARG V=3.12\nFROM {PYTHON}:$V\nCOPY app.py ./\n")
    shop.targets = [replace(target, build_args={"V": "3.13"}) for target in shop.targets]
    new = shop.move()

    report = shop.cycle()

    assert [(decision.use.runtime, type(decision)) for decision in report.decisions] == [
        ("python3.12", Skip),
        ("python3.13", Update),
    ]
    assert results(report, "orders")[-1] == "prove proven"
    assert shop.base_of("orders") == new


def test_a_target_whose_arguments_alone_name_a_base_is_handled(shop: Shop) -> None:
    furnish(shop, dockerfile="ARG BASE\nFROM $BASE\nCOPY app.py ./\n")
    shop.targets = [replace(target, build_args={"BASE": f"{PYTHON}:3.13"}) for target in shop.targets]
    shop.move()

    (decision,) = shop.cycle().decisions

    assert isinstance(decision, Skip)
    assert decision.reason == "cannot be edited: it is given from outside the file"


def test_a_move_on_another_platform_alone_leaves_a_function_current(shop: Shop) -> None:
    """The index is another, the function's own base is not."""
    shop.policy = Policy(update_on=UpdateOn.PACKAGES, style=Style.TAG)
    furnish(shop, dockerfile=UNPINNED)
    shop.cycle()
    shop.move(replace(BEFORE, packages={**BEFORE.packages, ARM64: AFTER.packages[ARM64]}))

    report = shop.cycle()

    assert not report.outcomes
    assert [type(decision) for decision in report.decisions] == [Current]


def test_a_digest_that_moved_alone_is_no_news(shop: Shop) -> None:
    furnish(shop)
    shop.move(SAME)

    report = shop.cycle()

    assert not report.outcomes
    assert [type(decision) for decision in report.decisions] == [Current]


class Logging:
    """A builder, and what it said."""

    def __init__(self, builder: Builder) -> None:
        self._builder, self.logs = builder, list[str]()

    def build(self, order: BuildOrder) -> Built | Building:
        built = self._builder.build(order)
        assert isinstance(built, Built)
        self.logs.append(built.log)
        return built


def test_a_base_that_is_the_same_but_for_times_is_built_once_and_deployed_never(shop: Shop) -> None:
    """Somebody merged the digest all the same; what is known of it is in the registry alone, so the store may go."""
    furnish(shop)
    new = shop.move(SAME)
    shop.people.push("acme/orders", "main", {"Dockerfile": File(pinned(new).encode())})
    builder = shop.ports["builder"] = Logging(shop.world().builder)
    state = (shop.folder / "functions.json").read_bytes()

    first = shop.cycle()
    shop.forget()
    second = shop.cycle()

    assert results(first, "orders") == results(second, "orders") == ["rebuild unchanged"]
    assert "differs from what is deployed in times alone" in first.outcomes[-1].message
    assert [log.endswith("is already there") for log in builder.logs] == [False, True]
    assert (shop.folder / "functions.json").read_bytes() == state


def test_an_image_is_tried_before_it_is_deployed(shop: Shop) -> None:
    furnish(shop)
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.targets = [replace(target, smoke=SmokeTest(events=("events/a.json",))) for target in shop.targets]

    report = shop.cycle()

    (trial,) = shop.smoke.made
    assert (trial.repository, trial.events) == ("acme/orders", ("events/a.json",))
    assert trial.commit == shop.people.branches("acme/orders")["main"]
    assert trial.image == shop.functions.function("orders").image
    assert "it starts and answers 1 event" in next(o.message for o in report.outcomes if o.step == "rebuild")


def test_an_image_that_does_not_start_is_not_deployed(shop: Shop) -> None:
    furnish(shop)
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.targets = [replace(target, smoke=SmokeTest()) for target in shop.targets]
    shop.smoke.fault = BuildError("does not start")
    before = (shop.folder / "functions.json").read_bytes()

    report = shop.cycle()

    assert [(o.result, o.message) for o in failures(report)] == [(Result.FAILED, "does not start")]
    assert (shop.folder / "functions.json").read_bytes() == before


def test_a_hold_stops_the_pull_request_and_the_function(shop: Shop) -> None:
    furnish(shop)
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.declared = Declarations(holds=(Hold(reason="freeze", repository="acme/*"),))

    report = shop.cycle()

    assert not report.outcomes
    assert [type(decision) for decision in report.decisions] == [Held]


def test_a_block_closes_the_pull_request_of_a_bad_base(shop: Shop) -> None:
    furnish(shop)
    new = shop.move()
    shop.cycle()
    shop.declared = Declarations(blocks=(Block(digest=new, reason="breaks TLS"),))

    report = shop.cycle()

    assert results(report, "acme/orders") == ["propose closed"]
    assert [type(decision) for decision in report.decisions] == [Held]


def test_a_base_that_is_unknown_waits_where_policy_says_so(shop: Shop) -> None:
    shop.policy = Policy(on_unknown=OnUnknown.WAIT)
    shop.publish()
    shop.push("acme/orders", UNPINNED)

    report = shop.cycle()

    assert not report.outcomes
    assert [type(decision) for decision in report.decisions] == [Waiting]


def test_a_repository_that_cannot_be_read_does_not_stop_the_others(shop: Shop) -> None:
    furnish(shop, "alpha")
    furnish(shop, "orders")
    shop.people.create_broken("acme/broken")
    shop.move()

    report = shop.cycle()

    assert [outcome.subject for outcome in failures(report)] == ["acme/broken"]
    assert results(report, "acme/alpha") == results(report, "acme/orders") == ["propose opened"]


def test_a_function_that_fails_does_not_stop_the_others(shop: Shop) -> None:
    furnish(shop, "alpha")
    furnish(shop, "orders")
    shop.targets[0] = replace(shop.targets[0], function="gone")
    shop.move()
    shop.cycle()
    for name in ("acme/alpha", "acme/orders"):
        shop.forge.merge(name, 1)

    report = shop.cycle()

    assert [(o.subject, o.result) for o in failures(report)] == [("gone", Result.FAILED)]
    assert results(report, "orders")[-1] == "prove proven"


def test_a_function_whose_repository_is_nowhere_is_told_so(shop: Shop) -> None:
    furnish(shop)
    shop.targets[0] = replace(shop.targets[0], repository="acme/elsewhere")

    (failure,) = failures(shop.cycle())

    assert "acme/elsewhere is in no forge of the settings" in failure.message


def test_a_target_on_no_lambda_base_is_told_so(shop: Shop) -> None:
    furnish(shop)
    shop.targets[0] = replace(shop.targets[0], stage="missing")

    (failure,) = failures(shop.cycle())

    assert "Dockerfile of acme/orders builds in stage missing on no Lambda base" in failure.message
    assert "correct the target" in failure.message


def test_a_target_follows_the_base_of_its_own_stage(shop: Shop) -> None:
    """The last stage is another image; what the function runs is the stage that its target names."""
    furnish(shop, dockerfile=f"{UNPINNED.replace('3.13', '3.13 AS serve', 1)}FROM alpine\n")
    shop.targets[0] = replace(shop.targets[0], stage="serve")
    shop.policy = Policy(update_on=UpdateOn.PACKAGES, style=Style.TAG)
    new = shop.move()

    report = shop.cycle()

    assert results(report, "orders")[-1] == "prove proven"
    assert shop.base_of("orders") == new


def test_an_alias_left_behind_by_a_crash_follows_in_the_next_cycle(shop: Shop) -> None:
    """In the style of tags nothing in the file says that a deployment is not finished; the image's labels do."""
    shop.policy = Policy(update_on=UpdateOn.PACKAGES, style=Style.TAG)
    furnish(shop, dockerfile=UNPINNED)
    new = shop.move()
    crashing = Cycle(shop.world(), shop.rules())
    crashing.repositories = crashing.inquiry.repositories()
    crashing.tick(Key("repository", "acme/orders"), shop.now)
    crashing.tick(Key("function", "orders"), shop.now)
    assert shop.base_of("orders") != new, "the alias still serves the old version"

    shop.clock.advance(timedelta(minutes=1))
    report = shop.cycle()

    assert results(report, "orders") == ["redeploy moved", "prove proven"]
    assert shop.base_of("orders") == new


def test_a_stream_that_fails_skips_its_uses_and_handles_the_rest(shop: Shop) -> None:
    furnish(shop)
    shop.push("acme/other", "FROM public.ecr.aws/lambda/ruby:3.4\n")
    shop.move()

    report = shop.cycle()

    assert {type(d) for d in report.decisions if d.use.repository == "acme/other"} == {Skip}
    assert results(report, "acme/orders") == ["propose opened"]


def test_an_image_that_is_built_elsewhere_is_awaited(shop: Shop) -> None:
    furnish(shop)
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.ports["builder"] = RecordingBuilder()

    assert results(shop.cycle(), "orders") == ["rebuild waiting"]


def test_an_image_that_cannot_be_built_fails_its_function_alone(shop: Shop) -> None:
    furnish(shop)
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.people.push("acme/orders", "main", shop.files(app="changed = True\n"))

    report = shop.cycle()

    assert results(report, "orders") == ["rebuild failed"]
    assert report.needs_attention


def test_the_ledger_may_be_lost_at_any_time(shop: Shop) -> None:
    furnish(shop)
    shop.cycle()
    new = shop.move()
    shop.cycle()
    shop.forget()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    shop.forget()

    shop.cycle()

    assert shop.base_of("orders") == new
    assert len(shop.pull_requests("acme/orders")) == 1
    shop.forget()
    assert [type(decision) for decision in shop.cycle().decisions] == [Current]

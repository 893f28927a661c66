"""A function that its team's own pipeline deploys: started once, followed, and proven in the end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.engine.memory import MemoryEngine
from bot.core.outcome import Result
from bot.core.pipeline import Pipeline, PipelineOrder, WorkflowPipeline
from bot.entrypoints.demo.fleet import AMD64
from bot.entrypoints.demo.images import publish_function
from bot.ports.jobs import Job, JobState
from bot.steps.cycle import Cycle, Report
from tests.steps.shop import PYTHON, Shop, pinned


@pytest.fixture
def merged(shop: Shop) -> Shop:
    """A newer base is merged, and nothing is deployed yet."""
    base = shop.publish()
    target = shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets = [replace(target, destination=None, pipeline=WorkflowPipeline("deploy.yml"))]
    shop.watch()
    shop.move()
    shop.cycle()
    shop.forge.merge("acme/orders", 1)
    return shop


def cycle(shop: Shop) -> Report:
    """A run that does not stay."""
    return Cycle(shop.world(), shop.rules(), stays=False).run(MemoryEngine(shop.clock))


def told(report: Report) -> list[tuple[Result, str]]:
    return [(o.result, o.message) for o in report.outcomes if o.subject == "orders"]


def deploy(shop: Shop) -> None:
    """What the team's pipeline does."""
    place = shop.functions.function("orders").image
    assert place
    base = PYTHON.with_digest(shop.watch().digest)
    image = place.with_digest(None).with_tag("second")
    digest = publish_function(shop.writer, shop.writer, base, AMD64, {"var/task/b": b"x"}, image, {})
    shop.functions.update_code(shop.functions.function("orders"), image.with_tag(None).with_digest(digest))
    shop.clock.advance(timedelta(minutes=1))
    version = shop.functions.publish_version(shop.functions.function("orders"))
    alias = shop.functions.alias("orders", "live")
    assert alias
    shop.functions.move_alias(shop.functions.function("orders"), replace(alias, version=version))


def test_it_is_started_once_for_the_merged_commit_and_refrom_itself_changes_nothing(merged: Shop) -> None:
    before = (merged.folder / "functions.json").read_bytes()

    first, second = cycle(merged), cycle(merged)

    (order,) = merged.pipelines.started
    assert order.commit == merged.listed()["acme/orders"].commit
    assert (order.function, order.base.digest) == ("orders", merged.watch().digest)
    assert [result for result, _ in told(first)] == [Result.STARTED, Result.WAITING]
    assert [result for result, _ in told(second)] == [Result.WAITING]
    assert (merged.folder / "functions.json").read_bytes() == before


def test_a_function_that_its_pipeline_deployed_is_proven_and_then_left_in_peace(merged: Shop) -> None:
    cycle(merged)
    deploy(merged)
    merged.pipelines.state = JobState.SUCCEEDED

    report = cycle(merged)

    assert told(report) == []
    assert merged.base_of("orders") == merged.watch().digest
    assert len(merged.pipelines.started) == 1


class Quick:
    """A pipeline whose run has deployed by the time that it is looked at for the second time."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._looks = shop, 0

    def find(self, pipeline: Pipeline, order: PipelineOrder) -> Job | None:
        self._looks += 1
        if self._looks == 2:
            deploy(self._shop)
            self._shop.pipelines.state = JobState.SUCCEEDED
        return self._shop.pipelines.find(pipeline, order)

    def start(self, pipeline: Pipeline, order: PipelineOrder) -> str:
        return self._shop.pipelines.start(pipeline, order)


def test_a_run_that_stays_says_that_what_was_deployed_stands_on_the_base(merged: Shop) -> None:
    merged.ports = {"pipelines": Quick(merged)}

    report = merged.cycle()

    assert [result for result, _ in told(report)] == [Result.STARTED, Result.PROVEN]
    assert not report.needs_attention


def test_a_run_that_failed_is_told_each_time_and_not_started_again(merged: Shop) -> None:
    cycle(merged)
    merged.pipelines.state = JobState.FAILED

    for _ in range(2):
        [(result, why)] = told(cycle(merged))
        assert (result, "see its log, and run it again there" in why) == (Result.FAILED, True)
    assert len(merged.pipelines.started) == 1


def test_a_run_that_ended_well_and_changed_nothing_needs_attention(merged: Shop) -> None:
    cycle(merged)
    merged.pipelines.state = JobState.SUCCEEDED

    report = cycle(merged)

    [(result, why)] = told(report)
    assert (result, report.needs_attention) == (Result.FAILED, True)
    assert "ended well, but alias live does not stand on" in why
    assert len(merged.pipelines.started) == 1

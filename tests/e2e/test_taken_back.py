"""What goes back in the middle, over real servers: taken back, told once, its base halted, whoever moves traffic."""

from datetime import timedelta

import pytest

from bot.core.reference import Reference
from bot.entrypoints.action.summary import faults, summarize
from bot.entrypoints.demo.fleet import MOVES
from bot.entrypoints.work import run_cycle
from tests.conftest import Figure
from tests.e2e.scene import Ran, Scene
from tests.e2e.sources import GitHubSources

HANDED = "      alias: live\n      codedeploy: {application: shop, deployment_group: live}\n"
CANARY = "      alias: live\n      strategy: LambdaCanary10Percent5Minutes\n      alarms: [orders-errors]\n"
TAG = "a canary with an alarm in the middle: "


@pytest.fixture
def forge() -> str:
    """The forge on which people are told."""
    return "github"


@pytest.fixture
def lab(lab: Scene) -> Scene:
    """All on the old base, the new one proposed to all, and merged for `orders` alone, which has an alarm."""
    care_for_orders(lab, "      alias: live\n", CANARY)
    lab.aws.set_alarm("orders-errors")
    lab.run()
    lab.publish(MOVES, after=True)
    lab.run()
    merge(lab, "acme/orders")
    return lab


def care_for_orders(lab: Scene, before: str, after: str) -> None:
    """Write how the function `orders` is deployed."""
    head, _, rest = lab.settings.read_text().partition("function: orders\n")
    lab.settings.write_text(f"{head}function: orders\n{rest.replace(before, after, 1)}")


def merge(lab: Scene, repository: str) -> None:
    (pull,) = lab.pull_requests()[repository]
    lab.sources.merge(repository, pull.number)


def ring_in_the_middle(lab: Scene) -> None:
    """The alarm rings as soon as the new version serves a part of the calls."""
    lab.aws.after_next("UpdateAlias", lambda: lab.aws.set_alarm("orders-errors", "ALARM"))


def alias_of(lab: Scene, function: str) -> tuple[str, dict[str, float]]:
    alias = lab.aws.client("lambda").get_alias(FunctionName=function, Name="live")
    return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def said_of(ran: Ran, function: str) -> dict[str, str]:
    return {o["result"]: o["message"] for o in ran.document["outcomes"] if o.get("function") == function}


def told(lab: Scene) -> list[str]:
    """The comments on the pull request that brought the base to `orders`."""
    assert isinstance(lab.sources, GitHubSources)
    (pull,) = lab.pull_requests()["acme/orders"]
    return [comment.body for comment in lab.sources.fake.comments("acme/orders", pull.number)]


def test_the_old_version_serves_again_people_are_told_once_and_the_rollout_halts(lab: Scene, figure: Figure) -> None:
    old, before = alias_of(lab, "orders"), lab.image_of("orders")
    ring_in_the_middle(lab)

    first = lab.run()

    said = said_of(first, "orders")
    figure(f"{TAG}version and weights of the alias", alias_of(lab, "orders"), old)
    figure(f"{TAG}what it serves, by digest", lab.image_of("orders"), before)
    kept = lab.writer.manifest(Reference.parse(before)).digest
    figure(f"{TAG}the old image in the registry", str(kept), before.partition("@")[2])
    figure(f"{TAG}exit code", first.code, 1)
    assert "10%" in said["shifted"]
    assert said["rolled-back"].endswith("alarm orders-errors rings")
    assert any("alarm orders-errors rings" in message for _, message in faults(first.document))
    assert "alarm orders-errors rings" in summarize(first.document)
    figure(f"{TAG}comments on its pull request", len(told(lab)), 1)
    for part in ("`orders`", "`live`", "alarm orders-errors rings", "`refrom block`"):
        assert part in told(lab)[0]

    merge(lab, "acme/billing")
    lab.forget()
    billing = alias_of(lab, "billing"), lab.image_of("billing")
    lab.aws.set_alarm("orders-errors")
    again = lab.run()

    figure(f"{TAG}comments after another run, without a store", len(told(lab)), 1)
    figure(f"{TAG}another function on that base", (alias_of(lab, "billing"), lab.image_of("billing")), billing)
    assert list(said_of(again, "billing")) == ["waiting"]
    assert "orders was rolled back" in said_of(again, "billing")["waiting"]
    assert "version 2 was taken back" in said_of(again, "orders")["refused"]
    assert (again.code, alias_of(lab, "orders")) == (1, old)


def test_the_table_for_people_says_it_too(lab: Scene) -> None:
    ring_in_the_middle(lab)

    ran = lab.refrom("run", "--config", str(lab.settings))

    [row] = [line for line in ran.out.splitlines() if "rolled-back" in line]
    assert ("orders" in row, ran.code) == (True, 1)


def test_a_job_that_does_not_stay_hands_over_to_codedeploy_and_the_next_one_sees_what_became_of_it(
    lab: Scene, figure: Figure
) -> None:
    """The Action is refused a canary of refrom's own; CodeDeploy's goes on while nobody is there."""
    care_for_orders(lab, CANARY, HANDED)
    lab.aws.codedeploy.groups.add(("shop", "live"))
    old = alias_of(lab, "orders")

    first = run_cycle(lab.settings, lab.clock, dry_run=False, stays=False)

    said = {o["result"]: o["message"] for o in first.document["outcomes"] if o.get("function") == "orders"}
    assert (first.code, list(said)[-2:]) == (0, ["handed-over", "waiting"])
    assert "a later run sees how it ends" in said["waiting"]
    lab.aws.codedeploy.shift(0.1)
    again = run_cycle(lab.settings, lab.clock, dry_run=False, stays=False)
    figure("CodeDeploy: deployments after two jobs", len(lab.aws.codedeploy.deployments), 1)
    assert again.code == 0
    lab.aws.codedeploy.fail("Stopped", "ALARM_ACTIVE", "errors")
    lab.aws.codedeploy.finish_rollback()
    lab.clock.advance(timedelta(minutes=10))

    last = run_cycle(lab.settings, lab.clock, dry_run=False, stays=False)

    figure("CodeDeploy took it back: version and weights of the alias", alias_of(lab, "orders"), old)
    figure("CodeDeploy took it back: comments on its pull request", len(told(lab)), 1)
    figure("CodeDeploy took it back: exit code", last.code, 1)
    assert "ALARM_ACTIVE" in told(lab)[0]
    run_cycle(lab.settings, lab.clock, dry_run=False, stays=False)
    figure("CodeDeploy took it back: deployments, with its own rollback", len(lab.aws.codedeploy.deployments), 2)
    figure("CodeDeploy took it back: comments after another job", len(told(lab)), 1)

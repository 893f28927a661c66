"""How deployments are written in the settings: for all, or for one target, and what can do nothing is a fault."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.deployment import AT_ONCE, Strategy
from bot.core.errors import SettingsError
from bot.core.handover import DeploymentGroup
from bot.core.pipeline import CodePipeline, WorkflowPipeline
from bot.core.target import Target
from bot.settings.loading import load_settings


def target(folder: Path, care: str = "", own: str = "", alias: str = "live") -> Target:
    """Read settings with one target."""
    lines = "".join(f"  {line}\n" for line in care.splitlines())
    fields = f"function: a, repository: o/r, image: example.com/a{f', alias: {alias}' if alias else ''}{own}"
    (folder / "refrom.yaml").write_text(
        f"version: 1\ndeploy:\n{lines}  deployer: {{kind: lambda, region: eu-west-1}}\n  targets:\n    - {{{fields}}}\n"
    )
    (read,) = load_settings(folder / "refrom.yaml", {}).targets
    return read


def test_without_more_an_alias_moves_at_once(tmp_path: Path) -> None:
    read = target(tmp_path)

    assert (read.strategy, read.keep_rollback_tag) == (AT_ONCE, False)


def test_what_is_said_for_all_holds_for_a_target(tmp_path: Path) -> None:
    care = (
        "strategy: LambdaLinear50PercentEvery2Minutes\nbake: 10m\nalarms: [e, f]\ntimeout: 1h\nkeep_rollback_tag: true"
    )

    read = target(tmp_path, care)

    assert read.strategy == Strategy(
        weights=(0.5, 1.0),
        every=timedelta(minutes=2),
        bake=timedelta(minutes=10),
        timeout=timedelta(hours=1),
        alarms=("e", "f"),
    )
    assert read.keep_rollback_tag


def test_what_a_target_says_itself_holds_for_it(tmp_path: Path) -> None:
    care = "strategy: LambdaLinear50PercentEvery2Minutes\nbake: 10m\nalarms: [e, f]\nkeep_rollback_tag: true"

    read = target(tmp_path, care, ", strategy: all-at-once, alarms: [], keep_rollback_tag: false")

    assert read.strategy == Strategy(bake=timedelta(minutes=10))
    assert not read.keep_rollback_tag


GROUP = "codedeploy: {application: shop, deployment_group: live}"


def test_codedeploy_moves_the_alias_of_each_target_that_does_not_say_otherwise(tmp_path: Path) -> None:
    own = ", codedeploy: {application: other, deployment_group: dark}"
    canary = "strategy: LambdaCanary10Percent5Minutes"

    assert target(tmp_path, GROUP).codedeploy == DeploymentGroup(application="shop", name="live")
    assert target(tmp_path, f"{GROUP}\nkeep_rollback_tag: true").keep_rollback_tag
    assert target(tmp_path, GROUP, ", alarms: [e]").codedeploy is None
    moved = target(tmp_path, canary, own)
    assert (moved.codedeploy, moved.strategy) == (DeploymentGroup(application="other", name="dark"), AT_ONCE)
    assert target(tmp_path, GROUP, ", strategy: all-at-once", alias="").codedeploy is None


def test_a_target_without_alias_has_nothing_that_codedeploy_could_move(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="names no alias of a that CodeDeploy could move; give it an alias"):
        target(tmp_path, own=f", {GROUP}", alias="")
    with pytest.raises(SettingsError, match="that CodeDeploy could move; give it an alias, or strategy: all-at-once"):
        target(tmp_path, GROUP, alias="")


def test_what_the_deployment_group_says_is_not_said_beside_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="deploy: has both codedeploy and bake, which the deployment group says"):
        target(tmp_path, f"{GROUP}\nbake: 1m")


def piped(folder: Path, pipeline: str, more: str = "", care: str = "") -> Target:
    """Read settings with one target that its team's own pipeline deploys."""
    fields = f"function: a, repository: o/r, pipeline: {{{pipeline}}}{more}"
    deployer = "deployer: {kind: lambda, region: eu-west-1}"
    (folder / "refrom.yaml").write_text(f"version: 1\ndeploy:\n  {deployer}\n{care}  targets: [{{{fields}}}]\n")
    (read,) = load_settings(folder / "refrom.yaml", {}).targets
    return read


@pytest.mark.parametrize(
    ("written", "pipeline"),
    [
        ("kind: github-workflow, workflow: deploy.yml", WorkflowPipeline("deploy.yml")),
        ("kind: codepipeline, name: release, region: us-east-1", CodePipeline("release", "us-east-1")),
    ],
)
def test_a_team_s_own_pipeline_stands_in_the_place_of_all_that_refrom_would_do(
    tmp_path: Path, written: str, pipeline: WorkflowPipeline | CodePipeline
) -> None:
    read = piped(tmp_path, written, care="  strategy: LambdaCanary10Percent5Minutes\n")

    assert (read.pipeline, read.destination, read.strategy) == (pipeline, None, AT_ONCE)
    with pytest.raises(SettingsError, match="has both pipeline and image, alarms, which the pipeline is to see to"):
        piped(tmp_path, written, ", image: example.com/a, alarms: [e], alias: live")


def test_a_target_names_where_its_images_go_or_what_deploys_it(tmp_path: Path) -> None:
    lines = "version: 1\ndeploy:\n  deployer: {kind: local, state: f}\n  targets: [{function: a, repository: o/r}]\n"
    (tmp_path / "refrom.yaml").write_text(lines)

    with pytest.raises(SettingsError, match="names neither image nor pipeline; write where its images go"):
        load_settings(tmp_path / "refrom.yaml", {})


def test_a_local_deployer_has_no_codedeploy(tmp_path: Path) -> None:
    (tmp_path / "refrom.yaml").write_text(f"version: 1\ndeploy:\n  deployer: {{kind: local, state: f}}\n  {GROUP}\n")

    with pytest.raises(SettingsError, match="names codedeploy, which a deployer of kind local does not have"):
        load_settings(tmp_path / "refrom.yaml", {})


@pytest.mark.parametrize(
    ("care", "fault"),
    [
        pytest.param("strategy: canary", "deploy.strategy: is no strategy; write all-at-once, or as", id="name"),
        pytest.param("bake: 10", "deploy.bake: is no duration; write a number with d, h or m", id="duration"),
        pytest.param("alarms: errors", "deploy.alarms: is no list; write", id="no list"),
    ],
)
def test_a_fault_has_its_place_and_its_cure(tmp_path: Path, care: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=f"refrom.yaml:3: {fault}"):
        target(tmp_path, care)


@pytest.mark.parametrize("care", ["strategy: LambdaCanary10Percent5Minutes", "bake: 1m", "alarms: [errors]"])
def test_care_for_a_function_without_an_alias_is_a_fault(tmp_path: Path, care: str) -> None:
    with pytest.raises(SettingsError, match="names no alias of a, so its strategy, bake and alarms can do nothing; g"):
        target(tmp_path, care, alias="")

    exempt = target(tmp_path, care, ", strategy: all-at-once, bake: 0m, alarms: []", alias="")
    assert exempt.strategy == AT_ONCE


@pytest.mark.parametrize(
    ("function", "region"), [("orders", ""), ("arn:aws:lambda:us-east-1:123456789012:function:orders", "us-east-1")]
)
def test_the_region_of_a_target_is_that_of_its_arn(tmp_path: Path, function: str, region: str) -> None:
    read = target(tmp_path)

    assert replace(read, function=function).region == region

"""CodeDeploy: one deployment with an AppSpec, found again and read to its end, on the lab and on moto."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.deployer.codedeploy import CodeDeploy
from bot.core.errors import DeployError
from bot.core.handover import DeploymentGroup, HandoverState
from tests.adapters.deployer.scene import Images, let_pass
from tests.adapters.deployer.test_cloudwatch import LIVE, ORDERS
from tests.lab.aws import AwsStub
from tests.lab.clock import WoundClock
from tests.lab.moto import Moto

GROUP = DeploymentGroup(application="shop", name="live")
UNDERWAY, SUCCEEDED, FAILED = HandoverState.UNDERWAY, HandoverState.SUCCEEDED, HandoverState.FAILED


@pytest.fixture
def codedeploy(aws: AwsStub) -> CodeDeploy:
    aws.codedeploy.groups.add((GROUP.application, GROUP.name))
    return CodeDeploy(lambda _account, region: aws.client("codedeploy", region))


@pytest.fixture
def function(aws: AwsStub, images: Images, clock: WoundClock) -> None:
    """The function with two versions, of which `live` serves the first."""
    old, new = (f"{one.name}@{one.digest}" for one in (images.push("orders:1"), images.push("orders:2", "two")))
    aws.create_function("orders", old, aliases=["live"])
    client = aws.client("lambda")
    client.update_function_code(FunctionName="orders", ImageUri=new)
    let_pass(clock, 10)
    client.publish_version(FunctionName="orders")


def test_a_deployment_says_which_alias_goes_from_which_version_to_which(
    aws: AwsStub, clock: WoundClock, codedeploy: CodeDeploy
) -> None:
    since = clock.now()

    made = codedeploy.create(GROUP, ORDERS, LIVE, "2")

    (deployment,) = aws.codedeploy.deployments
    assert deployment.moved == {"Name": "orders", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}
    (seen,) = codedeploy.seen(GROUP, ORDERS, "live", since)
    assert (seen.id, seen.version, seen.state) == (made, "2", UNDERWAY)


@pytest.mark.parametrize("content_back", [True, False], ids=["AppSpec given back", "AppSpec kept"])
def test_of_many_deployments_those_of_the_alias_are_found_the_newest_first(
    aws: AwsStub, clock: WoundClock, codedeploy: CodeDeploy, content_back: bool
) -> None:
    aws.codedeploy.content_back, aws.codedeploy.page = content_back, 10
    codedeploy.create(GROUP, ORDERS, LIVE, "2")
    let_pass(clock, 3600)
    since = clock.now()
    wanted = []
    for version in range(3, 33):
        let_pass(clock, 60)
        wanted.append(codedeploy.create(GROUP, ORDERS, LIVE, str(version)))
        codedeploy.create(GROUP, ORDERS, replace(LIVE, name="dark"), "2")
    before = len(aws.requests)

    seen = codedeploy.seen(GROUP, ORDERS, "live", since)

    assert [one.id for one in seen] == wanted[::-1]
    asked = [request.operation for request in aws.requests[before:]]
    assert (asked.count("ListDeployments"), asked.count("BatchGetDeployments")) == (6, 3)


def test_what_others_created_for_the_alias_is_seen_too(aws: AwsStub, clock: WoundClock, codedeploy: CodeDeploy) -> None:
    codedeploy.create(GROUP, ORDERS, LIVE, "2")
    aws.codedeploy.deployments[-1].description = "from the pipeline"

    (seen,) = codedeploy.seen(GROUP, ORDERS, "live", clock.now())

    assert (seen.version, seen.state) == ("2", UNDERWAY)


@pytest.mark.parametrize("content", ["version: 0.0\nResources: []", "[1]", '{"Resources": [{"a": 1}]}', "{}"])
def test_an_app_spec_that_cannot_be_read_is_of_no_alias(
    aws: AwsStub, clock: WoundClock, codedeploy: CodeDeploy, content: str
) -> None:
    codedeploy.create(GROUP, ORDERS, LIVE, "2")
    aws.codedeploy.deployments[-1].description = ""
    aws.codedeploy.deployments[-1].content = content

    assert codedeploy.seen(GROUP, ORDERS, "live", clock.now()) == []


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize("content_back", [True, False], ids=["AppSpec given back", "AppSpec kept"])
def test_a_deployment_that_an_alarm_stopped_says_so_and_its_rollback_belongs_to_it(
    aws: AwsStub, clock: WoundClock, codedeploy: CodeDeploy, content_back: bool
) -> None:
    aws.codedeploy.content_back = content_back
    since = clock.now()
    client = aws.client("lambda")
    made = codedeploy.create(GROUP, ORDERS, LIVE, "2")
    aws.codedeploy.shift(0.1)
    let_pass(clock, 60)
    aws.codedeploy.fail("Stopped", "ALARM_ACTIVE", "One or more alarms are active: errors.")

    back, failed = codedeploy.seen(GROUP, ORDERS, "live", since)

    assert (back.state, failed.id, failed.state, failed.version) == (UNDERWAY, made, FAILED, "2")
    assert failed.ended == clock.now()
    assert failed.why == (
        f"stopped (ALARM_ACTIVE: One or more alarms are active: errors; rolled back by {back.id}: "
        "Deployment rollback is in progress)"
    )
    aws.codedeploy.finish_rollback()
    alias = client.get_alias(FunctionName="orders", Name="live")
    assert (alias["FunctionVersion"], alias.get("RoutingConfig")) == ("1", None)
    assert [one.state for one in codedeploy.seen(GROUP, ORDERS, "live", since)] == [SUCCEEDED, FAILED]


@pytest.mark.parametrize(
    ("group", "cure"),
    [
        (DeploymentGroup(application="gone", name="live"), "create the application, or correct deploy.codedeploy"),
        (DeploymentGroup(application="shop", name="gone"), "create the deployment group, or correct deploy.codedeploy"),
    ],
)
def test_a_group_that_is_missing_is_told_with_the_cure(
    clock: WoundClock, codedeploy: CodeDeploy, group: DeploymentGroup, cure: str
) -> None:
    with pytest.raises(DeployError, match=f"CodeDeploy {group} for function orders: .*; {cure}"):
        codedeploy.create(group, ORDERS, LIVE, "2")
    with pytest.raises(DeployError, match=cure):
        codedeploy.seen(group, ORDERS, "live", clock.now())


def test_moto_takes_and_gives_back_the_same(moto: Moto) -> None:
    """Moto starts nothing and ends nothing: a deployment stays Created; times are those of its machine."""
    client = moto.client("codedeploy")
    client.create_application(applicationName="shop", computePlatform="Lambda")
    client.create_deployment_group(
        applicationName="shop", deploymentGroupName="live", serviceRoleArn="arn:aws:iam::123456789012:role/lab"
    )
    codedeploy = CodeDeploy(lambda _, region: moto.client("codedeploy", region))

    made = codedeploy.create(GROUP, ORDERS, LIVE, "2")

    told = client.get_deployment(deploymentId=made)["deploymentInfo"]
    (seen,) = codedeploy.seen(GROUP, ORDERS, "live", told["createTime"] - timedelta(minutes=1))
    assert (seen.id, seen.version, seen.state) == (made, "2", UNDERWAY)
    (resource,) = json.loads(told["revision"]["appSpecContent"]["content"])["Resources"]
    assert resource["orders"]["Properties"]["TargetVersion"] == "2"

"""What is seen of a deployment: alarms that ring, and errors of two versions side by side or one after the other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.deployer.cloudwatch import CloudWatch
from bot.core.deployment import Alias, Served
from bot.core.errors import DeployError
from bot.core.platforms import Platform
from bot.ports.deployer import Function, UpdateStatus
from tests.adapters.deployer.scene import let_pass
from tests.lab.aws import AwsStub
from tests.lab.clock import WoundClock

ORDERS = Function(
    name="orders",
    arn="arn:aws:lambda:eu-west-1:123456789012:function:orders",
    image=None,
    platform=Platform("linux", "amd64"),
    status=UpdateStatus.SUCCESSFUL,
    status_reason="",
    revision="r",
    code_sha256="",
    version="$LATEST",
)
LIVE = Alias(name="live", version="1", revision="r")
SHIFTING = replace(LIVE, weights=(("2", 0.1),))


@pytest.fixture
def watcher(aws: AwsStub) -> CloudWatch:
    return CloudWatch(lambda _account, region: aws.client("cloudwatch", region))


class TestAlarms:
    def test_those_in_state_alarm_ring_whatever_their_kind(self, aws: AwsStub, watcher: CloudWatch) -> None:
        aws.set_alarm("calm")
        aws.set_alarm("new", "INSUFFICIENT_DATA")
        aws.set_alarm("errors", "ALARM")
        aws.set_alarm("all", "ALARM", composite=True)

        assert watcher.ringing(ORDERS, ["all", "calm", "new", "errors"]) == ("all", "errors")

    def test_without_alarms_nothing_is_asked(self, aws: AwsStub, watcher: CloudWatch) -> None:
        assert watcher.ringing(ORDERS, []) == ()
        assert not aws.requests

    def test_one_that_is_missing_is_an_error_and_never_silence(self, aws: AwsStub, watcher: CloudWatch) -> None:
        aws.set_alarm("errors", region="us-east-1")

        with pytest.raises(DeployError, match="no alarm errors in eu-west-1 of 123456789012; create it or correct"):
            watcher.ringing(ORDERS, ["errors"])

    def test_the_region_is_that_of_the_function(self, aws: AwsStub, watcher: CloudWatch) -> None:
        aws.set_alarm("errors", "ALARM", region="us-east-1")
        there = replace(ORDERS, arn=ORDERS.arn.replace("eu-west-1", "us-east-1"))

        assert watcher.ringing(there, ["errors"]) == ("errors",)


class TestServed:
    def test_during_a_shift_both_versions_are_counted_since_it_began(
        self, aws: AwsStub, watcher: CloudWatch, clock: WoundClock
    ) -> None:
        since = clock.now()
        aws.count("orders:live", "1", 1000, 500, ago=1)
        let_pass(clock, 180)
        aws.count("orders:live", "1", 90, 1, ago=2)
        aws.count("orders:live", "2", 8, 3, ago=2)
        aws.count("orders:live", "2", 2, 1, ago=1)

        served = watcher.served(ORDERS, SHIFTING, since, clock.now())

        assert served == (Served(invocations=10, errors=4), Served(invocations=90, errors=1))

    def test_afterwards_the_alias_is_counted_since_then_and_in_the_hour_before(
        self, aws: AwsStub, watcher: CloudWatch, clock: WoundClock
    ) -> None:
        aws.count("orders:live", None, 7000, 7000, ago=61)
        aws.count("orders:live", None, 50, 2, ago=60)
        aws.count("orders:live", None, 40, 1, ago=1)
        since = clock.now()
        let_pass(clock, 120)
        aws.count("orders:live", None, 5, 4, ago=1)

        served = watcher.served(ORDERS, LIVE, since, clock.now())

        assert served == (Served(invocations=5, errors=4), Served(invocations=90, errors=3))

    def test_the_minute_of_the_move_belongs_to_neither(
        self, aws: AwsStub, watcher: CloudWatch, clock: WoundClock
    ) -> None:
        let_pass(clock, 30)
        since = clock.now()
        aws.count("orders:live", None, 100, 100)
        let_pass(clock, 90)

        assert watcher.served(ORDERS, LIVE, since, clock.now()) == (Served(), Served())

    def test_before_a_minute_is_full_nothing_is_asked(
        self, aws: AwsStub, watcher: CloudWatch, clock: WoundClock
    ) -> None:
        let_pass(clock, 30)

        assert watcher.served(ORDERS, SHIFTING, clock.now(), clock.now() + timedelta(seconds=5)) == (Served(), Served())
        assert not aws.requests

    def test_a_look_costs_one_request_of_at_most_four_metrics(
        self, aws: AwsStub, watcher: CloudWatch, clock: WoundClock
    ) -> None:
        since = clock.now()
        let_pass(clock, 9 * 3600)
        aws.count("orders:live", "2", 1, ago=1)

        watcher.served(ORDERS, SHIFTING, since, clock.now())

        assert [request.operation for request in aws.requests] == ["GetMetricData"]
        assert aws.metrics_asked == 4


@pytest.mark.parametrize(
    ("operation", "look"),
    [
        pytest.param("DescribeAlarms", lambda watcher, _: watcher.ringing(ORDERS, ["errors"]), id="alarms"),
        pytest.param(
            "GetMetricData",
            lambda watcher, now: watcher.served(ORDERS, SHIFTING, now - timedelta(minutes=5), now),
            id="metrics",
        ),
    ],
)
def test_what_may_not_be_read_is_an_error_with_the_cure(
    aws: AwsStub, watcher: CloudWatch, clock: WoundClock, operation: str, look: Callable[..., object]
) -> None:
    aws.fail_next(operation, "AccessDeniedException", f"not authorized to perform cloudwatch:{operation}")

    with pytest.raises(DeployError, match=rf"cloudwatch:{operation} \(AccessDeniedException\); allow it in the IAM"):
        look(watcher, clock.now())

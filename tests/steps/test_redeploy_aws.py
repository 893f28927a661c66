"""A whole redeploy against the lab's AWS, over the wire: careful, killed anywhere, and with all that goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.adapters.deployer.cloudwatch import CloudWatch
from bot.adapters.deployer.codedeploy import CodeDeploy
from bot.adapters.deployer.ecr_images import EcrImages
from bot.adapters.deployer.lambda_functions import LambdaFunctions
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.deployment import Alias, Mark, Strategy, is_begun, underway
from bot.core.digest import Digest
from bot.core.errors import DeployError
from bot.core.outcome import Outcome, Result
from bot.core.reference import Reference
from bot.core.target import Target
from bot.ports.deployer import UpdateStatus
from bot.ports.world import World
from bot.steps.redeploy import POLL, alias_of, follow_alias, update_code
from tests.conftest import Figure
from tests.lab.aws import REGION, AwsStub
from tests.lab.clock import WoundClock
from tests.lab.images import put_image
from tests.lab.registry import LabRegistry, docker_registry
from tests.steps.killing import Killed, Watched, Writes
from tests.steps.shop import Shop

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
CANARY = replace(
    Strategy.parse("LambdaCanary10Percent5Minutes"),
    bake=timedelta(minutes=3),
    timeout=timedelta(minutes=4),
    alarms=("errors",),
)
STRATEGIES = {
    "all-at-once": Strategy(alarms=("errors",)),
    "canary": CANARY,
    "linear": replace(Strategy.parse("LambdaLinear50PercentEvery1Minute"), alarms=("errors",)),
}
CALLS = {
    "functions": ("function", "alias", "readiness"),
    "deployer": ("update_code", "publish_version", "move_alias"),
    "watcher": ("ringing", "served"),
    "retention": ("expires", "keep"),
    "handovers": ("seen", "create"),
}
Look = Callable[["Redeploy"], None]


def nothing(_: "Redeploy") -> None:
    """Let a deployment be."""


@dataclass(slots=True, kw_only=True)
class Redeploy:
    """One function whose alias `live` serves version 1, and the image that it shall come to."""

    aws: AwsStub
    clock: WoundClock
    shop: Shop
    target: Target
    wanted: Reference
    outcomes: list[Outcome] = field(default_factory=list)

    def world(self, writes: Writes | None = None) -> World:
        """What a process works with; with `writes` every call of it is watched."""
        functions = LambdaFunctions(lambda region: self.aws.client("lambda", region), region=REGION, clock=self.clock)
        ports: dict[str, Any] = {
            "functions": functions,
            "deployer": functions,
            "watcher": CloudWatch(lambda _, region: self.aws.client("cloudwatch", region)),
            "retention": EcrImages(lambda _, region: self.aws.client("ecr", region)),
            "handovers": CodeDeploy(lambda _, region: self.aws.client("codedeploy", region)),
        }
        if writes:
            names = [f"{port}.{call}" for port, calls in CALLS.items() for call in calls]
            ports = {port: Watched(port, inner, writes, names) for port, inner in ports.items()}
        return replace(self.shop.world(), **ports)

    def run(self, writes: Writes | None = None, *, meanwhile: Look = nothing) -> None:
        """Tick as a process does until nothing is left to do; `meanwhile` happens before each tick."""
        world = self.world(writes)
        for _ in range(200):
            meanwhile(self)
            again = self.tick(world, self.clock.now())
            if again is None:
                return
            self.clock.wait_until(again)
        pytest.fail("a redeploy without end")

    def tick(self, world: World, now: datetime) -> datetime | None:
        """Do what a cycle does for one function whose image is built."""
        alias = alias_of(self.target, world.functions)
        assert alias
        latest = world.functions.function("orders")
        if not is_begun(alias):
            if latest.status is UpdateStatus.IN_PROGRESS:
                return now + POLL
            if latest.image != self.wanted:
                self.outcomes.append(update_code(latest, self.wanted, world.deployer))
                return now + POLL
            if latest.status is UpdateStatus.FAILED:
                raise DeployError(f"the last update of orders failed: {latest.status_reason}")
        followed = follow_alias(self.target, latest, alias, world, now, ours=True)
        self.outcomes += followed.outcomes
        return followed.again

    @property
    def alias(self) -> Alias:
        """The alias as anybody sees it."""
        alias = self.world().functions.alias("orders", "live")
        assert alias
        return alias

    @property
    def versions(self) -> int:
        """How many versions are published."""
        listed = self.aws.client("lambda").list_versions_by_function(FunctionName="orders")["Versions"]
        return len(listed) - 1

    @property
    def results(self) -> list[Result]:
        return [outcome.result for outcome in self.outcomes]

    def require_old(self) -> None:
        """The alias serves what it served, whole."""
        assert (self.alias.version, self.alias.weights) == ("1", ())

    def require_taken_back(self) -> None:
        """The old version serves alone, the alias says so, and the new version is there once."""
        self.require_old()
        mark = Mark.read(self.alias.description)
        assert mark is not None
        assert (mark.new, mark.old, self.versions) == ("2", None, 2)

    def require_new(self) -> None:
        """The new version serves alone, and nothing is left in the alias."""
        alias = self.alias
        assert (alias.version, alias.weights, alias.description, self.versions) == ("2", (), "", 2)


@pytest.fixture(scope="module")
def lab_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def images(lab_registry: LabRegistry) -> tuple[Reference, Reference]:
    """The image that is deployed and the one that shall be, named as in ECR."""
    with closing(Transport(WoundClock())) as transport:
        registry = HttpRegistry(transport)
        place = Reference.parse(f"{lab_registry.host}/orders")
        digests = [put_image(registry, place.with_tag(tag), ({"var/task/a": tag.encode()},)).digest for tag in "12"]
    old, new = (Reference.parse(f"{ECR}/orders@{digest}") for digest in digests)
    return old, new


@pytest.fixture
def start(
    lab_registry: LabRegistry, images: tuple[Reference, Reference], shop: Shop
) -> Iterator[Callable[..., Redeploy]]:
    """Open an AWS of its own with the function in it."""
    opened: list[AwsStub] = []

    def start(strategy: Strategy = CANARY, *, keep_rollback_tag: bool = False) -> Redeploy:
        clock = WoundClock()
        opened.append(AwsStub(lab_registry.url, clock=clock, update_seconds=4).__enter__())
        opened[-1].create_function("orders", str(images[0]), aliases=["live"])
        opened[-1].set_alarm("errors")
        target = Target(
            function="orders",
            repository="acme/orders",
            dockerfile="Dockerfile",
            destination=images[0].with_digest(None),
            alias="live",
            strategy=strategy,
            keep_rollback_tag=keep_rollback_tag,
        )
        return Redeploy(aws=opened[-1], clock=clock, shop=shop, target=target, wanted=images[1])

    yield start
    for stub in opened:
        stub.__exit__()


Start = Callable[..., Redeploy]


def ring_once_shifted(redeploy: Redeploy) -> None:
    """An alarm that rings as soon as the new version serves anything."""
    if underway(redeploy.alias):
        redeploy.aws.set_alarm("errors", "ALARM")


class TestCareful:
    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("all-at-once", [Result.UPDATED, Result.MOVED]),
            ("canary", [Result.UPDATED, Result.SHIFTED, Result.MOVED, Result.SETTLED]),
            ("linear", [Result.UPDATED, Result.SHIFTED, Result.MOVED]),
        ],
    )
    def test_each_strategy_leads_to_the_new_version_alone(self, start: Start, name: str, told: list[Result]) -> None:
        redeploy = start(STRATEGIES[name])

        redeploy.run()

        redeploy.require_new()
        assert redeploy.results == told

    def test_a_canary_costs_these_requests(self, start: Start) -> None:
        """About nine minutes of looks, a minute apart."""
        redeploy = start()

        redeploy.run()

        writes = [request.operation for request in redeploy.aws.writes]
        looks = [request for request in redeploy.aws.requests if request.operation == "GetMetricData"]
        assert writes == ["UpdateFunctionCode", "PublishVersion", "UpdateAlias", "UpdateAlias", "UpdateAlias"]
        assert len(looks) <= 12
        assert redeploy.aws.metrics_asked <= 4 * len(looks)
        assert redeploy.aws.busiest_second(reads=False) <= 15
        assert redeploy.aws.busiest_second(reads=True) <= 100

    def test_an_alarm_in_the_middle_brings_the_old_version_back_and_its_image_is_there(self, start: Start) -> None:
        redeploy = start(keep_rollback_tag=True)

        redeploy.run(meanwhile=ring_once_shifted)

        redeploy.require_taken_back()
        assert redeploy.results == [Result.UPDATED, Result.SHIFTED, Result.ROLLED_BACK]
        assert "alarm errors rings" in redeploy.outcomes[-1].message
        old = redeploy.world().functions.function("orders", "1").image
        assert old is not None
        assert old.digest is not None
        tag = f"refrom-rollback-{old.digest.short}"
        found = redeploy.aws.client("ecr").describe_images(repositoryName="orders", imageIds=[{"imageTag": tag}])
        assert found["imageDetails"][0]["imageDigest"] == str(old.digest)

    def test_a_new_version_that_fails_more_often_is_taken_back(self, start: Start) -> None:
        redeploy = start()

        def calls(redeploy: Redeploy) -> None:
            if underway(redeploy.alias):
                redeploy.aws.count("orders:live", "1", 90, 1, ago=1)
                redeploy.aws.count("orders:live", "2", 10, 6, ago=1)

        redeploy.run(meanwhile=calls)

        redeploy.require_taken_back()
        assert "6 of 10 invocations failed, of the version before 1 of 90" in redeploy.outcomes[-1].message

    def test_traffic_moves_on_only_once_provisioned_concurrency_is_there(self, start: Start) -> None:
        redeploy = start(STRATEGIES["linear"])
        redeploy.aws.provision("orders", "live", 3)
        seen: list[tuple[str, bool]] = []

        def look(redeploy: Redeploy) -> None:
            alias = redeploy.alias
            latest = redeploy.world().functions.function("orders")
            seen.append((str(alias.weights), bool(redeploy.world().functions.readiness(latest, alias).unready)))
            if redeploy.versions == 2:
                redeploy.aws.slow_down(90)

        redeploy.run(meanwhile=look)

        redeploy.require_new()
        half = [waits for weights, waits in seen if "0.5" in weights]
        assert half[:2] == [True, True], "longer than the minute that the step lasts"
        assert not half[-1]

    def test_provisioned_concurrency_that_never_comes_is_timed_out(self, start: Start) -> None:
        redeploy = start()
        redeploy.aws.provision("orders", "live", 3)

        def stall(redeploy: Redeploy) -> None:
            if redeploy.versions == 2:
                redeploy.aws.slow_down(3600)

        redeploy.run(meanwhile=stall)

        redeploy.require_taken_back()
        assert "it took too long: provisioned concurrency is IN_PROGRESS" in redeploy.outcomes[-1].message

    def test_provisioned_concurrency_that_fails_takes_the_version_back(self, start: Start) -> None:
        redeploy = start()

        def fail(redeploy: Redeploy) -> None:
            if underway(redeploy.alias):
                redeploy.aws.provision("orders", "live", failure="FUNCTION_ERROR_INIT_FAILURE")

        redeploy.run(meanwhile=fail)

        redeploy.require_taken_back()
        assert "FUNCTION_ERROR_INIT_FAILURE" in redeploy.outcomes[-1].message

    def test_alarms_that_cannot_be_read_take_the_version_back_after_the_timeout(self, start: Start) -> None:
        redeploy = start()

        def deny(redeploy: Redeploy) -> None:
            if underway(redeploy.alias):
                redeploy.aws.fail_next("DescribeAlarms", "AccessDeniedException")

        begun = redeploy.clock.now()
        redeploy.run(meanwhile=deny)

        redeploy.require_taken_back()
        assert "it took too long: alarms errors" in redeploy.outcomes[-1].message
        assert redeploy.clock.now() - begun >= CANARY.every + CANARY.timeout

    def test_metrics_that_cannot_be_read_do_not_hide_an_alarm(self, start: Start) -> None:
        redeploy = start()

        def deny(redeploy: Redeploy) -> None:
            if underway(redeploy.alias):
                redeploy.aws.set_alarm("errors", "ALARM")
                redeploy.aws.fail_next("GetMetricData", "AccessDeniedException")

        begun = redeploy.clock.now()
        redeploy.run(meanwhile=deny)

        redeploy.require_taken_back()
        assert "alarm errors rings" in redeploy.outcomes[-1].message
        assert redeploy.clock.now() - begun < timedelta(minutes=1)

    def test_a_rule_that_expires_the_way_back_is_told_and_stops_nothing(self, start: Start) -> None:
        redeploy = start()
        selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}
        redeploy.aws.set_lifecycle("orders", {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}})

        redeploy.run()

        redeploy.require_new()
        [warned] = [outcome for outcome in redeploy.outcomes if outcome.result is Result.WARNED]
        assert (
            "rule 1 of the lifecycle policy expires it once 5 newer images are there; set deploy.keep_roll"
            in warned.message
        )

    def test_a_policy_that_may_not_be_read_is_told_and_stops_nothing(self, start: Start) -> None:
        redeploy = start(Strategy())
        redeploy.aws.fail_next("GetLifecyclePolicy", "AccessDeniedException", "no ecr:GetLifecyclePolicy")

        redeploy.run()

        redeploy.require_new()
        assert redeploy.results == [Result.UPDATED, Result.WARNED, Result.MOVED]


@pytest.mark.soak
class TestKilled:
    @pytest.mark.parametrize(
        ("name", "alarmed"),
        [("all-at-once", False), ("canary", False), ("canary", True), ("linear", False), ("linear", True)],
    )
    def test_before_or_after_any_call_of_a_port(
        self, start: Start, figure: Figure, name: str, *, alarmed: bool
    ) -> None:
        """Nothing is left half-weighted and forgotten, and the next process ends where an undisturbed one does."""
        meanwhile = ring_once_shifted if alarmed else nothing
        whole, undisturbed = start(STRATEGIES[name], keep_rollback_tag=True), Writes()
        whole.run(undisturbed, meanwhile=meanwhile)
        require = Redeploy.require_taken_back if alarmed else Redeploy.require_new
        require(whole)
        tried = ended = published = 0
        for place in _one_of_each(undisturbed.made):
            for after in (False, True):
                redeploy = start(STRATEGIES[name], keep_rollback_tag=True)
                with suppress(Killed):
                    redeploy.run(Writes(fatal=(*place, after)), meanwhile=meanwhile)
                assert underway(redeploy.alias) or not redeploy.alias.weights
                redeploy.run(meanwhile=meanwhile)
                require(redeploy)
                tried, ended = tried + 1, ended + (not redeploy.alias.weights)
                published = max(published, redeploy.versions - 1)
        how = f"{name}{' with an alarm' if alarmed else ''}, over the wire, killed at {tried} boundaries"
        figure(f"{how}: aliases whole after a restart, versions published at most", (ended, published), (tried, 1))


def _one_of_each(made: list[str]) -> list[tuple[str, int]]:
    """Every write, and the first and the last call of each kind that only reads."""
    counted = [(name, made[: place + 1].count(name)) for place, name in enumerate(made)]
    return [
        (name, number)
        for name, number in counted
        if name.startswith(("deployer", "retention.keep")) or number in (1, made.count(name))
    ]


class TestBadInput:
    """Each with a message that names the thing and the cure, and with nothing half-moved."""

    def test_an_image_that_is_gone_from_ecr(self, start: Start) -> None:
        redeploy = start()
        redeploy.wanted = redeploy.wanted.with_digest(Digest.of(b"nobody has this"))

        with pytest.raises(DeployError, match=r"orders with image .*does not exist.*; give one image that"):
            redeploy.run()

        redeploy.require_old()
        assert redeploy.versions == 1

    @pytest.mark.parametrize(
        ("code", "cure"),
        [
            ("ImageDeleted", "push the image to ECR again"),
            ("ImageAccessDenied", "let lambda.amazonaws.com call ecr:BatchGetImage"),
            ("KMSKeyAccessDenied", "let the function's execution role use its KMS key"),
            ("DisabledKMSKey", "enable the function's KMS key"),
            ("FunctionError.InitTimeout", "the container does not start; run the image locally"),
        ],
    )
    def test_an_update_that_fails(self, start: Start, code: str, cure: str) -> None:
        redeploy = start()
        redeploy.aws.fail_update("orders", code, "It failed.")

        with pytest.raises(DeployError, match=f"the last update of orders failed: {code}: It failed; {cure}"):
            redeploy.run()

        redeploy.require_old()
        assert redeploy.versions == 1

    def test_a_version_that_fails_after_it_was_published(self, start: Start) -> None:
        redeploy = start()

        update_code(redeploy.world().functions.function("orders"), redeploy.wanted, redeploy.world().deployer)
        redeploy.clock.wait_until(redeploy.clock.now() + timedelta(seconds=4))
        redeploy.aws.fail_update("orders", "KMSKeyAccessDenied", "No.")

        with pytest.raises(DeployError, match="version 2 of orders failed: KMSKeyAccessDenied: No; let the function"):
            redeploy.run()

        redeploy.require_old()

    @pytest.mark.parametrize(
        "operation",
        [
            "GetFunction",
            "GetAlias",
            "UpdateFunctionCode",
            "ListVersionsByFunction",
            "PublishVersion",
            "GetProvisionedConcurrencyConfig",
            "DescribeAlarms",
            "GetMetricData",
            "UpdateAlias",
        ],
    )
    def test_access_that_is_denied(self, start: Start, operation: str) -> None:
        redeploy = start()
        redeploy.aws.fail_next(operation, "AccessDeniedException", f"not authorized to perform {operation}")

        with pytest.raises(DeployError, match=rf"{operation} \(AccessDeniedException\); allow it in the IAM policy"):
            redeploy.run()

        redeploy.require_old()
        assert redeploy.alias.description == ""

    @pytest.mark.parametrize("operation", ["UpdateFunctionCode", "PublishVersion"])
    def test_a_quota_that_is_exceeded(self, start: Start, operation: str) -> None:
        redeploy = start()
        redeploy.aws.fail_next(operation, "CodeStorageExceededException", "Code storage limit exceeded.")

        with pytest.raises(DeployError, match=r"Code storage limit exceeded.*; delete versions that no alias uses"):
            redeploy.run()

        redeploy.require_old()
        assert redeploy.versions == 1

    def test_a_throttle_says_when_to_come_back(self, start: Start) -> None:
        redeploy = start()
        redeploy.aws.fail_next("UpdateAlias", "TooManyRequestsException", retryAfterSeconds="7")

        with pytest.raises(DeployError, match="throttles this account; run again in 7 seconds") as error:
            redeploy.run()

        assert error.value.retryable
        redeploy.require_old()

    @pytest.mark.parametrize("when", ["updated", "shifted"])
    def test_a_function_that_is_deleted_in_between(self, start: Start, when: str) -> None:
        redeploy = start()

        def delete(redeploy: Redeploy) -> None:
            if redeploy.results[-1:] == [Result.UPDATED if when == "updated" else Result.SHIFTED]:
                redeploy.aws.delete_function("orders")
                redeploy.outcomes.clear()

        with pytest.raises(DeployError, match=r"orders.*Function not found.*; check its name, version and Reg"):
            redeploy.run(meanwhile=delete)

    def test_an_alias_that_is_missing_is_told_before_anything_is_changed(self, start: Start) -> None:
        redeploy = start()
        redeploy.target = replace(redeploy.target, alias="prod")

        with pytest.raises(DeployError, match="orders has no alias prod; create it, or take it from the target"):
            redeploy.run()

        assert not redeploy.aws.writes

    def test_an_alarm_that_is_missing_is_told_before_anything_moves(self, start: Start) -> None:
        redeploy = start(replace(CANARY, alarms=("errors", "latency")))

        with pytest.raises(DeployError, match="there is no alarm latency in eu-west-1 of 123456789012; create it or"):
            redeploy.run()

        redeploy.require_old()

    def test_an_alias_without_room_for_the_mark_is_told_before_anything_moves(self, start: Start) -> None:
        redeploy = start()
        words = "w" * 250
        redeploy.aws.client("lambda").update_alias(FunctionName="orders", Name="live", Description=words)

        with pytest.raises(DeployError, match="leaves no room for refrom's mark; shorten it by 38 characters"):
            redeploy.run()

        redeploy.require_old()
        assert redeploy.alias.description == words

    def test_an_alarm_that_rings_already_lets_nothing_begin(self, start: Start) -> None:
        redeploy = start()
        redeploy.aws.set_alarm("errors", "ALARM")
        looks = 0

        def calm(redeploy: Redeploy) -> None:
            nonlocal looks
            looks += 1
            if looks == 8:
                redeploy.require_old()
                redeploy.aws.set_alarm("errors")

        redeploy.run(meanwhile=calm)

        redeploy.require_new()
        assert looks > 8

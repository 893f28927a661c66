"""The lab's Lambda keeps the promises of the real one where refrom depends on them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import Figure
from tests.lab.aws import REGION, AwsStub
from tests.lab.aws_scene import Push, code_of, let_pass, text_of
from tests.lab.clock import WoundClock
from tests.lab.registry import LabRegistry


class TestCreating:
    def test_a_function_that_was_put_there_is_ready_and_shows_its_resolved_image(
        self, aws: AwsStub, push: Push, registry: LabRegistry
    ) -> None:
        resolved = push("orders:1")

        arn = aws.create_function("orders", f"{registry.host}/orders:1", tags={"refrom:mode": "auto"})

        answer = aws.client("lambda").get_function(FunctionName="orders")
        assert arn == "arn:aws:lambda:eu-west-1:123456789012:function:orders"
        assert answer["Code"] == {
            "RepositoryType": "ECR",
            "ImageUri": f"{registry.host}/orders:1",
            "ResolvedImageUri": resolved,
        }
        assert answer["Tags"] == {"refrom:mode": "auto"}
        config = answer["Configuration"]
        assert (config["PackageType"], config["Architectures"]) == ("Image", ["x86_64"])
        assert (config["State"], config["LastUpdateStatus"]) == ("Active", "Successful")
        assert config["CodeSha256"] == resolved.rpartition(":")[2]

    def test_a_function_created_over_the_wire_is_pending_at_first(
        self, aws: AwsStub, push: Push, clock: WoundClock
    ) -> None:
        client = aws.client("lambda")
        role = "arn:aws:iam::123456789012:role/r"
        code = {"ImageUri": push("orders:1")}

        created = client.create_function(FunctionName="orders", Role=role, PackageType="Image", Code=code)

        let_pass(clock, 10)
        assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
        assert client.get_function_configuration(FunctionName="orders")["State"] == "Active"

    def test_two_functions_cannot_share_a_name_in_a_region(self, aws: AwsStub, push: Push) -> None:
        uri = push("orders:1")
        aws.create_function("orders", uri)

        aws.create_function("orders", uri, region="us-east-1")
        with pytest.raises(ClientError) as error:
            aws.client("lambda").create_function(
                FunctionName="orders", Role="arn:aws:iam::123456789012:role/r", Code={"ImageUri": uri}
            )

        assert code_of(error) == (409, "ResourceConflictException")

    @pytest.mark.parametrize(
        ("name", "qualifier"),
        [
            pytest.param("orders", "7", id="version"),
            pytest.param("orders:live", None, id="alias-in-name"),
            pytest.param("invoices", None, id="function"),
            pytest.param("arn:aws:lambda:us-east-1:123456789012:function:orders", None, id="other-region"),
        ],
    )
    def test_what_is_not_there_is_not_found(self, aws: AwsStub, push: Push, name: str, qualifier: str | None) -> None:
        aws.create_function("orders", push("orders:1"))
        options = {"Qualifier": qualifier} if qualifier else {}

        with pytest.raises(ClientError) as error:
            aws.client("lambda").get_function(FunctionName=name, **options)

        assert code_of(error) == (404, "ResourceNotFoundException")


class TestUpdating:
    def test_an_update_is_in_progress_for_its_time_and_changes_the_revision_twice(
        self, aws: AwsStub, push: Push, clock: WoundClock, figure: Figure
    ) -> None:
        """Lambda gives a new RevisionId when it is done too, so a revision from before that guards nothing."""
        aws.create_function("orders", push("orders:1", "one"))
        client, new = aws.client("lambda"), push("orders:2", "two")
        before = client.get_function(FunctionName="orders")["Configuration"]

        begun = client.update_function_code(FunctionName="orders", ImageUri=new, RevisionId=before["RevisionId"])
        let_pass(clock, 9)
        during = client.get_function(FunctionName="orders")["Configuration"]
        let_pass(clock, 1)
        after = client.get_function(FunctionName="orders")

        statuses = [config["LastUpdateStatus"] for config in (begun, during, after["Configuration"])]
        figure("an update at once, after 9 s and after 10 s", statuses, ["InProgress", "InProgress", "Successful"])
        assert during["RevisionId"] == begun["RevisionId"]
        assert len({config["RevisionId"] for config in (before, begun, after["Configuration"])}) == 3
        assert after["Code"]["ResolvedImageUri"] == new

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda c, uri: c.update_function_code(FunctionName="orders", ImageUri=uri), id="code"),
            pytest.param(lambda c, _: c.update_function_configuration(FunctionName="orders", Timeout=9), id="config"),
            pytest.param(lambda c, _: c.publish_version(FunctionName="orders"), id="publish"),
        ],
    )
    def test_nothing_else_is_changed_while_an_update_is_in_progress(
        self,
        aws: AwsStub,
        push: Push,
        figure: Figure,
        request: pytest.FixtureRequest,
        change: Callable[[Any, str], object],
    ) -> None:
        uri = push("orders:1")
        aws.create_function("orders", uri)
        client = aws.client("lambda")
        client.update_function_code(FunctionName="orders", ImageUri=uri)

        with pytest.raises(ClientError) as error:
            change(client, uri)

        what = f"while an update is in progress, a change of {request.node.callspec.id}"
        figure(what, code_of(error), (409, "ResourceConflictException"))
        assert "An update is in progress for resource: arn:aws:lambda:eu-west-1:" in text_of(error)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda c, k: c.update_function_code(FunctionName="orders", **k), id="code"),
            pytest.param(
                lambda c, k: c.publish_version(FunctionName="orders", RevisionId=k["RevisionId"]), id="publish"
            ),
            pytest.param(
                lambda c, k: c.update_alias(FunctionName="orders", Name="live", RevisionId=k["RevisionId"]), id="alias"
            ),
            pytest.param(
                lambda c, k: c.update_function_configuration(FunctionName="orders", RevisionId=k["RevisionId"]),
                id="config",
            ),
        ],
    )
    def test_a_stale_revision_is_refused(
        self,
        aws: AwsStub,
        push: Push,
        figure: Figure,
        request: pytest.FixtureRequest,
        change: Callable[[Any, dict[str, str]], object],
    ) -> None:
        uri = push("orders:1")
        aws.create_function("orders", uri, aliases=["live"])
        client = aws.client("lambda")
        stale = client.get_function(FunctionName="orders")["Configuration"]["RevisionId"]
        aws.touch("orders")

        with pytest.raises(ClientError) as error:
            change(client, {"ImageUri": uri, "RevisionId": stale})

        what = f"with a stale RevisionId, a change of {request.node.callspec.id}"
        figure(what, code_of(error), (412, "PreconditionFailedException"))

    def test_of_many_updates_with_one_revision_one_wins(self, aws: AwsStub, push: Push) -> None:
        uri = push("orders:1")
        aws.create_function("orders", uri)
        client = aws.client("lambda")
        revision = client.get_function(FunctionName="orders")["Configuration"]["RevisionId"]

        def update(_: int) -> int:
            try:
                answer = client.update_function_code(FunctionName="orders", ImageUri=uri, RevisionId=revision)
            except ClientError as error:
                return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
            return int(answer["ResponseMetadata"]["HTTPStatusCode"])

        with ThreadPoolExecutor(8) as threads:
            statuses = sorted(threads.map(update, range(8)))

        assert statuses == [200] + [412] * 7

    def test_a_dry_run_checks_and_changes_nothing(self, aws: AwsStub, push: Push) -> None:
        aws.create_function("orders", push("orders:1", "one"))
        client = aws.client("lambda")
        before = client.get_function(FunctionName="orders")

        client.update_function_code(FunctionName="orders", ImageUri=push("orders:2", "two"), DryRun=True)

        after = client.get_function(FunctionName="orders")
        assert (after["Code"], after["Configuration"]) == (before["Code"], before["Configuration"])

    def test_an_update_fails_later_when_the_test_wants_it(self, aws: AwsStub, push: Push, clock: WoundClock) -> None:
        uri = push("orders:1")
        aws.create_function("orders", uri)
        client = aws.client("lambda")
        aws.fail_update("orders", "ImageAccessDenied", "Lambda does not have permission to access the ECR image.")

        client.update_function_code(FunctionName="orders", ImageUri=uri)
        let_pass(clock, 10)

        config = client.get_function(FunctionName="orders")["Configuration"]
        assert (config["LastUpdateStatus"], config["LastUpdateStatusReasonCode"]) == ("Failed", "ImageAccessDenied")

    def test_boto3_s_own_waiter_ends_when_the_update_does(self, registry: LabRegistry, push: Push) -> None:
        with AwsStub(registry.url, clock=WoundClock(), update_seconds=0) as aws:
            uri = push("orders:1")
            aws.create_function("orders", uri)
            client = aws.client("lambda")
            client.update_function_code(FunctionName="orders", ImageUri=uri)

            client.get_waiter("function_updated_v2").wait(FunctionName="orders")

            assert client.get_function(FunctionName="orders")["Configuration"]["LastUpdateStatus"] == "Successful"


class TestVersions:
    def test_what_has_not_changed_is_published_once(self, aws: AwsStub, push: Push, clock: WoundClock) -> None:
        aws.create_function("orders", push("orders:1", "one"))
        client = aws.client("lambda")

        first, again = (client.publish_version(FunctionName="orders") for _ in range(2))
        client.update_function_configuration(FunctionName="orders", MemorySize=256)
        let_pass(clock, 10)
        changed = client.publish_version(FunctionName="orders")

        assert [answer["Version"] for answer in (first, again, changed)] == ["1", "1", "2"]

    def test_a_version_keeps_its_own_image(self, aws: AwsStub, push: Push, clock: WoundClock) -> None:
        old, new = push("orders:1", "one"), push("orders:2", "two")
        aws.create_function("orders", old, aliases=["live"])
        client = aws.client("lambda")
        before = client.get_function(FunctionName="orders", Qualifier="1")

        client.update_function_code(FunctionName="orders", ImageUri=new)
        let_pass(clock, 10)

        after = client.get_function(FunctionName="orders", Qualifier="live")
        assert after["Code"] == before["Code"]
        assert after["Configuration"] == before["Configuration"]
        assert after["Configuration"]["FunctionArn"].endswith(":function:orders:1")

    def test_a_new_version_is_pending_before_it_is_active(self, aws: AwsStub, push: Push, clock: WoundClock) -> None:
        aws.create_function("orders", push("orders:1"))
        client = aws.client("lambda")

        published = client.publish_version(FunctionName="orders")
        let_pass(clock, 10)

        assert published["State"] == "Pending"
        assert client.get_function_configuration(FunctionName="orders", Qualifier="1")["State"] == "Active"

    def test_the_hash_of_the_code_guards_a_version(self, aws: AwsStub, push: Push) -> None:
        aws.create_function("orders", push("orders:1"))

        with pytest.raises(ClientError) as error:
            aws.client("lambda").publish_version(FunctionName="orders", CodeSha256="0" * 64)

        assert code_of(error) == (400, "InvalidParameterValueException")
        assert "is different from current CodeSHA256 in $LATEST" in text_of(error)


class TestAliases:
    @pytest.fixture
    def client(self, aws: AwsStub, push: Push, clock: WoundClock) -> Any:
        """A client of a function with versions 1 to 3, whose alias `live` serves 1."""
        aws.create_function("orders", push("orders:1"), aliases=["live"])
        client = aws.client("lambda")
        for timeout in (10, 20):
            client.update_function_configuration(FunctionName="orders", Timeout=timeout)
            let_pass(clock, 10)
            client.publish_version(FunctionName="orders")
        return client

    def test_an_alias_can_send_a_part_of_the_calls_to_one_more_version(self, client: Any) -> None:
        shift = {"AdditionalVersionWeights": {"2": 0.25}}

        client.update_alias(FunctionName="orders", Name="live", RoutingConfig=shift)
        during = client.get_alias(FunctionName="orders", Name="live")
        client.update_alias(
            FunctionName="orders", Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
        )
        after = client.get_alias(FunctionName="orders", Name="live")

        assert (during["FunctionVersion"], during["RoutingConfig"]) == ("1", shift)
        assert (after["FunctionVersion"], "RoutingConfig" in after) == ("2", False)
        assert during["RevisionId"] != after["RevisionId"]

    @pytest.mark.parametrize(
        ("version", "weights", "code"),
        [
            pytest.param("1", {"2": 1.5}, "ValidationException", id="above-1"),
            pytest.param("1", {"2": 0.1, "3": 0.1}, "InvalidParameterValueException", id="two-more"),
            pytest.param("1", {"1": 0.1}, "InvalidParameterValueException", id="with-itself"),
            pytest.param("$LATEST", {"1": 0.1}, "InvalidParameterValueException", id="latest"),
            pytest.param("1", {"9": 0.1}, "ResourceNotFoundException", id="no-such-extra"),
            pytest.param("9", {}, "ResourceNotFoundException", id="no-such-version"),
        ],
    )
    def test_a_route_that_cannot_be_is_refused(
        self,
        client: Any,
        figure: Figure,
        request: pytest.FixtureRequest,
        version: str,
        weights: dict[str, float],
        code: str,
    ) -> None:
        routing = {"AdditionalVersionWeights": weights}

        with pytest.raises(ClientError) as error:
            client.update_alias(FunctionName="orders", Name="live", FunctionVersion=version, RoutingConfig=routing)

        figure(f"a route that cannot be ({request.node.callspec.id})", code_of(error)[1], code)

    def test_a_weight_below_0_that_a_client_lets_through_is_refused(
        self, aws: AwsStub, client: Any, figure: Figure
    ) -> None:
        """boto3 does not even send it; other clients may."""
        assert client.get_alias(FunctionName="orders", Name="live")
        session: Any = boto3.session.Session("AKIALABLABLABLABLABL", "lab")
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
        routing = {"AdditionalVersionWeights": {"2": -0.1}}

        with (
            closing(session.client("lambda", region_name=REGION, endpoint_url=aws.url, config=config)) as careless,
            pytest.raises(ClientError) as error,
        ):
            careless.update_alias(FunctionName="orders", Name="live", RoutingConfig=routing)

        figure("a route that cannot be (below-0)", code_of(error)[1], "ValidationException")

    def test_an_alias_is_created_once(self, client: Any) -> None:
        with pytest.raises(ClientError) as error:
            client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")

        assert code_of(error) == (409, "ResourceConflictException")

    def test_an_alias_that_is_not_there_is_not_found(self, client: Any) -> None:
        with pytest.raises(ClientError) as error:
            client.get_alias(FunctionName="orders", Name="canary")

        assert text_of(error).startswith("Cannot find alias arn: ")

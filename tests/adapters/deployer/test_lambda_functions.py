"""What is Lambda's own: Regions, .zip functions, states and reasons, errors, what goes over the wire."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from botocore.config import Config

from bot.adapters.deployer.lambda_functions import LambdaFunctions, lambda_clients
from bot.core.errors import DeployError
from bot.ports.deployer import Readiness, UpdateStatus
from tests.adapters.deployer.scene import Images, let_pass
from tests.lab.aws import REGION, AwsStub
from tests.lab.clock import WoundClock
from tests.lab.web import Answer, serve

ONE_TRY = Config(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture
def functions(aws: AwsStub, clock: WoundClock) -> LambdaFunctions:
    return LambdaFunctions(lambda region: aws.client("lambda", region), region=REGION, clock=clock)


@pytest.fixture
def orders(aws: AwsStub, images: Images) -> str:
    """The ARN of a function with an alias `live` on version 1."""
    return aws.create_function("orders", str(images.push("orders:1", "one").with_tag("1")), aliases=["live"])


@pytest.fixture
def shifting(aws: AwsStub, functions: LambdaFunctions, orders: str, images: Images, clock: WoundClock) -> str:
    """The same function while its alias sends a tenth of the calls to version 2."""
    functions.update_code(functions.function(orders), images.push("orders:2", "two"))
    let_pass(clock, 10)
    functions.publish_version(functions.function(orders))
    shift = {"AdditionalVersionWeights": {"2": 0.1}}
    aws.client("lambda").update_alias(FunctionName="orders", Name="live", RoutingConfig=shift)
    return orders


class TestReading:
    def test_a_name_is_looked_up_in_the_default_region_and_an_arn_in_its_own(
        self, aws: AwsStub, images: Images, functions: LambdaFunctions
    ) -> None:
        uri = str(images.push("orders:1").with_tag("1"))
        here, there = aws.create_function("orders", uri), aws.create_function("orders", uri, region="us-east-1")

        found = [functions.function(name).arn for name in ("orders", "123456789012:function:orders", there)]

        assert found == [here, here, there]
        assert [request.region for request in aws.requests] == [REGION, REGION, "us-east-1"]

    @pytest.mark.parametrize(
        "name", ["orders:live", "arn:aws:lambda:eu-west-1:123456789012:function:orders:1", "a b", ""]
    )
    def test_what_is_no_function_name_is_refused_without_a_request(
        self, aws: AwsStub, functions: LambdaFunctions, name: str
    ) -> None:
        with pytest.raises(DeployError, match="write its name or its ARN"):
            functions.function(name)

        assert not aws.requests

    def test_a_zip_function_has_no_image(self, aws: AwsStub, functions: LambdaFunctions) -> None:
        aws.create_zip_function("legacy")

        assert functions.function("legacy").image is None

    def test_an_alias_in_a_shift_tells_both_versions(self, functions: LambdaFunctions, shifting: str) -> None:
        alias = functions.alias(shifting, "live")

        assert alias is not None
        assert (alias.version, alias.weights) == ("1", (("2", 0.1),))

    def test_a_version_that_lambda_still_prepares_is_in_progress(
        self, functions: LambdaFunctions, orders: str, images: Images, clock: WoundClock
    ) -> None:
        functions.update_code(functions.function(orders), images.push("orders:2", "two"))
        let_pass(clock, 10)

        version = functions.publish_version(functions.function(orders))
        during = functions.function(orders, version)
        let_pass(clock, 10)

        assert (during.status, during.status_reason) == (
            UpdateStatus.IN_PROGRESS,
            "Creating: The function is being created",
        )
        assert functions.function(orders, version).status is UpdateStatus.SUCCESSFUL

    def test_a_failed_update_says_why_and_what_cures_it(
        self, aws: AwsStub, functions: LambdaFunctions, orders: str, images: Images, clock: WoundClock
    ) -> None:
        aws.fail_update("orders", "ImageAccessDenied", "Lambda does not have permission to access the ECR image.")

        functions.update_code(functions.function(orders), images.push("orders:2", "two"))
        let_pass(clock, 10)

        function = functions.function(orders)
        assert function.status is UpdateStatus.FAILED
        assert function.status_reason.startswith("ImageAccessDenied: Lambda does not have permission")
        assert "; let lambda.amazonaws.com call ecr:BatchGetImage" in function.status_reason

    def test_a_version_that_could_not_be_prepared_has_failed(
        self, aws: AwsStub, functions: LambdaFunctions, images: Images, clock: WoundClock
    ) -> None:
        aws.create_function("orders", str(images.push("orders:1").with_tag("1")))
        aws.fail_update("orders", "FunctionError.InvalidEntryPoint", "exec format error")

        version = functions.publish_version(functions.function("orders"))
        let_pass(clock, 10)

        function = functions.function("orders", version)
        assert function.status is UpdateStatus.FAILED
        assert function.status_reason.endswith(
            "the container does not start; run the image locally with its entry point"
        )


class TestReadiness:
    def test_an_alias_without_provisioned_concurrency_is_ready(self, functions: LambdaFunctions, orders: str) -> None:
        assert self.readiness(functions, orders) == Readiness()

    def test_while_it_is_allocated_anew_it_tells_how_far_it_is(
        self, aws: AwsStub, functions: LambdaFunctions, orders: str, clock: WoundClock
    ) -> None:
        aws.provision("orders", "live", 3)
        ready = self.readiness(functions, orders)
        alias = functions.alias(orders, "live")
        assert alias is not None
        functions.move_alias(functions.function(orders), alias)

        during = self.readiness(functions, orders)
        let_pass(clock, 10)

        assert during == Readiness(unready="provisioned concurrency is IN_PROGRESS: 0 of 3 are there")
        assert (ready, self.readiness(functions, orders)) == (Readiness(), Readiness())

    def test_one_that_failed_says_why(self, aws: AwsStub, functions: LambdaFunctions, orders: str) -> None:
        aws.provision("orders", "live", failure="FUNCTION_ERROR_INIT_FAILURE")

        failure = "provisioned concurrency failed (FUNCTION_ERROR_INIT_FAILURE)"
        assert self.readiness(functions, orders) == Readiness(failure=failure)

    @staticmethod
    def readiness(functions: LambdaFunctions, orders: str) -> Readiness:
        alias = functions.alias(orders, "live")
        assert alias is not None
        return functions.readiness(functions.function(orders), alias)


class TestWriting:
    def test_a_redeploy_is_these_calls_and_no_others(
        self, aws: AwsStub, functions: LambdaFunctions, orders: str, images: Images, clock: WoundClock
    ) -> None:
        """An update that published on its way would publish an image that may fail."""
        functions.update_code(functions.function(orders), images.push("orders:2", "two"))
        let_pass(clock, 10)
        version = functions.publish_version(functions.function(orders))
        alias = functions.alias(orders, "live")
        assert alias is not None
        functions.move_alias(functions.function(orders), replace(alias, version=version))

        assert [request.operation for request in aws.writes] == ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"]

    def test_a_version_that_is_there_is_found_and_no_second_one_published(
        self, aws: AwsStub, functions: LambdaFunctions, orders: str, images: Images, clock: WoundClock
    ) -> None:
        """Lambda compares with the last version alone, so after a way back it would publish the first one twice."""
        one = functions.function(orders).image
        assert one is not None
        functions.update_code(functions.function(orders), images.push("orders:2", "two"))
        let_pass(clock, 10)
        functions.publish_version(functions.function(orders))
        functions.update_code(functions.function(orders), one)
        let_pass(clock, 10)
        aws.page_versions(1)

        assert functions.publish_version(functions.function(orders)) == "1"

    def test_a_version_with_another_configuration_is_another_version(
        self, aws: AwsStub, functions: LambdaFunctions, orders: str, clock: WoundClock
    ) -> None:
        aws.client("lambda").update_function_configuration(FunctionName="orders", Timeout=9)
        let_pass(clock, 10)

        assert functions.publish_version(functions.function(orders)) == "2"

    def test_a_shift_and_its_mark_go_out_together(self, functions: LambdaFunctions, shifting: str) -> None:
        alias = functions.alias(shifting, "live")
        assert alias is not None
        wanted = replace(alias, weights=(("2", 0.5),), description="text [mark]")

        functions.move_alias(functions.function(shifting), wanted)

        moved = functions.alias(shifting, "live")
        assert moved is not None
        assert replace(moved, revision="") == replace(wanted, revision="")
        assert moved.revision != wanted.revision

    def test_moving_an_alias_ends_a_shift(self, functions: LambdaFunctions, shifting: str) -> None:
        alias = functions.alias(shifting, "live")
        assert alias is not None

        functions.move_alias(functions.function(shifting), replace(alias, version="2", weights=()))

        moved = functions.alias(shifting, "live")
        assert moved is not None
        assert (moved.version, moved.weights) == ("2", ())

    def test_the_image_goes_out_by_digest_alone(
        self, aws: AwsStub, functions: LambdaFunctions, orders: str, images: Images
    ) -> None:
        image = images.push("orders:2", "two")

        functions.update_code(functions.function(orders), image)

        uri = aws.client("lambda").get_function(FunctionName="orders")["Code"]["ImageUri"]
        assert uri == f"{image.name}@{image.digest}"

    def test_a_zip_function_is_not_sent_an_image(
        self, aws: AwsStub, functions: LambdaFunctions, images: Images
    ) -> None:
        aws.create_zip_function("legacy")

        with pytest.raises(DeployError, match=r"function legacy is a \.zip function and takes no image; "):
            functions.update_code(functions.function("legacy"), images.push("orders:1"))

        assert not aws.writes

    def test_an_image_without_a_digest_is_not_sent(
        self, aws: AwsStub, functions: LambdaFunctions, orders: str, images: Images
    ) -> None:
        with pytest.raises(DeployError, match="has no digest; name it by digest"):
            functions.update_code(functions.function(orders), images.push("orders:2").with_digest(None))

        assert not aws.writes


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "members", "says", "retryable"),
        [
            pytest.param(
                "TooManyRequestsException",
                {"retryAfterSeconds": "3", "Reason": "CallerRateLimitExceeded"},
                "Lambda throttles this account; run again in 3 seconds",
                True,
                id="throttle",
            ),
            pytest.param("ThrottlingException", {}, "run again in a few seconds", True, id="throttle-common"),
            pytest.param(
                "ServiceException", {}, "Lambda failed (ServiceException: Refused by the test)", True, id="500"
            ),
            pytest.param("AccessDeniedException", {}, "; allow it in the IAM policy", False, id="denied"),
            pytest.param("ExpiredTokenException", {}, "does not take the credentials", False, id="expired"),
            pytest.param("UnrecognizedClientException", {}, "AWS_PROFILE", False, id="wrong-key"),
            pytest.param("ResourceNotFoundException", {}, "; check its name, version and Region", False, id="missing"),
            pytest.param(
                "UnknownOperationException", {}, "(UnknownOperationException); look the code up", False, id="unknown"
            ),
        ],
    )
    def test_an_error_names_function_region_and_cure(
        self,
        aws: AwsStub,
        functions: LambdaFunctions,
        code: str,
        members: dict[str, Any],
        says: str,
        retryable: bool,
    ) -> None:
        aws.fail_next("GetFunction", code, **members)

        with pytest.raises(DeployError) as error:
            functions.function("orders")

        assert str(error.value).startswith("function orders in eu-west-1: ")
        assert says in str(error.value)
        assert error.value.retryable is retryable

    def test_an_error_about_an_alias_is_not_taken_for_a_missing_alias(
        self, aws: AwsStub, functions: LambdaFunctions, orders: str
    ) -> None:
        aws.fail_next("GetAlias", "AccessDeniedException", "not authorized to perform: lambda:GetAlias")

        with pytest.raises(DeployError, match="alias live of function"):
            functions.alias(orders, "live")

    def test_what_lambda_says_is_kept_short_and_on_one_line(self, aws: AwsStub, functions: LambdaFunctions) -> None:
        aws.fail_next("GetFunction", "AccessDeniedException", "line\n" * 10_000)

        with pytest.raises(DeployError) as error:
            functions.function("orders")

        assert len(str(error.value)) < 700
        assert "\n" not in str(error.value)

    @pytest.fixture
    def no_credentials(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    @pytest.mark.usefixtures("no_credentials")
    def test_missing_credentials_are_explained(self, aws: AwsStub, clock: WoundClock) -> None:
        functions = LambdaFunctions(lambda_clients(Session(), endpoint_url=aws.url), region=REGION, clock=clock)

        with pytest.raises(DeployError, match=r"there are no AWS credentials .*; give them") as error:
            functions.function("orders")

        assert not error.value.retryable
        assert not aws.requests

    def test_an_endpoint_that_does_not_answer_may_answer_later(self, clock: WoundClock) -> None:
        with serve(lambda _: Answer()) as gone:
            url = gone.url
        client = _client(url)
        functions = LambdaFunctions(lambda _: client, region=REGION, clock=clock)

        with closing(client), pytest.raises(DeployError, match="AWS cannot be reached") as error:
            functions.function("orders")

        assert error.value.retryable

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"<html>sign in to the network</html>", id="no-json"),
            pytest.param(b"{}", id="nothing"),
            pytest.param(b'{"Configuration": {}, "Code": {}}', id="empty"),
        ],
    )
    def test_an_answer_of_another_form_is_an_error_about_the_function(self, clock: WoundClock, body: bytes) -> None:
        with _answering(body) as client:
            functions = LambdaFunctions(lambda _: client, region=REGION, clock=clock)

            with pytest.raises(DeployError, match=r"^function orders.* cannot be read"):
                functions.function("orders")

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"PackageType": "Zip", "Architectures": []}, id="no-architecture"),
            pytest.param({"LastUpdateStatus": "Perhaps"}, id="unknown-status"),
            pytest.param({"FunctionArn": "arn:aws:s3:::bucket"}, id="no-function-arn"),
            pytest.param({"ResolvedImageUri": "orders:1"}, id="image-without-digest"),
            pytest.param({"ResolvedImageUri": "::"}, id="no-image-reference"),
        ],
    )
    def test_an_answer_with_odd_values_is_an_error_about_the_function(
        self, clock: WoundClock, changes: dict[str, Any]
    ) -> None:
        with _answering(json.dumps(_described(**changes)).encode()) as client:
            functions = LambdaFunctions(lambda _: client, region=REGION, clock=clock)

            with pytest.raises(DeployError, match=r"^function orders: Lambda's answer cannot be read"):
                functions.function("orders")

    def test_an_image_that_lambda_cannot_resolve_is_explained(self, clock: WoundClock) -> None:
        answer = _described()
        answer["Code"] = {"RepositoryType": "ECR", "Error": {"ErrorCode": "ImageDeleted", "Message": "It is gone."}}

        with _answering(json.dumps(answer).encode()) as client:
            functions = LambdaFunctions(lambda _: client, region=REGION, clock=clock)

            with pytest.raises(DeployError, match=r"no resolved image \(ImageDeleted: It is gone; push the image"):
                functions.function("orders")


class TestPace:
    def test_reads_keep_to_a_hundred_a_second(self, functions: LambdaFunctions, orders: str, clock: WoundClock) -> None:
        begun = clock.now()

        for _ in range(11):
            functions.function(orders)

        assert (clock.now() - begun).total_seconds() == pytest.approx(0.1)

    def test_all_other_calls_share_fifteen_a_second(
        self, functions: LambdaFunctions, orders: str, clock: WoundClock
    ) -> None:
        latest = functions.function(orders)
        begun = clock.now()

        for _ in range(8):
            alias = functions.alias(orders, "live")
            assert alias is not None
            functions.move_alias(latest, alias)

        assert (clock.now() - begun).total_seconds() == pytest.approx(15 / 15, abs=1e-3)

    def test_each_region_has_its_own_budget(
        self, aws: AwsStub, images: Images, functions: LambdaFunctions, orders: str, clock: WoundClock
    ) -> None:
        there = aws.create_function("orders", str(images.push("orders:1").with_tag("1")), region="us-east-1")
        begun = clock.now()

        functions.function(orders)
        functions.function(there)

        assert clock.now() == begun

    def test_the_clients_of_the_product_try_again_by_themselves(
        self, aws: AwsStub, orders: str, clock: WoundClock
    ) -> None:
        client = lambda_clients(Session("AKIALABLABLABLABLABL", "lab"), endpoint_url=aws.url)(REGION)
        functions = LambdaFunctions(lambda _: client, region=REGION, clock=clock)
        aws.fail_next("GetFunction", "TooManyRequestsException", retryAfterSeconds="1")

        with closing(client):
            function = functions.function(orders)

        assert function.name == "orders"
        assert [request.operation for request in aws.requests] == ["GetFunction", "GetFunction"]


def _client(url: str) -> Any:
    session: Any = Session("AKIALABLABLABLABLABL", "lab")
    return session.client("lambda", region_name=REGION, endpoint_url=url, config=ONE_TRY)


def _described(**changes: Any) -> dict[str, Any]:
    """A good answer to GetFunction with some of it changed."""
    image = changes.pop("ResolvedImageUri", f"registry.test/orders@sha256:{'0' * 64}")
    config = {
        "FunctionName": "orders",
        "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:orders",
        "PackageType": "Image",
        "Architectures": ["x86_64"],
        "RevisionId": "r",
        "CodeSha256": "0" * 64,
        "Version": "$LATEST",
    }
    return {"Configuration": {**config, **changes}, "Code": {"ResolvedImageUri": image}}


@contextmanager
def _answering(body: bytes) -> Iterator[Any]:
    """Give a client of a Lambda that answers this to everything."""
    with serve(lambda _: Answer(body=body)) as web, closing(_client(web.url)) as client:
        yield client

"""The lab's ECR and STS, errors on demand, the log, and the stub's honesty about its own defects."""

import base64
import re
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from bot.core.digest import Digest
from bot.core.image import OCI_MANIFEST
from tests.conftest import Figure
from tests.lab.aws import AwsStub
from tests.lab.aws_protocols import AwsError, Call, Unmodelled, write_answer, write_error
from tests.lab.aws_scene import Push, code_of, let_pass
from tests.lab.clock import WoundClock
from tests.lab.registry import LOGIN, LabRegistry


class TestOtherServices:
    def test_ecr_describes_what_lies_in_the_registry(self, aws: AwsStub, push: Push, registry: LabRegistry) -> None:
        digest = push("shop/cart:1").partition("@")[2]
        ecr = aws.client("ecr")

        [repository] = ecr.describe_repositories(repositoryNames=["shop/cart"])["repositories"]
        [image] = ecr.describe_images(repositoryName="shop/cart", imageIds=[{"imageTag": "1"}])["imageDetails"]

        assert repository["repositoryUri"] == f"{registry.host}/shop/cart"
        assert (image["imageDigest"], image["imageTags"]) == (digest, ["1"])
        assert image["imageManifestMediaType"] == OCI_MANIFEST

    def test_ecr_gives_manifests_and_says_which_are_missing(self, aws: AwsStub, push: Push) -> None:
        digest = push("shop/cart:1").partition("@")[2]
        asked = [{"imageTag": "1"}, {"imageTag": "gone"}]

        answer = aws.client("ecr").batch_get_image(repositoryName="shop/cart", imageIds=asked)

        assert [Digest.of(image["imageManifest"].encode()) for image in answer["images"]] == [Digest.parse(digest)]
        assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]

    def test_ecr_lists_in_pages(self, aws: AwsStub, push: Push) -> None:
        for tag in ("1", "2", "3"):
            push(f"paged:{tag}", tag)

        pages = (
            aws.client("ecr")
            .get_paginator("describe_images")
            .paginate(repositoryName="paged", PaginationConfig={"PageSize": 2})
        )

        assert [len(page["imageDetails"]) for page in pages] == [2, 1]

    @pytest.mark.parametrize(
        ("repository", "images", "code"),
        [
            pytest.param("nowhere", [{"imageTag": "1"}], "RepositoryNotFoundException", id="repository"),
            pytest.param("shop/cart", [{"imageTag": "gone"}], "ImageNotFoundException", id="image"),
        ],
    )
    def test_ecr_says_what_is_not_there(
        self, aws: AwsStub, push: Push, repository: str, images: list[dict[str, str]], code: str
    ) -> None:
        push("shop/cart:1")

        with pytest.raises(ClientError) as error:
            aws.client("ecr").describe_images(repositoryName=repository, imageIds=images)

        assert code_of(error) == (400, code)

    def test_ecr_gives_the_registry_s_login(self, registry: LabRegistry, clock: WoundClock) -> None:
        with AwsStub(registry.url, clock=clock, auth=LOGIN) as aws:
            [data] = aws.client("ecr").get_authorization_token()["authorizationData"]

        assert base64.b64decode(data["authorizationToken"]).decode() == ":".join(LOGIN)
        assert data["proxyEndpoint"] == registry.url
        assert data["expiresAt"] == clock.now() + timedelta(hours=12)

    def test_sts_says_who_asks(self, aws: AwsStub) -> None:
        assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"


class TestTroubles:
    def test_a_throttle_on_demand_says_when_to_come_back(self, aws: AwsStub, push: Push, figure: Figure) -> None:
        aws.create_function("orders", push("orders:1"))
        client = aws.client("lambda")
        aws.fail_next(
            "GetFunction", "TooManyRequestsException", retryAfterSeconds="3", Reason="CallerRateLimitExceeded"
        )

        with pytest.raises(ClientError) as error:
            client.get_function(FunctionName="orders")
        answer = client.get_function(FunctionName="orders")

        response: Any = error.value.response
        told = (*code_of(error), response["ResponseMetadata"]["HTTPHeaders"]["retry-after"])
        figure("a throttle, with when to come back", told, (429, "TooManyRequestsException", "3"))
        assert response["Reason"] == "CallerRateLimitExceeded"
        assert answer["Configuration"]["FunctionName"] == "orders"

    def test_an_error_of_one_function_meets_no_other_and_ends(self, aws: AwsStub, push: Push) -> None:
        for name in ("orders", "billing"):
            aws.create_function(name, push("orders:1"))
        client = aws.client("lambda")
        aws.fail_next("GetFunction", "AccessDeniedException", times=9, function="orders")

        client.get_function(FunctionName="billing")
        for name in ("orders", "arn:aws:lambda:eu-west-1:123456789012:function:orders"):
            with pytest.raises(ClientError) as error:
                client.get_function(FunctionName=name)
            assert code_of(error) == (403, "AccessDeniedException")
        aws.relent()
        client.get_function(FunctionName="orders")

    def test_something_happens_once_before_the_next_call(self, aws: AwsStub, push: Push) -> None:
        aws.create_function("orders", push("orders:1"))
        client, touched = aws.client("lambda"), []
        aws.before_next("GetFunction", lambda: touched.append(len(aws.requests)))

        client.get_function_configuration(FunctionName="orders")
        client.get_function(FunctionName="orders")
        client.get_function(FunctionName="orders")

        assert touched == [2], "with the second request, which is in the log already"

    @pytest.mark.parametrize(("after", "status"), [(False, 404), (True, 200)], ids=["before", "after"])
    def test_something_happens_once_before_or_after_a_write(
        self, aws: AwsStub, push: Push, *, after: bool, status: int
    ) -> None:
        """A function that is deleted before the second write is not there for it; after it, it was."""
        uri = push("orders:1")
        aws.create_function("orders", uri)
        client = aws.client("lambda")
        client.update_function_code(FunctionName="orders", ImageUri=uri, DryRun=True)
        aws.at_write(2, lambda: aws.delete_function("orders"), after=after)
        client.update_function_code(FunctionName="orders", ImageUri=uri, DryRun=True)
        client.get_function(FunctionName="orders")

        try:
            seen = client.publish_version(FunctionName="orders")["ResponseMetadata"]["HTTPStatusCode"] // 100 * 100
        except ClientError as error:
            seen = error.response["ResponseMetadata"]["HTTPStatusCode"]

        assert seen == status
        with pytest.raises(ClientError):
            client.get_function(FunctionName="orders")

    def test_a_request_without_a_signature_is_turned_away(self, aws: AwsStub) -> None:
        session: Any = boto3.session.Session()
        config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        client = session.client("lambda", region_name="eu-west-1", endpoint_url=aws.url, config=config)

        with closing(client), pytest.raises(ClientError) as error:
            client.get_function(FunctionName="orders")

        assert code_of(error) == (403, "MissingAuthenticationTokenException")

    def test_a_parameter_that_breaks_the_model_is_refused(self, aws: AwsStub) -> None:
        with pytest.raises(ClientError) as error:
            aws.client("lambda").get_function(FunctionName="or ders")

        assert code_of(error) == (400, "ValidationException")

    def test_the_log_tells_reads_from_writes(self, aws: AwsStub, push: Push) -> None:
        uri = push("orders:1")
        aws.create_function("orders", uri, aliases=["live"])
        client = aws.client("lambda")

        client.get_alias(FunctionName="orders", Name="live")
        aws.client("ecr").batch_get_image(repositoryName="orders", imageIds=[{"imageTag": "1"}])
        client.update_function_code(FunctionName="orders", ImageUri=uri)

        assert [(r.service, r.operation, r.write) for r in aws.requests] == [
            ("lambda", "GetAlias", False),
            ("ecr", "BatchGetImage", False),
            ("lambda", "UpdateFunctionCode", True),
        ]
        assert aws.writes == aws.requests[2:]


class TestItsOwnDefects:
    """The stub must not let a test pass that it could not answer truly."""

    @pytest.mark.parametrize(
        ("ask", "gap"),
        [
            pytest.param(
                lambda c: c.list_event_source_mappings(), "does not speak ListEventSourceMappings", id="operation"
            ),
            pytest.param(
                lambda c: c.update_function_configuration(FunctionName="orders", Handler="x"), "Handler", id="parameter"
            ),
        ],
    )
    def test_what_it_does_not_do_fails_the_test_at_its_end(
        self, registry: LabRegistry, clock: WoundClock, push: Push, ask: Callable[[Any], object], gap: str
    ) -> None:
        with ExitStack() as stack:
            aws = stack.enter_context(AwsStub(registry.url, clock=clock))
            aws.create_function("orders", push("orders:1"))
            with pytest.raises(ClientError):
                ask(aws.client("lambda"))

            with pytest.raises(AssertionError, match=gap):
                stack.pop_all().close()

    def test_an_answer_that_breaks_the_service_s_model_fails_the_test_at_its_end(
        self, registry: LabRegistry, clock: WoundClock, push: Push
    ) -> None:
        with ExitStack() as stack:
            aws = stack.enter_context(AwsStub(registry.url, clock=clock))
            uri = push("orders:1")
            aws.create_function("orders", uri)
            aws.fail_update("orders", "NoSuchReason", "made up")
            client = aws.client("lambda")
            client.update_function_code(FunctionName="orders", ImageUri=uri)
            let_pass(clock, 10)
            with pytest.raises(ClientError):
                client.get_function(FunctionName="orders")

            with pytest.raises(AssertionError, match="LastUpdateStatusReasonCode is 'NoSuchReason'"):
                stack.pop_all().close()

    @pytest.mark.parametrize(
        ("answer", "fault"),
        [
            pytest.param({"Nmae": "live"}, "AliasConfiguration.Nmae is unknown", id="unknown-member"),
            pytest.param({"Name": 7}, "AliasConfiguration.Name is int, not string", id="type"),
            pytest.param({"Name": "1"}, "does not match", id="pattern"),
            pytest.param({"Name": ""}, "length of AliasConfiguration.Name is 0, outside 1 to 128", id="length"),
            pytest.param({"RoutingConfig": {"AdditionalVersionWeights": {"1": 2.0}}}, "outside 0.0 to 1.0", id="range"),
            pytest.param(
                {"RoutingConfig": {"AdditionalVersionWeights": {"1": True}}}, "is bool, not double", id="bool"
            ),
        ],
    )
    def test_every_part_of_an_answer_is_compared_with_the_model(
        self, figure: Figure, answer: dict[str, Any], fault: str
    ) -> None:
        call = Call(service="lambda", operation="GetAlias", region="eu-west-1", params={})

        with pytest.raises(Unmodelled) as defect:
            write_answer(call, answer)

        figure(f"an answer that breaks botocore's model: {fault}", bool(re.search(fault, str(defect.value))), True)

    def test_a_member_that_the_model_requires_must_be_there(self) -> None:
        call = Call(service="lambda", operation="GetFunction", region="eu-west-1", params={})

        with pytest.raises(Unmodelled, match=r"EphemeralStorage\.Size is required"):
            write_answer(call, {"Configuration": {"EphemeralStorage": {}}})

    def test_an_error_that_the_operation_never_gives_is_its_defect(self) -> None:
        with pytest.raises(Unmodelled, match="GetAlias never answers CodeStorageExceededException"):
            write_error("lambda", "GetAlias", AwsError("CodeStorageExceededException", "full"))

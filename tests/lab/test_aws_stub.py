"""The lab's AWS keeps the promises of the real one where refrom depends on them."""

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from bot.adapters.registry import Credentials, Endpoint, HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.image import OCI_INDEX, OCI_MANIFEST
from bot.core.reference import Reference
from tests.lab.aws import AwsStub
from tests.lab.clock import WoundClock
from tests.lab.images import ARM64, put_document, put_image
from tests.lab.registry import LOGIN, LabRegistry, docker_registry

Push = Callable[..., str]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def aws(registry: LabRegistry, clock: WoundClock) -> Iterator[AwsStub]:
    with AwsStub(registry.url, clock=clock, update_seconds=10) as stub:
        yield stub


@pytest.fixture
def writer(clock: WoundClock) -> Iterator[HttpRegistry]:
    with closing(Transport(clock)) as transport:
        yield HttpRegistry(transport)


@pytest.fixture
def push(registry: LabRegistry, writer: HttpRegistry) -> Push:
    """Push an image `repository:tag` that holds a text, and return its URI by digest."""

    def push(name: str, text: str = "", **options: Any) -> str:
        target = Reference.parse(f"{registry.host}/{name}")
        image = put_image(writer, target, ({"var/task/app.py": text.encode()},), **options)
        return f"{target.name}@{image.digest}"

    return push


def _code(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def _text(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Message"]


def _pass(clock: WoundClock, seconds: float) -> None:
    clock.wait_until(clock.now() + timedelta(seconds=seconds))


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

        _pass(clock, 10)
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

        assert _code(error) == (409, "ResourceConflictException")

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

        assert _code(error) == (404, "ResourceNotFoundException")


class TestUpdating:
    def test_an_update_is_in_progress_for_its_time_and_changes_the_revision_twice(
        self, aws: AwsStub, push: Push, clock: WoundClock
    ) -> None:
        """Lambda gives a new RevisionId when it is done too, so a revision from before that guards nothing."""
        aws.create_function("orders", push("orders:1", "one"))
        client, new = aws.client("lambda"), push("orders:2", "two")
        before = client.get_function(FunctionName="orders")["Configuration"]

        begun = client.update_function_code(FunctionName="orders", ImageUri=new, RevisionId=before["RevisionId"])
        _pass(clock, 9)
        during = client.get_function(FunctionName="orders")["Configuration"]
        _pass(clock, 1)
        after = client.get_function(FunctionName="orders")

        statuses = [config["LastUpdateStatus"] for config in (begun, during, after["Configuration"])]
        assert statuses == ["InProgress", "InProgress", "Successful"]
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
        self, aws: AwsStub, push: Push, change: Callable[[Any, str], object]
    ) -> None:
        uri = push("orders:1")
        aws.create_function("orders", uri)
        client = aws.client("lambda")
        client.update_function_code(FunctionName="orders", ImageUri=uri)

        with pytest.raises(ClientError) as error:
            change(client, uri)

        assert _code(error) == (409, "ResourceConflictException")
        assert "An update is in progress for resource: arn:aws:lambda:eu-west-1:" in _text(error)

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
        self, aws: AwsStub, push: Push, change: Callable[[Any, dict[str, str]], object]
    ) -> None:
        uri = push("orders:1")
        aws.create_function("orders", uri, aliases=["live"])
        client = aws.client("lambda")
        stale = client.get_function(FunctionName="orders")["Configuration"]["RevisionId"]
        aws.touch("orders")

        with pytest.raises(ClientError) as error:
            change(client, {"ImageUri": uri, "RevisionId": stale})

        assert _code(error) == (412, "PreconditionFailedException")

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
        _pass(clock, 10)

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


class TestImages:
    @pytest.fixture
    def odd(self, registry: LabRegistry, writer: HttpRegistry, push: Push) -> Callable[..., str]:
        """Push an image again as `odd:tag` with some of its manifest changed."""

        def odd(**changes: Any) -> str:
            target = Reference.parse(push("odd:1"))
            document = json.loads(writer.manifest(target).raw)
            for part, media_type in changes.items():
                for descriptor in document[part] if part == "layers" else [document[part]]:
                    descriptor["mediaType"] = media_type
            put_document(writer, Reference.parse(f"{registry.host}/odd:odd"), OCI_MANIFEST, document)
            return f"{registry.host}/odd:odd"

        return odd

    @pytest.fixture
    def index(self, registry: LabRegistry, writer: HttpRegistry, push: Push) -> Callable[..., str]:
        """Push an index of one image, with or without an attestation, as `multi:index`."""

        def index(*, attested: bool) -> str:
            digest = push("multi:1").partition("@")[2]
            image = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1}
            entries = [{**image, "platform": {"os": "linux", "architecture": "amd64"}}]
            if attested:
                note = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest}
                entries.append({**image, "platform": {"os": "unknown", "architecture": "unknown"}, "annotations": note})
            document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
            put_document(writer, Reference.parse(f"{registry.host}/multi:index"), OCI_INDEX, document)
            return f"{registry.host}/multi:index"

        return index

    def _refusal(self, aws: AwsStub, push: Push, uri: str) -> str:
        aws.create_function("orders", push("orders:1"))
        with pytest.raises(ClientError) as error:
            aws.client("lambda").update_function_code(FunctionName="orders", ImageUri=uri)
        assert _code(error) == (400, "InvalidParameterValueException")
        return _text(error).replace(uri, "URI")

    @pytest.mark.parametrize("attested", [False, True], ids=["index", "attested-index"])
    def test_an_index_is_refused(self, aws: AwsStub, push: Push, index: Callable[..., str], attested: bool) -> None:
        text = self._refusal(aws, push, index(attested=attested))

        expected = "The image manifest, config or layer media type for the source image URI is not supported."
        assert text == expected

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"layers": "application/vnd.oci.image.layer.v1.tar+zstd"}, id="zstd"),
            pytest.param({"config": "application/vnd.cncf.helm.config.v1+json"}, id="no-image"),
        ],
    )
    def test_media_types_that_lambda_does_not_read_are_refused(
        self, aws: AwsStub, push: Push, odd: Callable[..., str], changes: dict[str, str]
    ) -> None:
        assert "is not supported" in self._refusal(aws, push, odd(**changes))

    @pytest.mark.parametrize(
        "suffix",
        [pytest.param(":gone", id="tag"), pytest.param(f"@{Digest.of(b'')}", id="digest")],
    )
    def test_an_image_that_is_not_there_is_refused(
        self, aws: AwsStub, push: Push, registry: LabRegistry, suffix: str
    ) -> None:
        text = self._refusal(aws, push, f"{registry.host}/orders{suffix}")

        assert text == "Source image URI does not exist. Provide a valid source image."

    @pytest.mark.parametrize(
        "uri",
        [
            pytest.param("public.ecr.aws/lambda/python:3.13", id="ecr-public"),
            pytest.param("123456789012.dkr.ecr.us-east-1.amazonaws.com/orders:1", id="other-region"),
            pytest.param("123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com/orders:1", id="fips"),
            pytest.param("123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders", id="no-tag"),
            pytest.param(
                f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:1@{Digest.of(b'')}", id="tag-and-digest"
            ),
            pytest.param("not a reference", id="malformed"),
        ],
    )
    def test_a_uri_that_is_no_image_in_ecr_of_the_region_is_refused(self, aws: AwsStub, push: Push, uri: str) -> None:
        assert self._refusal(aws, push, uri) == "Source image URI is not valid. Provide a valid source image."

    def test_another_architecture_is_refused(self, aws: AwsStub, push: Push) -> None:
        assert "linux/arm64" in self._refusal(aws, push, push("orders:arm", platform=ARM64))

    def test_an_ecr_host_name_leads_to_the_registry(self, aws: AwsStub, push: Push) -> None:
        digest = push("orders:1").partition("@")[2]

        aws.create_function("orders", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:1")

        code = aws.client("lambda").get_function(FunctionName="orders")["Code"]
        assert code["ResolvedImageUri"] == f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders@{digest}"

    def test_a_tag_that_moves_later_does_not_move_the_function(
        self, aws: AwsStub, push: Push, registry: LabRegistry
    ) -> None:
        first = push("orders:1", "one")
        aws.create_function("orders", f"{registry.host}/orders:1")

        push("orders:1", "two")

        code = aws.client("lambda").get_function(FunctionName="orders")["Code"]
        assert code["ResolvedImageUri"] == first

    def test_an_image_too_large_fails_only_later(self, registry: LabRegistry, push: Push, clock: WoundClock) -> None:
        with AwsStub(registry.url, clock=clock, update_seconds=10, max_unpacked=20_000) as aws:
            aws.create_function("orders", push("orders:1", "small"))
            client = aws.client("lambda")

            client.update_function_code(FunctionName="orders", ImageUri=push("orders:2", "large" * 5000))
            _pass(clock, 10)

            config = client.get_function(FunctionName="orders")["Configuration"]
        assert (config["LastUpdateStatus"], config["LastUpdateStatusReasonCode"]) == ("Failed", "InvalidImage")
        assert "SizeLimitExceeded" in config["LastUpdateStatusReason"]

    def test_a_zip_function_takes_no_image(self, aws: AwsStub, push: Push) -> None:
        aws.create_zip_function("legacy")

        with pytest.raises(ClientError) as error:
            aws.client("lambda").update_function_code(FunctionName="legacy", ImageUri=push("orders:1"))

        assert _text(error) == "Please don't provide ImageUri when updating a function with packageType Zip."

    def test_a_registry_behind_a_login_is_read_with_it(
        self, tmp_path_factory: pytest.TempPathFactory, clock: WoundClock
    ) -> None:
        with (
            docker_registry(tmp_path_factory.mktemp("closed"), login=True) as closed,
            closing(Transport(clock)) as transport,
            AwsStub(closed.url, clock=clock, auth=LOGIN) as aws,
        ):
            endpoint = Endpoint(host=closed.host, credentials=lambda: Credentials(username=LOGIN[0], password=LOGIN[1]))
            put_image(HttpRegistry(transport, [endpoint]), Reference.parse(f"{closed.host}/orders:1"))

            aws.create_function("orders", f"{closed.host}/orders:1")

            assert aws.client("lambda").get_function(FunctionName="orders")["Code"]["RepositoryType"] == "ECR"


class TestVersions:
    def test_what_has_not_changed_is_published_once(self, aws: AwsStub, push: Push, clock: WoundClock) -> None:
        aws.create_function("orders", push("orders:1", "one"))
        client = aws.client("lambda")

        first, again = (client.publish_version(FunctionName="orders") for _ in range(2))
        client.update_function_configuration(FunctionName="orders", MemorySize=256)
        _pass(clock, 10)
        changed = client.publish_version(FunctionName="orders")

        assert [answer["Version"] for answer in (first, again, changed)] == ["1", "1", "2"]

    def test_a_version_keeps_its_own_image(self, aws: AwsStub, push: Push, clock: WoundClock) -> None:
        old, new = push("orders:1", "one"), push("orders:2", "two")
        aws.create_function("orders", old, aliases=["live"])
        client = aws.client("lambda")
        before = client.get_function(FunctionName="orders", Qualifier="1")

        client.update_function_code(FunctionName="orders", ImageUri=new)
        _pass(clock, 10)

        after = client.get_function(FunctionName="orders", Qualifier="live")
        assert after["Code"] == before["Code"]
        assert after["Configuration"] == before["Configuration"]
        assert after["Configuration"]["FunctionArn"].endswith(":function:orders:1")

    def test_a_new_version_is_pending_before_it_is_active(self, aws: AwsStub, push: Push, clock: WoundClock) -> None:
        aws.create_function("orders", push("orders:1"))
        client = aws.client("lambda")

        published = client.publish_version(FunctionName="orders")
        _pass(clock, 10)

        assert published["State"] == "Pending"
        assert client.get_function_configuration(FunctionName="orders", Qualifier="1")["State"] == "Active"

    def test_the_hash_of_the_code_guards_a_version(self, aws: AwsStub, push: Push) -> None:
        aws.create_function("orders", push("orders:1"))

        with pytest.raises(ClientError) as error:
            aws.client("lambda").publish_version(FunctionName="orders", CodeSha256="0" * 64)

        assert _code(error) == (400, "InvalidParameterValueException")
        assert "is different from current CodeSHA256 in $LATEST" in _text(error)


class TestAliases:
    @pytest.fixture
    def client(self, aws: AwsStub, push: Push, clock: WoundClock) -> Any:
        """A client of a function with versions 1 to 3, whose alias `live` serves 1."""
        aws.create_function("orders", push("orders:1"), aliases=["live"])
        client = aws.client("lambda")
        for timeout in (10, 20):
            client.update_function_configuration(FunctionName="orders", Timeout=timeout)
            _pass(clock, 10)
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
        self, client: Any, version: str, weights: dict[str, float], code: str
    ) -> None:
        routing = {"AdditionalVersionWeights": weights}

        with pytest.raises(ClientError) as error:
            client.update_alias(FunctionName="orders", Name="live", FunctionVersion=version, RoutingConfig=routing)

        assert _code(error)[1] == code

    def test_an_alias_is_created_once(self, client: Any) -> None:
        with pytest.raises(ClientError) as error:
            client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")

        assert _code(error) == (409, "ResourceConflictException")

    def test_an_alias_that_is_not_there_is_not_found(self, client: Any) -> None:
        with pytest.raises(ClientError) as error:
            client.get_alias(FunctionName="orders", Name="canary")

        assert _text(error).startswith("Cannot find alias arn: ")


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

        assert _code(error) == (400, code)

    def test_ecr_gives_the_registry_s_login(self, registry: LabRegistry, clock: WoundClock) -> None:
        with AwsStub(registry.url, clock=clock, auth=LOGIN) as aws:
            [data] = aws.client("ecr").get_authorization_token()["authorizationData"]

        assert base64.b64decode(data["authorizationToken"]).decode() == ":".join(LOGIN)
        assert data["proxyEndpoint"] == registry.url
        assert data["expiresAt"] == clock.now() + timedelta(hours=12)

    def test_sts_says_who_asks(self, aws: AwsStub) -> None:
        assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"


class TestTroubles:
    def test_a_throttle_on_demand_says_when_to_come_back(self, aws: AwsStub, push: Push) -> None:
        aws.create_function("orders", push("orders:1"))
        client = aws.client("lambda")
        aws.fail_next(
            "GetFunction", "TooManyRequestsException", retryAfterSeconds="3", Reason="CallerRateLimitExceeded"
        )

        with pytest.raises(ClientError) as error:
            client.get_function(FunctionName="orders")
        answer = client.get_function(FunctionName="orders")

        response: Any = error.value.response
        assert _code(error) == (429, "TooManyRequestsException")
        assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "3"
        assert response["Reason"] == "CallerRateLimitExceeded"
        assert answer["Configuration"]["FunctionName"] == "orders"

    def test_a_request_without_a_signature_is_turned_away(self, aws: AwsStub) -> None:
        session: Any = boto3.session.Session()
        config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        client = session.client("lambda", region_name="eu-west-1", endpoint_url=aws.url, config=config)

        with closing(client), pytest.raises(ClientError) as error:
            client.get_function(FunctionName="orders")

        assert _code(error) == (403, "MissingAuthenticationTokenException")

    def test_a_parameter_that_breaks_the_model_is_refused(self, aws: AwsStub) -> None:
        with pytest.raises(ClientError) as error:
            aws.client("lambda").get_function(FunctionName="or ders")

        assert _code(error) == (400, "ValidationException")

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
            pytest.param(lambda c: c.list_functions(), "does not speak ListFunctions", id="operation"),
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
            _pass(clock, 10)
            with pytest.raises(ClientError):
                client.get_function(FunctionName="orders")

            with pytest.raises(AssertionError, match="LastUpdateStatusReasonCode is 'NoSuchReason'"):
                stack.pop_all().close()

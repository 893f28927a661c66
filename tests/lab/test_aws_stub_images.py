"""The lab's Lambda takes and refuses images as the real one does, by looking into a real registry."""

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.adapters.registry import Credentials, Endpoint, HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.image import OCI_INDEX, OCI_MANIFEST
from bot.core.reference import Reference
from tests.conftest import Figure
from tests.lab.aws import AwsStub
from tests.lab.aws_scene import Push, code_of, let_pass, text_of
from tests.lab.clock import WoundClock
from tests.lab.images import ARM64, put_document, put_image
from tests.lab.registry import LOGIN, LabRegistry, docker_registry


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
        assert code_of(error) == (400, "InvalidParameterValueException")
        return text_of(error).replace(uri, "URI")

    @pytest.mark.parametrize("attested", [False, True], ids=["index", "attested-index"])
    def test_an_index_is_refused(
        self, aws: AwsStub, push: Push, index: Callable[..., str], figure: Figure, *, attested: bool
    ) -> None:
        text = self._refusal(aws, push, index(attested=attested))

        expected = "The image manifest, config or layer media type for the source image URI is not supported."
        figure(f"an index{' with an attestation' if attested else ''} is refused", text, expected)

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
        self,
        aws: AwsStub,
        push: Push,
        registry: LabRegistry,
        figure: Figure,
        request: pytest.FixtureRequest,
        suffix: str,
    ) -> None:
        text = self._refusal(aws, push, f"{registry.host}/orders{suffix}")

        expected = "Source image URI does not exist. Provide a valid source image."
        figure(f"a {request.node.callspec.id} that the registry does not have is refused", text, expected)

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
    def test_a_uri_that_is_no_image_in_ecr_of_the_region_is_refused(
        self, aws: AwsStub, push: Push, figure: Figure, request: pytest.FixtureRequest, uri: str
    ) -> None:
        text = self._refusal(aws, push, uri)

        expected = "Source image URI is not valid. Provide a valid source image."
        figure(f"an image that is not in ECR of the Region ({request.node.callspec.id}) is refused", text, expected)

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
            let_pass(clock, 10)

            config = client.get_function(FunctionName="orders")["Configuration"]
        assert (config["LastUpdateStatus"], config["LastUpdateStatusReasonCode"]) == ("Failed", "InvalidImage")
        assert "SizeLimitExceeded" in config["LastUpdateStatusReason"]

    def test_a_zip_function_takes_no_image(self, aws: AwsStub, push: Push) -> None:
        aws.create_zip_function("legacy")

        with pytest.raises(ClientError) as error:
            aws.client("lambda").update_function_code(FunctionName="legacy", ImageUri=push("orders:1"))

        assert text_of(error) == "Please don't provide ImageUri when updating a function with packageType Zip."

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

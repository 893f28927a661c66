"""Bad input to a redeploy, through `refrom run`: one message with the cure, nothing half-moved, the others go on.

Three functions stand on a base that moves, and none of their files pins it, so that a run rebuilds and redeploys all.
What happens, happens to the first of them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, REVISION_LABEL
from bot.core.reference import Reference
from bot.entrypoints.cli import ATTENTION, DONE, main
from bot.entrypoints.demo.fleet import AMD64, MOVES, SERVICES, START
from bot.entrypoints.demo.images import BaseSpec, publish_base, publish_function
from bot.entrypoints.demo.stage import push_source
from tests.conftest import Figure
from tests.lab.aws import AwsStub
from tests.lab.registry import LabRegistry, docker_registry

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ORDERS, *OTHERS = ("orders", "billing", "search")
PYTHON = next(move for move in MOVES if move.before.name == "python")
BASE = Reference.parse("public.ecr.aws/lambda/python")


@dataclass(slots=True)
class Shop:
    """A registry, an AWS over it, source repositories and settings."""

    folder: Path
    clock: VirtualClock
    registry: LabRegistry
    writer: HttpRegistry
    aws: AwsStub
    capture: pytest.CaptureFixture[str]

    @property
    def settings(self) -> Path:
        return self.folder / "refrom.yaml"

    def run(self) -> tuple[int, list[Mapping[str, Any]]]:
        """Run a cycle; return its exit code and its outcomes."""
        self.capture.readouterr()
        code = main(["run", "--config", str(self.settings), "--format", "json"], clock=self.clock)
        return code, json.loads(self.capture.readouterr().out)["outcomes"]

    def served(self, function: str) -> tuple[str, object, str]:
        """The version and the weights of a function's alias, and the image that this version runs."""
        client = self.aws.client("lambda")
        alias = client.get_alias(FunctionName=function, Name="live")
        version = client.get_function(FunctionName=function, Qualifier=alias["FunctionVersion"])
        return alias["FunctionVersion"], alias.get("RoutingConfig"), version["Code"]["ResolvedImageUri"]

    def versions(self, function: str) -> int:
        listed = self.aws.client("lambda").list_versions_by_function(FunctionName=function)["Versions"]
        return len(listed) - 1

    def publish(self, spec: BaseSpec | None) -> Digest:
        assert spec
        return publish_base(self.writer, Reference(self.registry.host, BASE.repository), spec)

    def deploy(self, name: str, base: Digest) -> None:
        """Push a source repository, and deploy what a build of it gives."""
        commit = push_source(self.folder, replace(SERVICES[0], name=name))
        labels = {BASE_NAME_LABEL: f"{BASE}:3.13", BASE_DIGEST_LABEL: str(base), REVISION_LABEL: commit}
        files = {"var/task/app.py": b"handler = print\n"}
        below, image = (Reference(self.registry.host, place) for place in (BASE.repository, name))
        target = image.with_tag("first")
        built = publish_function(self.writer, self.writer, below.with_digest(base), AMD64, files, target, labels)
        self.aws.create_function(name, f"{ECR}/{name}@{built}", aliases=["live"])

    def hold_image(self, image: str) -> Callable[[], object]:
        """Keep an image's manifest, and return what pushes it again."""
        reference = Reference.parse(image)
        place = replace(reference, registry=self.registry.host)
        manifest = self.writer.manifest(place)
        return lambda: self.writer.put_manifest(place, manifest.media_type, manifest.raw)

    def remove_image(self) -> None:
        """Let ECR expire the image that `orders` runs."""
        digest = self.served(ORDERS)[2].rpartition("@")[2]
        gone = requests.delete(f"{self.registry.url}/v2/{ORDERS}/manifests/{digest}", timeout=10)
        gone.raise_for_status()

    def remove_built_image(self) -> None:
        """Let somebody delete the image that was just built for `orders`."""
        manifests = f"{self.registry.url}/v2/{ORDERS}/manifests"
        tags = requests.get(f"{self.registry.url}/v2/{ORDERS}/tags/list", timeout=10).json()["tags"]
        (built,) = set(tags) - {"first"}
        accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
        digest = requests.head(f"{manifests}/{built}", headers=accept, timeout=10).headers["Docker-Content-Digest"]
        requests.delete(f"{manifests}/{digest}", timeout=10).raise_for_status()

    def change(self, old: str, new: str) -> None:
        """Change the settings once."""
        text = self.settings.read_text()
        assert old in text
        self.settings.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def shop(
    tmp_path: Path,
    registry: LabRegistry,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Shop]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    clock = VirtualClock(START + timedelta(hours=1))
    with (
        closing(Transport(SystemClock())) as transport,
        AwsStub(registry.url, clock=clock, update_seconds=4) as aws,
    ):
        made = Shop(tmp_path, clock, registry, HttpRegistry(transport), aws, capsys)
        base = made.publish(PYTHON.before)
        for name in (ORDERS, *OTHERS):
            made.deploy(name, base)
        made.settings.write_text(_settings(made))
        assert made.run()[0] == DONE
        made.publish(PYTHON.after)
        clock.advance(timedelta(days=20))
        yield made


def _settings(shop: Shop) -> str:
    targets = "".join(
        f"    - {{function: {name}, repository: acme/{name}, alias: live, image: {ECR}/{name}}}\n"
        for name in (ORDERS, *OTHERS)
    )
    return f"""\
version: 1
registries:
  public.ecr.aws: {{url: "{shop.registry.url}"}}
  {ECR}: {{url: "{shop.registry.url}"}}
advisories: {{feeds: {{}}}}
forges: [{{kind: local, root: repositories}}]
policy: {{update_on: packages, style: tag}}
deploy:
  builder: {{kind: rebase}}
  deployer: {{kind: lambda, region: eu-west-1, endpoint_url: "{shop.aws.url}"}}
  strategy: LambdaCanary10Percent5Minutes
  targets:
{targets}"""


def denied(operation: str) -> Callable[[Shop], None]:
    who = "User: arn:aws:sts::123456789012:assumed-role/refrom/run is not authorized to perform"
    text = f"{who}: lambda:{operation}"
    return lambda shop: shop.aws.fail_next(operation, "AccessDeniedException", text, times=9, function=ORDERS)


def fails(code: str, text: str) -> Callable[[Shop], None]:
    return lambda shop: shop.aws.fail_update(ORDERS, code, text)


def full(operation: str) -> Callable[[Shop], None]:
    text = "Code storage limit exceeded."
    return lambda shop: shop.aws.fail_next(operation, "CodeStorageExceededException", text, function=ORDERS)


def deleted(before: str) -> Callable[[Shop], None]:
    return lambda shop: shop.aws.before_next(before, lambda: shop.aws.delete_function(ORDERS))


def image_gone(shop: Shop) -> None:
    shop.remove_image()


def built_image_gone(shop: Shop) -> None:
    shop.aws.before_next("UpdateFunctionCode", shop.remove_built_image)


def no_alias(shop: Shop) -> None:
    shop.change("repository: acme/orders, alias: live", "repository: acme/orders, alias: prod")


def throttled(shop: Shop) -> None:
    operation, code = "UpdateFunctionCode", "TooManyRequestsException"
    shop.aws.fail_next(operation, code, times=3, function=ORDERS, retryAfterSeconds="7")


_IMAGES = rf"{ECR}/orders@sha256:[0-9a-f]{{64}}"
_ALLOW = r"\(AccessDeniedException\); allow it in the IAM policy of the role that refrom uses"
CASES: Mapping[str, tuple[Callable[[Shop], None], str]] = {
    "the deployed image is gone from ECR": (
        image_gone,
        rf"the image that orders runs is gone from its registry: {_IMAGES}; push it again .*",
    ),
    "the built image is gone from ECR": (
        built_image_gone,
        rf"function orders with image {_IMAGES} in eu-west-1: Lambda refuses it: .* does not exist.*; .*",
    ),
    "the image is deleted while Lambda takes it": (
        fails("ImageDeleted", "The image is gone."),
        "the last update of orders failed: ImageDeleted: The image is gone; push the image to ECR again.*",
    ),
    "Lambda may not read the image": (
        fails("ImageAccessDenied", "Lambda does not have permission to access the ECR image."),
        "the last update of orders failed: ImageAccessDenied: .*; let lambda.amazonaws.com call ecr:BatchGetImage .*",
    ),
    "refrom may not read the function": (denied("GetFunction"), f"function orders in eu-west-1: .* {_ALLOW}"),
    "refrom may not read the alias": (denied("GetAlias"), f"alias live of function orders in eu-west-1: .* {_ALLOW}"),
    "refrom may not update the code": (denied("UpdateFunctionCode"), f"function orders with image .* {_ALLOW}"),
    "refrom may not publish": (denied("PublishVersion"), f"new version of function orders in eu-west-1: .* {_ALLOW}"),
    "refrom may not move the alias": (denied("UpdateAlias"), f"alias live of function orders in .* {_ALLOW}"),
    "the function was deleted before": (
        lambda shop: shop.aws.delete_function(ORDERS),
        "function orders in eu-west-1: Function not found: .*; check its name, version and Region, .*",
    ),
    "the function is deleted before its update": (
        deleted("UpdateFunctionCode"),
        "function orders with image .*: Function not found: .*; check its name, version and Region, .*",
    ),
    "the function is deleted before its version": (
        deleted("PublishVersion"),
        "new version of function orders in eu-west-1: Function not found: .*; check its name, version and Region, .*",
    ),
    "the alias is missing": (no_alias, "orders has no alias prod; create it, or take it from the target"),
    "KMS denies the key": (
        fails("KMSKeyAccessDenied", "Lambda was unable to decrypt the environment variables."),
        "the last update of orders failed: KMSKeyAccessDenied: .*; let the function's execution role use its KMS key",
    ),
    "the KMS key is disabled": (
        fails("DisabledKMSKey", "The key is disabled."),
        "the last update of orders failed: DisabledKMSKey: The key is disabled; enable the function's KMS key",
    ),
    "no room for the code": (
        full("UpdateFunctionCode"),
        r"function orders with image .*: Code storage limit exceeded \(.*\); delete versions that no alias uses",
    ),
    "no room for a version": (
        full("PublishVersion"),
        r"new version of function orders .*: Code storage limit exceeded \(.*\); delete versions that no alias uses",
    ),
    "a quota of requests": (throttled, "function orders with image .* throttles this account; run again in 7 seconds"),
}
GONE = ("the function was deleted", "the function is deleted")


@pytest.mark.parametrize(("befalls", "message"), CASES.values(), ids=CASES)
def test_bad_input_is_told_with_its_cure_moves_nothing_and_stops_nobody_else(
    shop: Shop, figure: Figure, request: pytest.FixtureRequest, befalls: Callable[[Shop], None], message: str
) -> None:
    before = shop.served(ORDERS)
    befalls(shop)

    code, outcomes = shop.run()

    shop.aws.relent()
    case = request.node.callspec.id
    (said,) = [(o["function"], o["message"]) for o in outcomes if o["result"] == "failed"]
    assert said[0] == ORDERS
    assert re.fullmatch(message, said[1]), said[1]
    assert code == ATTENTION
    if not case.startswith(GONE):
        assert shop.served(ORDERS) == before
        assert shop.versions(ORDERS) == (2 if case == "refrom may not move the alias" else 1)
    went_on = [name for name in OTHERS if shop.served(name)[:2] == ("2", None)]
    figure(f"{case}, told with its cure and nothing moved: others that went on", went_on, OTHERS)


@pytest.mark.parametrize("case", ["KMS denies the key", "the deployed image is gone from ECR", "no room for a version"])
def test_once_it_is_put_right_the_next_run_goes_on(shop: Shop, case: str) -> None:
    client = shop.aws.client("lambda")
    served = shop.served(ORDERS)[2]
    (befalls, _), push_again = CASES[case], shop.hold_image(served)
    befalls(shop)
    assert shop.run()[0] == ATTENTION
    push_again()

    code, outcomes = shop.run()

    assert [o["message"] for o in outcomes if o["result"] == "failed"] == []
    assert (code, shop.served(ORDERS)[:2], shop.versions(ORDERS)) == (DONE, ("2", None), 2)
    assert client.get_function(FunctionName=ORDERS)["Configuration"]["LastUpdateStatus"] == "Successful"

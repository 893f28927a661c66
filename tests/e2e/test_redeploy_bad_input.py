"""Bad input to a redeploy, through `refrom run`: one message with the cure, nothing half-moved, the others go on.

Three functions stand on a base that moves, and none of their files pins it, so that a run rebuilds and redeploys all.
What happens, happens to the first of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from bot.core.reference import Reference
from bot.entrypoints.cli import ATTENTION, DONE
from tests.conftest import Figure
from tests.e2e.redeploying import ECR, PYTHON, Shop, open_shop
from tests.lab.registry import LabRegistry, docker_registry

ORDERS, *OTHERS = ("orders", "billing", "search")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, registry: LabRegistry) -> Iterator[Shop]:
    with open_shop(tmp_path, registry) as made:
        base = made.publish(PYTHON.before)
        for name in (ORDERS, *OTHERS):
            made.deploy(name, base)
        made.write_settings((ORDERS, *OTHERS), "LambdaCanary10Percent5Minutes")
        made.publish(PYTHON.after)
        yield made


def remove_image(shop: Shop) -> None:
    """Let ECR expire the image that `orders` runs."""
    digest = shop.served(ORDERS)[2].rpartition("@")[2]
    gone = requests.delete(f"{shop.registry.url}/v2/{ORDERS}/manifests/{digest}", timeout=10)
    gone.raise_for_status()


def remove_built_image(shop: Shop) -> None:
    """Let somebody delete the image that was just built for `orders`."""
    manifests = f"{shop.registry.url}/v2/{ORDERS}/manifests"
    tags = requests.get(f"{shop.registry.url}/v2/{ORDERS}/tags/list", timeout=10).json()["tags"]
    (built,) = set(tags) - {"first"}
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    digest = requests.head(f"{manifests}/{built}", headers=accept, timeout=10).headers["Docker-Content-Digest"]
    requests.delete(f"{manifests}/{digest}", timeout=10).raise_for_status()


def hold_image(shop: Shop, image: str) -> Callable[[], object]:
    """Keep an image's manifest, and return what pushes it again."""
    reference = Reference.parse(image)
    place = replace(reference, registry=shop.registry.host)
    manifest = shop.writer.manifest(place)
    return lambda: shop.writer.put_manifest(place, manifest.media_type, manifest.raw)


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


def built_image_gone(shop: Shop) -> None:
    shop.aws.before_next("UpdateFunctionCode", lambda: remove_built_image(shop))


def no_alias(shop: Shop) -> None:
    shop.change("repository: acme/orders, alias: live", "repository: acme/orders, alias: prod")


def throttled(shop: Shop) -> None:
    operation, code = "UpdateFunctionCode", "TooManyRequestsException"
    shop.aws.fail_next(operation, code, times=3, function=ORDERS, retryAfterSeconds="7")


_IMAGES = rf"{ECR}/orders@sha256:[0-9a-f]{{64}}"
_ALLOW = r"\(AccessDeniedException\); allow it in the IAM policy of the role that refrom uses"
CASES: Mapping[str, tuple[Callable[[Shop], None], str]] = {
    "the deployed image is gone from ECR": (
        remove_image,
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

    ran = shop.run()

    shop.aws.relent()
    case = request.node.callspec.id
    (said,) = [(o["function"], o["message"]) for o in ran.outcomes("failed")]
    assert said[0] == ORDERS
    assert re.fullmatch(message, said[1]), said[1]
    assert ran.code == ATTENTION
    if not case.startswith(GONE):
        assert shop.served(ORDERS) == before
        assert shop.versions(ORDERS) == (2 if case == "refrom may not move the alias" else 1)
    went_on = [name for name in OTHERS if shop.served(name)[:2] == ("2", None)]
    figure(f"{case}, told with its cure and nothing moved: others that went on", went_on, OTHERS)


@pytest.mark.parametrize("case", ["KMS denies the key", "the deployed image is gone from ECR", "no room for a version"])
def test_once_it_is_put_right_the_next_run_goes_on(shop: Shop, case: str) -> None:
    client = shop.aws.client("lambda")
    served = shop.served(ORDERS)[2]
    (befalls, _), push_again = CASES[case], hold_image(shop, served)
    befalls(shop)
    assert shop.run().code == ATTENTION
    push_again()

    ran = shop.run()

    assert ran.outcomes("failed") == []
    assert (ran.code, shop.served(ORDERS)[:2], shop.versions(ORDERS)) == (DONE, ("2", None), 2)
    assert client.get_function(FunctionName=ORDERS)["Configuration"]["LastUpdateStatus"] == "Successful"

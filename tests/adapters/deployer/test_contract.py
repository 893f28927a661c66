"""What every deployer promises, on AWS Lambda and in the state file alike."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from bot.adapters.deployer.lambda_functions import LambdaFunctions
from bot.adapters.deployer.local_functions import LocalFunctions
from bot.core.deployment import Alias
from bot.core.digest import Digest
from bot.core.errors import DeployError
from bot.core.reference import Reference
from bot.ports.deployer import Deployer, Function, Functions, Readiness, UpdateStatus
from tests.adapters.deployer.scene import Images, let_pass
from tests.conftest import Figure
from tests.lab.aws import REGION, AwsStub
from tests.lab.clock import WoundClock
from tests.lab.images import AMD64, ARM64
from tests.lab.moto import Moto

MOTO_DIFFERS = {
    "test_a_function_tells_its_image_by_digest": "CodeSha256 has nothing to do with the digest",
    "test_an_update_takes_its_time_and_then_serves_the_new_image": "an update is done at once",
    "test_an_update_of_a_function_that_changed_meanwhile_is_refused": "RevisionId is not enforced",
    "test_of_two_that_update_at_once_one_is_refused": "RevisionId is not enforced",
    "test_nothing_is_changed_while_an_update_is_in_progress": "an update is done at once",
    "test_a_version_of_code_that_changed_meanwhile_is_not_published": "neither RevisionId nor CodeSha256 is enforced",
    "test_an_alias_that_moved_meanwhile_is_not_moved": "RevisionId is not enforced",
    "test_an_image_that_the_function_cannot_run_is_refused": "images are not looked at",
    "test_a_published_version_keeps_its_image": "an update changes the versions that are published, too",
    "test_versions_are_listed_from_the_newest_and_latest_is_none_of_them": "by an ARN none are listed",
    "test_an_alias_shares_its_calls_with_no_version_that_is_missing": "versions in weights are not looked at",
}
"""What moto does otherwise than Lambda, and the tests that find it out; tests/lab/moto.py mends what hid the rest."""


@pytest.mark.parametrize(("test", "why"), MOTO_DIFFERS.items(), ids=MOTO_DIFFERS)
def test_each_known_difference_of_moto_is_found_out_by_a_test(figure: Figure, test: str, why: str) -> None:
    """That test fails on moto, and it is a failure of this suite if it does not: the list cannot grow stale."""
    figure(f"moto differs from Lambda, and a test knows it: {why}", test in globals(), True)


class Both(Functions, Deployer, Protocol):
    """What the two adapters are."""


class Place:
    """One kind of deployer, and how a function (with an alias `live` on version 1) comes to be there."""

    def __init__(self, deployer: Both, create: Callable[[str, Reference], object]) -> None:
        self.deployer, self.create = deployer, create


@pytest.fixture(params=["lambda", "local", "moto"])
def place(request: pytest.FixtureRequest, aws: AwsStub, images: Images, clock: WoundClock, tmp_path: Path) -> Place:
    if request.param == "moto":
        return _place_in_moto(request, clock)
    if request.param == "lambda":
        functions = LambdaFunctions(lambda region: aws.client("lambda", region), region=REGION, clock=clock)
        return Place(functions, lambda name, image: aws.create_function(name, _by_digest(image), aliases=["live"]))
    state = tmp_path / "functions.json"
    local = LocalFunctions(state, images.registry, clock, update_time=timedelta(seconds=10))
    return Place(local, lambda name, image: local.create(name, image, AMD64, aliases=["live"]))


def _place_in_moto(request: pytest.FixtureRequest, clock: WoundClock) -> Place:
    """A place whose tests must fail exactly where moto is known to differ from Lambda."""
    difference = MOTO_DIFFERS.get(request.node.originalname)
    if difference and "no-digest" not in request.node.name:  # which no deployer sends
        request.applymarker(pytest.mark.xfail(reason=f"moto: {difference}", strict=True))
    moto: Moto = request.getfixturevalue("moto")
    functions = LambdaFunctions(lambda region: moto.client("lambda", region), region=REGION, clock=clock)
    return Place(functions, lambda name, image: moto.create_function(name, _by_digest(image), alias="live"))


@pytest.fixture
def deployer(place: Place, images: Images) -> Both:
    """A deployer with the function `orders` on `orders:1`."""
    place.create("orders", images.push("orders:1", "one"))
    return place.deployer


def _by_digest(image: Reference) -> str:
    return str(image.with_tag(None).with_digest(image.digest))


def _image(function: Function) -> str:
    return str(function.image)


def test_a_function_tells_its_image_by_digest(deployer: Both, images: Images) -> None:
    function = deployer.function("orders")

    assert _image(function) == _by_digest(images.push("orders:1", "one"))
    assert (function.name, function.version, function.platform) == ("orders", "$LATEST", AMD64)
    assert (function.status, function.status_reason) == (UpdateStatus.SUCCESSFUL, "")
    assert function.image is not None
    assert function.image.digest is not None
    assert function.code_sha256.endswith(function.image.digest.hex)


def test_an_arn_names_the_function_and_no_version_of_it(deployer: Both) -> None:
    by_name, published = deployer.function("orders"), deployer.function("orders", "1")

    assert deployer.function(by_name.arn) == by_name
    assert published.arn == by_name.arn
    assert by_name.arn.endswith(":function:orders")


def test_versions_are_listed_from_the_newest_and_latest_is_none_of_them(
    place: Place, images: Images, clock: WoundClock
) -> None:
    place.create("orders", images.push("orders:1", "one"))
    deployer = place.deployer
    for number in range(2, 12):
        deployer.update_code(deployer.function("orders"), images.push(f"orders:{number}", str(number)))
        let_pass(clock, 10)
        deployer.publish_version(deployer.function("orders"))
        let_pass(clock, 10)

    assert list(deployer.versions(deployer.function("orders"))) == [str(number) for number in range(11, 0, -1)]


def test_an_update_takes_its_time_and_then_serves_the_new_image(
    deployer: Both, images: Images, clock: WoundClock
) -> None:
    new = images.push("orders:2", "two")

    deployer.update_code(deployer.function("orders"), new)
    during = deployer.function("orders").status
    let_pass(clock, 10)

    after = deployer.function("orders")
    assert (during, after.status) == (UpdateStatus.IN_PROGRESS, UpdateStatus.SUCCESSFUL)
    assert _image(after) == _by_digest(new)


def test_a_published_version_keeps_its_image(deployer: Both, images: Images, clock: WoundClock) -> None:
    before = deployer.function("orders", "1")

    deployer.update_code(deployer.function("orders"), images.push("orders:2", "two"))
    let_pass(clock, 10)

    assert deployer.function("orders", "1") == before


def test_the_whole_way_of_an_image_to_an_alias(deployer: Both, images: Images, clock: WoundClock) -> None:
    new = images.push("orders:2", "two")
    deployer.update_code(deployer.function("orders"), new)
    let_pass(clock, 10)

    version = deployer.publish_version(deployer.function("orders"))
    let_pass(clock, 10)
    deployer.move_alias(deployer.function("orders"), replace(_alias(deployer), version=version))

    alias = _alias(deployer)
    assert (version, alias.version, alias.weights) == ("2", "2", ())
    assert _image(deployer.function("orders", alias.version)) == _by_digest(new)


def test_an_alias_keeps_weights_and_description_until_it_is_moved_again(
    deployer: Both, images: Images, clock: WoundClock
) -> None:
    deployer.update_code(deployer.function("orders"), images.push("orders:2", "two"))
    let_pass(clock, 10)
    latest = deployer.function("orders")
    version = deployer.publish_version(latest)
    before = replace(_alias(deployer), weights=((version, 0.25),), description="ask Ann [refrom: 1>2]")

    deployer.move_alias(latest, before)
    shifting = _alias(deployer)
    deployer.move_alias(latest, replace(shifting, version=version, weights=(), description=""))

    assert replace(shifting, revision=before.revision) == before
    assert (_alias(deployer).version, _alias(deployer).weights, _alias(deployer).description) == (version, (), "")


def test_an_alias_shares_its_calls_with_no_version_that_is_missing(deployer: Both) -> None:
    before = _alias(deployer)

    with pytest.raises(DeployError, match="orders"):
        deployer.move_alias(deployer.function("orders"), replace(before, weights=(("7", 0.1),)))

    assert _alias(deployer) == before


def test_an_alias_that_nothing_is_provisioned_for_is_ready(deployer: Both) -> None:
    assert deployer.readiness(deployer.function("orders"), _alias(deployer)) == Readiness()


def test_what_has_not_changed_is_published_once(deployer: Both, images: Images, clock: WoundClock) -> None:
    deployer.update_code(deployer.function("orders"), images.push("orders:2", "two"))
    let_pass(clock, 10)
    latest = deployer.function("orders")

    versions = [deployer.publish_version(latest), deployer.publish_version(deployer.function("orders"))]

    assert versions == ["2", "2"]


def test_an_update_of_a_function_that_changed_meanwhile_is_refused(
    deployer: Both, images: Images, clock: WoundClock
) -> None:
    stale = deployer.function("orders")
    deployer.update_code(stale, images.push("orders:2", "two"))
    let_pass(clock, 10)
    served = _image(deployer.function("orders"))

    with pytest.raises(DeployError, match=r"orders.* changed meanwhile; run again") as error:
        deployer.update_code(stale, images.push("orders:3", "three"))

    assert error.value.retryable
    assert _image(deployer.function("orders")) == served


def test_of_two_that_update_at_once_one_is_refused(deployer: Both, images: Images) -> None:
    read = deployer.function("orders")

    def update(image: Reference) -> bool:
        try:
            deployer.update_code(read, image)
        except DeployError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(update, [images.push("orders:2", "two"), images.push("orders:3", "three")]))

    assert sorted(results) == [False, True]


@pytest.mark.parametrize("change", ["update", "publish"])
def test_nothing_is_changed_while_an_update_is_in_progress(deployer: Both, images: Images, change: str) -> None:
    deployer.update_code(deployer.function("orders"), images.push("orders:2", "two"))
    busy = deployer.function("orders")

    with pytest.raises(DeployError, match="run again when it is done") as error:
        deployer.publish_version(busy) if change == "publish" else deployer.update_code(
            busy, images.push("orders:3", "three")
        )

    assert error.value.retryable


def test_a_version_of_code_that_changed_meanwhile_is_not_published(
    deployer: Both, images: Images, clock: WoundClock
) -> None:
    stale = deployer.function("orders")
    deployer.update_code(stale, images.push("orders:2", "two"))
    let_pass(clock, 10)

    with pytest.raises(DeployError, match="changed meanwhile; run again"):
        deployer.publish_version(stale)


def test_an_alias_that_moved_meanwhile_is_not_moved(deployer: Both, images: Images, clock: WoundClock) -> None:
    stale = _alias(deployer)
    deployer.update_code(deployer.function("orders"), images.push("orders:2", "two"))
    let_pass(clock, 10)
    latest = deployer.function("orders")
    version = deployer.publish_version(latest)
    deployer.move_alias(latest, replace(stale, version=version))

    with pytest.raises(DeployError, match=r"alias live of function orders.* changed meanwhile; run again") as error:
        deployer.move_alias(latest, stale)

    assert error.value.retryable
    assert _alias(deployer).version == version


@pytest.mark.parametrize("bad", ["index", "unknown", "other-platform", "no-digest"])
def test_an_image_that_the_function_cannot_run_is_refused(deployer: Both, images: Images, bad: str) -> None:
    good = images.push("orders:2", "two")
    image = {
        "index": images.push_index("orders:index"),
        "unknown": good.with_digest(Digest.of(b"nobody has this")),
        "other-platform": images.push("orders:arm", "two", ARM64),
        "no-digest": good.with_digest(None),
    }[bad]
    before = deployer.function("orders")

    with pytest.raises(DeployError, match=r"function orders.*; ") as error:
        deployer.update_code(before, image)

    assert not error.value.retryable
    assert images.host in str(error.value)
    assert deployer.function("orders") == before


def test_a_function_that_is_missing_is_an_error(place: Place) -> None:
    with pytest.raises(DeployError, match=r"function nobody.*; check its name") as error:
        place.deployer.function("nobody")

    assert not error.value.retryable


def test_a_version_that_is_missing_is_an_error(deployer: Both) -> None:
    with pytest.raises(DeployError, match=r"function orders.* version 7"):
        deployer.function("orders", "7")


def test_an_alias_that_is_missing_is_none(deployer: Both) -> None:
    assert deployer.alias("orders", "canary") is None


def test_an_alias_of_a_function_that_is_missing_is_an_error(place: Place) -> None:
    with pytest.raises(DeployError, match="function nobody"):
        place.deployer.alias("nobody", "live")


def test_an_alias_does_not_move_to_a_version_that_is_missing(deployer: Both) -> None:
    with pytest.raises(DeployError, match="orders"):
        deployer.move_alias(deployer.function("orders"), replace(_alias(deployer), version="7"))

    assert _alias(deployer).version == "1"


def test_an_alias_that_is_gone_is_not_made_by_moving_it(deployer: Both) -> None:
    never = replace(_alias(deployer), name="never")

    with pytest.raises(DeployError, match="alias never of function orders"):
        deployer.move_alias(deployer.function("orders"), never)

    assert deployer.alias("orders", "never") is None


def _alias(deployer: Both) -> Alias:
    alias = deployer.alias("orders", "live")
    assert alias is not None
    return alias

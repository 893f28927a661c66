"""What is the state file's own: functions are created, outlive the process, and never see half a file."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.local_state import SCHEMA
from bot.adapters.registry import HttpRegistry
from bot.core.errors import DeployError
from bot.ports.deployer import UpdateStatus
from tests.adapters.deployer.scene import Images, let_pass
from tests.lab.clock import WoundClock
from tests.lab.images import AMD64, ARM64
from tests.lab.registry import docker_registry


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "lambda" / "functions.json"


@pytest.fixture
def functions(state: Path, registry: HttpRegistry, clock: WoundClock) -> LocalFunctions:
    return LocalFunctions(state, registry, clock, update_time=timedelta(seconds=3))


def test_a_new_function_is_ready_and_its_aliases_serve_version_1(functions: LocalFunctions, images: Images) -> None:
    image = images.push("orders:1")

    created = functions.create("orders", image.with_digest(None), AMD64, aliases=["live", "canary"])

    assert created == functions.function("orders")
    assert created.arn == "arn:local:lambda:::function:orders"
    assert created.status is UpdateStatus.SUCCESSFUL
    assert created.image == image.with_tag(None).with_digest(image.digest)
    aliases = [functions.alias("orders", name) for name in ("live", "canary")]
    assert [alias.version for alias in aliases if alias] == ["1", "1"]


def test_a_function_without_aliases_has_no_version(functions: LocalFunctions, images: Images) -> None:
    functions.create("orders", images.push("orders:1"), AMD64)

    with pytest.raises(DeployError, match="function orders has no version 1; publish it first"):
        functions.function("orders", "1")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("orders", "function orders is there already; choose another name", id="taken"),
        pytest.param("../orders", "use letters, digits, - and _", id="malformed"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(functions: LocalFunctions, images: Images, name: str, says: str) -> None:
    image = images.push("orders:1")
    functions.create("orders", image, AMD64)

    with pytest.raises(DeployError, match=says):
        functions.create(name, image, AMD64)


def test_a_function_is_not_created_on_an_image_that_it_cannot_run(functions: LocalFunctions, images: Images) -> None:
    with pytest.raises(DeployError, match="linux/arm64"):
        functions.create("orders", images.push("orders:arm", platform=ARM64), AMD64)

    with pytest.raises(DeployError, match="function orders does not exist"):
        functions.function("orders")


def test_functions_outlive_the_process(
    functions: LocalFunctions, state: Path, images: Images, registry: HttpRegistry, clock: WoundClock
) -> None:
    functions.create("orders", images.push("orders:1", "one"), AMD64, aliases=["live"])
    functions.update_code(functions.function("orders"), images.push("orders:2", "two"))
    before = functions.function("orders")

    later = LocalFunctions(state, registry, clock)

    assert later.function("orders") == before
    assert later.alias("orders", "live") == functions.alias("orders", "live")


def test_an_update_says_when_it_is_ready(functions: LocalFunctions, images: Images, clock: WoundClock) -> None:
    functions.create("orders", images.push("orders:1", "one"), AMD64)

    functions.update_code(functions.function("orders"), images.push("orders:2", "two"))
    during = functions.function("orders").status_reason
    let_pass(clock, 3)

    assert during == "the update is ready at 12:00:03 UTC"
    assert functions.function("orders").status_reason == ""


def test_writers_of_different_functions_lose_nothing(
    state: Path, registry: HttpRegistry, images: Images, clock: WoundClock
) -> None:
    """Each writer has a deployer of its own, as separate processes have."""
    image, names = images.push("orders:1"), [f"orders-{number}" for number in range(12)]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda name: LocalFunctions(state, registry, clock).create(name, image, AMD64), names))

    assert sorted(json.loads(state.read_text())["functions"]) == sorted(names)
    assert sorted(path.name for path in state.parent.iterdir()) == ["functions.json", "functions.json.lock"]


def test_a_change_that_is_refused_leaves_the_file_as_it_was(
    functions: LocalFunctions, state: Path, images: Images
) -> None:
    functions.create("orders", images.push("orders:1", "one"), AMD64)
    stale = functions.function("orders")
    functions.update_code(stale, images.push("orders:2", "two"))
    before = state.read_bytes()

    with pytest.raises(DeployError, match="changed meanwhile"):
        functions.update_code(stale, images.push("orders:3", "three"))

    assert state.read_bytes() == before


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "[" * 100_000, id="deep"),
        pytest.param(lambda _: "[]", id="list"),
        pytest.param(lambda text: text.replace(SCHEMA, "refrom.local-functions/2"), id="newer"),
        pytest.param(lambda text: text.replace('"revision"', '"version"'), id="other-keys"),
        pytest.param(lambda text: text.replace("sha256:", "sha256:x"), id="bad-digest"),
    ],
)
def test_a_file_that_is_not_ours_is_named_with_the_cure(
    functions: LocalFunctions, state: Path, images: Images, spoil: Callable[[str], str]
) -> None:
    functions.create("orders", images.push("orders:1"), AMD64)
    state.write_text(spoil(state.read_text()))

    with pytest.raises(DeployError, match=r"functions\.json is not one of the local deployer .*; delete it"):
        functions.function("orders")


def test_a_file_that_cannot_be_used_is_named_with_the_cure(
    tmp_path: Path, registry: HttpRegistry, images: Images, clock: WoundClock
) -> None:
    (tmp_path / "file").write_text("")
    functions = LocalFunctions(tmp_path / "file" / "functions.json", registry, clock)

    with pytest.raises(DeployError, match=r"cannot be used \(.*\); check the folder's rights"):
        functions.create("orders", images.push("orders:1"), AMD64)


def test_a_registry_that_is_away_may_be_back_later(
    functions: LocalFunctions, images: Images, registry: HttpRegistry, tmp_path_factory: pytest.TempPathFactory
) -> None:
    functions.create("orders", images.push("orders:1"), AMD64)
    with docker_registry(tmp_path_factory.mktemp("gone")) as gone:
        image = Images(gone.host, registry).push("orders:2", "two")

    with pytest.raises(DeployError, match=f"function orders with image {gone.host}/orders") as error:
        functions.update_code(functions.function("orders"), image)

    assert error.value.retryable

"""One docker-registry for all tests of this folder, images in it, and the two places where functions live."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from tests.adapters.deployer.scene import Images
from tests.lab.aws import AwsStub
from tests.lab.clock import WoundClock
from tests.lab.moto import Moto, moto_server
from tests.lab.registry import LabRegistry, docker_registry


@pytest.fixture(scope="session")
def lab_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def registry(clock: WoundClock) -> Iterator[HttpRegistry]:
    with closing(Transport(clock)) as transport:
        yield HttpRegistry(transport)


@pytest.fixture
def images(lab_registry: LabRegistry, registry: HttpRegistry) -> Images:
    return Images(lab_registry.host, registry)


@pytest.fixture
def aws(lab_registry: LabRegistry, clock: WoundClock) -> Iterator[AwsStub]:
    with AwsStub(lab_registry.url, clock=clock, update_seconds=10) as stub:
        yield stub


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def moto(moto_url: str) -> Iterator[Moto]:
    """An account of moto's that holds nothing."""
    with Moto(moto_url) as account:
        yield account

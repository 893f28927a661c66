"""A registry and an AWS over it, for the tests of the lab's AWS."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.reference import Reference
from tests.lab.aws import AwsStub
from tests.lab.aws_scene import Push
from tests.lab.clock import WoundClock
from tests.lab.images import put_image
from tests.lab.registry import LabRegistry, docker_registry


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

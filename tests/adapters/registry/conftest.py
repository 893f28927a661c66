"""One docker-registry for all tests of this folder; each test has repositories of its own."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count

import pytest

from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.reference import Reference
from tests.lab.clock import WoundClock
from tests.lab.images import AMD64, ARM64, put_image, put_index
from tests.lab.registry import EcrPublicFront, LabRegistry, docker_registry, ecr_public_front

_numbers = count(1)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    """A registry without a login."""
    with docker_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def front(plain: LabRegistry) -> Iterator[EcrPublicFront]:
    with ecr_public_front(plain) as front:
        yield front


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def transport(clock: WoundClock) -> Iterator[Transport]:
    with closing(Transport(clock, timeouts=(5, 10))) as transport:
        yield transport


@pytest.fixture
def http(transport: Transport) -> HttpRegistry:
    return HttpRegistry(transport)


@pytest.fixture
def fresh() -> Callable[[str], Reference]:
    """Give a repository on a host that no other test uses, tagged `1`."""
    return lambda host: Reference(host, f"lambda/python{next(_numbers)}", "1")


@pytest.fixture
def base(plain: LabRegistry, front: EcrPublicFront, http: HttpRegistry, fresh: Callable[[str], Reference]) -> Reference:
    """A base image for two platforms, as the front serves it; written past the front."""
    target = fresh(plain.host)
    images = [put_image(http, target.with_tag(None), platform=platform) for platform in (AMD64, ARM64)]
    put_index(http, target, images)
    return replace(target, registry=front.host)

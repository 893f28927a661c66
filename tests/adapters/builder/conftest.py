"""A real Docker Engine and real registries for the builders."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from bot.adapters.registry import Credentials, Endpoint, HttpRegistry
from bot.adapters.transport import Transport
from bot.core.reference import Reference
from tests.lab.clock import WoundClock
from tests.lab.dockerd import DockerEngine, docker_engine
from tests.lab.registry import LOGIN, LabRegistry, docker_registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One engine, and one registry that it pulls from and pushes to."""

    engine: DockerEngine
    running: LabRegistry
    registry: HttpRegistry

    @property
    def host(self) -> str:
        """The registry's host, as in a reference."""
        return self.running.host

    @property
    def base(self) -> Reference:
        """An image that is there from the start."""
        return Reference.parse(f"{self.host}/lambda/python:3.13")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="session")
def lab(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with closing(Transport(WoundClock())) as transport, docker_registry(tmp_path_factory.mktemp("open")) as running:
        made = Lab(engine=engine, running=running, registry=HttpRegistry(transport))
        engine.push_base(str(made.base), tmp_path_factory.mktemp("base"))
        yield made


@pytest.fixture(scope="session")
def closed_lab(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab whose registry wants `LOGIN`."""
    folder = tmp_path_factory.mktemp("closed")
    with closing(Transport(WoundClock())) as transport, docker_registry(folder, login=True) as running:
        credentials = Credentials(username=LOGIN[0], password=LOGIN[1])
        registry = HttpRegistry(transport, [Endpoint(host=running.host, credentials=lambda: credentials)])
        made = Lab(engine=engine, running=running, registry=registry)
        engine.push_base(str(made.base), tmp_path_factory.mktemp("base"), login=LOGIN)
        yield made

"""What the end-to-end tests share: one engine for all of them."""

from collections.abc import Iterator

import pytest

from tests.lab.dockerd import DockerEngine, docker_engine


@pytest.fixture(scope="session")
def docker_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine

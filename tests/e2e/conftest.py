"""What the end-to-end tests share: one engine for all of them, and a scene for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.audit_aws import Accounts, accounts
from tests.e2e.scene import Scene, scene
from tests.lab.dockerd import DockerEngine, docker_engine


@pytest.fixture(scope="session")
def docker_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture
def forge() -> str:
    """The kind of forge that the scene has; a module may ask for others."""
    return "local"


@pytest.fixture
def lab(
    tmp_path: Path,
    docker_host: DockerEngine,
    forge: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    with scene(tmp_path, docker_host, capsys, forge) as made:
        yield made


@pytest.fixture
def aws_accounts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Accounts]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    with accounts(tmp_path, capsys) as made:
        yield made

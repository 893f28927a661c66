"""The project's own Dockerfile on a real engine: healthy, one cycle, and an orderly end, with nothing to write on."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from bot import __version__
from bot.adapters.builder.docker_command import docker_environment, find_docker
from bot.entrypoints.demo.stage import Stage
from tests.conftest import Figure
from tests.lab.debian import debian_root, need_packages
from tests.lab.dockerd import DockerEngine
from tests.lab.fleet import moved_fleet
from tests.lab.program import free_port
from tests.lab.registry import docker_registry

ROOT = Path(__file__).parents[2]
USER = 10001
STATE = "/var/lib/refrom"
PATIENCE = 60
GRACE = 10
"""Seconds that `docker stop` waits unless told otherwise; then it kills, and the exit code is 137."""
HARDENED: dict[str, Any] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "network_mode": "host",
    "tmpfs": {"/tmp": "nosuid,nodev,noexec"},  # noqa: S108 - in the container
}
"""As compose.yaml has it; the engine has no bridge, hence the host's network."""


@dataclass(frozen=True, slots=True)
class Built:
    """The image, in the engine, and the base that it was to be built on."""

    name: str
    base: str


@pytest.fixture(scope="module")
def built(docker_host: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Push a Debian root to a registry, and build the Dockerfile on it by digest; packages come from where they do."""
    need_packages()
    name = "refrom:lab"
    with docker_registry(tmp_path_factory.mktemp("bases")) as registry, docker_environment(docker_host.host) as env:
        base = docker_host.push_root(f"{registry.host}/debian-python:lab", debian_root())
        command = [find_docker(env), "build", "--network=host", f"--build-arg=BASE={base}", f"--tag={name}", str(ROOT)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        yield Built(name, base)


@pytest.fixture
def fleet(tmp_path: Path) -> Stage:
    """The demo's fleet after its bases moved, owned by the container's user."""
    stage = moved_fleet(tmp_path / "state")
    for path in (stage.folder, *stage.folder.rglob("*")):
        os.chown(path, USER, USER)
    return stage


@pytest.fixture
def settings(tmp_path: Path, fleet: Stage) -> Path:
    """A folder with the fleet's settings as the container sees them: read-only, and apart from what it writes."""
    text = fleet.settings.read_text()
    for relative, absolute in (
        ("oci:registry", f"oci:{STATE}/registry"),
        ("root: repositories", f"root: {STATE}/repositories"),
        ("state: functions.json", f"state: {STATE}/functions.json"),
    ):
        assert relative in text
        text = text.replace(relative, absolute)
    folder = tmp_path / "config"
    folder.mkdir(mode=0o755)
    (folder / "refrom.yaml").write_text(f"{text}store: {STATE}/refrom.db\n")
    return folder


@dataclass(frozen=True, slots=True)
class Running:
    """A container that serves, and where."""

    container: Container
    port: int

    def log(self) -> list[str]:
        """The events that are logged so far."""
        return [json.loads(line)["event"] for line in self.container.logs().splitlines()]

    def health(self) -> str:
        """The engine's verdict by its own checks; `starting` until there is one."""
        self.container.reload()
        status: str = self.container.attrs["State"]["Health"]["Status"]
        return status

    def metrics(self) -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return text


@pytest.fixture
def running(docker_host: DockerEngine, built: Built, fleet: Stage, settings: Path) -> Iterator[Running]:
    port = free_port()
    volumes = {
        str(fleet.folder): {"bind": STATE, "mode": "rw"},
        str(settings): {"bind": "/etc/refrom", "mode": "ro"},
    }
    with closing(docker_host.client()) as client:
        container = client.containers.run(
            built.name,
            detach=True,
            volumes=volumes,
            environment={"REFROM_LISTEN": f"127.0.0.1:{port}"},
            healthcheck={"interval": 10**9},  # nanoseconds; the check itself is the image's
            **HARDENED,
        )
        try:
            yield Running(container, port)
        finally:
            container.remove(force=True)


def test_the_container_becomes_healthy_runs_a_cycle_and_ends_in_order(
    docker_host: DockerEngine, built: Built, running: Running, fleet: Stage, figure: Figure
) -> None:
    container = running.container
    eventually("a cycle ends", lambda: "cycle ended" in running.log())
    eventually("the engine knows about its health", lambda: running.health() != "starting")
    health, metrics, opened = running.health(), running.metrics(), branches(fleet)
    container.stop(timeout=GRACE)
    container.reload()

    with closing(docker_host.client()) as client:
        labels = client.images.get(built.name).labels
    figure("container: built on the base by digest", labels["org.opencontainers.image.base.name"], built.base)
    figure("container: user", container.attrs["Config"]["User"], f"{USER}:{USER}")
    figure("container: root file system is read-only", container.attrs["HostConfig"]["ReadonlyRootfs"], True)
    figure("container: health as the engine sees it", health, "healthy")
    figure("container: cycles done", 'refrom_cycles_total{result="done"} 1.0\n' in metrics, True)
    figure("container: repositories with a pull request's branch", len(opened), 4)
    figure(f"container: exit code of a stop with {GRACE} s of grace", container.attrs["State"]["ExitCode"], 0)
    figure("container: files changed outside its volume", container.diff() or [], [])


def test_a_hostile_package_in_the_working_directory_is_not_imported(
    docker_host: DockerEngine, built: Built, tmp_path: Path, figure: Figure
) -> None:
    hostile = tmp_path / "checkout" / "bot"
    hostile.mkdir(parents=True)
    (hostile / "__init__.py").write_text("print('hostile')\nraise SystemExit(66)\n")
    tmp_path.chmod(0o755)

    with closing(docker_host.client()) as client:
        said = client.containers.run(
            built.name,
            ["--version"],
            remove=True,
            working_dir="/work",
            volumes={str(hostile.parent): {"bind": "/work", "mode": "ro"}},
            environment={"PYTHONPATH": ".:/work", "PYTHONSTARTUP": "/work/bot/__init__.py"},
            **HARDENED,
        )

    figure("container: beside a hostile package", said.decode(), f"refrom {__version__}\n")


def test_the_image_holds_no_build_tools(docker_host: DockerEngine, built: Built, figure: Figure) -> None:
    search = "ls /opt/refrom/bin | grep -E '^(pip|hatch|wheel)'; command -v gcc cc make pip pip3; git --version"

    with closing(docker_host.client()) as client:
        said = client.containers.run(
            built.name, ["-c", search], entrypoint="/bin/sh", remove=True, stderr=True, **HARDENED
        )

    figure("container: build tools in it, apart from git", said.decode().partition(" version")[0], "git")


def eventually(what: str, comes_true: Callable[[], bool]) -> None:
    """Look until something comes true; the engine's streams would leave their sockets open."""
    deadline = time.monotonic() + PATIENCE
    while not comes_true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def branches(fleet: Stage) -> list[str]:
    return [str(path) for path in (fleet.folder / "repositories").rglob("refs/heads/refrom/*")]

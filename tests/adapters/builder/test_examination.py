"""An engine and a command that builds are looked for; nothing is built."""

import gc
from pathlib import Path

import pytest

from bot.adapters.builder.examination import DockerExamination
from bot.ports.examination import State
from tests.lab.dockerd import DockerEngine


def test_an_engine_and_a_command_are_found(engine: DockerEngine) -> None:
    access, command = DockerExamination(engine.host).examine()

    assert (access.subject, access.state) == (f"Docker Engine {engine.host}", State.OK)
    assert access.message.startswith("answers with API version 1.")
    assert (command.name, command.state) == ("command", State.OK)
    assert command.message.endswith("docker builds with BuildKit")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's own socket, which it could not connect
def test_each_that_is_missing_is_told_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    access, command = DockerExamination(f"unix://{tmp_path}/none.sock").examine()
    gc.collect()  # that socket, before another test is blamed for it

    assert (access.state, command.state) == (State.FAILED, State.FAILED)
    assert access.message == f"no Docker Engine answers at unix://{tmp_path}/none.sock"
    assert access.cure == "start it, or correct the builder's host"
    assert (command.message, command.cure) == (
        "no docker command builds with BuildKit (none is on PATH)",
        "install docker-buildx",
    )


def test_the_engine_of_the_environment_is_the_one_that_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    assert DockerExamination().subject == "Docker Engine unix:///nowhere/docker.sock"

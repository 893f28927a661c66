"""What builds is looked for; nothing is built."""

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.builder.codebuild import CodeBuild
from bot.adapters.builder.examination import CodeBuildExamination, CommandExamination, DockerExamination
from bot.ports.examination import Check, State
from tests.lab.aws import REGION, AwsStub
from tests.lab.clock import WoundClock
from tests.lab.dockerd import DockerEngine
from tests.lab.registry import docker_registry


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


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStub]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    with docker_registry(tmp_path / "registry") as registry, AwsStub(registry.url, clock=WoundClock()) as aws:
        aws.codebuild.projects.add("images")
        yield aws


def examine_project(aws: AwsStub, project: str = "images") -> Check:
    (check,) = CodeBuildExamination(CodeBuild(project, REGION, endpoint_url=aws.url), project).examine()
    assert not aws.writes
    return check


def test_a_project_of_codebuild_is_asked_for_its_builds(aws: AwsStub) -> None:
    check = examine_project(aws)

    assert (check.subject, check.name, check.state) == ("CodeBuild images", "access", State.OK)
    assert check.message == "lists 0 builds of project images"


def test_a_project_that_is_not_there_is_told_with_its_cure(aws: AwsStub) -> None:
    check = examine_project(aws, "none")

    assert check.message.startswith("CodeBuild project none in eu-west-1: Project cannot be found")
    assert (check.state, check.cure) == (State.FAILED, "correct project or region under deploy.builder")


def test_a_project_that_may_not_be_read_is_told_with_its_cure(aws: AwsStub) -> None:
    aws.fail_next("ListBuildsForProject", "AccessDeniedException", "not authorized")

    check = examine_project(aws)

    assert (check.state, check.cure.split()[:2]) == (State.FAILED, ["allow", "codebuild:StartBuild,"])


@pytest.mark.parametrize(
    ("program", "state", "message", "cure"),
    [
        pytest.param("env", State.OK, f"is {shutil.which('env')}", "", id="found"),
        pytest.param(
            "no-such-program",
            State.FAILED,
            "no-such-program is no program that can be run here",
            "install it, or correct run of deploy.builder",
            id="missing",
        ),
        pytest.param(
            "./build.sh",
            State.SKIPPED,
            "it lies in the source repositories, and is looked for at a build",
            "",
            id="of the source",
        ),
    ],
)
def test_the_program_of_a_command_is_looked_for(program: str, state: State, message: str, cure: str) -> None:
    (check,) = CommandExamination(command=[program, "image"]).examine()

    assert (check.subject, check.name) == (f"command {program}", "program")
    assert (check.state, check.message, check.cure) == (state, message, cure)


def test_variables_that_a_command_is_to_get_and_that_are_not_set_are_told() -> None:
    _, check = CommandExamination(command=["env"], passed=["PATH", "REFROM_NO_SUCH_VARIABLE"]).examine()

    assert (check.name, check.state, check.message) == (
        "environment",
        State.FAILED,
        "not set: REFROM_NO_SUCH_VARIABLE",
    )
    assert check.cure == "set them, or take them from pass_env of deploy.builder"

"""The docker command: which one is taken, what it is told of us, and what bounds it."""

import json
import os
import signal
import stat
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest

from bot.adapters.builder import docker_command
from bot.adapters.builder.docker_command import docker_environment, find_docker, log_in, run
from bot.core.errors import BuildError

NO_BUILDX = "echo ERROR: the buildx component is missing >&2; exit 1"


def install(folder: Path, script: str, interpreter: str = "/bin/sh") -> str:
    folder.mkdir()
    command = folder / "docker"
    command.write_text(f"#!{interpreter}\n{script}\n")
    command.chmod(0o755)
    return str(command)


def path_of(*commands: str) -> dict[str, str]:
    return {"PATH": os.pathsep.join(str(Path(command).parent) for command in commands)}


def test_the_first_command_that_can_build_is_taken(tmp_path: Path) -> None:
    broken = install(tmp_path / "a", NO_BUILDX)
    dead = install(tmp_path / "b", "", interpreter="/no/such/interpreter")
    able = install(tmp_path / "c", 'test "$*" = "build --help"')
    unused = install(tmp_path / "d", "exit 0")

    assert find_docker(path_of(broken, dead, able, unused)) == able


def test_without_one_the_error_tells_what_each_of_them_said(tmp_path: Path) -> None:
    broken, dead = install(tmp_path / "a", NO_BUILDX), install(tmp_path / "b", "", interpreter="/no/such/interpreter")

    with pytest.raises(BuildError, match="install docker-buildx") as fault:
        find_docker(path_of(broken, dead))

    assert f"{broken} says: ERROR: the buildx component is missing" in str(fault.value)
    assert f"{dead} does not start" in str(fault.value)


def test_without_any_command_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="none is on PATH"):
        find_docker({"PATH": str(tmp_path)})


def test_logins_lie_in_a_folder_of_ours_as_long_as_they_are_needed() -> None:
    logins = {"registry.example:5000": ("bot", "p:w"), "docker.io": ("hub", "secret")}

    with docker_environment(None) as environment:
        log_in(environment, logins)
        folder = Path(environment["DOCKER_CONFIG"])
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "config.json")]
        auths = json.loads((folder / "config.json").read_text())["auths"]

    assert modes == [0o700, 0o600]
    assert {host: b64decode(entry["auth"]) for host, entry in auths.items()} == {
        "registry.example:5000": b"bot:p:w",
        "https://index.docker.io/v1/": b"hub:secret",
    }
    assert not folder.exists()


def test_the_environment_passes_on_what_a_client_needs_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    with docker_environment("unix:///run/other.sock") as environment:
        log_in(environment, {"registry.example": ("bot", "secret")})

        assert environment["DOCKER_HOST"] == "unix:///run/other.sock"
        assert environment["PATH"] == os.environ["PATH"]
        assert environment["https_proxy"] == "http://127.0.0.1:9"
        assert "DOCKER_CONTEXT" not in environment
        assert "secret" not in " ".join(environment.values())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("tcp://127.0.0.1:1", "tcp://127.0.0.1:1", id="stated"),
        pytest.param("", "unix:///var/run/docker.sock", id="usual"),
    ],
)
def test_without_a_host_the_environment_names_the_daemon(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", given)

    with docker_environment(None) as environment:
        assert environment["DOCKER_HOST"] == expected


def test_a_users_own_plugins_stay_in_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cli-plugins").mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    with docker_environment(None) as environment:
        config = json.loads(Path(environment["DOCKER_CONFIG"], "config.json").read_text())

    assert config["cliPluginsExtraDirs"] == [str(tmp_path / "cli-plugins")]


def test_only_the_end_of_long_output_is_kept(tmp_path: Path) -> None:
    chatty = install(tmp_path / "a", "head -c 1000000 /dev/zero | tr '\\0' x; echo the end; exit 3")

    code, log = run([chatty], os.environ)

    assert code == 3
    assert len(log) == 64 * 1024
    assert log.endswith("xthe end\n")


def test_a_command_that_takes_too_long_is_stopped_with_its_children(tmp_path: Path) -> None:
    """The child holds the output open, so that reading would go on for an hour if it lived."""
    slow = install(tmp_path / "a", "echo begun; sleep 3600 & wait")

    with pytest.raises(BuildError, match="was stopped after 1 s") as fault:
        run([slow], os.environ, limit=0.5 + 0.1)

    assert fault.value.log == "begun\n"


def test_when_we_are_interrupted_the_command_is_stopped_too(tmp_path: Path) -> None:
    slow = install(tmp_path / "a", "exec sleep 3600")
    process = subprocess.Popen([slow], start_new_session=True)

    with pytest.raises(KeyboardInterrupt), process, docker_command._stopped_after(3600, process):
        raise KeyboardInterrupt

    assert process.returncode == -signal.SIGKILL

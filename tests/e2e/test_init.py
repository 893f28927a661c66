"""A fresh clone, `refrom init`, `refrom run --dry-run`: not a line is edited in between."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import certifi
import pytest

from bot.core.digest import Digest
from bot.entrypoints.demo.fleet import MOVES, SERVICES
from bot.entrypoints.demo.images import publish_base
from bot.entrypoints.demo.stage import push_source
from tests.conftest import Figure
from tests.lab.github.fake import FakeGitHub, github_fake
from tests.lab.public_ecr import PublicEcr, public_ecr

REFROM = str(Path(sys.executable).with_name("refrom"))
ORDERS = replace(SERVICES[0], name="orders", dockerfile="FROM public.ecr.aws/lambda/python:3.13\nCOPY app.py ./\n")
"""It pins no digest, so that no layer is needed to decide: one request a second is what public.ecr.aws gets."""
PYTHON = next(move.before for move in MOVES if move.before.name == "python")
Clone = Callable[[str], Path]


@pytest.fixture
def ecr(tmp_path: Path) -> Iterator[PublicEcr]:
    (tmp_path / "ecr").mkdir()
    with public_ecr(tmp_path / "ecr") as ecr:
        yield ecr


@pytest.fixture
def base(ecr: PublicEcr) -> Digest:
    """The digest of the base that the service stands on."""
    return publish_base(ecr.writer, ecr.base(PYTHON.name), PYTHON)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path / "github") as fake:
        yield fake


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    def clone(address: str) -> Path:
        subprocess.run(["git", "clone", "--quiet", address, "clone"], cwd=tmp_path, check=True)
        return tmp_path / "clone"

    return clone


def refrom(ecr: PublicEcr, folder: Path, *arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    environ = {"GITHUB_TOKEN": token} if token else {}
    ran = ecr.run([REFROM, *arguments], folder, **environ)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran


def decided(ran: subprocess.CompletedProcess[str]) -> list[tuple[str | None, ...]]:
    document: dict[str, Any] = json.loads(ran.stdout)
    assert [outcome for outcome in document["outcomes"] if outcome["result"] == "failed"] == []
    return [(d["repository"], d["decision"], d["action"], d["from"], d["to"]) for d in document["decisions"]]


def test_a_clone_from_github(ecr: PublicEcr, base: Digest, fake: FakeGitHub, clone: Clone, figure: Figure) -> None:
    fake.create_repository(ORDERS.repository, {"Dockerfile": ORDERS.dockerfile.encode()})
    folder, token = clone(f"{fake.url}/{ORDERS.repository}.git"), fake.token("ada")
    machine = _files_of_the_machine()

    shown = refrom(ecr, folder, "init", token=token)
    written = (folder / "refrom.yaml").read_bytes()
    doctor = refrom(ecr, folder, "doctor", "--format", "json", token=token)
    ran = refrom(ecr, folder, "run", "--dry-run", "--format", "json", token=token)

    assert "python3.13" in shown.stdout
    assert "failed" not in {check["state"] for check in json.loads(doctor.stdout)["checks"]}
    wanted = [(ORDERS.repository, "update", "pin", None, str(base))]
    figure("fresh clone, refrom init, refrom run --dry-run: decisions", decided(ran), wanted)
    figure("fresh clone: lines of refrom.yaml edited", int((folder / "refrom.yaml").read_bytes() != written), 0)
    figure("fresh clone: writing requests", [*fake.writes, *ecr.front.asked("PUT", "POST", "PATCH", "DELETE")], [])
    figure("fresh clone: violations of GitHub's descriptions", fake.violations, [])
    assert _files_of_the_machine() == machine


def test_a_clone_from_a_folder_of_bare_repositories(
    ecr: PublicEcr, base: Digest, tmp_path: Path, clone: Clone, figure: Figure
) -> None:
    push_source(tmp_path, ORDERS)
    folder = clone(f"{tmp_path}/repositories/{ORDERS.repository}.git")

    refrom(ecr, folder, "init")
    ran = refrom(ecr, folder, "run", "--dry-run", "--format", "json")

    wanted = [(ORDERS.repository, "update", "pin", None, str(base))]
    figure("clone from a folder, refrom init, refrom run --dry-run: decisions", decided(ran), wanted)


def _files_of_the_machine() -> list[bytes]:
    return [Path(name).read_bytes() for name in ("/etc/hosts", certifi.where())]

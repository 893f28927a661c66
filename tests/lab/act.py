"""A runner of GitHub Actions on this machine: `act`, without containers, with the Action taken from this repository.

Steps run as processes in a copy of the checkout. What they write for the tests goes to folders that the workflow gets
as variables.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.lab.installed import beside_python

ROOT: Final = Path(__file__).parents[2]
ACTION: Final = "acme/refrom@v1"
"""How workflows name the Action."""
_SHIPPED: Final = (
    "LICENSE",
    "README.md",
    "action.yml",
    "bot",
    "pyproject.toml",
    "requirements-build.lock",
    "requirements-runtime.lock",
)
"""What the Action is made of; the rest of the repository is not there."""
_PATIENCE_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What became of a workflow with one job: what act tells of it, event by event."""

    code: int
    events: tuple[dict[str, Any], ...]

    @property
    def log(self) -> str:
        """The log as people see it."""
        return "\n".join(event["msg"] for event in self.events)

    def failed(self, step: str) -> bool:
        """Whether a step failed, whatever the job made of it."""
        return bool(self._of(step, "stepResult")[-1]["stepResult"] == "failure")

    def outputs(self, step: str) -> dict[str, str]:
        """The outputs of a step as the steps after it see them."""
        return {event["name"]: event["arg"] for event in self._of(step, "name") if event["command"] == "set-output"}

    def summary(self, step: str) -> str:
        """What a step writes on the job's page."""
        return str(self._of(step, "content")[-1]["content"])

    def errors(self, step: str) -> list[str]:
        """The error annotations of a step."""
        inner = [event for event in self.events if event.get("stepID", [None])[0] == step]
        return [event["arg"] for event in inner if event.get("command") == "error"]

    def _of(self, step: str, key: str) -> list[dict[str, Any]]:
        mine = [event for event in self.events if event.get("stepID") == [step] and event.get("stage") == "Main"]
        return [event for event in mine if key in event]


def run_workflow(
    checkout: Path, folder: Path, *, secrets: Mapping[str, str], variables: Mapping[str, str], token: str
) -> Job:
    """Run the workflows of a checkout that are started by hand; `token` is the workflow's own."""
    given = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
    hidden = [part for name in (*secrets, "GITHUB_TOKEN") for part in ("--secret", name)]
    home = folder / "home"
    home.mkdir()
    command = [
        beside_python("act"), "workflow_dispatch", "--platform", "ubuntu-latest=-self-hosted",
        "--json", "--no-cache-server",  # it would listen beyond loopback
        "--local-repository", f"{ACTION}={_ship(folder / 'action')}", *given, *hidden,
    ]  # fmt: skip
    environment = {**os.environ, **secrets, "GITHUB_TOKEN": token, "HOME": str(home)}
    environment.setdefault("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))
    done = subprocess.run(
        command,
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    lines = done.stdout.splitlines()
    return Job(code=done.returncode, events=tuple(json.loads(line) for line in lines if line.startswith("{")))


def _ship(folder: Path) -> Path:
    """Copy what the Action is made of, as a repository that holds nothing else."""
    folder.mkdir()
    for name in _SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder

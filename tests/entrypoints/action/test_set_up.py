"""The first step of action.yml where it cannot go on: one annotation with the cure, and nothing half made is used."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.entrypoints.action.listener import heard

ROOT = Path(__file__).parents[3]
TOOLS = ("cut", "env", "find", "sha256sum", "sort", "touch", "xargs")


@dataclass(frozen=True, slots=True)
class SetUp:
    """The step's script with the folder that it works in; `path` is where it finds programs."""

    temporary: Path
    path: Path

    def run(self, **variables: str) -> tuple[int, list[str], str]:
        """Return the exit code, the error annotations and all that was said."""
        script = YAML(typ="safe").load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"][0]["run"]
        environ = {
            "PATH": str(self.path),
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(self.temporary / "output"),
            **variables,
        }
        command = ["/bin/bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=300)
        errors = [data for name, _, data in heard(done.stdout) if name == "error"]
        return done.returncode, errors, done.stdout + done.stderr

    def environments(self) -> list[str]:
        return [path.name for path in self.temporary.glob("refrom-*/.complete")]


@pytest.fixture
def set_up(tmp_path: Path) -> SetUp:
    """A machine with the tools of the script and no Python."""
    made = SetUp(tmp_path / "temporary", tmp_path / "path")
    made.temporary.mkdir()
    made.path.mkdir()
    search = os.environ["PATH"].split(os.pathsep)
    for tool in TOOLS:
        (found,) = [Path(folder, tool) for folder in search if Path(folder, tool).exists()][:1]
        (made.path / tool).symlink_to(found)
    return made


@pytest.mark.parametrize("programs", [(), ("python3",)], ids=["none", "one that is too old"])
def test_without_a_python_it_names_the_cure(set_up: SetUp, programs: tuple[str, ...]) -> None:
    for program in programs:
        (set_up.path / program).write_text("#!/bin/sh\nexit 1\n")
        (set_up.path / program).chmod(0o755)

    code, errors, said = set_up.run()

    assert (code, set_up.environments()) == (2, []), said
    assert errors == ["Python 3.11 or newer with venv is needed; use actions/setup-python before this step"]


def test_without_packages_it_names_the_cure(set_up: SetUp) -> None:
    """The first names of Python are skipped until one is new enough."""
    (set_up.path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (set_up.path / "python3").chmod(0o755)
    (set_up.path / "python3.13").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (set_up.path / "python3.13").chmod(0o755)

    code, errors, said = set_up.run(PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull)

    assert (code, set_up.environments()) == (2, []), said
    assert len(errors) == 1
    assert errors[0].startswith("the packages of refrom could not be installed; the log says why")
    assert "No matching distribution found" in said

"""Run a show: the tests that carry its promises, and the commands that a new user types, over the real servers."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import contents, fleet, reading, rebase
from tests.corpus.place import CORPUS
from tests.simulate import figures as simulation

Rows = list[tuple[str, str, str, bool | None]]
"""What, the figure, its goal, and whether it is reached: None where it could not be measured, as the figure says."""
_WORDS = {True: "holds ", False: "FAILS ", None: "absent"}
ROOT = Path(__file__).parents[2]
_SIDE_BY_SIDE = ("--numprocesses=4", "--dist=loadfile", "--no-loadscope-reorder")
"""As `make unit` runs them: they wait for servers more than they compute."""
LOOP = ("tests/e2e/test_loop.py", "tests/e2e/test_bad_input.py")
FACES = (
    "tests/e2e/test_loop.py",
    "tests/e2e/test_container.py",
    "tests/e2e/test_init.py",
    "tests/adapters/forge",
    "tests/entrypoints/action",
    "tests/entrypoints/test_container.py",
    "tests/entrypoints/test_github.py",
)
JUDGING = (
    "tests/e2e/test_watch.py",
    "tests/e2e/test_watch_refusals.py",
    "tests/adapters/advisories",
    "tests/adapters/contents",
    "tests/adapters/registry",
    "tests/core/packages",
    "tests/entrypoints/test_catalogue.py",
    "tests/entrypoints/test_diff.py",
    "tests/entrypoints/test_ledger.py",
    "tests/entrypoints/test_lineage.py",
    "tests/entrypoints/test_mirror.py",
    "tests/settings/test_catalogue.py",
    "tests/steps/test_lineage_generated.py",
    "tests/steps/test_replay.py",
)
FORGE = (
    "tests/adapters/forge",
    "tests/e2e/test_kill_on_github.py",
    "tests/e2e/test_many_pull_requests.py",
    "tests/e2e/test_others_go_on.py",
    "tests/lab/github",
)
REDEPLOY = (
    "tests/adapters/builder/test_rebase.py",
    "tests/adapters/builder/test_smoke.py",
    "tests/adapters/builder/test_unsafe*.py",
    "tests/adapters/deployer",
    "tests/core/rebase",
    "tests/e2e/test_fleet_starts.py",
    "tests/e2e/test_gate.py",
    "tests/e2e/test_redeploy*.py",
    "tests/e2e/test_taken_back.py",
    "tests/lab/test_aws_stub*.py",
    "tests/steps/test_deployment_kill.py",
    "tests/steps/test_handover_aws.py",
    "tests/steps/test_redeploy_aws.py",
    "tests/steps/test_taken_back.py",
)
"""A name with a star stands for all files that it fits."""
AUDIT = (
    "tests/adapters/deployer/test_fleet*.py",
    "tests/core/test_consistency.py",
    "tests/core/test_plan*.py",
    "tests/core/test_managed.py",
    "tests/core/test_modes.py",
    "tests/core/test_responsibility.py",
    "tests/core/test_rollout*.py",
    "tests/core/test_runtime_version.py",
    "tests/core/test_slo.py",
    "tests/e2e/test_audit_aws.py",
    "tests/entrypoints/test_accessible.py",
    "tests/entrypoints/test_audit_schema.py",
    "tests/entrypoints/test_baseline.py",
    "tests/entrypoints/test_burn.py",
    "tests/entrypoints/test_evidence.py",
    "tests/entrypoints/test_explaining.py",
    "tests/entrypoints/test_forms.py",
    "tests/entrypoints/test_holding.py",
    "tests/entrypoints/test_html.py",
    "tests/entrypoints/test_progress.py",
    "tests/entrypoints/test_rollout.py",
    "tests/lab/test_aws_stub_fleet.py",
    "tests/steps/test_audit*.py",
    "tests/steps/test_blocks.py",
    "tests/steps/test_modes.py",
    "tests/steps/test_roll.py",
)
READING = (
    "tests/corpus",
    "tests/property",
    "tests/core/dockerfile",
    "tests/core/carriers",
    "tests/entrypoints/test_scan.py",
)


def show_loop(rows: Rows, folder: Path) -> None:
    """The loop: two commands in a fresh clone, the demo without network and tests, the scene over real servers."""
    clone = folder / "clone"
    _run(["git", "clone", "--quiet", str(ROOT), str(clone)], folder)
    for command, where in (
        (["make", "demo"], "in a fresh clone"),
        (["make", "test"], "in a fresh clone"),
        (["unshare", "--net", "make", "demo"], "without network and without tests/"),
    ):
        if "--net" in command:
            shutil.rmtree(clone / "tests")
        started = time.monotonic()
        code = _run(command, clone)
        rows.append(
            (f"{' '.join(command)} {where}", f"exit {code} in {time.monotonic() - started:.0f} s", "exit 0", code == 0)
        )
    _tests(rows, LOOP, folder)


def show_faces(rows: Rows, folder: Path) -> None:
    """The faces: the loop on GitHub, the contract in four places, the Action, the container, init, doctor."""
    _tests(rows, FACES, folder)


def show_reading(rows: Rows, folder: Path) -> None:
    """The reader: the corpus's score, the corpora and properties as tests, BuildKit's own parser, speed."""
    score = [sys.executable, str(CORPUS / "score.py"), str(CORPUS / "lambda"), "--command"]
    _said(rows, [*score, f"{Path(sys.executable).with_name('refrom')} scan"], "every use right, none false")
    _tests(rows, READING, folder)
    fuzz = [sys.executable, "-m", "tests.property.fuzz_dockerfile", "--cases", "20000"]
    _said(rows, fuzz, "none different, and not too tame")
    rows += [(row.what, row.figure, row.goal, row.holds) for row in reading.measure()]


def show_judging(rows: Rows, folder: Path) -> None:
    """Watching, contents, advisories, significance, lineage; then what a diff of a large layer costs."""
    _tests(rows, JUDGING, folder)
    rows += [(row.what, row.figure, row.goal, row.holds) for row in contents.measure()]


def show_forge(rows: Rows, folder: Path) -> None:
    """The contract in four places, 500 pull requests, kills, failures beside others; then 10,000 repositories."""
    _tests(rows, FORGE, folder)
    rows += [(row.what, row.figure, row.goal, row.holds) for row in fleet.measure()]


def show_redeploy(rows: Rows, folder: Path) -> None:
    """The lab's AWS and moto, the gate on a real engine, kills, alarms, bad input; then what a rebase costs."""
    _tests(rows, REDEPLOY, folder)
    rows += [(row.what, row.figure, row.goal, row.holds) for row in rebase.measure()]


def show_audit(rows: Rows, folder: Path) -> None:
    """The plan as a table, modes, rollouts, the audit over AWS and its forms; then a quarter on a virtual clock."""
    _tests(rows, AUDIT, folder)
    rows += [(row.what, row.figure, row.goal, row.holds) for row in simulation.measure()]


def _said(rows: Rows, command: list[str], goal: str) -> None:
    """Run a command that judges by its exit code and says its figure in its last line."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    rows.append((Path(command[1]).name if command[1] != "-m" else command[2], lines[-1], goal, done.returncode == 0))


def _tests(rows: Rows, paths: tuple[str, ...], folder: Path) -> None:
    """Run tests with the real servers required, and read the figures that they wrote down."""
    files = [found for path in paths for found in _files(rows, path)]
    figures = folder / "figures"
    figures.touch()
    environment = {**os.environ, "REFROM_LAB": "required", "REFROM_FIGURES": str(figures), "REFROM_MANY": "500"}
    code = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "", *_SIDE_BY_SIDE, *files], cwd=ROOT, env=environment, check=False
    ).returncode
    for line in map(json.loads, figures.read_text().splitlines()):
        rows.append((line["what"], line["figure"], line["goal"], line["ok"]))
    rows.append((f"pytest {' '.join(paths)}", f"exit {code}", "exit 0", code == 0))


def _files(rows: Rows, path: str) -> list[str]:
    """The files that a name stands for; one that stands for none is a promise that nothing carries."""
    if "*" not in path:
        return [path]
    found = sorted(str(file.relative_to(ROOT)) for file in ROOT.glob(path))
    if not found:
        rows.append((path, "no file", "some", False))
    return found


def _run(command: list[str], folder: Path) -> int:
    """Run a command; its output is shown only if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout[-5000:] + done.stderr[-5000:])
    return done.returncode


SHOWS: dict[str, Callable[[Rows, Path], None]] = {
    "loop": show_loop,
    "faces": show_faces,
    "reading": show_reading,
    "judging": show_judging,
    "forge": show_forge,
    "redeploy": show_redeploy,
    "audit": show_audit,
}


def main(name: str) -> int:
    """Run one show and print its figures; 0 only if all goals are reached."""
    rows: Rows = []
    with tempfile.TemporaryDirectory(prefix="refrom-show-") as folder:
        SHOWS[name](rows, Path(folder))
    for what, figure, goal, good in rows:
        sys.stdout.write(f"{_WORDS[good]}  {what}: {figure} (goal: {goal})\n")
    return 1 if any(good is False for *_, good in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

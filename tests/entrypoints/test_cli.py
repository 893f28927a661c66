"""The command line keeps its contract: exit codes, JSON alone on standard output, no traceback for a user's fault."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from bot import __version__
from bot.core.errors import RegistryError
from bot.entrypoints.cli import ATTENTION, DEFECT, DONE, USAGE
from bot.entrypoints.demo.stage import Stage
from tests.entrypoints.conftest import Refrom

INTERRUPTED = 130
COMMANDS = (
    *("scan", "watch", "diff", "lineage", "audit", "run", "rollout", "redeploy", "rollback"),
    *("hold", "release", "block", "unblock", "explain", "serve", "init", "doctor", "demo", "ledger"),
)
OLD, NEW = "3.13.2026.11.01.15", "3.13.2026.11.20.14"


class FailingClock:
    """A clock that raises; what a command meets when something nobody foresaw happens in it."""

    def __init__(self, fault: BaseException) -> None:
        self._fault = fault

    def now(self) -> datetime:
        raise self._fault

    def wait_until(self, moment: datetime) -> None:  # noqa: ARG002 - the port has it
        raise self._fault


def python_layout(fleet: Stage, tag: str) -> str:
    return f"oci:{fleet.folder}/registry/lambda/python:{tag}"


def test_help_lists_every_command(refrom: Refrom) -> None:
    ran = refrom("--help")

    assert (ran.code, ran.err) == (DONE, "")
    listed = ran.out.partition("Commands:")[2].splitlines()
    assert [line.split()[0] for line in listed if line.strip()] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(refrom: Refrom, command: str) -> None:
    ran = refrom(command, "--help")

    assert (ran.code, ran.err) == (DONE, "")
    assert ran.out.startswith(f"Usage: refrom {command} ")


def test_the_version_is_told(refrom: Refrom) -> None:
    ran = refrom("--version")

    assert (ran.code, ran.out) == (DONE, f"refrom {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param((), "Usage: refrom", id="no command"),
        pytest.param(("bogus",), "No such command 'bogus'", id="unknown command"),
        pytest.param(("scan",), "Missing argument 'paths'", id="missing argument"),
        pytest.param(("scan", "nowhere"), "'nowhere' does not exist", id="path that is not there"),
        pytest.param(("diff", "python:3.13"), "Missing argument 'new'", id="one image to compare"),
        pytest.param(("run", "--format", "xml"), "'xml' is not one of 'table', 'json'", id="unknown format"),
        pytest.param(("audit", "--frmat", "json"), "No such option: --frmat", id="unknown option"),
        pytest.param(("watch", "python9.9"), "did you mean python3.9?", id="unknown runtime"),
        pytest.param(("lineage", "Not An Image"), "'Not An Image' has a malformed repository", id="reference"),
        pytest.param(("lineage", "python:3.13", "--platform", "a/b/c/d"), "'a/b/c/d' is malformed", id="platform"),
        pytest.param(("run",), "refrom.yaml: is not there; write it", id="no settings to run by"),
        pytest.param(("audit",), "refrom.yaml: is not there; write it", id="no settings to audit by"),
        pytest.param(("run", "--config", "."), ".: ", id="settings that are a folder"),
    ],
)
def test_wrong_usage_is_explained_on_standard_error(refrom: Refrom, arguments: tuple[str, ...], message: str) -> None:
    ran = refrom(*arguments)

    assert (ran.code, ran.out) == (USAGE, "")
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_a_scan_takes_mirrors_from_settings_that_are_named_and_from_no_others(refrom: Refrom, tmp_path: Path) -> None:
    """A checkout may be somebody else's: settings that lie in it are not read."""
    (tmp_path / "refrom.yaml").write_text("version: 1\nmirrors: [registry.example/bases]\n")
    (tmp_path / "Dockerfile").write_text("FROM registry.example/bases/python:3.13\n")

    named = refrom("scan", tmp_path, "--config", tmp_path / "refrom.yaml", "--format", "json")
    plain = refrom("scan", tmp_path, "--format", "json")

    assert [use["runtime"] for use in json.loads(named.out)["uses"]] == ["python3.13"]
    assert [use["lambda"] for use in json.loads(plain.out)["uses"]] == [False]


def test_a_failure_that_the_user_can_act_on_is_one_line(refrom: Refrom, tmp_path: Path) -> None:
    """However long it is: what is written to a file is not wrapped."""
    nowhere = tmp_path / ("n" * 100)

    ran = refrom("diff", f"oci:{nowhere}", f"oci:{nowhere}")

    assert (ran.code, ran.out) == (ATTENTION, "")
    assert ran.err == f"refrom: {nowhere} is no OCI image layout; it has no index.json\n"


def test_a_defect_is_told_with_its_traceback(refrom: Refrom) -> None:
    ran = refrom("watch", clock=FailingClock(ZeroDivisionError("division by zero")))

    assert (ran.code, ran.out) == (DEFECT, "")
    assert "Traceback" in ran.err
    assert ran.err.endswith("ZeroDivisionError: division by zero\n\nThis is a defect of refrom; please report it.\n")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(KeyboardInterrupt(), INTERRUPTED, id="interrupted"),
        pytest.param(RegistryError("python:3.13 is not there; check its tag"), ATTENTION, id="failed"),
    ],
)
def test_what_ends_a_command_gives_its_exit_code(refrom: Refrom, fault: BaseException, code: int) -> None:
    ran = refrom("watch", clock=FailingClock(fault))

    assert (ran.code, ran.out) == (code, "")
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("output", ["table", "json"])
def test_images_in_layouts_are_compared_without_settings_network_or_trace(
    refrom: Refrom, fleet: Stage, output: str
) -> None:
    ran = refrom("diff", python_layout(fleet, OLD), python_layout(fleet, NEW), "--format", output)

    assert (ran.code, ran.err) == (DONE, "")
    assert "3.13.9" in ran.out
    assert "3.13.11" in ran.out
    assert list(Path.cwd().iterdir()) == []


def test_a_layout_of_several_images_is_named_with_what_it_holds(refrom: Refrom, fleet: Stage) -> None:
    layout = f"oci:{fleet.folder}/registry/lambda/python"

    ran = refrom("lineage", layout)

    assert (ran.code, ran.out) == (ATTENTION, "")
    assert ran.err.startswith(f"refrom: {layout}: ")
    assert all(tag in ran.err for tag in (OLD, NEW))


def test_a_base_is_proven_for_an_image_in_a_layout(refrom: Refrom, fleet: Stage) -> None:
    image = f"oci:{fleet.folder}/registry/orders:v1"

    ran = refrom("lineage", image, "--config", fleet.settings, "--format", "json")

    assert (ran.code, ran.err) == (DONE, "")
    assert (ran.document["verdict"], ran.document["base"]["runtime"]) == ("proven", "python3.13")
    assert list(Path.cwd().iterdir()) == []


def test_an_unknown_lineage_names_the_streams_that_were_not_compared(refrom: Refrom, fleet: Stage) -> None:
    """A base that no stream knows, while most streams of the catalogue are not in the registry."""
    with_registry = fleet.folder / "other.yaml"
    with_registry.write_text('version: 1\nregistries: {public.ecr.aws: {url: "oci:nothing"}}\n')

    ran = refrom("lineage", python_layout(fleet, NEW), "--platform", "linux/amd64", "--config", with_registry)

    assert ran.code == ATTENTION
    assert ran.out.startswith("unknown: none of 0 known bases lies under this image\n")
    assert "streams could not be read, such as " in ran.out


def test_a_dry_run_with_pending_updates_is_no_failure_and_leaves_no_trace(refrom: Refrom, fleet: Stage) -> None:
    before = sorted(fleet.folder.rglob("*"))

    ran = refrom("run", "--dry-run", "--config", fleet.settings, "--format", "json")

    assert (ran.code, ran.err) == (DONE, "")
    assert "update" in {decision["decision"] for decision in ran.document["decisions"]}
    assert sorted(fleet.folder.rglob("*")) == before


def test_streams_that_fail_are_told_beside_those_that_answer(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("watch", "python3.13", "python3.12", "--config", fleet.settings, "--format", "json")

    assert ran.code == ATTENTION
    assert [seen["runtime"] for seen in ran.document["observations"]] == ["python3.13"]
    assert [error["runtime"] for error in ran.document["errors"]] == ["python3.12"]

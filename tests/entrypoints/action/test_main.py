"""The Action's boundary, in this process over a fleet in files: outputs, page, log and exit code tell one story."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.entrypoints.action.__main__ import main
from bot.entrypoints.demo.fleet import MOVED, SERVICES
from bot.entrypoints.demo.stage import Stage, push_source
from bot.entrypoints.exits import ATTENTION, DEFECT, DONE, USAGE
from bot.ports.clock import Clock
from bot.wiring import VirtualClock
from tests.entrypoints.action.listener import heard


@dataclass(frozen=True, slots=True)
class Told:
    """What one use of the Action told the runner."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def errors(self) -> list[str]:
        return [data for name, _, data in heard(self.log) if name == "error"]

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(Path(self.outputs["document"]).read_text())
        return document


Use = Callable[..., Told]


@pytest.fixture
def use(tmp_path: Path) -> Use:
    """Use the Action once, a few hours after the bases of the fleet moved, in the workspace where the fleet may be."""

    def run(clock: Clock | None = None, **changes: str) -> Told:
        log, output, summary = io.StringIO(), tmp_path / "output", tmp_path / "summary"
        for file in (output, summary):
            file.write_text("")
        environ = {
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(tmp_path / "fleet"),
            "RUNNER_TEMP": str(tmp_path),
            "REFROM_CONFIG": "refrom.yaml",
            "REFROM_COMMAND": "run",
            "REFROM_DRY_RUN": "false",
            **changes,
        }
        code = main(environ, log, clock or VirtualClock(MOVED + timedelta(hours=3)))
        return Told(code, log.getvalue(), _read(output), summary.read_text())

    return run


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings that name nothing, in a workspace that holds nothing else."""
    path = tmp_path / "fleet" / "refrom.yaml"
    path.parent.mkdir()
    path.write_text("version: 1\n")
    return path


def _read(path: Path) -> dict[str, str]:
    """Read outputs as the runner does: a name, a delimiter, and what stands before it."""
    lines, found = iter(path.read_text().splitlines()), {}
    for line in lines:
        name, _, delimiter = line.partition("<<")
        found[name] = "\n".join(iter(lambda: next(lines), delimiter))
    return found


@pytest.mark.usefixtures("fleet")
def test_a_cycle_opens_and_says_what_it_opened(use: Use) -> None:
    told = use()

    opened = [o["pull_request"] for o in told.document["outcomes"] if o["result"] == "opened"]
    assert (told.code, told.outputs["exit-code"], told.errors) == (DONE, "0", [])
    assert told.document["schema"] == "refrom.run/1"
    assert opened
    assert json.loads(told.outputs["pull-requests"]) == opened
    assert all(f"`opened {address}: " in told.summary for address in opened)
    assert "acme/orders" in told.log


@pytest.mark.usefixtures("fleet")
def test_a_rehearsal_opens_nothing(use: Use) -> None:
    told = use(REFROM_DRY_RUN="true")

    assert told.document["dry_run"] is True
    assert "a dry run, nothing was changed" in told.summary
    assert json.loads(told.outputs["pull-requests"]) == []
    assert json.loads(use().outputs["pull-requests"]) != []


@pytest.mark.usefixtures("fleet")
def test_an_audit_reports_and_changes_nothing(use: Use) -> None:
    told = use(REFROM_COMMAND="audit")

    assert told.document["schema"] == "refrom.audit/1"
    assert "orders:live" in told.summary
    assert json.loads(told.outputs["pull-requests"]) == []
    assert json.loads(use().outputs["pull-requests"]) != []


@pytest.mark.usefixtures("fleet")
def test_an_audit_of_a_broken_slo_needs_attention(use: Use) -> None:
    told = use(REFROM_COMMAND="audit", clock=VirtualClock(MOVED + timedelta(days=90)))

    assert (told.code, told.outputs["exit-code"]) == (ATTENTION, "1")
    assert "redeploy on the latest base: overdue" in told.errors
    assert "SLO broken by" in told.summary


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("care", ["strategy: LambdaCanary10Percent5Minutes", "bake: 10m"])
def test_a_deployment_that_somebody_must_watch_is_refused_with_the_one_named_that_nobody_must(
    use: Use, tmp_path: Path, care: str
) -> None:
    path = tmp_path / "fleet" / "refrom.yaml"
    path.write_text(path.read_text().replace("\ndeploy:\n", f"\ndeploy:\n  {care}\n"))

    told = use()

    assert (told.code, told.outputs["pull-requests"]) == (USAGE, "[]")
    cures = "hand it over with deploy.codedeploy, or write strategy: all-at-once and bake: 0m, or run refrom serve"
    assert cures in told.log
    assert use(REFROM_COMMAND="audit").code == DONE


def test_a_repository_in_trouble_is_an_annotation_and_stops_no_other(use: Use, fleet: Stage) -> None:
    (broken,) = (service for service in SERVICES if service.name == "mailer")
    head = fleet.folder / "repositories" / f"{broken.repository}.git" / "HEAD"
    head.write_text("nonsense\n")

    told = use()

    assert (told.code, told.outputs["exit-code"]) == (ATTENTION, "1")
    assert any(broken.repository in error for error in told.errors)
    assert json.loads(told.outputs["pull-requests"]) != []


def test_names_of_a_repository_command_nothing(use: Use, fleet: Stage) -> None:
    """A path may hold a line break; what follows it starts a line of the log, where commands stand."""
    service = next(service for service in SERVICES if service.name == "legacy")
    path = "x\n::error::forged\n##[add-mask]e\n::set-output name=exit-code::9/Dockerfile"
    push_source(fleet.folder, replace(service, name="odd", path=path))

    told = use()

    assert "forged" in told.log
    assert {name for name, _, _ in heard(told.log)} == set()
    assert told.outputs["exit-code"] == "0"


@pytest.mark.parametrize(
    ("changes", "text", "code", "message"),
    [
        ({"REFROM_COMMAND": "serve"}, "version: 1\n", USAGE, "input command: 'serve' is no command of the Action"),
        ({"REFROM_CONFIG": "none.yaml"}, "version: 1\n", USAGE, "input config: no settings at"),
        ({}, "version: 2\n", USAGE, "version"),
        ({}, "version: 1\nforges: [{kind: local, root: nowhere}]\n", ATTENTION, "nowhere"),
    ],
)
def test_what_ends_it_before_its_work_is_one_annotation(
    use: Use, settings: Path, changes: dict[str, str], text: str, code: int, message: str
) -> None:
    settings.write_text(text)

    told = use(**changes)

    (error,) = told.errors
    assert (told.code, told.outputs) == (code, {"exit-code": str(code), "pull-requests": "[]"})
    assert message in error
    assert told.summary.startswith("## refrom could not work\n\n- `")


@pytest.mark.usefixtures("settings")
def test_a_defect_is_called_one(use: Use) -> None:
    class Broken:
        def now(self) -> datetime:
            raise ZeroDivisionError

        def wait_until(self, moment: datetime) -> None:
            raise ZeroDivisionError(moment)

    told = use(clock=Broken())

    (error,) = told.errors
    assert told.code == DEFECT
    assert "ZeroDivisionError" in error
    assert error.endswith("This is a defect of refrom; please report it.")


@pytest.mark.usefixtures("settings")
def test_the_token_is_masked_before_anything_else_is_said(use: Use) -> None:
    hidden = "s3cret"

    assert heard(use(GITHUB_TOKEN=hidden).log)[0] == ("add-mask", "", hidden)


def test_outside_of_a_job_it_explains_itself() -> None:
    log = io.StringIO()

    assert main({}, log, VirtualClock(MOVED)) == USAGE
    assert "GITHUB_OUTPUT is not set; only action.yml in a job starts this" in log.getvalue()

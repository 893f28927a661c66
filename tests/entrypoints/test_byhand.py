"""`refrom redeploy` and `rollback`: what they would do is told first, and done once a person agrees."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.core.pull_request import BRANCH
from bot.entrypoints.cli import ATTENTION, DONE, USAGE
from bot.entrypoints.demo.fleet import MOVED
from bot.entrypoints.demo.stage import Stage
from bot.settings import load_declarations
from bot.wiring import VirtualClock, open_rehearsal
from tests.entrypoints import schemas
from tests.entrypoints.conftest import Refrom

ORDERS = "orders"
TODAY = (MOVED + timedelta(hours=3)).date()


@pytest.fixture
def merged(refrom: Refrom, fleet: Stage) -> Stage:
    """The pull request of acme/orders is merged; nothing was redeployed yet."""
    assert refrom("run", "--config", fleet.settings).code == DONE
    with open_rehearsal(fleet.settings, VirtualClock(MOVED + timedelta(hours=3))) as rehearsal:
        (opened,) = rehearsal.forge.pull_requests("acme/orders", BRANCH)
        rehearsal.forge.merge("acme/orders", opened.number)
    return fleet


@pytest.fixture
def redeployed(refrom: Refrom, merged: Stage) -> Stage:
    """Its alias serves version 2."""
    assert refrom("redeploy", ORDERS, "--config", merged.settings, "--yes").code == DONE
    assert serving(merged) == "2"
    return merged


def serving(stage: Stage) -> str:
    with open_rehearsal(stage.settings, VirtualClock(MOVED + timedelta(hours=3))) as rehearsal:
        alias = rehearsal.functions.alias(ORDERS, "live")
        assert alias is not None
        return alias.version


def holds(stage: Stage) -> Path:
    return stage.folder / "refrom.holds.yaml"


def contents(folder: Path) -> Mapping[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def results(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(outcome["step"], outcome["result"]) for outcome in document["outcomes"]]


def test_a_redeploy_rebuilds_moves_and_proves(refrom: Refrom, merged: Stage) -> None:
    ran = refrom("redeploy", ORDERS, "--config", merged.settings, "--yes", "--format", "json")

    assert ran.code == DONE
    jsonschema.validate(ran.document, schemas.REDEPLOY)
    done = [("rebuild", "built"), ("redeploy", "updated"), ("redeploy", "moved"), ("prove", "proven")]
    assert results(ran.document) == done
    assert "orders, what would be done; nothing was changed" in ran.err
    assert serving(merged) == "2"


def test_the_builder_of_the_settings_builds(refrom: Refrom, merged: Stage) -> None:
    failing = '{kind: command, run: [python3, -c, "print(1); raise SystemExit(3)"]}'
    settings = re.sub(r"builder: \{.*\}", f"builder: {failing}", merged.settings.read_text())
    merged.settings.write_text(settings)

    ran = refrom("run", "--config", merged.settings, "--format", "json")

    (built,) = [o for o in ran.document["outcomes"] if o.get("function") == ORDERS]
    assert (ran.code, built["result"]) == (ATTENTION, "failed")
    assert built["message"].startswith("python3 ended with 3 for Dockerfile of acme/orders at ")


def test_a_workflow_that_deploys_needs_a_github(refrom: Refrom, merged: Stage) -> None:
    target = "{function: x, repository: acme/x, pipeline: {kind: github-workflow, workflow: deploy.yml}}"
    merged.settings.write_text(merged.settings.read_text().replace("  targets:\n", f"  targets:\n    - {target}\n"))

    ran = refrom("run", "--config", merged.settings)

    assert (ran.code, ran.out) == (USAGE, "")
    assert "deploy.targets: workflow deploy.yml needs a forge of kind github; name one" in ran.err


def test_workflows_need_a_github(refrom: Refrom, merged: Stage) -> None:
    builder = "builder: {kind: github-actions, workflow: build.yml}"
    merged.settings.write_text(re.sub(r"builder: \{.*\}", builder, merged.settings.read_text()))

    ran = refrom("run", "--config", merged.settings)

    assert (ran.code, ran.out) == (USAGE, "")
    assert "deploy.builder: github-actions needs a forge of kind github; name one" in ran.err


def test_a_redeploy_with_nothing_to_do_asks_nobody(refrom: Refrom, redeployed: Stage) -> None:
    later = VirtualClock(MOVED + timedelta(hours=4))

    ran = refrom("redeploy", ORDERS, "--config", redeployed.settings, clock=later)

    assert (ran.code, ran.err) == (DONE, "")
    assert ran.out == "orders: there is nothing to do\n"


@pytest.mark.parametrize("command", [("redeploy", ORDERS), ("rollback", ORDERS, "--to", "1")])
def test_a_dry_run_changes_nothing_and_asks_nobody(refrom: Refrom, merged: Stage, command: tuple[str, ...]) -> None:
    if command[0] == "rollback":
        refrom("redeploy", ORDERS, "--config", merged.settings, "--yes")
    before = contents(merged.folder)

    ran = refrom(*command, "--config", merged.settings, "--dry-run", "--format", "json")

    assert (ran.code, ran.document["dry_run"]) == (DONE, True)
    assert ran.document["outcomes"]
    assert ran.document["waiting"] == []
    assert contents(merged.folder) == before


def test_a_rollback_declares_manual_mode_and_the_loop_leaves_it(refrom: Refrom, redeployed: Stage) -> None:
    holds(redeployed).write_text("# ours\nversion: 1\n")

    ran = refrom("rollback", ORDERS, "--reason", "it hangs", "--until", "2026-12-24", "--yes",
                 "--config", redeployed.settings, "--format", "json")  # fmt: skip
    after = refrom("run", "--config", redeployed.settings, "--format", "json")

    assert ran.code == DONE
    jsonschema.validate(ran.document, schemas.ROLLBACK)
    assert (ran.document["from"]["version"], ran.document["to"]["version"]) == ("2", "1")
    assert ran.document["mode"] == {"mode": "manual", "reason": "it hangs", "until": "2026-12-24"}
    assert results(ran.document) == [("redeploy", "rolled-back")]
    assert holds(redeployed).read_text().startswith("# ours\nversion: 1\nmodes:\n  - function: orders\n")
    assert [o for o in after.document["outcomes"] if o.get("function") == ORDERS] == []
    assert serving(redeployed) == "1"


def test_a_rollback_holds_for_fourteen_days_if_nobody_says_how_long(refrom: Refrom, redeployed: Stage) -> None:
    ran = refrom("rollback", ORDERS, "--yes", "--config", redeployed.settings)

    assert ran.code == DONE
    mode = load_declarations(holds(redeployed)).modes[0].mode
    assert (mode.until, mode.reason) == (TODAY + timedelta(days=14), "rolled back by hand")
    assert f"manual until {mode.until}: rolled back by hand" in ran.err
    assert "alias live is back on version 1 alone" in ran.out


def test_without_a_terminal_and_without_yes_nothing_is_done(refrom: Refrom, redeployed: Stage) -> None:
    """Standard input of a job is no terminal: nobody agrees there."""
    before = contents(redeployed.folder)

    ran = refrom("rollback", ORDERS, "--config", redeployed.settings)

    assert (ran.code, ran.out) == (USAGE, "")
    assert "there is no terminal on which to confirm this; say --yes, or look first with --dry-run" in ran.err
    assert contents(redeployed.folder) == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(("ghost",), USAGE, "ghost is no function that the settings name or find", id="no such function"),
        pytest.param((ORDERS, "--to", "9"), ATTENTION, "function orders has no version 9", id="no such version"),
        pytest.param(
            ("oders",),
            USAGE,
            "oders is no function that the settings name or find; did you mean orders?",
            id="misspelt",
        ),
        pytest.param((ORDERS, "--to", "latest"), USAGE, "--to latest is neither a version nor a digest", id="neither"),
        pytest.param((ORDERS, "--until", "soon"), USAGE, "--until soon is no date; write year", id="no date"),
        pytest.param((ORDERS, "--reason", " "), USAGE, "--reason is empty; say why, for whoever finds it", id="no why"),
        pytest.param((ORDERS, "--until", "2020-01-01"), USAGE, "--until 2020-01-01 is over", id="over"),
    ],
)
def test_what_cannot_be_rolled_back_is_explained_and_nothing_is_declared(
    refrom: Refrom, redeployed: Stage, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ran = refrom("rollback", *arguments, "--yes", "--config", redeployed.settings)

    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert not holds(redeployed).exists()


@pytest.mark.parametrize(("answer", "code", "version"), [("y", DONE, "1"), ("n", ATTENTION, "2"), ("", ATTENTION, "2")])
def test_a_person_at_a_terminal_is_asked(redeployed: Stage, answer: str, code: int, version: str) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-c", "from bot.entrypoints.cli import entry; entry()", "rollback", ORDERS]
    with subprocess.Popen(
        [*command, "--config", str(redeployed.settings)],
        stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        os.write(leader, f"{answer}\n".encode())
        _, err = process.communicate(timeout=60)
    os.close(leader)
    os.close(follower)

    assert (process.returncode, serving(redeployed)) == (code, version)
    assert "orders: move alias live back to version 1 alone, from version 2" in err
    assert "Roll orders back? [y/N]:" in err
    assert holds(redeployed).exists() == (version == "1")

"""`refrom rollout`: where each base stands, as a table and as JSON; nothing is kept."""

from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from bot.core.pull_request import BRANCH
from bot.entrypoints.cli import ATTENTION, DONE
from bot.entrypoints.demo.fleet import MOVED
from bot.entrypoints.demo.stage import Stage
from bot.wiring import VirtualClock, open_rehearsal
from tests.entrypoints.conftest import Refrom
from tests.entrypoints.schemas import ROLLOUT

LATER = MOVED + timedelta(hours=3)


@pytest.fixture
def rolled_out(fleet: Stage) -> Path:
    """The demo's settings with a rollout."""
    fleet.settings.write_text(f"{fleet.settings.read_text()}rollout: {{soak: 2d, waves: [{{share: 50%}}]}}\n")
    return fleet.settings


def test_it_tells_of_each_stream_and_keeps_nothing(refrom: Refrom, rolled_out: Path) -> None:
    told = refrom("rollout", "--config", rolled_out, "--format", "json")
    again = refrom("rollout", "--config", rolled_out, "--format", "json", clock=VirtualClock(LATER + timedelta(days=9)))

    jsonschema.Draft202012Validator(ROLLOUT).validate(told.document)
    assert told.code == DONE
    assert {row["runtime"] for row in told.document["rollouts"]} >= {"python3.13", "nodejs22.x"}
    assert {(row["phase"], row["waves"]) for row in told.document["rollouts"]} == {("soak", 2)}
    assert [row["began"] for row in again.document["rollouts"]] != [row["began"] for row in told.document["rollouts"]]


def test_a_run_moves_it_on_and_an_audit_tells_it_too(refrom: Refrom, rolled_out: Path) -> None:
    refrom("run", "--config", rolled_out)
    later = VirtualClock(LATER + timedelta(days=2, hours=1))

    told = refrom("rollout", "--config", rolled_out, "--format", "json", clock=later)
    audit = refrom("audit", "--config", rolled_out, "--format", "json", clock=later)

    assert {(row["phase"], row["wave"]) for row in told.document["rollouts"]} == {("waves", 1)}
    assert audit.document["rollouts"] == told.document["rollouts"]


def test_whoever_reads_sees_what_functions_say_was_taken_back_without_a_store(refrom: Refrom, fleet: Stage) -> None:
    """An audit elsewhere has no journal, and neither it nor an explanation may say that the base goes on."""
    refrom("run", "--config", fleet.settings)
    with open_rehearsal(fleet.settings, VirtualClock(LATER)) as rehearsal:
        (opened,) = rehearsal.forge.pull_requests("acme/orders", BRANCH)
        rehearsal.forge.merge("acme/orders", opened.number)
    refrom("redeploy", "orders", "--config", fleet.settings, "--yes")
    assert refrom("rollback", "orders", "--config", fleet.settings, "--yes").code == DONE
    settings = fleet.settings.read_text()
    fleet.settings.write_text(f"{settings}rollout: {{soak: 2d, waves: [{{share: 50%}}]}}\nstore: another.db\n")

    named = ("--config", fleet.settings, "--format", "json")
    rollouts = [refrom(command, *named).document["rollouts"] for command in ("rollout", "audit")]
    (explained,) = refrom("explain", "acme/billing:Dockerfile", *named).document["uses"]

    for told in rollouts:
        (python,) = [row for row in told if row["runtime"] == "python3.13"]
        assert (python["phase"], python["reason"]) == ("halted", "orders was rolled back")
    assert explained["rollout"]["reason"].endswith("halted: orders was rolled back")


def test_a_table_shows_them_to_people(refrom: Refrom, rolled_out: Path) -> None:
    told = refrom("rollout", "--config", rolled_out)

    assert told.out.startswith("Rollouts")
    assert told.out.count("soak") >= 2


def test_without_a_rollout_it_says_so(refrom: Refrom, fleet: Stage) -> None:
    told = refrom("rollout", "--config", fleet.settings)

    assert (told.code, told.out.strip()) == (DONE, "Rollouts: none")
    assert "the settings have no rollout" in told.err


def test_a_repository_that_cannot_be_read_is_told(refrom: Refrom, rolled_out: Path, fleet: Stage) -> None:
    head = next((fleet.folder / "repositories").rglob("HEAD"))
    head.write_text("ref: refs/heads/nothing\n")

    told = refrom("rollout", "--config", rolled_out, "--format", "json")

    assert told.code == ATTENTION
    assert len(told.document["errors"]) == 1

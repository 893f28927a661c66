"""`refrom doctor`: its exit codes, its document, its table; it needs settings and changes nothing."""

from pathlib import Path

import jsonschema
import pytest

from bot.entrypoints.cli import ATTENTION, DONE, USAGE
from bot.entrypoints.demo.stage import Stage
from tests.entrypoints import schemas
from tests.entrypoints.conftest import Refrom


def test_all_well_is_done_and_leaves_no_trace(refrom: Refrom, fleet: Stage) -> None:
    before = {path: path.read_bytes() for path in fleet.folder.rglob("*") if path.is_file()}

    ran = refrom("doctor", "--config", fleet.settings, "--format", "json")

    assert (ran.code, ran.err) == (DONE, "")
    jsonschema.validate(ran.document, schemas.DOCTOR)
    assert next(iter(ran.document)) == "schema"
    assert {path: path.read_bytes() for path in fleet.folder.rglob("*") if path.is_file()} == before
    mapped, orders = [check for check in ran.document["checks"] if check["subject"] == "orders"]
    assert (mapped["check"], mapped["message"]) == ("map", "built from Dockerfile of acme/orders, by deploy.targets")
    assert orders.pop("message").endswith("; alias live serves version 1")
    assert orders == {"subject": "orders", "check": "function", "state": "ok", "cure": None}


def test_what_fails_needs_attention_and_is_told_beside_what_is_well(refrom: Refrom, fleet: Stage) -> None:
    fleet.settings.write_text(fleet.settings.read_text().replace("function: search", "function: ghost"))

    ran = refrom("doctor", "--config", fleet.settings, "--format", "json")

    assert (ran.code, ran.err) == (ATTENTION, "")
    jsonschema.validate(ran.document, schemas.DOCTOR)
    (bad,) = [check for check in ran.document["checks"] if check["state"] == "failed"]
    assert bad["subject"] == "ghost"
    assert bad["cure"]
    assert {"orders", "billing"} <= {check["subject"] for check in ran.document["checks"] if check["state"] == "ok"}


def test_the_table_shows_failures_with_their_cures_last(
    refrom: Refrom, fleet: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    (fleet.folder / "repositories").rename(fleet.folder / "gone")

    ran = refrom("doctor", "--config", fleet.settings)

    assert ran.code == ATTENTION
    assert f"{fleet.folder}/.refrom/refrom.db can be read" in ran.out
    root = f"{fleet.folder}/repositories"
    what = f"failed: repositories in {root}: access: the folder of repositories {root} is not there"
    assert ran.out.splitlines()[-3:] == [what, "  cure: create it, or name another", ran.out.splitlines()[-1]]
    assert ran.out.endswith(" checks failed\n")


def test_a_damaged_store_stops_no_other_check(refrom: Refrom, fleet: Stage) -> None:
    """The commands that need the store end there; a doctor goes on."""
    (fleet.folder / ".refrom" / "refrom.db").write_bytes(b"no database, and long enough to be none" * 100)

    ran = refrom("doctor", "--config", fleet.settings, "--format", "json")

    assert ran.code == ATTENTION
    failed = [(check["subject"], check["check"]) for check in ran.document["checks"] if check["state"] == "failed"]
    assert failed == [("store", "access")]
    assert "orders" in {check["subject"] for check in ran.document["checks"]}


def test_without_settings_it_says_how_to_get_some(refrom: Refrom) -> None:
    ran = refrom("doctor")

    assert (ran.code, ran.out) == (USAGE, "")
    assert (
        ran.err == "refrom: refrom.yaml: is not there; write it, as refrom init does, or name another with --config\n"
    )


def test_faulty_settings_are_no_check_but_wrong_usage(refrom: Refrom) -> None:
    Path("refrom.yaml").write_text("version: 1\nforge: []\n")

    ran = refrom("doctor", "--format", "json")

    assert (ran.code, ran.out) == (USAGE, "")
    assert "did you mean forges?" in ran.err


def test_settings_that_name_nothing_have_little_to_examine(refrom: Refrom) -> None:
    Path("refrom.yaml").write_text("version: 1\n")

    ran = refrom("doctor", "--format", "json")

    assert ran.code == DONE
    states = {(check["subject"], check["check"]): check["state"] for check in ran.document["checks"]}
    assert states["source repositories", "access"] == "skipped"
    assert states["functions", "access"] == "skipped"
    assert list(Path.cwd().iterdir()) == [Path.cwd() / "refrom.yaml"]

"""The demo plays the loop of production, and leaves a fleet that every other command reads."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.entrypoints.cli import DONE, USAGE
from bot.entrypoints.demo.fleet import MOVED, MOVES, SERVICES
from bot.wiring import VirtualClock
from tests.entrypoints.conftest import Ran, Refrom

MATTERING = {move.before.name for move in MOVES if move.matters}
MOVING = {service.name for service in SERVICES if service.base in MATTERING}
LATER = MOVED + timedelta(hours=6)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "demo"


@pytest.fixture
def told(refrom: Refrom, kept: Path) -> Ran:
    return refrom("demo", "--keep", kept)


def test_the_demo_ends_well(told: Ran, kept: Path) -> None:
    assert (told.code, told.err) == (DONE, "")
    assert "Every function that should have moved is proven on the new base, and no other moved." in told.out
    assert "<html" in (kept / "audit.html").read_text(encoding="utf-8")


def test_the_fleet_that_stays_is_current_to_the_other_commands(told: Ran, kept: Path, refrom: Refrom) -> None:
    del told

    audit = refrom("audit", "--config", kept / "refrom.yaml", "--format", "json", clock=VirtualClock(LATER))
    again = refrom("run", "--config", kept / "refrom.yaml", "--format", "json", clock=VirtualClock(LATER))

    assert (audit.code, again.code) == (DONE, DONE)
    assert {function["verdict"] for function in audit.document["functions"]} == {"current"}
    bases = {f["function"].rpartition(":")[2]: f["base_age_days"] for f in audit.document["functions"]}
    assert {name for name, days in bases.items() if days == 0} == MOVING
    assert {decision["decision"] for decision in again.document["decisions"]} == {"current"}
    assert again.document["outcomes"] == []


@pytest.mark.parametrize("kind", ["a folder that is not empty", "a file"])
def test_the_demo_touches_nothing_that_is_there(refrom: Refrom, tmp_path: Path, kind: str) -> None:
    mine = tmp_path / "mine"
    if kind == "a file":
        mine.write_text("mine")
    else:
        mine.mkdir()
        (mine / "letter").write_text("mine")
    before = sorted(tmp_path.rglob("*"))

    ran = refrom("demo", "--keep", mine)

    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err.startswith(f"refrom: {mine}: ")
    assert ran.err.endswith("; name a new folder for the demo\n")
    assert sorted(tmp_path.rglob("*")) == before

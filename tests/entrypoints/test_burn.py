"""A run keeps how the SLO stands, once a day; a dry run and an audit keep nothing."""

import inspect
from datetime import datetime, timedelta

import pytest

from bot.entrypoints.cli import DEFECT
from bot.entrypoints.demo.fleet import MOVED
from bot.entrypoints.demo.stage import Stage
from bot.wiring import VirtualClock
from tests.entrypoints.conftest import Refrom


def days(refrom: Refrom, fleet: Stage) -> list[str]:
    return [
        sample["day"] for sample in refrom("audit", "--config", fleet.settings, "--format", "json").document["burn"]
    ]


@pytest.mark.parametrize("command", [("run", "--dry-run"), ("audit",)], ids=["a dry run", "an audit"])
def test_what_changes_nothing_keeps_nothing(refrom: Refrom, fleet: Stage, command: tuple[str, ...]) -> None:
    refrom(*command, "--config", fleet.settings)

    assert days(refrom, fleet) == []


def test_a_run_keeps_a_day_once(refrom: Refrom, fleet: Stage) -> None:
    for hours in (3, 4, 30):
        refrom("run", "--config", fleet.settings, clock=VirtualClock(MOVED + timedelta(hours=hours)))

    assert days(refrom, fleet) == ["2026-11-20", "2026-11-21"]


class HalfDeaf:
    """A clock that raises once a cycle has run, when the sample of the day is taken."""

    def __init__(self, clock: VirtualClock, fleet: Stage) -> None:
        self._clock, self._repositories = clock, fleet.folder / "repositories"

    def now(self) -> datetime:
        if any(self._repositories.rglob("refs/heads/refrom/*")) and inspect.stack()[1].function == "_sample":
            raise ZeroDivisionError("division by zero")
        return self._clock.now()

    def wait_until(self, moment: datetime) -> None:
        self._clock.wait_until(moment)


def test_a_defect_in_the_sample_takes_nothing_from_what_the_run_tells(refrom: Refrom, fleet: Stage) -> None:
    clock = HalfDeaf(VirtualClock(MOVED + timedelta(hours=3)), fleet)

    ran = refrom("run", "--config", fleet.settings, "--format", "json", clock=clock)

    assert ran.code == DEFECT
    assert {outcome["result"] for outcome in ran.document["outcomes"]} == {"opened"}
    assert "ZeroDivisionError: division by zero" in ran.err
    assert days(refrom, fleet) == []

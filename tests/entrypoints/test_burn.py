"""A run keeps how the SLO stands, once a day; a dry run and an audit keep nothing."""

from datetime import timedelta

import pytest

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

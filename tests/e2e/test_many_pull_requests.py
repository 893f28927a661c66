"""Many pull requests through a GitHub that refuses bursts and loses answers: none lost or doubled, within the limits.

The show opens 500 (`REFROM_MANY`), the tests fewer, with the limits in proportion.
Time is the scene's own, for refrom and the fake alike, so a day passes in the time that the work takes.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.engine.clock import VirtualClock
from bot.entrypoints.cli import main
from bot.entrypoints.demo.fleet import MOVES, START
from tests.conftest import Figure
from tests.lab.github.fake import FakeGitHub
from tests.lab.github.fleet import Fleet
from tests.lab.github.repository import Pull
from tests.lab.organisation import name_of, organisation

pytestmark = pytest.mark.soak

MANY = int(os.environ.get("REFROM_MANY", "40"))
OPEN, NEW = MANY * 3 // 10, MANY // 5
A_MINUTE, AN_HOUR = NEW * 2 // 5, NEW * 4
"""What GitHub bears; one pull request is three requests that create something."""
HOUR = timedelta(hours=1)
LOST = {"pulls/create": 11, "createCommitOnBranch": 17, "updateRefs": 23}
"""Of which calls every n-th is done, and its answer lost."""
PYTHON = next(move.before for move in MOVES if move.before.name == "python")
FLEET = Fleet(size=MANY, lambdas=MANY, truncated=0, bases=(name_of(PYTHON),))
SETTINGS = f"pull_requests: {{open: {OPEN}, new_per_hour: {NEW}}}\n"


def lose_answers(fake: FakeGitHub) -> None:
    """Plan the losses of the whole day."""
    for operation, every in LOST.items():
        for call in range(every, 10 * MANY, every):
            fake.faults.plan(operation, call, after=True)


def all_pulls(fake: FakeGitHub) -> dict[str, list[Pull]]:
    return {name: fake.pulls(name) for name in map(FLEET.name, range(MANY)) if (fake.root / f"{name}.git").is_dir()}


def merge_oldest(fake: FakeGitHub, count: int) -> None:
    """Let people merge some, as they come to it."""
    still_open = [
        (pull.created, name, pull) for name, pulls in all_pulls(fake).items() for pull in pulls if pull.is_open
    ]
    for _, name, pull in sorted(still_open, key=lambda one: one[:2])[:count]:
        fake.merge(name, pull.number)


def most_open(pulls: Sequence[Pull]) -> int:
    """Return how many were open at once, at the worst moment."""
    return max(
        sum(other.created <= pull.created and (other.closed is None or other.closed > pull.created) for other in pulls)
        for pull in pulls
    )


def most_new(pulls: Sequence[Pull]) -> int:
    """Return how many were opened in the worst hour."""
    moments = [pull.created for pull in pulls]
    return max(sum(last - HOUR < moment <= last for moment in moments) for last in moments)


def test_many_pull_requests_through_limits_and_lost_answers(
    tmp_path: Path, figure: Figure, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = VirtualClock(START + HOUR)
    runs: list[tuple[datetime, dict[str, Any]]] = []
    with organisation(tmp_path, clock=clock) as place:
        place.publish(PYTHON)
        fake = place.fake
        fake.populate(FLEET)
        place.write_settings(SETTINGS)
        fake.limit_creations(a_minute=A_MINUTE, an_hour=AN_HOUR)
        lose_answers(fake)

        while len(runs) < 30 and sum(map(len, all_pulls(fake).values())) < MANY:
            main(["run", "--config", str(tmp_path / "refrom.yaml"), "--format", "json"], clock=clock)
            runs.append((clock.now(), json.loads(capsys.readouterr().out)))
            clock.advance(HOUR / 2)
            merge_oldest(fake, NEW // 2)
            clock.advance(HOUR / 2)

        found = all_pulls(fake)
        pulls = [pull for each in found.values() for pull in each]
        figure(f"pull requests for {MANY} repositories", len(pulls), MANY)
        figure("repositories without one, or with two", MANY - Counter(map(len, found.values()))[1], 0)
        figure(f"more than {OPEN} open at any moment", most_open(pulls) > OPEN, False)
        figure(f"more than {NEW} opened in any hour", most_new(pulls) > NEW, False)
        refused, hasty = fake.refused_creations
        figure("requests sent while told to wait", hasty, 0)
        assert (most_open(pulls), most_new(pulls)) == (OPEN, NEW), "limits that bind are what this is about"
        assert refused
        assert sum(exchange.status is None for exchange in fake.log) >= MANY // 10
        assert not [branch for name in found for branch in _strays(fake, name)]


def _strays(fake: FakeGitHub, name: str) -> list[str]:
    """Branches of ours without a pull request."""
    known = {pull.branch for pull in fake.pulls(name)}
    return [branch for branch in fake.branches(name) if branch.startswith("refrom/") and branch not in known]

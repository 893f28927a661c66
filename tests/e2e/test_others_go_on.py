"""One repository that fails stops no other; the exit code and the summary say which one it was, and why."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.engine.clock import VirtualClock
from bot.entrypoints.cli import ATTENTION, DONE
from bot.entrypoints.demo.fleet import MOVES, START
from tests.conftest import Figure
from tests.lab.organisation import Organisation, name_of, organisation

PYTHON = next(move.before for move in MOVES if move.before.name == "python")
DOCKERFILE = {"Dockerfile": f"FROM {name_of(PYTHON)}\n".encode()}
NAMES = [f"acme/service-{number}" for number in range(8)]
OWN_FILE, REFUSED, EMPTY = NAMES[1], NAMES[3], NAMES[5]
SOUND = sorted(set(NAMES) - {OWN_FILE, REFUSED, EMPTY})


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Organisation]:
    """Eight repositories: one has a bad file of its own, one a rule against our branches, one no commit at all."""
    with organisation(tmp_path, VirtualClock(START)) as place:
        place.publish(PYTHON)
        for name in NAMES:
            own = {".github/refrom.yaml": b"version: 1\nenable: false\n"} if name == OWN_FILE else {}
            place.fake.create_repository(name, {} if name == EMPTY else {**DOCKERFILE, **own})
        place.fake.protect(REFUSED, "refrom/lambda-base-images")
        place.write_settings()
        yield place


def test_the_others_get_their_pull_requests_and_the_run_says_which_failed_and_why(
    place: Organisation, figure: Figure
) -> None:
    ran = place.quickly("run", now=START)

    failed = {outcome["repository"]: outcome["message"] for outcome in ran.outcomes("failed")}
    opened = [name for name in NAMES if name != EMPTY and place.fake.pulls(name)]
    figure("repositories that went on while others failed", opened, SOUND)
    figure("exit code where one failed", ran.code, ATTENTION)
    assert sorted(failed) == [OWN_FILE, REFUSED]
    assert re.search(r"\.github/refrom\.yaml:2", failed[OWN_FILE])
    assert "protected branch" in failed[REFUSED]


def test_once_it_is_put_right_the_next_run_is_well(place: Organisation) -> None:
    place.quickly("run", now=START)
    place.fake.unprotect(REFUSED, "refrom/lambda-base-images")
    place.write_settings(include="acme/service-[!1]*")

    ran = place.quickly("run", now=START + timedelta(hours=1))

    assert (ran.code, ran.outcomes("failed")) == (DONE, [])
    assert [outcome["repository"] for outcome in ran.outcomes("opened")] == [REFUSED]


def test_the_table_for_people_says_it_too(place: Organisation) -> None:
    ran = place.quickly("run", now=START, form="table")

    told = " ".join((ran.out + ran.err).split())
    assert ran.code == ATTENTION
    for name in (OWN_FILE, REFUSED):
        assert name in told

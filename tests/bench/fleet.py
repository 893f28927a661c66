"""What 10,000 repositories cost: `python -m tests.bench.fleet` prints each figure beside its goal.

`refrom run` in a process of its own surveys a fleet on the GitHub fake three times: new, unchanged, and with 50
repositories changed. Requests are counted at the server, what is found against what the fleet was made of.
Figures of a run lie in `docs/reference/measurements.md`.
"""

import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.entrypoints.demo.fleet import MOVES
from tests.bench.layers import MEGABYTE
from tests.bench.rows import Row, report
from tests.lab.github.fake import Population
from tests.lab.github.fleet import Fleet
from tests.lab.organisation import Organisation, Ran, name_of, organisation

CHANGED: Final = 50
_MOST_A_REPOSITORY, _MOST_UNCHANGED, _MOST_CHANGED = 0.5, 110, 120
_MOST_MEMORY: Final = 300 * MEGABYTE
_POLICY: Final = "policy: {on_unknown: wait}\n"
"""So that nothing is to be proposed: half of the bases are pinned and current, for the others nothing is known yet."""

Found = set[tuple[str, str, int]]
"""Uses, each by its repository, path and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One run: what it gave, how many requests the fake had, in how many seconds."""

    ran: Ran
    requests: int
    seconds: float

    @property
    def uses(self) -> Found:
        """What it found."""
        return {(d["repository"], d["path"], d["line"]) for d in self.ran.document["decisions"]}

    @property
    def spent(self) -> str:
        """What it took beside requests."""
        return f"in {self.seconds:.0f} s, {self.ran.cpu:.0f} s of CPU"


def measure() -> list[Row]:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="refrom-bench-") as name, organisation(Path(name)) as place:
        specs = [move.before for move in MOVES]
        digests = [place.publish(spec) for spec in specs]
        pinned = [name_of(spec, digest) for spec, digest in zip(specs, digests, strict=True)]
        population = place.fake.populate(Fleet(bases=(*pinned, *map(name_of, specs))))
        place.write_settings(_POLICY)
        cold, unchanged = _survey(place), _survey(place)
        population.change(CHANGED)
        changed = _survey(place)
        return [*_found(population, (cold, unchanged, changed)), *_requests(population.fleet, cold, unchanged, changed)]


def _survey(place: Organisation) -> Survey:
    before, started = len(place.fake.log), time.monotonic()
    ran = place.refrom("run")
    return Survey(ran=ran, requests=len(place.fake.log) - before, seconds=time.monotonic() - started)


def _found(population: Population, surveys: Iterable[Survey]) -> list[Row]:
    """Count what each survey found against the truth, use by use."""
    truth = {(name, use.path, use.line) for name, uses in population.uses().items() for use in uses}
    deep = {(name, path) for name, path, _ in truth if path.count("/") > 4}
    missed = sum(len(truth - survey.uses) for survey in surveys)
    false = sum(len(survey.uses - truth) for survey in surveys)
    failed = [o["message"] for survey in surveys for o in survey.ran.outcomes("failed")]
    fleet = population.fleet
    return [
        Row(
            f"{fleet.lambdas:,} of {fleet.size:,} repositories with {len(truth):,} uses of a Lambda base, "
            f"{len(deep):,} Dockerfiles of them deeper than four folders, {fleet.truncated} trees truncated",
            f"{missed} missed, {false} false, in three surveys",
            "none",
            not missed and not false,
        ),
        Row("repositories that could not be read", f"{len(failed)} {failed[:1] or ''}".strip(), "0", not failed),
    ]


def _requests(fleet: Fleet, cold: Survey, unchanged: Survey, changed: Survey) -> list[Row]:
    share = cold.requests / fleet.size
    peak = max(survey.ran.memory for survey in (cold, unchanged, changed))
    return [
        Row(
            "requests of a cold survey",
            f"{share:.2f} a repository, {cold.requests:,} in all, {cold.spent}",
            f"at most {_MOST_A_REPOSITORY} a repository",
            share <= _MOST_A_REPOSITORY,
        ),
        Row(
            "requests of a second survey with nothing changed",
            f"{unchanged.requests}, {unchanged.spent}",
            f"at most {_MOST_UNCHANGED}",
            unchanged.requests <= _MOST_UNCHANGED,
        ),
        Row(
            f"requests of a survey with {CHANGED} repositories changed",
            f"{changed.requests}, {changed.spent}",
            f"at most {_MOST_CHANGED}",
            changed.requests <= _MOST_CHANGED,
        ),
        Row(
            "memory at its peak",
            f"{peak / MEGABYTE:.0f} MB",
            f"below {_MOST_MEMORY // MEGABYTE} MB",
            peak < _MOST_MEMORY,
        ),
    ]


if __name__ == "__main__":
    sys.exit(report(measure()))

"""The loop runs the cycle of `refrom run` on its schedule, whatever happens in one; a stop ends it between ticks."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.adapters.forge.local import LocalForge
from bot.core.pull_request import BRANCH
from bot.entrypoints.demo.fleet import MOVED
from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.service.logs import open_log
from bot.entrypoints.service.loop import Loop
from bot.entrypoints.service.state import Board, Ending, State
from bot.ports.forge import PullRequest, SourceRepository
from bot.wiring import VirtualClock, Workshop, open_workshop

START = MOVED + timedelta(hours=3)
HOUR = timedelta(hours=1)
FLEET = ("acme/billing", "acme/orders", "acme/search", "acme/thumbnails")
"""The repositories whose base moved so that it matters, in the order of their ticks."""


@dataclass(slots=True)
class Script:
    """A stop over a clock that jumps: between cycles it does what is planned, and after the last cycle it is asked."""

    clock: VirtualClock
    board: Board
    cycles: int = 1
    between: Mapping[int, Callable[[], object]] = field(default_factory=dict)
    ticks: int | None = None
    """After so many ticks of one cycle the stop is asked for."""
    seen: list[State] = field(default_factory=list)
    asked: bool = False

    def wait_until(self, moment: datetime) -> None:
        if self.board.state.running:
            self._before_a_tick(moment)
            return
        self.seen.append(self.board.state)
        self.between.get(len(self.seen), lambda: None)()
        self.asked = len(self.seen) == self.cycles
        self.clock.wait_until(moment)

    def _before_a_tick(self, moment: datetime) -> None:
        self.clock.wait_until(moment)
        if self.ticks is not None:
            self.asked = self.ticks <= 0
            self.ticks -= 1


@dataclass(slots=True)
class Scene:
    """One loop over the demo's fleet."""

    fleet: Stage
    script: Script
    board: Board
    log: io.StringIO = field(default_factory=io.StringIO)
    chances: Iterator[float] = field(default_factory=lambda: iter(lambda: 0.0, None))

    @contextmanager
    def open(self) -> Iterator[Workshop]:
        with open_workshop(self.fleet.settings, self.script.clock, required=True, stop=self.script) as workshop:
            yield workshop

    def run(self, workshop: Workshop) -> list[State]:
        """Run the loop to its end, and return the state after each cycle, as somebody who waits sees it."""
        log, chance = open_log(self.log), lambda: next(self.chances)
        Loop(workshop=workshop, board=self.board, stop=self.script, log=log, every=HOUR, chance=chance).run()
        return self.script.seen

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def pull_requests(self) -> list[str]:
        """The repositories that have a branch of ours."""
        root = self.fleet.folder / "repositories"
        found = (path.relative_to(root) for path in root.rglob("refs/heads/refrom/*"))
        return sorted("/".join(path.parts[:2]).removesuffix(".git") for path in found)


@pytest.fixture
def scene(fleet: Stage) -> Scene:
    board = Board()
    return Scene(fleet, Script(VirtualClock(START), board), board)


class BrokenForge(LocalForge):
    """A forge with a defect of ours in it."""

    def repositories(self) -> list[SourceRepository]:
        raise ZeroDivisionError("division by zero")


class HalfBrokenForge(LocalForge):
    """A forge with a defect of ours that one source repository meets."""

    def pull_requests(self, repository: str, branch: str) -> Sequence[PullRequest]:
        if repository == "acme/orders":
            raise ZeroDivisionError("division by zero")
        return super().pull_requests(repository, branch)


def test_cycles_come_an_interval_apart_with_jitter(scene: Scene) -> None:
    scene.script.cycles, scene.chances = 4, iter([0.0, 0.5, 1.0, 0.0])

    with scene.open() as workshop:
        seen = scene.run(workshop)

    starts = [state.last.started - START for state in seen if state.last]
    assert starts == [timedelta(), HOUR, HOUR + timedelta(minutes=63), HOUR + timedelta(minutes=63 + 66)]
    assert [state.next_start for state in seen[:3]] == [START + start for start in starts[1:]]


def test_a_cycle_does_what_run_does_and_tells_it(scene: Scene) -> None:
    scene.script.cycles = 2

    with scene.open() as workshop:
        first, second = scene.run(workshop)

    assert scene.pull_requests() == list(FLEET)
    assert dict(first.outcomes) == {("propose", "opened"): 4}
    assert second.outcomes.keys() - first.outcomes.keys() <= {("propose", "unchanged")}
    assert first.audited is not None
    assert first.audited.decisions == {"update": 6, "current": 2}
    verdicts = [function["verdict"] for function in first.audited.document["functions"]]
    assert sorted(verdicts) == ["behind"] * 4 + ["current"] * 2
    assert [state.last.ending for state in (first, second) if state.last] == [Ending.DONE] * 2
    told = [line["subject"] for line in scene.lines if line["event"] == "propose"]
    assert told == list(FLEET)


def test_the_slo_of_a_day_is_kept_once_and_shown_from_then_on(scene: Scene) -> None:
    scene.script.cycles = 8

    with scene.open() as workshop:
        seen = scene.run(workshop)

    burns = [state.audited.document["burn"] for state in seen if state.audited]
    days = [START.date().isoformat(), (START + timedelta(days=1)).date().isoformat()]
    assert [sample["day"] for sample in burns[0]] == days[:1]
    assert burns[0][0] == {"day": days[0], "functions": 6, "within": 6, "overdue": 0}
    assert [sample["day"] for sample in burns[-1]] == days


def test_a_hold_works_from_the_next_cycle_on(scene: Scene) -> None:
    holds = scene.fleet.folder / "refrom.holds.yaml"
    text = 'version: 1\nholds: [{repository: "*", reason: release freeze}]\n'
    scene.script.cycles, scene.script.between = 2, {1: lambda: holds.write_text(text)}

    with scene.open() as workshop:
        _, held = scene.run(workshop)

    assert held.audited is not None
    assert held.audited.decisions == {"held": 8}


def test_a_cycle_that_fails_is_told_and_counted_and_the_next_one_comes(scene: Scene) -> None:
    holds = scene.fleet.folder / "refrom.holds.yaml"
    scene.script.cycles, scene.script.between = 3, {1: lambda: holds.write_text("nonsense"), 2: holds.unlink}

    with scene.open() as workshop:
        before, failed, after = scene.run(workshop)

    assert failed.last is not None
    assert failed.last.ending is Ending.FAILED
    assert failed.last.reason == f"{holds}:1: is no mapping of keys to values; start with version: 1"
    assert (failed.succeeded, failed.audited) == (before.succeeded, before.audited)
    assert dict(after.cycles) == {Ending.DONE: 2, Ending.FAILED: 1}
    (line,) = [line for line in scene.lines if line["event"] == "cycle failed"]
    assert (line["level"], line["reason"]) == ("error", failed.last.reason)


def test_a_defect_fails_its_cycle_only(scene: Scene) -> None:
    scene.script.cycles = 2

    with scene.open() as workshop:
        forge = BrokenForge(scene.fleet.folder / "repositories", scene.script.clock)
        seen = scene.run(replace(workshop, world=replace(workshop.world, forge=forge)))

    assert dict(seen[-1].cycles) == {Ending.FAILED: 2}
    assert all("defect of refrom (ZeroDivisionError)" in state.last.reason for state in seen if state.last)
    told = [line for line in scene.lines if line["event"] == "cycle failed"]
    assert all("ZeroDivisionError: division by zero" in line["exception"] for line in told)
    assert len(told) == 2


def test_a_defect_that_one_repository_meets_is_told_with_its_traceback_and_stops_no_other(scene: Scene) -> None:
    with scene.open() as workshop:
        forge = HalfBrokenForge(scene.fleet.folder / "repositories", scene.script.clock)
        world = replace(workshop.world, forge=forge, pull_requests=forge)
        (state,) = scene.run(replace(workshop, world=world))

    assert dict(state.cycles) == {Ending.ATTENTION: 1}
    assert dict(state.outcomes) == {("propose", "failed"): 1, ("propose", "opened"): 3}
    (line,) = [line for line in scene.lines if line["event"] == "tick failed"]
    assert line["key"] == f"pull-request:acme/orders {BRANCH}"
    assert "ZeroDivisionError: division by zero" in line["exception"]


def test_a_repository_that_fails_needs_attention_and_stops_no_other(scene: Scene) -> None:
    """Its function fails with it, for what it should stand on is not known."""
    (scene.fleet.folder / "repositories" / "acme" / "orders.git" / "HEAD").write_text("nonsense\n")

    with scene.open() as workshop:
        (state,) = scene.run(workshop)

    assert state.last is not None
    assert state.last.ending is Ending.ATTENTION
    assert state.succeeded == state.last.ended
    assert state.audited is not None
    assert [error["repository"] for error in state.audited.document["errors"]] == ["acme/orders"]
    assert "acme/orders" not in scene.pull_requests()
    assert "acme/billing" in scene.pull_requests()
    assert [line["subject"] for line in scene.lines if line["level"] == "warning"] == ["acme/orders", "orders"]


BEFORE_PROPOSING = 12
"""Ticks of a cycle before its first pull request: the listing, each source repository, each stream."""


@pytest.mark.parametrize(("ticks", "done"), [(BEFORE_PROPOSING + 1, FLEET[:1]), (BEFORE_PROPOSING, ()), (0, ())])
def test_a_stop_ends_the_loop_between_two_ticks(scene: Scene, ticks: int, done: tuple[str, ...]) -> None:
    scene.script.ticks = ticks

    with scene.open() as workshop:
        scene.run(workshop)

    assert scene.pull_requests() == list(done)
    assert scene.board.state.last is not None
    assert scene.board.state.last.ending is Ending.STOPPED
    assert scene.script.seen == [], "no further cycle is waited for"
    assert (scene.board.state.succeeded, scene.board.state.audited) == (None, None)

"""refrom killed with SIGKILL just before and just after every request that changes something on GitHub.

How many of these there are is counted in a run that nobody kills; the fake then kills the run that sent it, at each in
turn, and a plain run follows: one pull request with the right content, finished, and no branch left behind.
"""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue

import pytest

from bot.adapters.engine.clock import VirtualClock
from bot.core.digest import Digest
from bot.entrypoints.cli import DONE
from bot.entrypoints.demo.fleet import MOVES, START
from bot.entrypoints.demo.images import BaseSpec
from tests.adapters.forge.world import BareRepositories, File
from tests.conftest import Figure
from tests.lab.github.faults import WRITE
from tests.lab.organisation import Organisation, name_of, organisation

pytestmark = pytest.mark.soak

PYTHON = next(move.before for move in MOVES if move.before.name == "python")
SETTINGS = """\
policy: {update_on: any}
pull_requests:
  labels: [dependencies]
  reviewers: [ada]
  auto_merge: squash
  open: 1000
  new_per_hour: 1000
"""
UNPINNED = f"FROM {name_of(PYTHON)}\n".encode()


@dataclass(slots=True)
class Lab:
    """An organisation whose base moves, and whose repositories are each the scene of one kill."""

    place: Organisation
    people: BareRepositories
    clock: VirtualClock
    base: BaseSpec = PYTHON
    digest: Digest = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        self.digest = self.place.publish(self.base)

    def move_base(self) -> None:
        """Publish a base that is newer by a day."""
        created = self.base.created + timedelta(days=1)
        self.base = replace(self.base, created=created, extra={"opt/newest": str(created).encode()})
        self.digest = self.place.publish(self.base)

    def repository(self) -> str:
        """Make another repository, which alone is in the settings from now on."""
        self.made += 1
        name = f"acme/orders-{self.made}"
        self.place.fake.create_repository(name, {"Dockerfile": UNPINNED})
        self.place.fake.add_collaborator(name, "ada")
        self.place.fake.allow_auto_merge(name)
        self.place.fake.protect(name, "main")
        self.place.write_settings(SETTINGS, include=name)
        return name

    def later(self) -> datetime:
        """Let an hour pass: a run waits by a clock of its own, which must not be ahead of that of the next."""
        self.clock.advance(timedelta(hours=1))
        return self.clock.now()

    def run(self) -> None:
        """Run once, to a good end."""
        ran = self.place.quickly("run", now=self.later())
        assert (ran.code, ran.outcomes("failed")) == (DONE, []), ran.err

    def killed_at(self, number: int, *, after: bool) -> None:
        """Run, and let the fake kill the run at its n-th request that changes something."""
        begun: SimpleQueue[BaseProcess] = SimpleQueue()

        def kill() -> None:
            process = begun.get()
            os.kill(process.pid or 0, signal.SIGKILL)
            wait([process.sentinel])

        self.place.fake.faults.plan(WRITE, number, after=after, act=kill)
        process = self.place.begin("run", now=self.later())
        begun.put(process)
        process.join()
        assert process.exitcode == -signal.SIGKILL

    def content(self, name: str, branch: str) -> bytes:
        """The Dockerfile on a branch."""
        return self.people.files(name, self.people.branches(name)[branch])["Dockerfile"].content


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("organisation")
    desk = folder / "desk"
    desk.mkdir()
    clock = VirtualClock(START)
    with organisation(folder, clock) as place:
        yield Lab(place, BareRepositories(place.fake.root, desk), clock)


def stage_creation(lab: Lab) -> str:
    """A repository for which there is nothing yet."""
    return lab.repository()


def stage_refresh(lab: Lab) -> str:
    """A pull request whose base was superseded since."""
    name = lab.repository()
    lab.run()
    lab.move_base()
    return name


def stage_close(lab: Lab) -> str:
    """A pull request that a person made needless."""
    name = lab.repository()
    lab.run()
    lab.people.push(name, "main", {"Dockerfile": File(f"FROM {name_of(lab.base, lab.digest)}\n".encode())})
    return name


def require_open(lab: Lab, name: str) -> int:
    """Check that one pull request is there as it should be; returns how many there are."""
    pulls = lab.place.fake.pulls(name)
    (pull,) = (pull for pull in pulls if pull.is_open)
    assert lab.content(name, pull.branch) == f"FROM {name_of(lab.base, lab.digest)}\n".encode()
    assert lab.content(name, "main") == UNPINNED
    assert set(lab.people.branches(name)) == {"main", pull.branch}
    assert lab.people.parents(name, pull.head) == [lab.people.branches(name)["main"]]
    assert pull.labels == ["dependencies"]
    assert lab.place.fake.reviewers(name, pull.number) == ["ada"]
    assert pull.auto_merge is not None
    assert "refrom:unfinished" not in (pull.body or "")
    return len(pulls)


def require_closed(lab: Lab, name: str) -> int:
    """Check that nothing is left; returns how many pull requests there were."""
    pulls = lab.place.fake.pulls(name)
    assert not any(pull.is_open for pull in pulls)
    assert not [branch for branch in lab.people.branches(name) if branch.startswith("refrom/")]
    return len(pulls)


@pytest.mark.parametrize(
    ("what", "stage", "require", "fewest"),
    [
        pytest.param("creation", stage_creation, require_open, 5, id="creation"),
        pytest.param("refresh", stage_refresh, require_open, 3, id="refresh"),
        pytest.param("close", stage_close, require_closed, 2, id="close"),
    ],
)
def test_a_kill_at_any_write_leads_to_one_pull_request(
    lab: Lab,
    figure: Figure,
    what: str,
    stage: Callable[[Lab], str],
    require: Callable[[Lab, str], int],
    fewest: int,
) -> None:
    name, before = stage(lab), len(lab.place.fake.writes)
    lab.run()
    writes = lab.place.fake.writes[before:]
    assert len(writes) >= fewest, writes
    assert require(lab, name) == 1
    pulls = []

    for number in range(1, len(writes) + 1):
        for after in (False, True):
            name = stage(lab)
            lab.killed_at(number, after=after)
            lab.run()
            pulls.append(require(lab, name))
            told = len(lab.place.fake.writes)
            lab.run()
            assert lab.place.fake.writes[told:] == []

    kills = 2 * len(writes)
    figure(f"pull requests after kill -9 at each of {kills} places of a {what}", pulls, [1] * kills)

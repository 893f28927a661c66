"""Wherever a process or a connection ends, and whatever is committed with: one pull request, one comment, no loss."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import pytest

from bot.adapters.forge.github import GitHubForge
from bot.adapters.forge.github.pulls import CommitWith
from bot.adapters.forge.github.pushing import GitCommits
from bot.core.errors import ForgeError
from bot.ports.forge import Finish, PullRequest, PullRequestState
from tests.adapters.forge.contract import BRANCH, FILES, MARK, NEW, NEWER, proposal
from tests.adapters.forge.github.conftest import Make
from tests.adapters.forge.github.cut import Cut, CutCommits, CutTransport, End, Killed
from tests.adapters.forge.github_world import GithubWorld
from tests.adapters.forge.world import Bot, File
from tests.conftest import Figure
from tests.lab.clock import WoundClock

pytestmark = pytest.mark.soak

WANTED = Finish(labels=("base", "security"), reviewers=("ada",), auto_merge="squash")
EACH_END = pytest.mark.parametrize("end", End)
EACH_WAY = pytest.mark.parametrize("commit_with", ["api", "git"])
KILLED = (End.KILLED_BEFORE, End.KILLED_AFTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One try in a repository of its own: an act that ended early, or did not."""

    name: str
    start: str
    came: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Tries an act with an end at its first write, then at its second, and so on, until it comes to its own end."""

    world: GithubWorld
    make: Make
    clock: WoundClock
    end: End
    commit_with: CommitWith = "api"

    def of(
        self,
        act: Callable[[Bot, str, str], object],
        check: Callable[[Turn], None],
        *,
        least: int,
        prepare: Callable[[Bot, str, str], object] = lambda *_: None,
    ) -> int:
        """Act in repository after repository, and return in how many; the act wants `least` writes or more."""
        for at in range(1, 20):
            name = f"acme/cut{at}"
            start = self.world.create_repository(name, FILES)
            prepare(self.make(commit_with=self.commit_with), name, start)
            cut = Cut(at=at, end=self.end)
            with closing(CutTransport(self.clock, cut=cut)) as transport:
                came = ends(self._cut_short(transport, cut), partial(swapped, act, name, start))
            check(Turn(name=name, start=start, came=came))
            if cut.writes < at:
                assert at > least, "so few writes cannot be all"
                return at
        pytest.fail("it never came to its end")

    def _cut_short(self, transport: CutTransport, cut: Cut) -> GitHubForge:
        forge = self.make(transport=transport, commit_with=self.commit_with)
        if isinstance(forge._commits, GitCommits):
            forge._commits = CutCommits(forge._commits, cut)
        return forge


@pytest.fixture
def sweep(world: GithubWorld, make: Make, clock: WoundClock) -> Callable[..., Sweep]:
    def sweep(end: End, commit_with: CommitWith = "api") -> Sweep:
        return Sweep(world=world, make=make, clock=clock, end=end, commit_with=commit_with)

    return sweep


def swapped(act: Callable[[Bot, str, str], object], name: str, start: str, bot: Bot) -> object:
    return act(bot, name, start)


def ends(forge: Bot, act: Callable[[Bot], object]) -> bool:
    """Act; say whether that came to its end."""
    try:
        act(forge)
    except (Killed, ForgeError):
        return False
    return True


def create(bot: Bot, name: str, start: str, path: str = "app/Dockerfile") -> PullRequest:
    held = proposal(start, files={path: NEW}, title="Update", body="Why")
    return bot.create(repository=name, branch=BRANCH, base="main", proposal=held)


def opened(bot: Bot, name: str) -> PullRequest:
    (found,) = bot.pull_requests(name, BRANCH)
    return found


@EACH_END
@pytest.mark.parametrize(
    ("commit_with", "path"), [("api", "app/Dockerfile"), ("api", "app/run.sh"), ("git", "app/run.sh")]
)
def test_a_creation_that_ends_anywhere_and_is_repeated_gives_one_pull_request(
    sweep: Callable[..., Sweep], world: GithubWorld, figure: Figure, end: End, commit_with: CommitWith, path: str
) -> None:
    numbers: set[int] = set()

    def check(turn: Turn) -> None:
        goes_on = end is End.NO_ANSWER or (end is End.NOT_SENT and commit_with == "api")  # git has no code for it
        assert turn.came or not goes_on, "without an answer it looks, and goes on"
        again = create(world.bot(), turn.name, turn.start, path)
        found = opened(world.bot(), turn.name)
        assert again == found
        assert (found.state, found.by_us) == (PullRequestState.OPEN, True)
        assert world.files(turn.name, found.head)[path].content == NEW
        assert world.parents(turn.name, found.head) == [turn.start]
        assert world.branches(turn.name) == {"main": turn.start, BRANCH: found.head}
        numbers.add(len(world.fake.pulls(turn.name)))

    least = 1 if commit_with == "git" else 2
    at = sweep(end, commit_with).of(lambda bot, n, s: create(bot, n, s, path), check, least=least)

    figure(
        f"pull requests after a creation that ends at any of {at - 1} writes ({end.name}, {commit_with})", numbers, {1}
    )


@EACH_END
@EACH_WAY
def test_a_refresh_that_ends_anywhere_and_is_repeated_comes_to_its_end(
    sweep: Callable[..., Sweep], world: GithubWorld, end: End, commit_with: CommitWith
) -> None:
    def refresh(bot: Bot, name: str, start: str) -> object:
        return bot.refresh(opened(bot, name), proposal(start, NEWER, title="Again", body="Better"))

    def check(turn: Turn) -> None:
        refresh(world.bot(), turn.name, turn.start)
        found = opened(world.bot(), turn.name)
        assert (found.state, found.by_us, found.title) == (PullRequestState.OPEN, True, "Again")
        assert world.files(turn.name, found.head)["app/Dockerfile"] == File(NEWER)
        assert world.branches(turn.name) == {"main": turn.start, BRANCH: found.head}

    sweep(end, commit_with).of(refresh, check, least=1 if commit_with == "git" else 3, prepare=create)


@EACH_END
def test_a_finish_that_ends_anywhere_and_is_repeated_has_all_its_parts(
    sweep: Callable[..., Sweep], world: GithubWorld, end: End
) -> None:
    def prepare(bot: Bot, name: str, start: str) -> None:
        create(bot, name, start)
        world.fake.add_collaborator(name, "ada")
        world.fake.allow_auto_merge(name)
        world.fake.protect(name, "main")

    def finish(bot: Bot, name: str, _start: str) -> object:
        return bot.finish(opened(bot, name), WANTED, "Finished")

    def check(turn: Turn) -> None:
        (pull,) = world.fake.pulls(turn.name)
        if pull.body != "Finished":
            assert finish(world.bot(), turn.name, turn.start) == ()
        assert (pull.body, pull.labels, [one.login for one in pull.reviewers]) == (
            "Finished",
            ["base", "security"],
            ["ada"],
        )
        assert pull.auto_merge is not None
        world.fake.label(turn.name, 1, [])
        assert finish(world.bot(), turn.name, turn.start) == ()
        assert pull.labels == []

    sweep(end).of(finish, check, least=3, prepare=prepare)


@EACH_END
def test_a_comment_that_ends_anywhere_and_is_repeated_is_made_once(
    sweep: Callable[..., Sweep], world: GithubWorld, end: End
) -> None:
    def comment(bot: Bot, name: str, _start: str) -> bool:
        return bot.comment_once(opened(bot, name), mark=MARK, text="Left alone.")

    def check(turn: Turn) -> None:
        assert turn.came or end in KILLED, "without an answer it looks, and goes on"
        comment(world.bot(), turn.name, turn.start)
        assert len(world.comments(turn.name, 1)) == 1

    sweep(end).of(comment, check, least=1, prepare=create)


@EACH_END
def test_a_close_that_ends_anywhere_is_ours_and_said_once_and_the_next_creation_works(
    sweep: Callable[..., Sweep], world: GithubWorld, end: End
) -> None:
    def close(bot: Bot, name: str, _start: str) -> None:
        bot.close(opened(bot, name), comment="No longer needed.")

    def check(turn: Turn) -> None:
        close(world.bot(), turn.name, turn.start)
        found = opened(world.bot(), turn.name)
        assert (found.number, found.state, found.closed_by_us) == (1, PullRequestState.CLOSED, True)
        assert len(world.comments(turn.name, 1)) == 1
        assert world.branches(turn.name) == {"main": turn.start}
        second = create(world.bot(), turn.name, turn.start)
        assert world.branches(turn.name) == {"main": turn.start, BRANCH: second.head}

    sweep(end).of(close, check, least=3, prepare=create)

"""The forge on GitHub at two emulators of it that others wrote: the contract, as far as these do as GitHub does."""

from dataclasses import replace

import pytest

from bot.core.errors import ForgeError
from bot.ports.forge import PullRequestState
from tests.adapters.forge.contract import (
    BRANCH,
    FILES,
    NEW,
    NEWER,
    REPOSITORY,
    ForgeContract,
    open_pull_request,
    proposal,
)
from tests.adapters.forge.differences import EMULATE, MYWORLD, Difference, expect
from tests.adapters.forge.emulator_world import EmulateWorld, MyWorldWorld
from tests.adapters.forge.world import File
from tests.lab.emulators.bridge import Bridge, bridged
from tests.lab.emulators.emulate import Emulate
from tests.lab.emulators.emulate_bridge import LackingInEmulate
from tests.lab.emulators.myworld import MyWorld
from tests.lab.emulators.rest import BOT

pytestmark = pytest.mark.soak

CREATE = "github.pulls.create"


class TestEmulate(ForgeContract):
    @pytest.fixture(autouse=True)
    def difference(self, request: pytest.FixtureRequest) -> None:
        expect(request, EMULATE)

    @pytest.fixture
    def world(self, emulate_world: EmulateWorld) -> EmulateWorld:
        return emulate_world


class TestMyWorld(ForgeContract):
    @pytest.fixture(autouse=True)
    def difference(self, request: pytest.FixtureRequest) -> None:
        expect(request, MYWORLD)

    @pytest.fixture
    def world(self, myworld_world: MyWorldWorld) -> MyWorldWorld:
        return myworld_world


@pytest.mark.parametrize("differences", [EMULATE, MYWORLD], ids=["emulate", "myworld"])
def test_each_difference_is_of_one_test_of_the_contract(differences: tuple[Difference, ...]) -> None:
    named = [test for one in differences for test in (*one.tests, *one.by_chance)]

    assert len(named) == len(set(named))
    assert {test.partition("[")[0] for test in named} <= set(dir(ForgeContract))


def test_the_emulators_listen_on_loopback_alone(emulate_server: Emulate, myworld_server: MyWorld) -> None:
    for server in (emulate_server, myworld_server):
        assert server.program.listens_at() == {"127.0.0.1"}


def test_the_front_passes_on_what_the_emulator_can(emulate_server: Emulate, emulate_world: EmulateWorld) -> None:
    """Byte for byte, done or refused; only what stands in headers for each connection differs."""
    commit = emulate_world.create_repository(REPOSITORY, FILES)
    there, path = emulate_server.program.host, f"/repos/{REPOSITORY}"
    asked: list[tuple[str, str, object]] = [
        ("GET", path, None),
        ("GET", f"{path}/git/trees/{commit}?recursive=1", None),
        ("GET", f"{path}/contents/app/Dockerfile?ref=main", None),
        ("POST", f"{path}/git/refs", {"ref": "refs/heads/main", "sha": commit}),
        ("GET", "/no/such/thing", None),
    ]
    with bridged(Bridge(there, "", LackingInEmulate())) as web:
        direct, through = emulate_world.person, replace(emulate_world.person, host=web.host)
        answers = [(direct.send(*one), through.send(*one)) for one in asked]

    assert [(one.status, one.body) for one, _ in answers] == [(other.status, other.body) for _, other in answers]
    assert [one.status for one, _ in answers] == [200, 200, 200, 422, 404]
    assert all(one.headers["content-type"] == other.headers["content-type"] for one, other in answers)


# Listing


def test_what_stands_in_the_settings_by_name_is_found_or_told(
    emulate_world: EmulateWorld, myworld_world: MyWorldWorld
) -> None:
    for world in (emulate_world, myworld_world):
        commit = world.create_repository(REPOSITORY, FILES)
        open_pull_request(world.bot(), commit)

        gone, found = world.bot(REPOSITORY, "acme/gone").repositories()

        assert (gone.name, gone.commit, found.name, found.fault) == ("acme/gone", "", REPOSITORY, "")
        assert "acme/gone" in gone.fault
        assert (found.default_branch, found.commit) == ("main", commit)
        assert [(own.name, own.opened is not None) for own in found.branches] == [(BRANCH, True)]


# Where it ends early


@pytest.mark.parametrize(
    "fault",
    [
        {"tool": CREATE, "kind": "timeout_after_commit", "on_call": 1},
        {"tool": CREATE, "kind": "timeout", "on_call": 1},
        {"tool": CREATE, "kind": "server_error", "on_call": 1, "status": 502},
        {"tool": CREATE, "kind": "rate_limit", "on_call": 1},
        {"tool": "github.git.createRef", "kind": "server_error", "on_call": 1, "status": 502},
        {"tool": "github.git.createRef", "kind": "timeout_after_commit", "on_call": 1},
        {"tool": "github.repos.createOrUpdateFileContents", "kind": "timeout_after_commit", "on_call": 1},
    ],
    ids=lambda fault: f"{fault['tool']} {fault['kind']}",
)
def test_what_goes_wrong_once_leaves_one_pull_request(myworld_world: MyWorldWorld, fault: dict[str, object]) -> None:
    """The trouble is planned at myworld: a thing is done and not answered, or not done at all."""
    commit = myworld_world.create_repository(REPOSITORY, FILES)
    myworld_world.go_wrong(fault)

    opened = open_pull_request(myworld_world.bot(), commit)

    assert list(myworld_world.bot().pull_requests(REPOSITORY, BRANCH)) == [opened]
    assert (opened.state, opened.by_us) == (PullRequestState.OPEN, True)
    assert myworld_world.parents(REPOSITORY, opened.head) == [commit]
    assert myworld_world.branches(REPOSITORY) == {"main": commit, BRANCH: opened.head}
    assert myworld_world.files(REPOSITORY, opened.head)["app/Dockerfile"] == File(NEW)


def test_a_pull_request_whose_answer_cannot_be_read_is_found_the_next_time(myworld_world: MyWorldWorld) -> None:
    """Half of the answer comes, as a text that is whole."""
    commit = myworld_world.create_repository(REPOSITORY, FILES)
    myworld_world.go_wrong({"tool": CREATE, "kind": "truncated", "on_call": 1})
    with pytest.raises(ForgeError, match="an answer of GitHub is not as described"):
        open_pull_request(myworld_world.bot(), commit)

    opened = open_pull_request(myworld_world.bot(), commit)

    assert list(myworld_world.bot().pull_requests(REPOSITORY, BRANCH)) == [opened]


def test_a_branch_whose_pull_request_never_came_is_taken_over(myworld_world: MyWorldWorld) -> None:
    """The crash between the two, at myworld: pull requests fail until the bot gives up."""
    commit = myworld_world.create_repository(REPOSITORY, FILES)
    myworld_world.go_wrong({"tool": CREATE, "kind": "server_error", "times": None})
    with pytest.raises(ForgeError, match=BRANCH):
        open_pull_request(myworld_world.bot(), commit)
    assert {*myworld_world.branches(REPOSITORY)} == {"main", BRANCH}
    myworld_world.go_wrong()
    pushed = myworld_world.push(REPOSITORY, "main", {"README.md": File(b"More\n")})

    opened = open_pull_request(myworld_world.bot(), pushed, {"app/Dockerfile": NEWER})

    assert list(myworld_world.bot().pull_requests(REPOSITORY, BRANCH)) == [opened]
    assert myworld_world.parents(REPOSITORY, opened.head) == [pushed]


def test_a_branch_whose_pull_request_was_refused_is_taken_over(emulate_world: EmulateWorld) -> None:
    """The crash between the two, at emulate: it refuses a title of spaces, when the branch is there already."""
    commit = emulate_world.create_repository(REPOSITORY, FILES)
    with pytest.raises(ForgeError, match="422"):
        emulate_world.bot().create(
            repository=REPOSITORY, branch=BRANCH, base="main", proposal=proposal(commit, title=" ")
        )
    assert {*emulate_world.branches(REPOSITORY)} == {"main", BRANCH}
    pushed = emulate_world.push(REPOSITORY, "main", {"README.md": File(b"More\n")})

    opened = open_pull_request(emulate_world.bot(), pushed, {"app/Dockerfile": NEWER})

    assert list(emulate_world.bot().pull_requests(REPOSITORY, BRANCH)) == [opened]
    assert emulate_world.parents(REPOSITORY, opened.head) == [pushed]


# Persons


def test_a_push_that_the_pull_request_does_not_show_is_kept(emulate_world: EmulateWorld) -> None:
    """At emulate it never does; at GitHub it does after a while."""
    commit = emulate_world.create_repository(REPOSITORY, FILES)
    bot = emulate_world.bot()
    opened = open_pull_request(bot, commit)
    pushed = emulate_world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})

    with pytest.raises(ForgeError, match="changed since it was read"):
        bot.refresh(opened, proposal(commit, NEWER, title="Again"))
    with pytest.raises(ForgeError, match="changed since it was read"):
        bot.close(opened, comment="No longer needed.")

    assert emulate_world.branches(REPOSITORY)[BRANCH] == pushed


def test_a_close_is_explained_in_a_comment(emulate_world: EmulateWorld, myworld_world: MyWorldWorld) -> None:
    for world in (emulate_world, myworld_world):
        bot = world.bot()
        opened = open_pull_request(bot, world.create_repository(REPOSITORY, FILES))

        bot.close(opened, comment="No longer needed.")

        (comment,) = world.person.get(f"/repos/{REPOSITORY}/issues/{opened.number}/comments")
        assert (comment["user"]["login"], comment["body"].splitlines()[0]) == (BOT, "No longer needed.")

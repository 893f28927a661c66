"""The forge on GitHub: the contract over the fake, and what only this one has to withstand."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.forge.github import AppTokens, FixedToken, GitHub, GitHubForge, Sender, Site, Tokens
from bot.adapters.transport import Transport
from bot.core.errors import ForgeError
from bot.ports.forge import PullRequestState, SourceRepository
from tests.adapters.forge.contract import BRANCH, FILES, NEW, NEWER, REPOSITORY, CommitContract, ForgeContract, open_pull_request, sources
from tests.adapters.forge.github.cut import CutTransport, End, Killed
from tests.adapters.forge.github_world import GithubWorld
from tests.adapters.forge.world import EXECUTABLE, Bot, File, World, git
from tests.conftest import Figure
from tests.lab.clock import WoundClock
from tests.lab.github.fake import FakeGitHub, github_fake
from tests.lab.web import Answer

Make = Callable[..., GitHubForge]
BESIDE = f"{BRANCH}-next"


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def fake(tmp_path: Path, clock: WoundClock) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path, clock=clock) as fake:
        yield fake


@pytest.fixture
def make(fake: FakeGitHub, clock: WoundClock) -> Iterator[Make]:
    """Make a forge: with a token that may do everything, for all of acme, unless told otherwise."""
    with ExitStack() as stack:

        def make(
            include: Sequence[str] = ("acme/*",),
            *,
            token: str | None = None,
            app: tuple[int, str] | None = None,
            transport: Transport | None = None,
        ) -> GitHubForge:
            transport = transport or stack.enter_context(closing(Transport(clock, timeouts=(5, 30))))
            sender = Sender(transport, Site.of(fake.enterprise_url), clock)
            tokens: Tokens = AppTokens(sender, *app, clock) if app else FixedToken(token or fake.token())
            return GitHubForge(GitHub(sender, tokens), include)

        yield make


@pytest.fixture
def world(tmp_path: Path, fake: FakeGitHub, make: Make) -> GithubWorld:
    (tmp_path / "desk").mkdir()
    return GithubWorld(fake, tmp_path / "desk", make)


@pytest.fixture
def commit(world: GithubWorld) -> str:
    return world.create_repository(REPOSITORY, FILES)


class TestGitHubForge(ForgeContract):
    @pytest.fixture
    def world(self, world: GithubWorld) -> World:
        return world


class TestGitHubCommits(CommitContract):
    @pytest.fixture
    def world(self, world: GithubWorld) -> World:
        return world

    @pytest.fixture
    def lister(self, make: Make) -> GitHubForge:
        return make()


# Listing


def test_names_and_patterns_are_listed_once_with_one_request_each_kind(world: GithubWorld, make: Make) -> None:
    for name in ("acme/orders", "acme/pay-in", "acme/pay-out", "other/orders", "other/pay"):
        world.create_repository(name, FILES)

    listed = make(["acme/pay-*", "other/orders", "acme/orders", "acme/pay-in"]).repositories()

    assert [each.name for each in listed] == ["acme/orders", "acme/pay-in", "acme/pay-out", "other/orders"]
    assert all(each.commit and not each.fault for each in listed)
    assert world.fake.exchanges["Owner"] + world.fake.exchanges["Named"] == 3


def test_more_than_a_page_is_listed(world: GithubWorld, make: Make) -> None:
    for number in range(101):
        world.fake.create_repository(f"acme/r{number:03}", {"Dockerfile": b"FROM x\n"})

    listed = make().repositories()

    assert [each.name for each in listed] == [f"acme/r{number:03}" for number in range(101)]
    assert world.fake.exchanges["Owner"] == 2


def test_a_renamed_repository_says_its_new_name_and_the_others_go_on(world: GithubWorld, make: Make) -> None:
    for name in ("acme/orders", "acme/pay"):
        world.create_repository(name, FILES)
    world.fake.rename_repository("acme/orders", "acme/sales")

    orders, pay, unknown = make(["acme/orders", "acme/pay", "acme/unknown"]).repositories()

    assert orders.fault == "it is acme/sales now; write that under include"
    assert pay.commit
    assert "check its name, and that the token may see it" in unknown.fault


def test_the_case_of_a_name_does_not_matter(make: Make, commit: str) -> None:
    (listed,) = make(["ACME/Orders"]).repositories()

    assert (listed.name, listed.commit) == (REPOSITORY, commit)


def test_a_private_repository_that_the_token_may_not_see_is_a_fault(world: GithubWorld, make: Make) -> None:
    world.fake.create_repository("acme/secret", {"Dockerfile": b"FROM x\n"}, private=True)

    (listed,) = make(["acme/secret"], token=world.fake.token(repositories=["acme/other"])).repositories()

    assert listed.fault.startswith("acme/secret: GitHub does not let us see it")


def test_an_unknown_owner_is_named(make: Make) -> None:
    with pytest.raises(ForgeError, match=r"nobody-here: GitHub knows no such user or organisation; correct include"):
        make(["nobody-here/*"]).repositories()


# Identities


def test_an_app_works_where_it_is_installed_and_says_where_it_is_not(world: GithubWorld, make: Make) -> None:
    for name in ("acme/orders", "other/orders"):
        world.create_repository(name, FILES)
    forge = make(["acme/*", "other/*"], app=world.fake.app(installations={"acme": None}))

    acme, other = forge.repositories()

    opened = open_pull_request(forge, acme.commit)
    assert opened.state is PullRequestState.OPEN
    assert list(forge.pull_requests(REPOSITORY, BRANCH)) == [opened]
    assert other.name == "other/*"
    assert "is not installed there; install it, or take other out" in other.fault


def test_the_token_of_an_app_is_renewed_before_it_ends(
    world: GithubWorld, make: Make, commit: str, clock: WoundClock
) -> None:
    forge, start = make(app=world.fake.app(installations={"acme": None})), clock.now()

    for minutes in (0, 54, 57, 200):
        clock.wait_until(start + timedelta(minutes=minutes))
        assert forge.repositories()[0].commit == commit

    assert world.fake.exchanges["apps/create-installation-access-token"] == 3


def test_a_key_that_is_none_is_named(make: Make, commit: str) -> None:
    forge = make(app=(7, "no key"))

    with pytest.raises(ForgeError, match=r"the private key of the GitHub App 7 cannot be used; give the PEM file"):
        forge.repositories()
    assert commit


def test_an_expired_token_is_told_with_the_cure(world: GithubWorld, make: Make, commit: str) -> None:
    token = world.fake.token()
    forge = make(token=token)
    world.fake.expire(token)

    with pytest.raises(ForgeError, match=r"\(401 Bad credentials\); the token is expired, revoked or mistyped"):
        sources(forge, commit)


@pytest.mark.parametrize(
    ("permissions", "needed"),
    [
        ({"contents": "read", "pull_requests": "write"}, "contents"),
        ({"contents": "write", "pull_requests": "read"}, "pull"),
    ],
)
def test_a_missing_permission_is_told_with_the_cure(
    world: GithubWorld, make: Make, commit: str, permissions: dict[str, str], needed: str
) -> None:
    forge = make(token=world.fake.token(permissions={"metadata": "read", **permissions}))

    with pytest.raises(
        ForgeError, match=rf"give the token the permission .*{needed}.*in a workflow, under permissions"
    ):
        open_pull_request(forge, commit)


def test_workflows_that_may_not_open_pull_requests_are_told_where_to_allow_it(
    world: GithubWorld, make: Make, commit: str
) -> None:
    world.fake.let_actions_open_pulls(False)

    with pytest.raises(ForgeError, match="allow GitHub Actions to create pull requests under Settings"):
        open_pull_request(make(token=world.fake.token("github-actions[bot]")), commit)


def test_a_checkout_with_a_token_that_ended_names_the_cure_and_not_the_token(
    world: GithubWorld, make: Make, commit: str
) -> None:
    token = world.fake.token()
    world.fake.expire(token)

    with (
        pytest.raises(ForgeError, match=r"acme/orders: git cannot fetch .*; check what the token may read") as raised,
        make(token=token).checkout(REPOSITORY, commit),
    ):
        pytest.fail("it was checked out")
    assert token not in str(raised.value)


# What is written


def test_a_refresh_leaves_no_branch_beside_and_the_pull_request_open(
    world: GithubWorld, make: Make, commit: str
) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)

    refreshed = forge.refresh(opened, commit=commit, files={"app/Dockerfile": NEWER}, title="Again", body="")

    assert world.branches(REPOSITORY) == {"main": commit, BRANCH: refreshed.head}
    assert list(forge.pull_requests(REPOSITORY, BRANCH)) == [refreshed]


def test_commits_are_githubs_own_where_all_files_are_regular(world: GithubWorld, make: Make, commit: str) -> None:
    opened = open_pull_request(make(), commit)

    committer = git(world.path(REPOSITORY), "show", "--no-patch", "--format=%cn <%ce>", opened.head)
    assert committer == b"GitHub <noreply@github.com>\n"


def test_an_executable_file_stays_one_and_the_pull_request_ours(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit, {"app/run.sh": b"#!/bin/bash\n"})

    (found,) = forge.pull_requests(REPOSITORY, BRANCH)

    assert found == opened
    assert world.files(REPOSITORY, opened.head)["app/run.sh"] == File(b"#!/bin/bash\n", EXECUTABLE)
    assert world.fake.exchanges["Commit"] == 0


def test_a_pull_request_from_a_fork_is_none_of_ours(world: GithubWorld, make: Make, commit: str) -> None:
    """Anybody may call a branch of a fork like ours."""
    forge = make()
    opened = open_pull_request(forge, commit)
    pull = {
        "number": 7,
        "title": "Mine",
        "body": opened.body,
        "url": "https://example.com/acme/orders/pull/7",
        "state": "OPEN",
        "isCrossRepository": True,
        "headRefOid": opened.head,
        "baseRefName": "main",
    }
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [pull]}
    data = {"viewer": {"login": "refrom[bot]"}, "repository": {"id": "R_1", "pullRequests": page}}

    world.fake.faults.plan("Look", answer=Answer(body=json.dumps({"data": data}).encode()))

    assert forge.pull_requests(REPOSITORY, BRANCH) == []
    assert forge.pull_requests(REPOSITORY, BRANCH) == [opened]


# What others do meanwhile


def looked(forge: GitHubForge, branch: str, base: str, *pulls: dict[str, object]) -> Answer:
    """A look at the repository that is already of the past."""
    node = forge._github.look(REPOSITORY, BRANCH).id
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [*pulls]}
    tips = {"branch": {"target": {"oid": branch, "message": "A person's work"}}, "base": {"target": {"oid": base}}}
    data = {"viewer": {"login": "refrom[bot]"}, "repository": {"id": node, **tips, "pullRequests": page}}
    return Answer(body=json.dumps({"data": data}).encode())


def test_a_commit_of_another_bot_is_not_taken_for_that_of_a_person(world: GithubWorld, make: Make, commit: str) -> None:
    """The other one has made the branch when we look, and commits to it before we compare it with its base."""
    forge = make()
    opened = open_pull_request(make(), commit)
    world.fake.faults.plan("Look", answer=looked(forge, commit, commit))

    assert open_pull_request(forge, commit) == opened


def test_a_push_that_the_pull_request_does_not_show_yet_is_kept(world: GithubWorld, make: Make, commit: str) -> None:
    """GitHub updates pull requests some time after a push."""
    forge = make()
    opened = open_pull_request(forge, commit)
    pushed = world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})
    shown = {"number": opened.number, "title": "", "body": "", "url": "", "state": "OPEN", "isCrossRepository": False}
    shown |= {"headRefOid": opened.head, "baseRefName": "main"}
    world.fake.faults.plan("Look", answer=looked(forge, pushed, commit, shown))

    with pytest.raises(ForgeError, match=r"pull request 1 changed since it was read"):
        forge.refresh(opened, commit=commit, files={"app/Dockerfile": NEWER}, title="Again", body="")

    assert world.branches(REPOSITORY)[BRANCH] == pushed


# Wherever it ends, one pull request


def ends(forge: Bot, act: Callable[[Bot], object]) -> bool:
    """Act; say whether that came to its end."""
    try:
        act(forge)
    except (Killed, ForgeError):
        return False
    return True


@pytest.mark.parametrize("end", End)
@pytest.mark.parametrize("path", ["app/Dockerfile", "app/run.sh"], ids=["regular file", "executable file"])
def test_a_creation_that_ends_anywhere_and_is_repeated_gives_one_pull_request(
    world: GithubWorld, make: Make, clock: WoundClock, figure: Figure, end: End, path: str
) -> None:
    for at in range(1, 20):
        name = f"acme/cut{at}"
        start = world.create_repository(name, FILES)

        def act(forge: Bot, name: str = name, start: str = start) -> object:
            return forge.create(
                repository=name, branch=BRANCH, base="main", commit=start, files={path: NEW}, title="Update", body="Why"
            )

        with closing(CutTransport(clock, at=at, end=end)) as transport:
            came = ends(make(transport=transport), act)
        assert came or end in (End.KILLED_BEFORE, End.KILLED_AFTER), "without an answer it looks, and goes on"
        again = act(make())
        (found,) = world.bot().pull_requests(name, BRANCH)
        assert again == found
        assert (found.state, found.by_us) == (PullRequestState.OPEN, True)
        assert world.files(name, found.head)[path].content == NEW
        assert world.parents(name, found.head) == [start]
        assert world.branches(name) == {"main": start, BRANCH: found.head}
        if transport.writes < at:
            assert at > 3, "so few requests cannot be a creation"
            opened = {len(world.fake.pulls(f"acme/cut{number}")) for number in range(1, at + 1)}
            figure(f"pull requests after a creation that ends at any of {at - 1} writes ({end.name})", opened, {1})
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("end", End)
def test_a_refresh_that_ends_anywhere_and_is_repeated_comes_to_its_end(
    world: GithubWorld, make: Make, clock: WoundClock, end: End
) -> None:
    for at in range(1, 20):
        name = f"acme/cut{at}"
        start = world.create_repository(name, FILES)
        forge = world.bot()
        given = {"repository": name, "branch": BRANCH, "base": "main", "title": "Update", "body": "Why"}
        forge.create(**given, commit=start, files={"app/Dockerfile": NEW})

        def act(forge: Bot, name: str = name, start: str = start) -> object:
            (found,) = forge.pull_requests(name, BRANCH)
            return forge.refresh(found, commit=start, files={"app/Dockerfile": NEWER}, title="Again", body="Better")

        with closing(CutTransport(clock, at=at, end=end)) as transport:
            ends(make(transport=transport), act)
        act(world.bot())
        (found,) = world.bot().pull_requests(name, BRANCH)
        assert (found.state, found.by_us, found.title) == (PullRequestState.OPEN, True, "Again")
        assert world.files(name, found.head)["app/Dockerfile"] == File(NEWER)
        assert world.branches(name) == {"main": start, BRANCH: found.head}
        if transport.writes < at:
            assert at > 4, "so few requests cannot be a refresh"
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("end", End)
def test_a_close_that_ends_anywhere_is_ours_and_the_next_creation_works(
    world: GithubWorld, make: Make, clock: WoundClock, end: End
) -> None:
    for at in range(1, 20):
        name = f"acme/cut{at}"
        start = world.create_repository(name, FILES)
        given = {"repository": name, "branch": BRANCH, "base": "main", "title": "Update", "body": "Why"}
        first = world.bot().create(**given, commit=start, files={"app/Dockerfile": NEW})

        def act(forge: Bot, name: str = name) -> object:
            (found,) = forge.pull_requests(name, BRANCH)
            forge.close(found, comment="No longer needed.")
            return found

        with closing(CutTransport(clock, at=at, end=end)) as transport:
            ends(make(transport=transport), act)
        act(world.bot())
        (found,) = world.bot().pull_requests(name, BRANCH)
        assert (found.number, found.state, found.closed_by_us) == (first.number, PullRequestState.CLOSED, True)
        assert len(world.fake.comments(name, first.number)) <= 1
        second = world.bot().create(**given, commit=start, files={"app/Dockerfile": NEWER})
        assert world.branches(name) == {"main": start, BRANCH: second.head}
        if transport.writes < at:
            assert at > 3, "so few requests cannot be a close"
            return
    pytest.fail("it never came to its end")

"""The forge on GitHub: the contract over the fake, and what only this one has to withstand."""

from datetime import timedelta

import pytest

from bot.adapters.forge.github import GitHubForge
from bot.core.errors import ForgeError
from bot.ports.forge import PullRequestState
from tests.adapters.forge.contract import (
    BRANCH,
    FILES,
    REPOSITORY,
    CommitContract,
    ForgeContract,
    open_pull_request,
    sources,
)
from tests.adapters.forge.github.conftest import Make
from tests.adapters.forge.github_world import GithubWorld
from tests.adapters.forge.world import World
from tests.lab.clock import WoundClock
from tests.lab.web import Answer

BESIDE = f"{BRANCH}-next"


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


def test_an_unknown_owner_is_named_and_the_others_are_listed(make: Make, commit: str) -> None:
    orders, nobody = make(["nobody-here/*", "acme/*"]).repositories()

    assert (orders.commit, nobody.name) == (commit, "nobody-here/*")
    assert nobody.fault == "nobody-here: GitHub knows no such user or organisation; correct include"


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


def test_an_app_that_is_suspended_somewhere_works_elsewhere(world: GithubWorld, make: Make, commit: str) -> None:
    suspended = Answer(status=403, body=b'{"message": "This installation has been suspended"}')
    world.fake.faults.plan("apps/create-installation-access-token", answer=suspended)

    acme, other = make(
        ["other/*", "acme/*"], app=world.fake.app(installations={"acme": None, "other": None})
    ).repositories()

    assert (acme.commit, other.name) == (commit, "other/*")
    assert "end the suspension where the App is installed" in other.fault


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

"""What persons do in the world of the GitHub forge is what GitHub then shows."""

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.adapters.forge.github_world import GithubWorld
from tests.adapters.forge.world import File, git
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub, github_fake

REPOSITORY = "acme/orders"
BRANCH = "refrom/x"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path / "github") as fake:
        yield fake


@pytest.fixture
def world(fake: FakeGitHub, tmp_path: Path) -> GithubWorld:
    """A repository with a pull request."""
    desk = tmp_path / "desk"
    desk.mkdir()
    world = GithubWorld(fake, desk, no_bot)
    world.create_repository(REPOSITORY, {"Dockerfile": File(b"FROM old\n")})
    world.push(REPOSITORY, BRANCH, {"Dockerfile": File(b"FROM new\n")})
    with Caller(fake.url, fake.token()) as api:
        api.post(f"/repos/{REPOSITORY}/pulls", {"title": "Update", "head": BRANCH, "base": "main"})
    return world


def no_bot() -> NoReturn:
    raise AssertionError("these tests need no bot")


def states(fake: FakeGitHub) -> list[str]:
    pulls = fake.pulls(REPOSITORY)
    return ["merged" if pull.merged else "open" if pull.is_open else "closed" for pull in pulls]


def test_buttons_are_pressed(fake: FakeGitHub, world: GithubWorld) -> None:
    world.close(REPOSITORY, 1)
    assert states(fake) == ["closed"]

    world.forget_pull_request(REPOSITORY, 1)
    assert states(fake) == []


def test_a_merge_is_a_merge(fake: FakeGitHub, world: GithubWorld) -> None:
    world.merge(REPOSITORY, 1)

    assert states(fake) == ["merged"]
    assert world.files(REPOSITORY, world.branches(REPOSITORY)["main"])["Dockerfile"] == File(b"FROM new\n")


def test_a_branch_that_was_rewritten_and_then_merged_is_merged(fake: FakeGitHub, world: GithubWorld) -> None:
    """GitHub looks at every push; looked at once afterwards, it would seem to have been pushed to its base."""
    path = world.path(REPOSITORY)
    amended = git(path, "commit-tree", f"{BRANCH}^{{tree}}", "-p", "main", "-m", "Amended").decode().strip()
    git(path, "update-ref", f"refs/heads/{BRANCH}", amended)
    world.push(REPOSITORY, BRANCH, {"README": File(b"Mine\n")})

    world.merge_with_git(REPOSITORY, BRANCH)
    world.delete_branch(REPOSITORY, BRANCH)

    assert states(fake) == ["merged"]


def test_a_deleted_branch_closes_its_pull_request_though_it_comes_back(fake: FakeGitHub, world: GithubWorld) -> None:
    world.delete_branch(REPOSITORY, BRANCH)
    world.push(REPOSITORY, BRANCH, {"Dockerfile": File(b"FROM newer\n")})

    assert states(fake) == ["closed"]


def test_a_renamed_default_branch_takes_its_pull_requests_along(fake: FakeGitHub, world: GithubWorld) -> None:
    world.rename_default_branch(REPOSITORY, "trunk")

    assert (states(fake), fake.pulls(REPOSITORY)[0].base) == (["open"], "trunk")

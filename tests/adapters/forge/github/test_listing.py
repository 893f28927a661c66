"""Which repositories of a GitHub are handled, and what one page says of them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.forge.github import GitHubForge
from bot.ports.forge import OwnBranch
from tests.adapters.forge.contract import BRANCH, FILES, REPOSITORY, open_pull_request
from tests.adapters.forge.github.conftest import Make
from tests.adapters.forge.github_world import GithubWorld
from tests.lab.clock import WoundClock
from tests.lab.github.faults import gateway_timeout
from tests.lab.web import Answer

SOURCE = {"Dockerfile": b"FROM x\n"}


def names(forge: GitHubForge) -> list[str]:
    return [listed.name.removeprefix("acme/") for listed in forge.repositories()]


@pytest.fixture
def zoo(world: GithubWorld) -> GithubWorld:
    """One repository of each kind."""
    kinds: Mapping[str, Mapping[str, Any]] = {
        "plain": {},
        "archived": {"archived": True},
        "fork": {"fork": True},
        "internal": {"internal": True},
        "private": {"private": True},
        "lambda": {"topics": ["lambda", "team-a"]},
        "retired": {"topics": ["lambda", "retired"]},
    }
    for name, kind in kinds.items():
        world.fake.create_repository(f"acme/{name}", SOURCE, **kind)
    return world


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({}, ["internal", "lambda", "plain", "private", "retired"]),
        ({"forks": True}, ["fork", "internal", "lambda", "plain", "private", "retired"]),
        ({"archived": True}, ["archived", "internal", "lambda", "plain", "private", "retired"]),
        ({"exclude": ["acme/P*", "*/retired"]}, ["internal", "lambda"]),
        ({"topics": ["lambda", "unused"]}, ["lambda", "retired"]),
        ({"topics": ["lambda"], "exclude_topics": ["retired"]}, ["lambda"]),
        ({"exclude_topics": ["lambda"]}, ["internal", "plain", "private"]),
        ({"visibility": ["public"]}, ["lambda", "plain", "retired"]),
        ({"visibility": ["private", "internal"]}, ["internal", "private"]),
    ],
    ids=str,
)
@pytest.mark.usefixtures("zoo")
def test_what_a_pattern_finds_is_kept_by_the_filters(make: Make, filters: Mapping[str, Any], kept: list[str]) -> None:
    assert names(make(**filters)) == kept


@pytest.mark.usefixtures("zoo")
def test_a_named_repository_is_kept_whatever_it_is_unless_it_is_excluded(make: Make) -> None:
    named = ["acme/archived", "acme/fork", "acme/private", "acme/plain"]

    forge = make(named, exclude=["acme/plain"], topics=["lambda"], visibility=["public"])

    assert names(forge) == ["archived", "fork", "private"]


@pytest.mark.usefixtures("zoo")
def test_an_archived_repository_says_why_nothing_can_be_written_to_it(make: Make) -> None:
    for forge in (make(["acme/archived"]), make(["acme/a*"], archived=True)):
        (listed,) = forge.repositories()

        assert listed.commit
        assert listed.read_only == "it is archived, so nothing can be written to it; unarchive it, or exclude it"


def test_an_empty_repository_that_is_named_is_a_fault(world: GithubWorld, make: Make) -> None:
    world.create_repository("acme/empty", {})

    (listed,) = make(["acme/empty"]).repositories()

    assert (listed.fault, listed.commit) == ("it is empty; push a first commit", "")


def test_a_default_branch_that_is_gone_is_a_fault(world: GithubWorld, make: Make, commit: str) -> None:
    world.push(REPOSITORY, "other", {})
    world.delete_branch(REPOSITORY, "other")
    world.push(REPOSITORY, "kept", {})
    (world.path(REPOSITORY) / "HEAD").write_text("ref: refs/heads/gone\n")

    (listed,) = make().repositories()

    assert commit
    assert listed.fault == "it has no default branch; choose one in its settings on GitHub"


# Our branches


def test_our_branches_come_with_the_list_and_cost_nothing_more(
    world: GithubWorld, make: Make, commit: str, clock: WoundClock
) -> None:
    forge = make()
    open_pull_request(forge, commit)
    before = sum(world.fake.exchanges.values())

    (listed,) = forge.repositories()

    assert listed.branches == (OwnBranch(name=BRANCH, opened=clock.now().replace(microsecond=0)),)
    assert sum(world.fake.exchanges.values()) == before + 1


def test_all_our_branches_are_found_though_they_fill_pages(world: GithubWorld, make: Make, commit: str) -> None:
    """What GitHub's filter finds may be others' branches: the word may stand anywhere in a name."""
    ours = {f"refrom/b{number:03}" for number in range(105)}
    for branch in ours | {f"a/refrom/{number}" for number in range(4)}:
        (world.path(REPOSITORY) / "refs/heads" / branch).parent.mkdir(parents=True, exist_ok=True)
        (world.path(REPOSITORY) / "refs/heads" / branch).write_text(f"{commit}\n")

    (listed,) = make().repositories()

    assert {branch.name for branch in listed.branches} == ours
    assert world.fake.exchanges["OwnBranches"] == 2


@pytest.mark.parametrize("prefix", ["refs/heads/", "refs/heads/refrom/"], ids=["whole name", "name below the prefix"])
def test_it_does_not_matter_how_github_cuts_the_name_of_a_branch(
    world: GithubWorld, make: Make, commit: str, prefix: str
) -> None:
    name = "refs/heads/refrom/x".removeprefix(prefix)
    opened = {"nodes": [{"createdAt": "2026-11-20T12:00:00Z"}]}
    refs = {
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "nodes": [
            {"prefix": prefix, "name": name, "associatedPullRequests": opened},
            {"prefix": "refs/heads/", "name": "main", "associatedPullRequests": {"nodes": []}},
        ],
    }
    node = {
        "nameWithOwner": REPOSITORY,
        **dict.fromkeys(("isArchived", "isDisabled", "isEmpty", "isFork"), False),
        "visibility": "PUBLIC",
        "defaultBranchRef": {"name": "main", "target": {"oid": commit}},
        "repositoryTopics": {"nodes": []},
        "refs": refs,
    }
    page = {"pageInfo": refs["pageInfo"], "nodes": [node]}
    answer = {"data": {"repositoryOwner": {"repositories": page}}}
    world.fake.faults.plan("Owner", answer=Answer(body=json.dumps(answer).encode()))

    (listed,) = make().repositories()

    assert listed.branches == (OwnBranch(name="refrom/x", opened=datetime(2026, 11, 20, 12, tzinfo=UTC)),)


# What is too much


def test_a_page_that_github_does_not_manage_is_asked_for_in_parts(world: GithubWorld, make: Make) -> None:
    for number in range(60):
        world.fake.create_repository(f"acme/r{number:03}", SOURCE)
    world.fake.faults.plan("Owner", answer=gateway_timeout())

    assert names(make()) == [f"r{number:03}" for number in range(60)]
    assert world.fake.exchanges["Owner"] == 3


def test_named_repositories_that_github_does_not_manage_at_once_are_asked_for_in_parts(
    world: GithubWorld, make: Make
) -> None:
    named = [f"acme/r{number}" for number in range(4)]
    for name in named:
        world.create_repository(name, FILES)
    world.fake.faults.plan("Named", answer=gateway_timeout())

    assert [listed.name for listed in make(named).repositories() if listed.commit] == named
    assert world.fake.exchanges["Named"] == 3

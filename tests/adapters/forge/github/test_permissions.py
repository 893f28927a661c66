"""The least permissions: what doctor checks, what the docs list and what GitHub asks for are the same."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.forge.github import FixedToken, GitHub, Sender, Site
from bot.adapters.forge.github.calls import Message, RefUpdate
from bot.adapters.forge.github.examination import FOR_TEAMS, NEEDED
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.transport import Transport
from tests.lab.clock import WoundClock
from tests.lab.github.fake import FakeGitHub, github_fake

HOW_TO = Path(__file__).parents[4] / "docs/how-to"
REPOSITORY, BRANCH = "acme/orders", "refrom/x"
FOR_ROLLOUTS = {"checks": "read", "commit_statuses": "read"}
LEAST = {"metadata": "read", **dict.fromkeys(NEEDED, "write")}
WORKFLOW_FILES = {"workflows": "write"}
"""Beside the least, for who wants bases in workflow files updated."""


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path, clock=WoundClock()) as fake:
        fake.create_repository(REPOSITORY, {"Dockerfile": b"FROM old\n"}, private=True)
        fake.add_collaborator(REPOSITORY, "ada")
        fake.add_team(REPOSITORY, "platform")
        yield fake


def propose(fake: FakeGitHub, permissions: dict[str, str], *, teams: tuple[str, ...] = ()) -> None:
    """Make each kind of change that a pull request costs, and ask some teams."""
    clock = WoundClock()
    token = FixedToken(fake.token("refrom[bot]", permissions, [REPOSITORY]))
    with closing(Transport(clock)) as transport:
        github = GitHub(Sender(transport, Site.of(fake.url), clock), token)
        seen = github.look(REPOSITORY, BRANCH, "main")
        assert seen.base
        parent = seen.base.oid
        github.move(REPOSITORY, seen.id, [RefUpdate(name=f"refs/heads/{BRANCH}", new=parent)])
        message = Message(headline="Update", body="")
        github.commit_on_branch(REPOSITORY, BRANCH, parent, {"Dockerfile": b"FROM new\n"}, message)
        made = github.open_pull_request(REPOSITORY, head=BRANCH, base="main", title="Update", body="", draft=False)
        github.add_labels(REPOSITORY, made.number, ["lambda-base"])
        github.ask_for_review(REPOSITORY, made.number, people=["ada"], teams=teams)
        github.delete_comment(REPOSITORY, github.comment(REPOSITORY, made.number, "Why"))
        github.update_pull_request(REPOSITORY, made.number, state="closed")


def test_the_least_permissions_are_enough(fake: FakeGitHub) -> None:
    propose(fake, LEAST)

    (pull,) = fake.pulls(REPOSITORY)
    assert not pull.is_open


def test_a_team_needs_one_more(fake: FakeGitHub) -> None:
    with pytest.raises(Refusal, match="Could not resolve to a node"):
        propose(fake, LEAST, teams=("platform",))
    fake.close(REPOSITORY, 1)
    propose(fake, {**LEAST, **FOR_TEAMS}, teams=("platform",))

    assert fake.reviewers(REPOSITORY, 2) == ["ada", "acme/platform"]


@pytest.mark.parametrize("lacking", NEEDED)
def test_none_of_them_is_too_much(fake: FakeGitHub, lacking: str) -> None:
    with pytest.raises(Refusal, match="give the token the permission"):
        propose(fake, {**LEAST, lacking: "read"})


@pytest.mark.parametrize("page", ["github.md", "github-organisation.md"])
def test_the_pages_list_them(page: str) -> None:
    text = (HOW_TO / page).read_text()
    listed = {name.lower().replace(" ", "_"): level for name, level in re.findall(r"\*\*([\w ]+): (\w+)\*\*", text)}

    assert listed == LEAST | WORKFLOW_FILES | FOR_TEAMS | FOR_ROLLOUTS


def test_the_workflow_on_its_page_has_them() -> None:
    text = (HOW_TO / "github-one-repository.md").read_text()
    granted = dict(re.findall(r"^      ([a-z-]+): (read|write)\b", text, re.MULTILINE))

    assert {name.replace("-", "_"): level for name, level in granted.items()} == dict.fromkeys(NEEDED, "write")


def test_doctor_s_page_names_them() -> None:
    (row,) = [row for row in (HOW_TO / "doctor.md").read_text().splitlines() if row.startswith("| `GITHUB_TOKEN`")]

    assert {name.replace("-", "_") for name in re.findall(r"`([a-z-]+): write`", row)} == set(NEEDED)

"""The calls that no step of the loop makes yet: each does what it says, within GitHub's own description."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.forge.github import FixedToken, GitHub, Sender, Site
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.wire import PullDocument
from bot.adapters.transport import Transport
from tests.adapters.forge.world import BareRepositories, File
from tests.lab.clock import WoundClock
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub, github_fake

REPOSITORY = "acme/orders"
WORKFLOW = b"on: {workflow_dispatch: {inputs: {image: {}}}}\njobs: {}\n"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path) as fake:
        fake.create_repository(REPOSITORY, {"Dockerfile": b"FROM x\n", ".github/workflows/build.yml": WORKFLOW})
        yield fake


@pytest.fixture
def github(fake: FakeGitHub) -> Iterator[GitHub]:
    clock = WoundClock()
    with closing(Transport(clock)) as transport:
        yield GitHub(Sender(transport, Site.of(fake.url), clock), FixedToken(fake.token()))


@pytest.fixture
def pull(tmp_path: Path, fake: FakeGitHub, github: GitHub) -> PullDocument:
    (tmp_path / "desk").mkdir()
    BareRepositories(fake.root, tmp_path / "desk").push(REPOSITORY, "work", {"Dockerfile": File(b"FROM y\n")})
    return github.open_pull_request(REPOSITORY, head="work", base="main", title="Work", body="")


def test_labels_are_added_and_made(fake: FakeGitHub, github: GitHub, pull: PullDocument) -> None:
    github.add_labels(REPOSITORY, pull.number, ["lambda-base", "python3.13"])

    assert fake.labels(REPOSITORY, pull.number) == ["lambda-base", "python3.13"]


def test_a_pull_request_merges_by_itself_where_that_is_allowed(
    fake: FakeGitHub, github: GitHub, pull: PullDocument
) -> None:
    with pytest.raises(Refusal, match=r"acme/orders: GitHub does not let us have it merged by itself .*[Aa]uto.merge"):
        github.merge_when_ready(REPOSITORY, pull.node_id)
    fake.allow_auto_merge(REPOSITORY)
    fake.protect(REPOSITORY, "main")

    github.merge_when_ready(REPOSITORY, pull.node_id)

    (found,) = fake.pulls(REPOSITORY)
    assert found.auto_merge is not None


def test_a_status_and_a_check_run_stand_at_their_commit(fake: FakeGitHub, github: GitHub, pull: PullDocument) -> None:
    github.set_status(REPOSITORY, pull.head.sha, state="success", context="refrom", description="proven")
    github.add_check_run(REPOSITORY, pull.head.sha, name="refrom", conclusion="success", summary="It stands on it.")

    with Caller(fake.url, fake.token()) as reader:
        status = reader.get(f"/repos/{REPOSITORY}/commits/{pull.head.sha}/status")
        runs = reader.get(f"/repos/{REPOSITORY}/commits/{pull.head.sha}/check-runs")
    assert [(one["context"], one["state"], one["description"]) for one in status["statuses"]] == [
        ("refrom", "success", "proven")
    ]
    assert [(one["name"], one["conclusion"]) for one in runs["check_runs"]] == [("refrom", "success")]


def test_a_workflow_is_started_with_its_inputs(fake: FakeGitHub, github: GitHub) -> None:
    github.dispatch_workflow(REPOSITORY, "build.yml", "main", {"image": "python"})
    github.dispatch_repository(REPOSITORY, "refrom-rebuild", {"commit": "abc"})

    assert [entry.get("inputs") or entry.get("client_payload") for entry in fake.dispatches] == [
        {"image": "python"},
        {"commit": "abc"},
    ]


@pytest.mark.parametrize(
    ("workflow", "inputs", "said"),
    [("none.yml", {}, "404 Not Found"), ("build.yml", {"other": "x"}, "Unexpected inputs provided")],
)
def test_a_workflow_that_cannot_be_started_says_why(
    github: GitHub, workflow: str, inputs: dict[str, str], said: str
) -> None:
    with pytest.raises(Refusal, match=rf"acme/orders: GitHub does not let us start the workflow {workflow} .*{said}"):
        github.dispatch_workflow(REPOSITORY, workflow, "main", inputs)

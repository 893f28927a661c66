"""The calls that no step of the loop makes yet: each does what it says, within GitHub's own description."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.forge.github import FixedToken, GitHub, Sender, Site
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.transport import Transport
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


def test_a_status_and_a_check_run_stand_at_their_commit(fake: FakeGitHub, github: GitHub) -> None:
    commit = fake.create_repository("acme/pay", {"Dockerfile": b"FROM x\n"})

    github.set_status("acme/pay", commit, state="success", context="refrom", description="proven")
    github.add_check_run("acme/pay", commit, name="refrom", conclusion="success", summary="It stands on it.")

    with Caller(fake.url, fake.token()) as reader:
        status = reader.get(f"/repos/acme/pay/commits/{commit}/status")
        runs = reader.get(f"/repos/acme/pay/commits/{commit}/check-runs")
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

"""What GitHub refuses is told by every command in one clear message with the cure, and stops nothing else."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.engine.clock import SystemClock
from bot.adapters.registry import LayoutRegistry
from bot.core.reference import Reference
from bot.entrypoints.cli import ATTENTION, DONE, USAGE
from bot.entrypoints.demo.fleet import MOVES
from bot.entrypoints.demo.images import publish_base
from tests.conftest import Figure
from tests.entrypoints.conftest import Ran, Refrom
from tests.lab.github.fake import FakeGitHub, github_fake

PYTHON = next(move.before for move in MOVES if move.before.name == "python")
FILES = {"Dockerfile": b"FROM public.ecr.aws/lambda/python:3.13\n"}
READ_ONLY = {"metadata": "read", "contents": "read", "pull_requests": "read"}
NO_CONTENTS = {"metadata": "read", "contents": "read", "pull_requests": "write"}


@pytest.fixture
def fake(tmp_path: Path, refrom: Refrom, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """A GitHub with two repositories, settings for it in the current folder, and a base in a layout."""
    del refrom
    publish_base(LayoutRegistry(Path("registry").absolute()), Reference("public.ecr.aws", "lambda/python"), PYTHON)
    with github_fake(tmp_path) as fake:
        fake.create_repository("acme/orders", FILES)
        fake.create_repository("acme/billing", FILES)
        monkeypatch.setenv("GITHUB_TOKEN", fake.token("ada"))
        write_settings(fake)
        yield fake


def write_settings(fake: FakeGitHub, login: str = "token: {env: GITHUB_TOKEN}", include: str = "acme/orders") -> None:
    Path("refrom.yaml").write_text(
        "version: 1\n"
        'registries: {public.ecr.aws: {url: "oci:registry"}}\n'
        f"forges: [{{kind: github, url: {json.dumps(fake.enterprise_url)}, {login}, include: [{include}]}}]\n"
    )


def run(refrom: Refrom, command: str) -> Ran:
    return refrom(command, "--format", "json", clock=SystemClock())


def failed(ran: Ran) -> list[str]:
    """What failed, as the command's own document tells it, with the cure."""
    document: dict[str, Any] = ran.document
    if "checks" in document:
        bad = [check for check in document["checks"] if check["state"] == "failed"]
        return [f"{check['message']}; {check['cure']}" for check in bad]
    if "outcomes" in document:
        return [outcome["message"] for outcome in document["outcomes"] if outcome["result"] == "failed"]
    return [error["reason"] for error in document["errors"]]


def test_all_is_well_with_a_good_token(refrom: Refrom, fake: FakeGitHub) -> None:
    """Audit and doctor write nothing; the run opens its pull request."""
    assert [run(refrom, command).code for command in ("audit", "doctor")] == [DONE, DONE]
    assert fake.writes == []

    ran = run(refrom, "run")

    assert (ran.code, failed(ran)) == (DONE, [])
    assert len(fake.pulls("acme/orders")) == 1


@pytest.mark.parametrize("command", ["run", "audit", "doctor"])
def test_an_expired_token(refrom: Refrom, fake: FakeGitHub, figure: Figure, command: str) -> None:
    fake.expire(token())

    ran = run(refrom, command)

    cure = "the token is expired, revoked or mistyped: put a new one where the settings name it under forges"
    told = failed(ran) if command == "doctor" else ran.err.splitlines()
    assert ran.code == ATTENTION
    assert "(401 Bad credentials)" in told[0]
    figure(f"expired token: messages with the cure, by {command}", [line.endswith(cure) for line in told], [True])


@pytest.mark.parametrize(
    ("login", "permissions", "who"),
    [
        pytest.param("ada", READ_ONLY, "token without permission", id="token without permission"),
        pytest.param("github-actions[bot]", NO_CONTENTS, "Action without contents: write", id="Action"),
    ],
)
def test_a_token_that_may_only_read(
    refrom: Refrom,
    fake: FakeGitHub,
    figure: Figure,
    monkeypatch: pytest.MonkeyPatch,
    login: str,
    permissions: dict[str, str],
    who: str,
) -> None:
    """An audit needs no more; a run says what it lacks; a doctor says what GitHub does not tell beforehand."""
    monkeypatch.setenv("GITHUB_TOKEN", fake.token(login, permissions=permissions))

    ran, audit, doctor = (run(refrom, command) for command in ("run", "audit", "doctor"))

    assert (ran.code, audit.code, doctor.code) == (ATTENTION, DONE, DONE)
    (told,) = failed(ran)
    assert "(Resource not accessible by" in told
    cure = "; give the token the permission contents: write and pull-requests: write (in a workflow, under permissions)"
    figure(f"{who}: one message with the cure, by run", told.endswith(cure), True)
    notes = [check["message"] for check in doctor.document["checks"] if check["check"] == "write"]
    known = {"ada": "the token and its user may write", "github-actions[bot]": "GitHub does not tell what this token"}
    assert [note.startswith(known[login]) for note in notes if "can be written" not in note] == [True]


def test_a_workflow_that_may_not_open_pull_requests(
    refrom: Refrom, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", fake.token("github-actions[bot]"))
    fake.let_actions_open_pulls(False)

    ran = run(refrom, "run")

    (told,) = failed(ran)
    assert ran.code == ATTENTION
    assert "; allow GitHub Actions to create pull requests under Settings, Actions, General, or use" in told


@pytest.mark.parametrize("command", ["run", "audit", "doctor"])
def test_an_app_that_is_not_installed_there(refrom: Refrom, fake: FakeGitHub, figure: Figure, command: str) -> None:
    """It is told once for that owner, and the other owner's repositories go on."""
    number, key = fake.app(installations={"acme": None})
    Path("app.pem").write_text(key)
    Path("app.pem").chmod(0o600)
    write_settings(fake, f"app: {{id: {number}, private_key: {{file: app.pem}}}}", "elsewhere/shop, acme/orders")

    ran = run(refrom, command)

    told = f"elsewhere: the GitHub App {number} is not installed there; install it, or take elsewhere out of include"
    assert ran.code == ATTENTION
    figure(f"App not installed: messages with the cure, by {command}", failed(ran), [told])
    assert "acme/orders" in ran.out


@pytest.mark.parametrize("command", ["run", "audit", "doctor"])
def test_a_repository_that_was_renamed(refrom: Refrom, fake: FakeGitHub, figure: Figure, command: str) -> None:
    write_settings(fake, include="acme/orders, acme/billing")
    fake.rename_repository("acme/orders", "acme/shop")

    ran = run(refrom, command)

    (told,) = failed(ran)
    assert ran.code == ATTENTION
    cure = "it is acme/shop now; write that under include"
    figure(f"repository renamed: one message with the cure, by {command}", told.removeprefix("acme/orders: "), cure)
    assert "acme/billing" in ran.out


@pytest.mark.parametrize("command", ["run", "audit", "doctor"])
def test_a_token_that_is_not_set_is_a_fault_of_the_settings(
    refrom: Refrom, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")

    ran = run(refrom, command)

    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err.endswith("the environment variable GITHUB_TOKEN is not set; set it\n")
    assert fake.log == ()


def test_no_message_shows_a_token(refrom: Refrom, fake: FakeGitHub) -> None:
    fake.expire(token())

    shown = [run(refrom, command) for command in ("run", "audit", "doctor")]

    assert not any(token() in ran.out + ran.err for ran in shown)


def token() -> str:
    """The token that the environment holds."""
    return os.environ["GITHUB_TOKEN"]


def test_a_pause_outlives_the_command(refrom: Refrom, fake: FakeGitHub) -> None:
    """After the first request the rest of the hour is others'; whoever has the store asks nothing more and says why."""
    fake.limit(10)
    write_settings(fake, "token: {env: GITHUB_TOKEN}, reserve: 0.99")

    run(refrom, "run")
    asked = len(fake.log)
    again = [run(refrom, command) for command in ("run", "audit")]

    assert asked > 0
    assert len(fake.log) == asked
    assert all("kept for others by reserve; run again after" in ran.out + ran.err for ran in again)


def test_a_dry_run_heeds_a_pause_and_keeps_none(refrom: Refrom, fake: FakeGitHub) -> None:
    fake.limit(10)
    write_settings(fake, "token: {env: GITHUB_TOKEN}, reserve: 0.99")

    refrom("run", "--dry-run", clock=SystemClock())
    rehearsed = len(fake.log)
    run(refrom, "run")
    assert len(fake.log) > rehearsed, "the dry run left no pause behind"
    asked = len(fake.log)
    refrom("run", "--dry-run", clock=SystemClock())

    assert len(fake.log) == asked

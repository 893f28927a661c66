"""Statuses, check runs, and what starts workflows."""

import pytest

from tests.adapters.forge.world import git
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub

ORDERS = "/repos/acme/orders"
FLOW = ".github/workflows"
BY_HAND = b"on:\n  workflow_dispatch:\n    inputs:\n      image:\n        type: string\njobs: {}\n"


@pytest.mark.parametrize(
    ("reported", "state"),
    [
        ([], "pending"),
        ([("a", "success")], "success"),
        ([("a", "success"), ("b", "pending")], "pending"),
        ([("a", "success"), ("b", "error")], "failure"),
        ([("a", "failure"), ("a", "success")], "success"),
    ],
)
def test_the_newest_status_of_each_context_counts(
    api: Caller, first: str, reported: list[tuple[str, str]], state: str
) -> None:
    for context, one in reported:
        made = api.post(f"{ORDERS}/statuses/{first}", {"state": one, "context": context, "description": "x"})
        assert (made["state"], made["creator"]["login"]) == (one, "refrom[bot]")

    for name in (first, "main", "heads/main"):
        combined = api.get(f"{ORDERS}/commits/{name}/status")
        assert (combined["state"], combined["sha"], combined["total_count"]) == (state, first, len(dict(reported)))


def test_a_commit_that_is_not_there_has_no_status(api: Caller, first: str) -> None:
    missing = "1" * 40
    refusal = (422, f"No commit found for SHA: {missing}")

    assert first
    assert api.refused("POST", f"{ORDERS}/statuses/{missing}", {"state": "success"}) == refusal
    assert api.refused("POST", f"{ORDERS}/check-runs", {"name": "x", "head_sha": missing}) == refusal
    assert api.refused("GET", f"{ORDERS}/commits/{missing}/check-runs") == refusal
    assert api.refused("GET", f"{ORDERS}/commits/missing/status") == (404, "Not Found")


def test_a_check_run_is_made_by_apps_and_the_newest_of_a_name_is_listed(
    fake: FakeGitHub, api: Caller, first: str
) -> None:
    output = {"title": "Bases", "summary": "All current"}
    api.post(f"{ORDERS}/check-runs", {"name": "refrom", "head_sha": first, "status": "in_progress"})
    made = api.post(
        f"{ORDERS}/check-runs", {"name": "refrom", "head_sha": first, "conclusion": "success", "output": output}
    )
    api.post(f"{ORDERS}/check-runs", {"name": "other", "head_sha": first})

    listed = api.get(f"{ORDERS}/commits/main/check-runs")

    assert (made["status"], made["output"]["summary"], made["app"]["slug"]) == ("completed", "All current", "refrom")
    assert [(run["name"], run["status"]) for run in listed["check_runs"]] == [
        ("refrom", "completed"),
        ("other", "queued"),
    ]
    assert api.get(f"{ORDERS}/commits/main/check-runs?check_name=other")["total_count"] == 1
    with Caller(fake.url, fake.token("ada")) as person:
        refused = person.refused("POST", f"{ORDERS}/check-runs", {"name": "x", "head_sha": first})
        assert refused == (403, "You must authenticate via a GitHub App.")


def test_a_workflow_is_started_with_its_inputs(fake: FakeGitHub, api: Caller) -> None:
    fake.create_repository("acme/orders", {f"{FLOW}/deploy.yml": BY_HAND})

    api.post(f"{ORDERS}/actions/workflows/deploy.yml/dispatches", {"ref": "main", "inputs": {"image": "x"}})
    api.post(f"{ORDERS}/dispatches", {"event_type": "rebuild", "client_payload": {"digest": "y"}})

    assert fake.dispatches == [
        {"repository": "acme/orders", "workflow": "deploy.yml", "ref": "main", "inputs": {"image": "x"}},
        {"repository": "acme/orders", "event_type": "rebuild", "client_payload": {"digest": "y"}},
    ]


@pytest.mark.parametrize(
    ("workflow", "body", "refusal"),
    [
        ("missing.yml", {"ref": "main"}, (404, "Not Found")),
        ("push.yml", {"ref": "main"}, (422, "Workflow does not have 'workflow_dispatch' trigger")),
        ("list.yml", {"ref": "main"}, None),
        ("word.yml", {"ref": "main"}, None),
        ("broken.yml", {"ref": "main"}, (422, "Workflow does not have 'workflow_dispatch' trigger")),
        ("deploy.yml", {"ref": "missing"}, (422, "No ref found for: missing")),
        ("deploy.yml", {"ref": "old"}, (422, "Workflow does not have 'workflow_dispatch' trigger")),
        ("deploy.yml", {"ref": "main", "inputs": {"x": "y"}}, (422, 'Unexpected inputs provided: ["x"]')),
    ],
)
def test_a_workflow_starts_only_as_it_says(
    fake: FakeGitHub, api: Caller, workflow: str, body: dict[str, object], refusal: tuple[int, str] | None
) -> None:
    files = {
        "deploy.yml": BY_HAND,
        "push.yml": b"on: push\n",
        "list.yml": b"on: [push, workflow_dispatch]\n",
        "word.yml": b"on: workflow_dispatch\n",
        "broken.yml": b"on: [",
    }
    fake.create_repository("acme/orders", {f"{FLOW}/{name}": content for name, content in files.items()})
    path = fake.root / "acme/orders.git"
    empty = git(path, "hash-object", "-t", "tree", "-w", "--stdin").decode().strip()
    old = git(path, "commit-tree", empty, "-m", "Old").decode().strip()
    git(path, "update-ref", "refs/heads/old", old)
    place = f"{ORDERS}/actions/workflows/{workflow}/dispatches"

    if refusal:
        assert api.refused("POST", place, body) == refusal
    else:
        assert api.send("POST", place, body).status_code == 204
    assert len(fake.dispatches) == (0 if refusal else 1)

"""REST: statuses and check runs of a commit, and what starts workflows."""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.lab.github.calls import Call, Reply, endpoint
from tests.lab.github.links import iso, node_id
from tests.lab.github.refusals import Gap, Refusal, invalid
from tests.lab.github.repository import Repository
from tests.lab.github.shapes_git import Json

_FAILED = ("failure", "error")
_WORKFLOWS = ".github/workflows/"


@endpoint("repos/create-commit-status")
def create_status(call: Call) -> Reply:
    """A new status; the newest of a context counts."""
    repository = call.repository("statuses=write")
    sha = _commit(call, repository, call.values["sha"])
    number, moment = call.hub.next_id(), iso(call.hub.now())
    status = {
        "id": number,
        "node_id": node_id("SC", number),
        "url": f"{call.shapes.url(repository)}/statuses/{sha}",
        "avatar_url": f"{call.shapes.site}/avatars/{call.account.id}",
        "state": call.body["state"],
        "description": call.body.get("description"),
        "target_url": call.body.get("target_url"),
        "context": call.body.get("context", "default"),
        "created_at": moment,
        "updated_at": moment,
    }
    repository.statuses.setdefault(sha, []).append(status)
    shape = {**status, "creator": call.shapes.user(call.account)}
    return Reply(status=201, body=shape, headers={"Location": status["url"]})


@endpoint("repos/get-combined-status-for-ref")
def get_combined_status(call: Call) -> Reply:
    """The newest status of each context, and what they come to."""
    repository = call.repository("statuses=read")
    commit = call.hub.commit_of(repository, call.values["ref"])
    if commit is None:
        raise Refusal(404, "Not Found")
    newest = list({status["context"]: status for status in repository.statuses.get(commit.oid, ())}.values())
    states = {status["state"] for status in newest}
    passed = "success" if states == {"success"} else "pending"
    url = f"{call.shapes.url(repository)}/commits/{commit.oid}"
    shape = {
        "state": "failure" if states & set(_FAILED) else passed,
        "statuses": newest,
        "sha": commit.oid,
        "total_count": len(newest),
        "repository": call.shapes.minimal_repository(repository),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Reply(body=shape)


@endpoint("checks/create")
def create_check_run(call: Call) -> Reply:
    """A new check run, which only Apps may make."""
    repository = call.repository("checks=write")
    if call.token is None or not call.token.is_integration:
        raise Refusal(403, "You must authenticate via a GitHub App.")
    sha = _commit(call, repository, call.body["head_sha"])
    run = _check_run(call, repository, sha)
    repository.check_runs.setdefault(sha, []).append(run)
    return Reply(status=201, body=run, headers={"Location": run["url"]})


@endpoint("checks/list-for-ref")
def list_check_runs(call: Call) -> Reply:
    """The newest check run of each name."""
    if unspoken := {"status", "filter", "app_id"} & set(call.query):
        raise Gap(f"the fake filters check runs by name only; checks/list-for-ref asked for {unspoken}")
    repository = call.repository("checks=read")
    sha = _commit(call, repository, call.values["ref"])
    newest = list({run["name"]: run for run in repository.check_runs.get(sha, ())}.values())
    wanted = [run for run in newest if call.query.get("check_name", run["name"]) == run["name"]]
    shown, links = call.page(wanted, lambda run: run)
    return Reply(body={"total_count": len(wanted), "check_runs": shown}, headers=links)


@endpoint("actions/create-workflow-dispatch")
def dispatch_workflow(call: Call) -> Reply:
    """Start a workflow of the default branch that lets itself be started by hand."""
    repository = call.repository("actions=write")
    name, wanted = call.values["workflow_id"], call.body.get("inputs", {})
    if call.body.get("return_run_details"):
        raise Gap("the fake runs no workflows, so it returns no run details")
    branches = repository.branches()
    file = repository.git.file(branches.get(repository.default_branch, ""), f"{_WORKFLOWS}{name}")
    if file is None:
        raise Refusal(404, "Not Found")
    commit = call.hub.commit_of(repository, call.body["ref"])
    if commit is None:
        raise Refusal(422, f"No ref found for: {call.body['ref']}")
    trigger = _manual_trigger(repository.git.file(commit.oid, f"{_WORKFLOWS}{name}") or b"")
    if trigger is None:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    if unexpected := sorted(set(wanted) - set(trigger)):
        raise Refusal(422, f"Unexpected inputs provided: {unexpected}".replace("'", '"'))
    entry = {"repository": repository.full_name, "workflow": name, "ref": call.body["ref"], "inputs": wanted}
    call.hub.dispatches.append(entry)
    return Reply(status=204)


@endpoint("repos/create-dispatch-event")
def dispatch_repository(call: Call) -> Reply:
    """Send an event of one's own to a repository."""
    repository = call.repository("contents=write")
    payload = call.body.get("client_payload", {})
    if len(payload) > 10:
        raise invalid("RepositoryDispatch", message="No more than 10 properties are allowed")
    entry = {"repository": repository.full_name, "event_type": call.body["event_type"], "client_payload": payload}
    call.hub.dispatches.append(entry)
    return Reply(status=204)


def _commit(call: Call, repository: Repository, name: str) -> str:
    commit = call.hub.commit_of(repository, name)
    if commit is None:
        raise Refusal(422, f"No commit found for SHA: {name}")
    return commit.oid


def _check_run(call: Call, repository: Repository, sha: str) -> Json:
    body, number, output = call.body, call.hub.next_id(), call.body.get("output", {})
    url = f"{call.shapes.url(repository)}/check-runs/{number}"
    html = f"{call.shapes.site}/{repository.full_name}/runs/{number}"
    now = iso(call.hub.now())
    conclusion = body.get("conclusion")
    status = "completed" if conclusion else body.get("status", "queued")
    return {
        "id": number,
        "node_id": node_id("CR", number),
        "head_sha": sha,
        "name": body["name"],
        "external_id": body.get("external_id", ""),
        "url": url,
        "html_url": html,
        "details_url": body.get("details_url", html),
        "status": status,
        "conclusion": conclusion,
        "started_at": body.get("started_at", now),
        "completed_at": body.get("completed_at", now) if conclusion else None,
        "output": {
            **{key: output.get(key) for key in ("title", "summary", "text")},
            "annotations_count": len(output.get("annotations", ())),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": number},
        "app": call.shapes.app(call.account),
        "pull_requests": [],
    }


def _manual_trigger(workflow: bytes) -> dict[str, Any] | None:
    """Return the inputs of a workflow's `workflow_dispatch`, None where it has no such trigger."""
    try:
        document = YAML(typ="safe").load(io.BytesIO(workflow))
    except YAMLError:
        return None
    triggers = document.get("on") if isinstance(document, dict) else None
    if isinstance(triggers, str):
        triggers = [triggers]
    if not triggers or "workflow_dispatch" not in triggers:
        return None
    described = triggers["workflow_dispatch"] if isinstance(triggers, dict) else None
    return dict((described or {}).get("inputs") or {})

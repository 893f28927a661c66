"""REST: the runs of workflows that were started by hand. Nothing runs: a test says how a run ends."""

import re
from typing import Any, Final

from ruamel.yaml import YAML

from tests.lab.github.calls import Call, Reply, endpoint
from tests.lab.github.hub import Hub
from tests.lab.github.links import iso, node_id
from tests.lab.github.refusals import Gap, Refusal
from tests.lab.github.repository import Repository
from tests.lab.github.shapes_git import Json

_FOLDER: Final = ".github/workflows/"
_INPUT: Final = re.compile(r"\$\{\{\s*inputs\.(\w+)\s*\}\}")
_LINKS: Final = ("jobs", "logs", "artifacts", "cancel", "rerun")


def end_run(hub: Hub, name: str, conclusion: str) -> None:
    """Let the latest run of a repository end, with success, failure or another conclusion of GitHub's."""
    runs = [one for one in hub.dispatches if one["repository"] == name and "workflow" in one]
    runs[-1]["conclusion"] = conclusion


@endpoint("actions/list-workflow-runs")
def list_runs(call: Call) -> Reply:
    """The runs of a workflow, the newest first."""
    if unspoken := set(call.query) - {"event", "per_page", "page"}:
        raise Gap(f"the fake filters runs by event only; actions/list-workflow-runs asked for {unspoken}")
    if call.query.get("event") != "workflow_dispatch":
        raise Gap("the fake knows runs that were started by hand alone")
    repository, file = call.repository("actions=read"), call.values["workflow_id"]
    text = repository.git.file(repository.branches().get(repository.default_branch, ""), f"{_FOLDER}{file}")
    if text is None:
        raise Refusal(404, "Not Found")
    started = [
        (number, one)
        for number, one in enumerate(call.hub.dispatches, 1)
        if (one["repository"], one.get("workflow")) == (repository.full_name, file)
    ]
    workflow = YAML(typ="safe").load(text)
    shown, links = call.page(started[::-1], lambda run: _run(call, repository, workflow, *run))
    return Reply(body={"total_count": len(started), "workflow_runs": shown}, headers=links)


def _run(call: Call, repository: Repository, workflow: Json, number: int, started: dict[str, Any]) -> Json:
    url, html = call.shapes.url(repository), f"{call.shapes.site}/{repository.full_name}"
    name = workflow.get("name", f"{_FOLDER}{started['workflow']}")
    title = _INPUT.sub(lambda found: str(started["inputs"].get(found[1], "")), str(workflow.get("run-name", name)))
    conclusion, moment = started.get("conclusion"), iso(call.hub.now())
    return {
        "id": number,
        "node_id": node_id("WFR", number),
        "name": name,
        "head_branch": started["ref"],
        "head_sha": repository.branches()[started["ref"]],
        "path": f"{_FOLDER}{started['workflow']}",
        "run_number": number,
        "event": "workflow_dispatch",
        "display_title": title,
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "workflow_id": 1,
        "url": f"{url}/actions/runs/{number}",
        "html_url": f"{html}/actions/runs/{number}",
        "pull_requests": [],
        "created_at": moment,
        "updated_at": moment,
        **{f"{link}_url": f"{url}/actions/runs/{number}/{link}" for link in _LINKS},
        "check_suite_url": f"{url}/check-suites/{number}",
        "workflow_url": f"{url}/actions/workflows/1",
        "head_commit": None,
        "repository": call.shapes.minimal_repository(repository),
        "head_repository": call.shapes.minimal_repository(repository),
    }

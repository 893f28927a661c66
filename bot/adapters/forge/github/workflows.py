"""Builds and deployments by a workflow of GitHub Actions, started with workflow_dispatch.

GitHub gives no id for what it starts, on Enterprise Servers at least, so a run is found by its name: the workflow says
`run-name: ${{ inputs.image }}`, or `${{ inputs.refrom }}` where it deploys.
"""

from collections.abc import Sequence
from typing import Final

from bot.adapters.forge.github.calls import GitHub
from bot.adapters.forge.github.wire import WorkflowRun
from bot.core.errors import BuildError
from bot.core.pipeline import PipelineOrder
from bot.ports.builder import BuildOrder
from bot.ports.jobs import Job, JobState

_OVER: Final = "completed"
_LEFT_OUT: Final = ("repository",)
"""A workflow lies in the repository that it builds, and knows that."""


class WorkflowJobs:
    """`Jobs` that a workflow of each source repository runs, on its default branch; `workflow` is its file's name."""

    def __init__(self, github: GitHub, workflow: str) -> None:
        self._github, self._workflow = github, workflow

    def find(self, order: BuildOrder) -> Job | None:
        """Find the latest run for an order among the latest hundred (one request)."""
        return _find(self._github, order.repository, self._workflow, str(order.destination), "image")

    def reach(self, repository: str) -> str:
        """Say that the workflow is there and that its runs can be found again; a `RefromError` where not."""
        runs = self._github.workflow_runs(repository, self._workflow)
        _require_names(repository, self._workflow, runs, "image")
        return f"{self._workflow} is there, and was started {len(runs)} times of late"

    def start(self, order: BuildOrder) -> str:
        """Start the workflow with the facts of the order as its inputs (two requests)."""
        branch = self._github.default_branch(order.repository)
        inputs = {name: value for name, value in order.facts.items() if name not in _LEFT_OUT}
        self._github.dispatch_workflow(order.repository, self._workflow, branch, inputs)
        return f"{self._workflow} of {order.repository}"


class WorkflowRuns:
    """A workflow that deploys, of each source repository, on its default branch; `workflow` is its file's name."""

    def __init__(self, github: GitHub, workflow: str) -> None:
        self._github, self._workflow = github, workflow

    def find(self, order: PipelineOrder) -> Job | None:
        """Find the latest run for an order among the latest hundred (one request)."""
        return _find(self._github, order.repository, self._workflow, order.name, "refrom")

    def start(self, order: PipelineOrder) -> str:
        """Start the workflow with the facts of the order as its inputs (two requests)."""
        branch = self._github.default_branch(order.repository)
        self._github.dispatch_workflow(order.repository, self._workflow, branch, order.facts)
        return f"{self._workflow} of {order.repository}"


def _find(github: GitHub, repository: str, workflow: str, title: str, given: str) -> Job | None:
    """Find the latest run with a title; refuse a workflow whose runs do not take it from this input."""
    runs = github.workflow_runs(repository, workflow)
    mine = [run for run in runs if run.display_title == title]
    if mine:
        return _job(max(mine, key=lambda run: run.id))
    _require_names(repository, workflow, runs, given)
    return None


def _require_names(repository: str, workflow: str, runs: Sequence[WorkflowRun], given: str) -> None:
    if runs and runs[0].display_title == runs[0].name:
        raise BuildError(
            f"{repository}: runs of {workflow} do not say what they are for; "
            f"let the workflow begin with run-name: ${{{{ inputs.{given} }}}}"
        )


def _job(run: WorkflowRun) -> Job:
    if run.status != _OVER:
        return Job(state=JobState.RUNNING, where=run.html_url)
    if run.conclusion == "success":
        return Job(state=JobState.SUCCEEDED, where=run.html_url)
    return Job(state=JobState.FAILED, where=f"{run.html_url} ({run.conclusion})")

"""AWS CodePipeline: a pipeline that is told by variables what to deploy (CodePipeline API 2015-07-09).

An execution is found again by its variable `refrom`, so the pipeline is one of type V2 that declares the variables.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.adapters.deployer.aws_errors import translated
from bot.adapters.deployer.clients import Clients
from bot.core.pipeline import CodePipeline, PipelineOrder
from bot.ports.jobs import Job, JobState

_STATES: Final = {
    "InProgress": JobState.RUNNING,
    "Stopping": JobState.RUNNING,
    "Succeeded": JobState.SUCCEEDED,
}
"""All other statuses (Cancelled, Failed, Stopped, Superseded) are failures."""
_BY_HAND: Final = "StartPipelineExecution"
_MARK: Final = "refrom"
_CURE: Final = "let the pipeline be of type V2 and declare the variables refrom, function, commit and base"


class CodePipelineRuns:
    """The executions of one pipeline, in the account of the process."""

    def __init__(self, pipeline: CodePipeline, clients: Clients) -> None:
        self._pipeline, self._clients = pipeline, clients
        self._names: dict[str, str] = {}
        """The variable `refrom` by execution, which never changes."""

    def find(self, order: PipelineOrder) -> Job | None:
        """Find the latest execution for an order among the latest hundred, with one request for each not seen yet."""
        with translated(str(self._pipeline), refusal="correct the target's pipeline", service="CodePipeline"):
            client = self._client()
            listed = client.list_pipeline_executions(pipelineName=self._pipeline.name, maxResults=100)
            for one in listed["pipelineExecutionSummaries"]:
                if one.get("trigger", {}).get("triggerType") == _BY_HAND and self._name(client, one) == order.name:
                    return self._job(one)
        return None

    def start(self, order: PipelineOrder) -> str:
        """Start an execution; the same order asked for at once again is the same execution."""
        variables = [{"name": name, "value": value} for name, value in order.facts.items()]
        with translated(str(self._pipeline), refusal=_CURE, service="CodePipeline"):
            made = self._client().start_pipeline_execution(
                name=self._pipeline.name, variables=variables, clientRequestToken=order.token
            )
        return f"{self._pipeline} execution {made['pipelineExecutionId']}"

    def _name(self, client: Any, execution: Mapping[str, Any]) -> str:  # noqa: ANN401 - botocore makes its class as it runs
        key = execution["pipelineExecutionId"]
        if key not in self._names:
            told = client.get_pipeline_execution(pipelineName=self._pipeline.name, pipelineExecutionId=key)
            variables = told["pipelineExecution"].get("variables", ())
            self._names[key] = next((one.get("resolvedValue", "") for one in variables if one.get("name") == _MARK), "")
        return self._names[key]

    def _job(self, execution: Mapping[str, Any]) -> Job:
        state = _STATES.get(execution["status"], JobState.FAILED)
        where = f"{self._pipeline} execution {execution['pipelineExecutionId']}"
        return Job(state=state, where=where if state is not JobState.FAILED else f"{where} ({execution['status']})")

    def _client(self) -> Any:  # noqa: ANN401 - botocore makes the classes of clients as it runs
        return self._clients("", self._pipeline.region)

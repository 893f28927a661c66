"""CodePipeline of the lab: pipelines whose executions a test ends (CodePipeline API 2015-07-09)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.ports.clock import Clock
from tests.lab.aws_lambda import only
from tests.lab.aws_protocols import AwsError, Call, Unmodelled


@dataclass(slots=True, kw_only=True)
class Execution:
    """One execution; `by` is what triggered it."""

    id: str
    pipeline: str
    token: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    by: str = "StartPipelineExecution"
    status: str = "InProgress"


@dataclass(slots=True)
class CodePipelineService:
    """The pipelines of one account with the variables that each declares, and their executions, the oldest first."""

    clock: Clock
    pipelines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)

    def push(self, pipeline: str) -> None:
        """Let a person's push start an execution."""
        self._add(pipeline, by="WebhookV2")

    def end(self, status: str) -> None:
        """End the execution that was started last."""
        self.executions[-1].status = status

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call."""
        operations: Mapping[str, Callable[[Call], dict[str, Any]]] = {
            "GetPipelineExecution": self._get,
            "ListPipelineExecutions": self._list,
            "StartPipelineExecution": self._start,
        }
        if call.operation not in operations:
            raise Unmodelled(f"the lab's CodePipeline does not speak {call.operation} yet")
        return operations[call.operation](call)

    def _start(self, call: Call) -> dict[str, Any]:
        p = only(call, "clientRequestToken name variables")
        declared = self._declared(p["name"])
        variables = {one["name"]: one["value"] for one in p["variables"]}
        if unknown := sorted(set(variables) - set(declared)):
            raise AwsError("ValidationException", f"The pipeline declares no variable {', '.join(unknown)}")
        for one in self.executions:
            if one.token == p["clientRequestToken"]:
                return {"pipelineExecutionId": one.id}
        return {"pipelineExecutionId": self._add(p["name"], token=p["clientRequestToken"], variables=variables).id}

    def _list(self, call: Call) -> dict[str, Any]:
        p = only(call, "maxResults pipelineName")
        self._declared(p["pipelineName"])
        found = [one for one in self.executions if one.pipeline == p["pipelineName"]][::-1][: p["maxResults"]]
        told = [
            {
                "pipelineExecutionId": one.id,
                "status": one.status,
                "startTime": self.clock.now(),
                "trigger": {"triggerType": one.by},
            }
            for one in found
        ]
        return {"pipelineExecutionSummaries": told}

    def _get(self, call: Call) -> dict[str, Any]:
        p = only(call, "pipelineExecutionId pipelineName")
        one = next(each for each in self.executions if each.id == p["pipelineExecutionId"])
        variables = [{"name": name, "resolvedValue": value} for name, value in one.variables.items()]
        told = {"pipelineName": one.pipeline, "pipelineExecutionId": one.id, "status": one.status}
        return {"pipelineExecution": told | {"variables": variables}}

    def _add(self, pipeline: str, **more: Any) -> Execution:
        made = Execution(id=f"{len(self.executions):08x}-0000-4000-8000-000000000000", pipeline=pipeline, **more)
        self.executions.append(made)
        return made

    def _declared(self, name: str) -> tuple[str, ...]:
        if name not in self.pipelines:
            raise AwsError("PipelineNotFoundException", f"Account has no pipeline with the name {name}")
        return self.pipelines[name]

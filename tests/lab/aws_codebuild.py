"""CodeBuild of the lab, and the log groups that its builds write to (CodeBuild API 2016-10-06, CloudWatch Logs).

Nothing is built: a test ends a build, with what it would have written, and pushes what it would have pushed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot.ports.clock import Clock
from tests.lab.aws_lambda import ACCOUNT, only
from tests.lab.aws_protocols import AwsError, Call, Unmodelled

_PAGE: Final = 100


@dataclass(slots=True, kw_only=True)
class Build:
    """One build: `lines` are what it wrote so far."""

    id: str
    source: str
    token: str
    variables: Mapping[str, str]
    started: datetime
    status: str = "IN_PROGRESS"
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class CodeBuildService:
    """The projects of one account, and their builds in the order in which they were started."""

    clock: Clock
    projects: set[str] = field(default_factory=set)
    builds: list[Build] = field(default_factory=list)

    def finish(self, status: str, *lines: str) -> Build:
        """End the build that was started last."""
        build = self.builds[-1]
        build.status = status
        build.lines += lines
        return build

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call to CodeBuild."""
        operations: Mapping[str, Callable[[Call], dict[str, Any]]] = {
            "BatchGetBuilds": self._batch_get_builds,
            "ListBuildsForProject": self._list_builds_for_project,
            "StartBuild": self._start_build,
        }
        if call.operation not in operations:
            raise Unmodelled(f"the lab's CodeBuild does not speak {call.operation} yet")
        return operations[call.operation](call)

    def answer_logs(self, call: Call) -> dict[str, Any]:
        """Carry out one call to CloudWatch Logs."""
        if call.operation != "GetLogEvents":
            raise Unmodelled(f"the lab's Logs do not speak {call.operation} yet")
        p = only(call, "limit logGroupName logStreamName startFromHead")
        found = [build for build in self.builds if _stream(build) == (p["logGroupName"], p["logStreamName"])]
        if not found:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        if p.get("startFromHead"):
            raise Unmodelled("the lab's Logs give the end of a stream alone")
        lines = found[0].lines[-p.get("limit", 10_000) :]
        return {"events": [{"timestamp": 0, "ingestionTime": 0, "message": f"{line}\n"} for line in lines]}

    def _start_build(self, call: Call) -> dict[str, Any]:
        p = only(call, "environmentVariablesOverride idempotencyToken projectName sourceVersion")
        project = self._project(p["projectName"])
        variables = {one["name"]: one["value"] for one in p["environmentVariablesOverride"]}
        for build in self.builds:
            if build.token == p["idempotencyToken"]:
                return {"build": _described(build)}
        number = len(self.builds) + 1
        build = Build(
            id=f"{project}:{number:08}-0000-0000-0000-000000000000",
            source=p["sourceVersion"],
            token=p["idempotencyToken"],
            variables=variables,
            started=self.clock.now(),
        )
        self.builds.append(build)
        return {"build": _described(build)}

    def _list_builds_for_project(self, call: Call) -> dict[str, Any]:
        p = only(call, "projectName sortOrder")
        project = self._project(p["projectName"])
        ids = [build.id for build in self.builds if build.id.startswith(f"{project}:")]
        ids = ids[::-1] if p.get("sortOrder") == "DESCENDING" else ids
        if not ids:
            return {}  # the model knows no empty list of ids
        return {"ids": ids[:_PAGE]} | ({"nextToken": "more"} if len(ids) > _PAGE else {})

    def _batch_get_builds(self, call: Call) -> dict[str, Any]:
        wanted: Sequence[str] = only(call, "ids")["ids"]
        found = {build.id: _described(build) for build in self.builds}
        missing = [one for one in wanted if one not in found]
        # CodeBuild does not promise an order.
        builds = [found[one] for one in sorted(wanted) if one in found]
        return {"builds": builds} | ({"buildsNotFound": missing} if missing else {})

    def _project(self, name: str) -> str:
        if name not in self.projects:
            text = f"Project cannot be found: arn:aws:codebuild:eu-west-1:{ACCOUNT}:project/{name}"
            raise AwsError("ResourceNotFoundException", text)
        return name


def _stream(build: Build) -> tuple[str, str]:
    project, _, number = build.id.partition(":")
    return f"/aws/codebuild/{project}", number


def _described(build: Build) -> dict[str, Any]:
    group, stream = _stream(build)
    variables = [{"name": n, "value": v, "type": "PLAINTEXT"} for n, v in build.variables.items()]
    return {
        "id": build.id,
        "arn": f"arn:aws:codebuild:eu-west-1:{ACCOUNT}:build/{build.id}",
        "startTime": build.started,
        "buildStatus": build.status,
        "sourceVersion": build.source,
        "projectName": build.id.partition(":")[0],
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": variables,
        },
        "logs": {"groupName": group, "streamName": stream, "deepLink": f"https://console.invalid/{stream}"},
    }

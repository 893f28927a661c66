"""CodeDeploy of the lab, for Lambda alone: deployments that a test moves on, ends, or takes back (API 2014-10-06).

Nothing moves by itself: a test shifts weights, and the alias of the lab's Lambda has them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot.ports.clock import Clock
from tests.lab.aws_lambda import only
from tests.lab.aws_protocols import AwsError, Call, Unmodelled

_MOST: Final = 25
_OVER: Final = ("Succeeded", "Failed", "Stopped")


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One deployment of an alias from one version to another; `content` is its AppSpec."""

    id: str
    group: tuple[str, str]
    region: str
    content: str
    created: datetime
    description: str = ""
    creator: str = "user"
    status: str = "Created"
    ended: datetime | None = None
    error: Mapping[str, str] = field(default_factory=dict)
    rollback: Mapping[str, str] = field(default_factory=dict)

    @property
    def moved(self) -> Mapping[str, str]:
        """Name, Alias, CurrentVersion and TargetVersion."""
        (resource,) = json.loads(self.content)["Resources"]
        (one,) = resource.values()
        moved: Mapping[str, str] = one["Properties"]
        return moved


@dataclass(slots=True)
class CodeDeployService:
    """The deployment groups of one account, and their deployments in the order in which they were created.

    `content_back` says whether AppSpecs are given back; nobody has seen whether AWS does.
    """

    clock: Clock
    ask_lambda: Callable[[Call], Mapping[str, Any]]
    groups: set[tuple[str, str]] = field(default_factory=set)
    deployments: list[Deployment] = field(default_factory=list)
    content_back: bool = True
    page: int = 100

    @property
    def going(self) -> list[Deployment]:
        """The deployments that have not ended."""
        return [one for one in self.deployments if one.status not in _OVER]

    def shift(self, weight: float) -> None:
        """Let the new version of the deployment that was created last serve a part of the calls, or all of them."""
        one = self.deployments[-1]
        one.status = "InProgress"
        self._move(one, one.moved["CurrentVersion"], one.moved["TargetVersion"], weight)

    def succeed(self) -> None:
        """End it well."""
        self.shift(1)
        self._end("Succeeded")

    def fail(self, status: str, code: str, message: str, *, rolls_back: bool = True) -> None:
        """End it badly, and begin to take the alias back if its group does that."""
        one = self._end(status)
        one.error = {"code": code, "message": message}
        if rolls_back:
            self._begin_rollback(one)

    def finish_rollback(self) -> None:
        """Let the alias be back on the old version alone."""
        self.succeed()

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call."""
        operations: Mapping[str, Callable[[Call], dict[str, Any]]] = {
            "BatchGetDeployments": self._batch_get_deployments,
            "CreateDeployment": self._create_deployment,
            "ListDeployments": self._list_deployments,
        }
        if call.operation not in operations:
            raise Unmodelled(f"the lab's CodeDeploy does not speak {call.operation} yet")
        return operations[call.operation](call)

    def _create_deployment(self, call: Call) -> dict[str, Any]:
        p = only(call, "applicationName deploymentGroupName description revision")
        group, spec = self._group(p), p["revision"].get("appSpecContent", {})
        content = str(spec.get("content", ""))
        if p["revision"].get("revisionType") != "AppSpecContent" or not _is_sound(content, spec.get("sha256")):
            raise AwsError("InvalidRevisionException", "The revision is not an AppSpec with its sha256.")
        made = self._add(group, call.region, content, description=p.get("description", ""))
        return {"deploymentId": made.id}

    def _list_deployments(self, call: Call) -> dict[str, Any]:
        p = only(call, "applicationName createTimeRange deploymentGroupName nextToken")
        group, since = self._group(p), p["createTimeRange"]["start"]
        # CodeDeploy does not promise an order.
        ids = sorted(one.id for one in self.deployments if one.group == group and one.created >= since)
        first = int(p.get("nextToken", 0))
        more = first + self.page < len(ids)
        return {"deployments": ids[first : first + self.page]} | ({"nextToken": str(first + self.page)} if more else {})

    def _batch_get_deployments(self, call: Call) -> dict[str, Any]:
        wanted: Sequence[str] = only(call, "deploymentIds")["deploymentIds"]
        if len(wanted) > _MOST:
            raise AwsError("BatchLimitExceededException", f"At most {_MOST} deployments may be asked for.")
        return {"deploymentsInfo": [self._described(one) for one in self.deployments if one.id in wanted]}

    def _group(self, params: Mapping[str, Any]) -> tuple[str, str]:
        application, group = params["applicationName"], params["deploymentGroupName"]
        if application not in {name for name, _ in self.groups}:
            raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {application}")
        if (application, group) not in self.groups:
            raise AwsError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {group}")
        return application, group

    def _add(self, group: tuple[str, str], region: str, content: str, **more: Any) -> Deployment:
        number = len(self.deployments) + 1
        made = Deployment(
            id=f"d-{hashlib.sha256(str(number).encode()).hexdigest()[:9].upper()}",
            group=group,
            region=region,
            content=content,
            created=self.clock.now(),
            **more,
        )
        self.deployments.append(made)
        return made

    def _begin_rollback(self, one: Deployment) -> None:
        moved = one.moved
        back = {**moved, "CurrentVersion": moved["TargetVersion"], "TargetVersion": moved["CurrentVersion"]}
        resource = {moved["Name"]: {"Type": "AWS::Lambda::Function", "Properties": back}}
        content = json.dumps({"version": 0.0, "Resources": [resource]})
        made = self._add(one.group, one.region, content, creator="codeDeployRollback", status="InProgress")
        one.rollback = {"rollbackDeploymentId": made.id, "rollbackMessage": "Deployment rollback is in progress."}

    def _end(self, status: str) -> Deployment:
        one = self.deployments[-1]
        one.status, one.ended = status, self.clock.now()
        return one

    def _move(self, one: Deployment, old: str, new: str, weight: float) -> None:
        """Let the lab's Lambda have weights as CodeDeploy sets them; a description stays."""
        weights = {new: weight} if weight < 1 else {}
        params = {
            "FunctionName": one.moved["Name"],
            "Name": one.moved["Alias"],
            "FunctionVersion": new if weight == 1 else old,
            "RoutingConfig": {"AdditionalVersionWeights": weights},
        }
        self.ask_lambda(Call(service="lambda", operation="UpdateAlias", region=one.region, params=params))

    def _described(self, one: Deployment) -> dict[str, Any]:
        spec = {"sha256": hashlib.sha256(one.content.encode()).hexdigest()}
        revision = {**spec, "content": one.content} if self.content_back else spec
        found: dict[str, Any] = {
            "applicationName": one.group[0],
            "deploymentGroupName": one.group[1],
            "deploymentId": one.id,
            "revision": {"revisionType": "AppSpecContent", "appSpecContent": revision},
            "status": one.status,
            "createTime": one.created,
            "creator": one.creator,
            "computePlatform": "Lambda",
        }
        more = {
            "description": one.description,
            "completeTime": one.ended,
            "errorInformation": one.error,
            "rollbackInfo": one.rollback,
        }
        return found | {name: value for name, value in more.items() if value}


def _is_sound(content: str, digest: object) -> bool:
    return bool(content) and digest == hashlib.sha256(content.encode()).hexdigest()

"""CodeDeploy: moves aliases of Lambda functions by the rules of a deployment group (CodeDeploy API 2014-10-06).

A deployment is ours for an alias if its AppSpec names function and alias, or if its description does, which we write:
that CodeDeploy gives the AppSpec back with its content is UNVERIFIED.
What CodeDeploy begins by itself to take a deployment back belongs to it.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from bot.adapters.deployer.aws_errors import translated
from bot.adapters.deployer.clients import Clients
from bot.core.deployment import Alias
from bot.core.handover import DeploymentGroup, Handover, HandoverState
from bot.ports.deployer import Function

_AT_ONCE: Final = 25
"""The most deployments that BatchGetDeployments takes."""
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_ENDS: Final = {
    "Succeeded": HandoverState.SUCCEEDED,
    "Failed": HandoverState.FAILED,
    "Stopped": HandoverState.FAILED,
}
"""All other statuses (Created, Queued, InProgress, Baking, Ready) are underway."""
_OURS: Final = re.compile(r"refrom: (?P<function>[^ :]+):(?P<alias>[^ :]+) (?P<old>\d+)>(?P<new>\d+)\Z")
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class CodeDeploy:
    """`Handovers` on CodeDeploy, by a client for the account and the Region of each function."""

    clients: Clients

    def seen(self, group: DeploymentGroup, function: Function, alias: str, since: datetime) -> Sequence[Handover]:
        """Return the deployments of an alias since then: one request for the list, and one for 25 of them."""
        with _translated(group, function):
            found = list(self._found(group, function, since - _CLOCKS_DIFFER))
        named = {one["deploymentId"]: leads for one in found if (leads := _leads(one, function, alias))}
        backs = {back for one in found if one["deploymentId"] in named for back in _rollback(one)}
        mine = [one for one in found if one["deploymentId"] in named or one["deploymentId"] in backs]
        mine.sort(key=lambda one: one["createTime"], reverse=True)
        return [_handover(one, named.get(one["deploymentId"])) for one in mine]

    def create(self, group: DeploymentGroup, function: Function, alias: Alias, version: str) -> str:
        """Create one deployment with an AppSpec of its own; CodeDeploy has no token that would keep a second one away.

        So whoever calls this has looked before, and has marked the alias.
        """
        content = _app_spec(function, alias, version)
        spec = {"content": content, "sha256": hashlib.sha256(content.encode()).hexdigest()}
        with _translated(group, function):
            made = self._client(function).create_deployment(
                applicationName=group.application,
                deploymentGroupName=group.name,
                description=f"refrom: {function.name}:{alias.name} {alias.version}>{version}",
                revision={"revisionType": "AppSpecContent", "appSpecContent": spec},
            )
        return str(made["deploymentId"])

    def _found(self, group: DeploymentGroup, function: Function, since: datetime) -> Iterator[Mapping[str, Any]]:
        client = self._client(function)
        pages = client.get_paginator("list_deployments").paginate(
            applicationName=group.application, deploymentGroupName=group.name, createTimeRange={"start": since}
        )
        names = (name for page in pages for name in page.get("deployments", ()))
        while batch := list(islice(names, _AT_ONCE)):
            yield from client.batch_get_deployments(deploymentIds=batch)["deploymentsInfo"]

    def _client(self, function: Function) -> Any:  # noqa: ANN401 - botocore makes the classes of clients as it runs
        region, account = function.arn.split(":")[3:5]
        return self.clients(account, region)


def _translated(group: DeploymentGroup, function: Function) -> AbstractContextManager[None]:
    subject = f"CodeDeploy {group} for function {function.name}"
    return translated(subject, refusal="correct deploy.codedeploy", service="CodeDeploy")


def _app_spec(function: Function, alias: Alias, version: str) -> str:
    """Write the AppSpec file of a Lambda deployment (CodeDeploy user guide, "AppSpec resources section")."""
    moved = {
        "Name": function.name,
        "Alias": alias.name,
        "CurrentVersion": alias.version,
        "TargetVersion": version,
    }
    resource = {function.name: {"Type": "AWS::Lambda::Function", "Properties": moved}}
    return json.dumps({"version": 0.0, "Resources": [resource]})


def _leads(deployment: Mapping[str, Any], function: Function, alias: str) -> str:
    """Say to which version a deployment leads the alias; empty if it is about another one."""
    ours = _OURS.match(deployment.get("description", ""))
    if ours:
        return ours["new"] if (ours["function"], ours["alias"]) == (function.name, alias) else ""
    for moved in _moved(deployment):
        name = str(moved.get("Name", "")).rpartition(":function:")[2]
        if (name, moved.get("Alias")) == (function.name, alias):
            return str(moved.get("TargetVersion", ""))
    return ""


def _moved(deployment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The properties of the functions that an AppSpec in JSON names; an alias that another one shifts has weights."""
    revision = deployment.get("revision", {})
    content = revision.get("appSpecContent", revision.get("string", {})).get("content", "")
    try:
        resources = json.loads(content)["Resources"]
        yield from (one["Properties"] for resource in resources for one in resource.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return


def _rollback(deployment: Mapping[str, Any]) -> Iterator[str]:
    back = deployment.get("rollbackInfo", {}).get("rollbackDeploymentId")
    if back:
        yield back


def _handover(deployment: Mapping[str, Any], version: str | None) -> Handover:
    status = deployment["status"]
    return Handover(
        id=deployment["deploymentId"],
        version=version,
        state=_ENDS.get(status, HandoverState.UNDERWAY),
        why=_why(deployment),
        ended=deployment.get("completeTime"),
    )


def _why(deployment: Mapping[str, Any]) -> str:
    """Put status, error and rollback of a deployment into one line."""
    error, back = deployment.get("errorInformation", {}), deployment.get("rollbackInfo", {})
    reason = ": ".join(_short(error[part]) for part in ("code", "message") if error.get(part))
    rollback = _short(back.get("rollbackMessage", ""))
    if back.get("rollbackDeploymentId"):
        rollback = f"rolled back by {back['rollbackDeploymentId']}" + (f": {rollback}" if rollback else "")
    told = "; ".join(part for part in (reason, rollback) if part)
    return f"{deployment['status'].lower()} ({told or 'no reason given'})"


def _short(value: object) -> str:
    """Keep what came from outside on one line and within bounds."""
    return " ".join(str(value)[: 4 * _LONGEST].split())[:_LONGEST].rstrip(".")

"""CloudWatch: alarms that are named in the settings, and what Lambda counts of an alias (API reference 2010-08-01).

A look costs one DescribeAlarms and one GetMetricData of at most four metrics, however long the deployment lasts.
Lambda counts invocations and errors by function, alias (dimension Resource) and, while an alias has weights, by
ExecutedVersion too (developer guide, "Types of metrics for Lambda functions").
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.adapters.deployer.aws_errors import translated
from bot.adapters.deployer.clients import Clients
from bot.core.deployment import Alias, Served
from bot.core.errors import DeployError
from bot.ports.deployer import Function

_MINUTE: Final = timedelta(minutes=1)
_BEFORE: Final = timedelta(hours=1)
"""How far back the version that served alone is looked at."""


@dataclass(frozen=True, slots=True)
class CloudWatch:
    """`Watcher` on CloudWatch, by a client for the account and the Region of each function."""

    clients: Clients

    def ringing(self, function: Function, alarms: Sequence[str]) -> tuple[str, ...]:
        """Return those of at most 100 alarms, metric and composite ones, that are in state ALARM."""
        if not alarms:
            return ()
        subject = f"alarms {', '.join(alarms)} of function {function.name}"
        kinds = ["MetricAlarm", "CompositeAlarm"]
        with translated(subject, refusal="correct deploy.alarms", service="CloudWatch"):
            answer = self.clients(*_place(function)).describe_alarms(
                AlarmNames=list(alarms), AlarmTypes=kinds, MaxRecords=100
            )
        states = {alarm["AlarmName"]: alarm["StateValue"] for kind in kinds for alarm in answer.get(f"{kind}s", ())}
        missing = [name for name in alarms if name not in states]
        if missing:
            where = " of ".join(_place(function)[::-1])
            raise DeployError(f"there is no alarm {', '.join(missing)} in {where}; create it or correct deploy.alarms")
        return tuple(name for name in alarms if states[name] == "ALARM")

    def served(self, function: Function, alias: Alias, since: datetime, now: datetime) -> tuple[Served, Served]:
        """Count in whole minutes: of two versions side by side, or of one after the other.

        During a shift both versions are counted since then; afterwards the alias since then, and in the hour before.
        """
        start = _full_minute(since)
        if alias.weights:
            pair = (alias.weights[0][0], alias.version)
            seen = list(self._counts(function, alias, pair, start, now))
            return _sum(seen, 0), _sum(seen, 1)
        seen = list(self._counts(function, alias, (None,), since - _BEFORE, now))
        after = [count for count in seen if count.minute >= start]
        before = [count for count in seen if count.minute + _MINUTE <= since]
        return _sum(after, 0), _sum(before, 0)

    def _counts(
        self, function: Function, alias: Alias, versions: Sequence[str | None], start: datetime, end: datetime
    ) -> "Iterator[_Count]":
        if start >= end:
            return
        queries = [
            _query(f"{metric.lower()}{number}", metric, function, alias, version)
            for number, version in enumerate(versions)
            for metric in ("Invocations", "Errors")
        ]
        subject = f"metrics of function {function.name} alias {alias.name}"
        with translated(subject, refusal="report this to refrom", service="CloudWatch"):
            pages = self.clients(*_place(function)).get_paginator("get_metric_data")
            for page in pages.paginate(MetricDataQueries=queries, StartTime=start, EndTime=end):
                for result in page["MetricDataResults"]:
                    yield from _read(result)


@dataclass(frozen=True, slots=True)
class _Count:
    """What one metric counted in one minute, for the version with this number in the question."""

    metric: str
    number: int
    minute: datetime
    value: float


def _place(function: Function) -> tuple[str, str]:
    """Account and Region."""
    region, account = function.arn.split(":")[3:5]
    return account, region


def _query(name: str, metric: str, function: Function, alias: Alias, version: str | None) -> Mapping[str, Any]:
    dimensions = {"FunctionName": function.name, "Resource": f"{function.name}:{alias.name}"}
    if version is not None:
        dimensions["ExecutedVersion"] = version
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    counted = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": named}
    return {"Id": name, "MetricStat": {"Metric": counted, "Period": 60, "Stat": "Sum"}}


def _read(result: Mapping[str, Any]) -> Iterator[_Count]:
    metric, number = result["Id"][:-1], int(result["Id"][-1])
    for minute, value in zip(result["Timestamps"], result["Values"], strict=True):
        yield _Count(metric, number, minute, value)


def _sum(counts: Sequence[_Count], number: int) -> Served:
    mine = [count for count in counts if count.number == number]
    invocations = sum(count.value for count in mine if count.metric == "invocations")
    return Served(invocations=invocations, errors=sum(count.value for count in mine if count.metric == "errors"))


def _full_minute(moment: datetime) -> datetime:
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + _MINUTE

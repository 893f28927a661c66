"""The CloudWatch of the lab: alarms that a test sets, and what it lets Lambda have counted (API 2010-08-01)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.lab.aws_lambda import only
from tests.lab.aws_protocols import AwsError, Call, Unmodelled

Series = tuple[str, str, tuple[tuple[str, str], ...]]
"""Region, name and dimensions of a metric."""


@dataclass(slots=True)
class CloudWatchService:
    """States of alarms by Region and name; values of metrics by minute; how many metrics were asked for."""

    alarms: dict[tuple[str, str], str] = field(default_factory=dict)
    composite: set[str] = field(default_factory=set)
    values: dict[Series, dict[datetime, float]] = field(default_factory=dict)

    asked: int = 0

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call."""
        operations: Mapping[str, Callable[[Call], dict[str, Any]]] = {
            "DescribeAlarms": self._describe_alarms,
            "GetMetricData": self._get_metric_data,
        }
        if call.operation not in operations:
            raise Unmodelled(f"the lab's CloudWatch does not speak {call.operation} yet")
        return operations[call.operation](call)

    def count(self, region: str, metric: str, dimensions: Mapping[str, str], minute: datetime, value: float) -> None:
        """Add to what was counted in one minute."""
        values = self.values.setdefault((region, metric, tuple(sorted(dimensions.items()))), {})
        values[minute] = values.get(minute, 0.0) + value

    def _describe_alarms(self, call: Call) -> dict[str, Any]:
        """Leave out alarms that are not there, and kinds that were not asked for, as CloudWatch does."""
        p = only(call, "AlarmNames AlarmTypes MaxRecords")
        answer: dict[str, Any] = {}
        for kind in p.get("AlarmTypes", ["MetricAlarm"]):
            names = [name for name in p["AlarmNames"] if (name in self.composite) == (kind == "CompositeAlarm")]
            answer[f"{kind}s"] = [
                {"AlarmName": name, "StateValue": self.alarms[call.region, name]}
                for name in names
                if (call.region, name) in self.alarms
            ]
        return answer

    def _get_metric_data(self, call: Call) -> dict[str, Any]:
        p = only(call, "EndTime MetricDataQueries StartTime")
        start = p["StartTime"].replace(second=0, microsecond=0)
        if start >= p["EndTime"]:
            text = "The parameter StartTime must be less than the parameter EndTime."
            raise AwsError("ValidationError", text)
        self.asked += len(p["MetricDataQueries"])
        results = [self._result(call.region, query, start, p["EndTime"]) for query in p["MetricDataQueries"]]
        return {"MetricDataResults": results}

    def _result(self, region: str, query: Mapping[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
        stat = query["MetricStat"]
        metric = stat["Metric"]
        if (metric["Namespace"], stat["Stat"], stat["Period"]) != ("AWS/Lambda", "Sum", 60):
            raise Unmodelled(f"the lab's CloudWatch does not count {stat}")
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
        counted = self.values.get((region, metric["MetricName"], tuple(sorted(dimensions.items()))), {})
        found = sorted((minute, value) for minute, value in counted.items() if start <= minute < end)
        return {
            "Id": query["Id"],
            "Label": metric["MetricName"],
            "Timestamps": [minute for minute, _ in reversed(found)],
            "Values": [value for _, value in reversed(found)],
            "StatusCode": "Complete",
        }

"""CloudWatch Logs of the lab: groups, streams and events that a test writes (Logs API 2014-03-28)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tests.lab.aws_codebuild import CodeBuildService
from tests.lab.aws_lambda import only
from tests.lab.aws_protocols import AwsError, Call, Unmodelled

_TERM: Final = re.compile(r'\w+|"[^"]+"')

Event = tuple[datetime, str]
Group = tuple[str, str, str]
"""Account, Region and name."""


@dataclass(slots=True)
class LogsService:
    """Groups with their streams; `empty_pages` come before what a filter finds, as with a large group."""

    builds: CodeBuildService
    account_of: Callable[[str], str]
    groups: dict[Group, dict[str, list[Event]]] = field(default_factory=dict)
    empty_pages: int = 0

    def write(self, group: Group, stream: str, at: datetime, line: str) -> None:
        """Add an event to a stream."""
        self.groups.setdefault(group, {}).setdefault(stream, []).append((at, line))

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call."""
        operations: Mapping[str, Callable[[Call], dict[str, Any]]] = {
            "DescribeLogStreams": self._describe_log_streams,
            "FilterLogEvents": self._filter_log_events,
            "GetLogEvents": self.builds.answer_logs,
        }
        if call.operation not in operations:
            raise Unmodelled(f"the lab's Logs do not speak {call.operation} yet")
        return operations[call.operation](call)

    def _describe_log_streams(self, call: Call) -> dict[str, Any]:
        p = only(call, "descending limit logGroupName orderBy")
        if (p.get("orderBy"), p.get("descending")) != ("LastEventTime", True):
            raise Unmodelled("the lab's Logs list streams by their last event alone, the newest first")
        streams = self._group(call)
        last = {name: max(at for at, _ in events) for name, events in streams.items()}
        newest = sorted(streams, key=lambda name: last[name], reverse=True)[: p.get("limit", 50)]
        return {"logStreams": [{"logStreamName": name, "lastEventTimestamp": _stamp(last[name])} for name in newest]}

    def _filter_log_events(self, call: Call) -> dict[str, Any]:
        """Find events by one term or quoted phrase, the oldest first; the token counts pages."""
        p = only(call, "filterPattern limit logGroupName logStreamNames nextToken")
        streams = self._group(call)
        if missing := [name for name in p["logStreamNames"] if name not in streams]:
            raise AwsError("ResourceNotFoundException", f"The specified log stream does not exist: {missing[0]}")
        if not _TERM.fullmatch(p["filterPattern"]):
            raise Unmodelled(f"the lab's Logs do not know the pattern {p['filterPattern']}")
        term = p["filterPattern"].strip('"')
        found = sorted((at, name, line) for name in p["logStreamNames"] for at, line in streams[name] if term in line)
        page, limit = int(p.get("nextToken", "0")), p.get("limit", 10_000)
        start = (page - self.empty_pages) * limit
        events = [_event(*one) for one in found[start : start + limit]] if start >= 0 else []
        return {"events": events} | ({"nextToken": str(page + 1)} if start + limit < len(found) or start < 0 else {})

    def _group(self, call: Call) -> dict[str, list[Event]]:
        name = call.params["logGroupName"]
        group = (self.account_of(call.access_key), call.region, name)
        if group not in self.groups:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return self.groups[group]


def _event(at: datetime, stream: str, line: str) -> dict[str, Any]:
    return {"logStreamName": stream, "timestamp": _stamp(at), "message": line, "ingestionTime": _stamp(at)}


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

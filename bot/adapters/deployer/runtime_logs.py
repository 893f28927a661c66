"""INIT_START in CloudWatch Logs: which runtime version Lambda last started a function on (Logs API 2014-03-28).

A search costs at most four requests, whatever the log group holds: the newest streams, then what they say of a start.
Names of streams (developer guide, "Working with log groups"): `2026/11/24/[$LATEST]HASH`, and with the function's name
before the bracket in a group that functions share.
"""

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.adapters.deployer.aws_errors import says_missing, translated
from bot.adapters.deployer.clients import Clients
from bot.adapters.deployer.pace import Pace
from bot.core.errors import DeployError
from bot.core.runtime_version import InitStart, read_init_start
from bot.ports.clock import Clock
from bot.ports.fleet import SeenVersion

A_SECOND: Final = 5
"""Requests for each account and Region: the smallest quota of FilterLogEvents that is known of (UNVERIFIED)."""

_NEWEST: Final = 50
_STREAMS: Final = 5
_PAGES: Final = 3
_EVENTS: Final = 20
_SKEW: Final = timedelta(minutes=5)

Hit = tuple[datetime, InitStart]


class RuntimeLogs:
    """Looks for the last start of functions; safe to share between threads."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._paces: dict[tuple[str, str], Pace] = {}
        self._lock = threading.Lock()

    def started(self, version: SeenVersion) -> InitStart | str:
        """Return the last start that is logged, or why there is none."""
        try:
            streams = self._streams(version)
            hits = self._hits(version, streams) if streams else []
        except DeployError as fault:
            if says_missing(fault):
                return f"there is no log group {version.logs}: it never ran, or its log is gone"
            return str(fault)
        if not streams:
            return f"none of the {_NEWEST} newest streams of log group {version.logs} is of this version"
        return self._newest(version, hits)

    def _newest(self, version: SeenVersion, hits: list[Hit]) -> InitStart | str:
        """What is stamped in the future cannot be put in order with what is not."""
        if not hits:
            return f"log group {version.logs} holds no INIT_START in its {_STREAMS} newest streams"
        latest = self._clock.now() + _SKEW
        past = [hit for hit in hits if hit[0] <= latest]
        if not past:
            stamped = f"{max(hits, key=_when)[0]:%Y-%m-%d %H:%M} UTC"
            return f"INIT_START in log group {version.logs} is stamped {stamped}, in the future; check the clock here"
        return max(past, key=_when)[1]

    def _streams(self, version: SeenVersion) -> list[str]:
        answer = self._ask(version, "describe_log_streams", orderBy="LastEventTime", descending=True, limit=_NEWEST)
        function = version.function
        own = version.logs == f"/aws/lambda/{function.name}"
        mark = f"{'' if own else function.name}[{function.version}]"
        names = [stream["logStreamName"] for stream in answer.get("logStreams", ())]
        return [name for name in names if name.rpartition("/")[2].startswith(mark)][:_STREAMS]

    def _hits(self, version: SeenVersion, streams: list[str]) -> list[Hit]:
        """Read pages until one holds a start; a page may be empty and have a next one."""
        pattern = '"platform.initStart"' if version.json else "INIT_START"
        marker: Mapping[str, str] = {}
        for _ in range(_PAGES):
            page = self._ask(
                version, "filter_log_events", logStreamNames=streams, filterPattern=pattern, limit=_EVENTS, **marker
            )
            if hits := list(_read(page)):
                return hits
            if not page.get("nextToken"):
                break
            marker = {"nextToken": page["nextToken"]}
        return []

    def _ask(self, version: SeenVersion, operation: str, **members: object) -> Mapping[str, Any]:
        region, account = version.function.arn.split(":")[3:5]
        subject = f"log group {version.logs} in {region}"
        with translated(subject, refusal="report this to refrom", service="CloudWatch Logs"):
            client = self._clients(account, region)
            self._pace(account, region).wait()
            answer: Mapping[str, Any] = getattr(client, operation)(logGroupName=version.logs, **members)
            return answer

    def _pace(self, account: str, region: str) -> Pace:
        with self._lock:
            return self._paces.setdefault((account, region), Pace(A_SECOND, self._clock))


def _read(page: Mapping[str, Any]) -> Iterator[Hit]:
    for event in page.get("events", ()):
        if started := read_init_start(event.get("message", "")):
            yield datetime.fromtimestamp(event.get("timestamp", 0) / 1000, UTC), started


def _when(hit: Hit) -> datetime:
    return hit[0]

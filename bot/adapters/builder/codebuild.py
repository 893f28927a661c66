"""AWS CodeBuild: a project that builds what environment variables say (CodeBuild API 2016-10-06)."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from boto3.session import Session
from botocore import exceptions as aws
from botocore.config import Config

from bot.adapters.builder.elsewhere import by_name
from bot.core.errors import BuildError
from bot.ports.builder import BuildOrder
from bot.ports.jobs import Job, JobState

_IMAGE: Final = "REFROM_IMAGE"
_LINES: Final = 50
"""Lines of a log's end that are shown."""
_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="refrom",
)
_STATES: Final = {"IN_PROGRESS": JobState.RUNNING, "SUCCEEDED": JobState.SUCCEEDED}
"""All other statuses (FAILED, FAULT, STOPPED, TIMED_OUT) are failures."""
_CURES: Final = {
    "AccessDeniedException": "allow codebuild:StartBuild, codebuild:ListBuildsForProject and codebuild:BatchGetBuilds",
    "AccountLimitExceededException": "wait until fewer builds run, or raise the account's limit",
    "ResourceNotFoundException": "correct project or region under deploy.builder",
}


class CodeBuild:
    """`Jobs` of one project; a build is found again among the latest hundred by the image that it was started for."""

    def __init__(self, project: str, region: str, *, endpoint_url: str | None = None) -> None:
        self._project, self._region, self._endpoint_url = project, region, endpoint_url
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def find(self, order: BuildOrder) -> Job | None:
        """Find the latest build for an order, with the end of its log once it is over."""
        with self._translated():
            client = self._client("codebuild")
            ids = client.list_builds_for_project(projectName=self._project, sortOrder="DESCENDING").get("ids")
            builds = client.batch_get_builds(ids=ids)["builds"] if ids else []
        mine = [build for build in builds if _builds(build, order)]
        return self._job(max(mine, key=lambda build: build["startTime"])) if mine else None

    def reach(self) -> str:
        """Say that the project is there and lets us list its builds; `BuildError` where not."""
        with self._translated():
            ids = self._client("codebuild").list_builds_for_project(projectName=self._project).get("ids", ())
        return f"lists {len(ids)} builds of project {self._project}"

    def start(self, order: BuildOrder) -> str:
        """Start a build of the order's commit; the same order within five minutes is the same build."""
        facts = by_name(order)
        variables = [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in facts.items()]
        with self._translated():
            answer = self._client("codebuild").start_build(
                projectName=self._project,
                sourceVersion=order.commit,
                environmentVariablesOverride=variables,
                idempotencyToken=hashlib.sha256(facts[_IMAGE].encode()).hexdigest(),
            )
        return _name(answer["build"])

    def _job(self, build: Mapping[str, Any]) -> Job:
        state = _STATES.get(build["buildStatus"], JobState.FAILED)
        log = "" if state is JobState.RUNNING else self._log(build.get("logs", {}))
        where = _name(build) if state is not JobState.FAILED else f"{_name(build)} ({build['buildStatus']})"
        return Job(state=state, where=where, log=log)

    def _log(self, logs: Mapping[str, Any]) -> str:
        """Read the end of a log; where that is not allowed, say where it is."""
        if "groupName" not in logs or "streamName" not in logs:
            return ""
        try:
            answer = self._client("logs").get_log_events(
                logGroupName=logs["groupName"], logStreamName=logs["streamName"], limit=_LINES, startFromHead=False
            )
        except (aws.ClientError, aws.BotoCoreError) as fault:
            return f"its log cannot be read ({_short(fault)}): {logs.get('deepLink', logs['groupName'])}"
        return "".join(event.get("message", "") for event in answer["events"])

    def _client(self, service: str) -> Any:  # noqa: ANN401 - botocore makes the classes of clients as it runs
        with self._lock:  # sessions do not make clients in two threads at once
            if service not in self._clients:
                session: Any = Session()
                self._clients[service] = session.client(
                    service, region_name=self._region, endpoint_url=self._endpoint_url, config=_CONFIG
                )
            return self._clients[service]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn whatever botocore raises into a `BuildError` about the project."""
        subject = f"CodeBuild project {self._project} in {self._region}"
        try:
            yield
        except aws.ClientError as fault:
            error = fault.response.get("Error", {})
            code = str(error.get("Code", ""))
            cure = _CURES.get(code, "look the code up in the CodeBuild API reference")
            raise BuildError(f"{subject}: {_short(error.get('Message', ''))} ({code}); {cure}") from fault
        except aws.BotoCoreError as fault:
            passing = isinstance(fault, aws.HTTPClientError | aws.ConnectionError)
            what = f"{subject}: AWS cannot be asked ({_short(fault)}); check credentials, network and Region"
            raise BuildError(what, retryable=passing) from fault


def _builds(build: Mapping[str, Any], order: BuildOrder) -> bool:
    variables = build.get("environment", {}).get("environmentVariables", ())
    return any((one["name"], one["value"]) == (_IMAGE, str(order.destination)) for one in variables)


def _name(build: Mapping[str, Any]) -> str:
    return f"CodeBuild {build['id']}"


def _short(value: object) -> str:
    """Keep what came from outside on one line and within bounds."""
    return " ".join(str(value)[:1600].split())[:400].rstrip(".")

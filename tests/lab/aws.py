"""The lab's AWS: Lambda, ECR, CloudWatch and STS on loopback for an unmodified boto3, over a real registry.

    with AwsStub(registry_url, clock=clock) as aws:
        aws.create_function("orders", f"{host}/orders:1", aliases=["live"])
        aws.client("lambda").get_function(FunctionName="orders")
        assert not aws.writes

It answers only what botocore's service models allow, and fails the test at its end for whatever it cannot do
truly: an operation or parameter that it does not act on, an answer that breaks the model, a defect of its own.
"""

import json
import re
import threading
import traceback
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Final, Self

import boto3
from botocore.config import Config

from bot.ports.clock import Clock
from tests.lab.aws_cloudwatch import CloudWatchService
from tests.lab.aws_codebuild import CodeBuildService
from tests.lab.aws_codedeploy import CodeDeployService
from tests.lab.aws_codepipeline import CodePipelineService
from tests.lab.aws_ecr import EcrService
from tests.lab.aws_fleet import HOME, FleetControls
from tests.lab.aws_functions import Provisioned
from tests.lab.aws_images import MAX_UNPACKED, LambdaImages
from tests.lab.aws_lambda import ACCOUNT, LambdaService
from tests.lab.aws_logs import LogsService
from tests.lab.aws_protocols import AwsError, Call, read_call, region_of, write_answer, write_error
from tests.lab.aws_registry import ImageSource
from tests.lab.aws_sts import StsService, account_of
from tests.lab.web import Answer, Asked, serve

REGION: Final = HOME
_READS: Final = re.compile(r"(?:Get|List|Describe|BatchGet|Filter)[A-Z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that reached the stub, whatever became of it."""

    service: str
    operation: str
    region: str
    account: str
    write: bool
    at: datetime


@cache
def _session() -> boto3.session.Session:
    """One session with made-up credentials for all stubs: loading the service models is what takes time."""
    return boto3.session.Session("AKIALABLABLABLABLABL", "lab")


@dataclass(frozen=True, slots=True)
class _Trouble:
    """An error to be answered instead of carrying out an operation."""

    operation: str
    error: AwsError
    function: str = ""

    def befalls(self, call: Call) -> bool:
        """Whether it is this call's, of the function if it is that of one."""
        name = str(call.params.get("FunctionName", "")).rpartition(":")[2]
        return call.operation == self.operation and self.function in ("", name)


class AwsStub(FleetControls):
    """One AWS account. Image URIs lead to the registry, by its own host and port or by an ECR host name."""

    def __init__(
        self,
        registry_url: str,
        *,
        clock: Clock,
        auth: tuple[str, str] | None = None,
        update_seconds: float = 2.0,
        max_unpacked: int = MAX_UNPACKED,
    ) -> None:
        self._source = ImageSource(registry_url, auth)
        images = LambdaImages(source=self._source, max_unpacked=max_unpacked)
        self._lambda = LambdaService(clock=clock, images=images, update_seconds=update_seconds)
        self._lambdas = {ACCOUNT: self._lambda}
        self._sts = StsService()
        self._clock = clock
        self._ecr = EcrService(clock=clock, source=self._source)
        self.cloudwatch = CloudWatchService()
        """Alarms and metrics, for a test to set."""
        self.codebuild = CodeBuildService(clock)
        """Projects and their builds, for a test to end."""
        self.logs = LogsService(self.codebuild, account_of)
        """Log groups, for a test to write to."""
        self.denied: set[tuple[str, str, str]] = set()
        """Operations that are not allowed, each with the account and the Region where they are not."""
        self.down: set[str] = set()
        """Regions that cut every connection."""
        self.codedeploy = CodeDeployService(clock, self._lambda.answer)
        """Deployment groups and their deployments, for a test to move on."""
        self.codepipeline = CodePipelineService(clock)
        """Pipelines and their executions, for a test to end."""
        self._services = {
            "lambda": lambda call: self._lambdas[account_of(call.access_key)].answer(call),
            "cloudwatch": self.cloudwatch.answer,
            "codebuild": self.codebuild.answer,
            "codedeploy": self.codedeploy.answer,
            "codepipeline": self.codepipeline.answer,
            "logs": self.logs.answer,
            "ecr": self._ecr.answer,
            "sts": self._sts.answer,
        }
        self._stack = ExitStack()
        self._lock = threading.RLock()
        self._troubles: list[_Trouble] = []
        self._events: list[tuple[str, Callable[[], object]]] = []
        self._sequels: list[tuple[str, Callable[[], None]]] = []
        self._planned: tuple[int, bool, Callable[[], object]] | None = None
        self.url = ""
        """Where boto3 finds every service (`endpoint_url`), once entered."""
        self.requests: list[Request] = []
        self.defects: list[str] = []

    def __enter__(self) -> Self:
        self._stack.callback(self._source.close)
        self.url = self._stack.enter_context(serve(self._respond)).url
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        assert not self.defects, "the lab's AWS was asked or answered wrongly:\n" + "\n".join(self.defects)

    @property
    def writes(self) -> list[Request]:
        """The requests so far that change something."""
        return [request for request in self.requests if request.write]

    def client(self, service: str, region: str = REGION) -> Any:
        """Make a boto3 client of the stub that tries each call once and is closed with the stub."""
        session: Any = _session()
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=10)
        client = session.client(service, region_name=region, endpoint_url=self.url, config=config)
        self._stack.callback(client.close)
        return client

    def create_function(
        self,
        name: str,
        image_uri: str,
        architecture: str = "x86_64",
        *,
        aliases: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        region: str = REGION,
        account: str = ACCOUNT,
    ) -> str:
        """Put a container-image function there, ready to serve, and return its ARN; aliases serve version 1."""
        code = {"PackageType": "Image", "Code": {"ImageUri": image_uri}, "Architectures": [architecture]}
        return self._create(name, region, code, aliases, tags or {}, account)

    def add_account(self, account: str) -> str:
        """Open another account beside the first one, and return a role of it that may be assumed."""
        first = self._lambda
        self._lambdas[account] = LambdaService(
            clock=first.clock, images=first.images, update_seconds=first.update_seconds, account=account
        )
        role = f"arn:aws:iam::{account}:role/refrom"
        self._sts.trusting.add(role)
        return role

    def list_by(self, count: int) -> None:
        """Let listings have so many functions on a page."""
        for service in self._lambdas.values():
            service.page = count

    def create_zip_function(
        self,
        name: str,
        runtime: str = "python3.13",
        *,
        aliases: Sequence[str] = (),
        architecture: str = "x86_64",
        logging: Mapping[str, str] | None = None,
        region: str = REGION,
        account: str = ACCOUNT,
    ) -> str:
        """Put a .zip function there, ready to serve, and return its ARN; aliases serve version 1."""
        code = {
            "PackageType": "Zip",
            "Code": {"ZipFile": b"PK"},
            "Runtime": runtime,
            "Handler": "app.handler",
            "Architectures": [architecture],
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **(logging or {})},
        }
        return self._create(name, region, code, aliases, {}, account)

    def fail_next(
        self,
        operation: str,
        code: str,
        text: str = "Refused by the test",
        *,
        times: int = 1,
        function: str = "",
        **members: str,
    ) -> None:
        """Answer the next calls of an operation with an error, such as a throttle with its `retryAfterSeconds`.

        With `function`, those that name that function, without a version behind it.
        """
        self._troubles += [_Trouble(operation, AwsError(code, text, **members), function)] * times

    def relent(self) -> None:
        """Answer with no error that was wanted before."""
        self._troubles.clear()

    def before_next(self, operation: str, happens: Callable[[], object]) -> None:
        """Let something happen behind everybody's back just before the next call of an operation is carried out."""
        self._events.append((operation, happens))

    def after_next(self, operation: str, act: Callable[[], None]) -> None:
        """Do something as soon as the next call of an operation is carried out, whoever makes it."""
        self._sequels.append((operation, act))

    def at_write(self, number: int, happens: Callable[[], object], *, after: bool) -> None:
        """Let something happen before or after the n-th write from now is carried out; after is before its answer."""
        self._planned = (len(self.writes) + number, after, happens)

    def fail_update(self, name: str, code: str, text: str) -> None:
        """Let the next change of a function begin well and end with LastUpdateStatus Failed and this reason."""
        self._lambda.failures[name] = (code, text)

    def touch(self, name: str, region: str = REGION) -> None:
        """Change a function behind everybody's back: it has a new RevisionId."""
        self._lambda.functions[region, name].latest.touch()

    @property
    def metrics_asked(self) -> int:
        """How many metrics GetMetricData was asked for, which is what it is billed by."""
        return self.cloudwatch.asked

    def delete_function(self, name: str, region: str = REGION) -> None:
        """Delete a function behind everybody's back."""
        del self._lambda.functions[region, name]

    def slow_down(self, seconds: float) -> None:
        """Let Lambda work so long on each change from now on."""
        self._lambda.update_seconds = seconds

    def page_versions(self, count: int) -> None:
        """Let listings of versions have so many on a page."""
        self._lambda.versions_a_page = count

    def provision(self, name: str, alias: str, count: int = 2, *, failure: str = "", region: str = REGION) -> None:
        """Give an alias provisioned concurrency that is there, or that failed."""
        here = Provisioned(count=count, ready_at=self._clock.now(), failure=failure)
        self._lambda.functions[region, name].provisioned[alias] = here

    def set_alarm(self, name: str, state: str = "OK", *, composite: bool = False, region: str = REGION) -> None:
        """Put an alarm there, or into another state."""
        self.cloudwatch.alarms[region, name] = state
        if composite:
            self.cloudwatch.composite.add(name)

    def count(
        self,
        alias: str,
        version: str | None,
        invocations: int,
        errors: int = 0,
        *,
        ago: int = 0,
        region: str = REGION,
    ) -> None:
        """Let Lambda have counted in the minute so long ago, for `function:alias`, and by version while weighted."""
        minute = self._clock.now().replace(second=0, microsecond=0) - timedelta(minutes=ago)
        whole = {"FunctionName": alias.partition(":")[0], "Resource": alias}
        for dimensions in (whole, whole | {"ExecutedVersion": version}) if version else (whole,):
            for metric, value in (("Invocations", invocations), ("Errors", errors)):
                self.cloudwatch.count(region, metric, dimensions, minute, value)

    def set_lifecycle(self, repository: str, *rules: Mapping[str, Any]) -> None:
        """Give a repository a lifecycle policy."""
        self._ecr.policies[repository] = json.dumps({"rules": rules})

    def fix_tags(self, repository: str) -> None:
        """Make the tags of a repository immutable."""
        self._ecr.fixed.add(repository)

    def busiest_second(self, *, reads: bool, service: str = "lambda") -> int:
        """Count the calls in the busiest second of a place: GetFunction, or all others of the service together."""
        moments: dict[tuple[str, str], list[datetime]] = {}
        for r in self.requests:
            if r.service == service and (r.operation == "GetFunction") == reads:
                moments.setdefault((r.account, r.region), []).append(r.at)
        return max((_busiest(sorted(place)) for place in moments.values()), default=0)

    def _create(
        self,
        name: str,
        region: str,
        code: Mapping[str, Any],
        aliases: Sequence[str],
        tags: Mapping[str, str],
        account: str,
    ) -> str:
        role = f"arn:aws:iam::{account}:role/lab"
        direct = partial(self._direct, self._lambdas[account], region)
        with self._lock, self._at_once(self._lambdas[account]):
            created = direct("CreateFunction", FunctionName=name, Role=role, Tags=tags, **code)
            for alias in aliases:
                version = direct("PublishVersion", FunctionName=name)["Version"]
                direct("CreateAlias", FunctionName=name, Name=alias, FunctionVersion=version)
            direct("GetFunction", FunctionName=name)
        return str(created["FunctionArn"])

    @contextmanager
    def _at_once(self, service: LambdaService) -> Iterator[None]:
        """Let changes be done as soon as somebody looks."""
        seconds, service.update_seconds = service.update_seconds, 0.0
        try:
            yield
        finally:
            service.update_seconds = seconds

    def _direct(self, service: LambdaService, region: str, operation: str, **params: Any) -> dict[str, Any]:
        return service.answer(Call(service="lambda", operation=operation, region=region, params=params))

    def _respond(self, request: Asked) -> Answer | None:
        """Answer one request; what the lab cannot do is remembered as its defect and answered with a 500."""
        with self._lock:
            try:
                if region_of(request) in self.down:
                    return None
                return self._carry_out(request)
            except Exception:  # noqa: BLE001 - whatever it is, the test must hear of it, and the client get an answer
                self.defects.append(f"{request.method} {request.path}: {traceback.format_exc(limit=-4)}")
                return Answer(status=500, body=b'{"message": "defect of the lab"}')

    def _carry_out(self, request: Asked) -> Answer:
        call = None
        try:
            call = read_call(request)
            write = not _READS.match(call.operation)
            entry = Request(
                service=call.service,
                operation=call.operation,
                region=call.region,
                account=account_of(call.access_key),
                write=write,
                at=self._clock.now(),
            )
            self.requests.append(entry)
            self._let_happen(call.operation)
            self._reach(write=write, after=False)
            self._raise_trouble(call, entry)
            answer = write_answer(call, self._services[call.service](call))
        except AwsError as error:
            return write_error(call.service if call else "lambda", call.operation if call else None, error)
        self._reach(write=write, after=True)
        self._follow_up(call.operation)
        return answer

    def _follow_up(self, operation: str) -> None:
        due = [sequel for sequel in self._sequels if sequel[0] == operation][:1]
        for sequel in due:
            self._sequels.remove(sequel)
            sequel[1]()

    def _let_happen(self, operation: str) -> None:
        due = [happens for before, happens in self._events if before == operation]
        self._events = [event for event in self._events if event[0] != operation]
        for happens in due:
            happens()

    def _reach(self, *, write: bool, after: bool) -> None:
        if write and self._planned and self._planned[:2] == (len(self.writes), after):
            happens, self._planned = self._planned[2], None
            happens()

    def _raise_trouble(self, call: Call, asked: Request) -> None:
        if (asked.operation, asked.account, asked.region) in self.denied:
            text = f"{asked.service}:{asked.operation} is not allowed for account {asked.account} in {asked.region}"
            raise AwsError("AccessDeniedException", text)
        for trouble in self._troubles:
            if trouble.befalls(call):
                self._troubles.remove(trouble)
                raise trouble.error


def _busiest(moments: Sequence[datetime]) -> int:
    """The most moments in a second, wherever it begins."""
    return max(bisect_left(moments, moment + timedelta(seconds=1)) - start for start, moment in enumerate(moments))

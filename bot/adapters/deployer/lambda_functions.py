"""AWS Lambda functions through boto3 (Lambda API 2015-03-31; developer guide, "Lambda function states").

Every change carries what was read (`RevisionId`, `CodeSha256`), names the image by digest and never publishes on
the way.
Lambda takes 100 GetFunction calls a second in a Region and 15 of all other calls together, so reads are GetFunction
wherever it tells enough.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from boto3.session import Session
from botocore.config import Config

from bot.adapters.deployer.aws_errors import says_missing, translated
from bot.adapters.deployer.function_name import FunctionName
from bot.adapters.deployer.lambda_answers import alias_of, function_of, readiness_of, same_version
from bot.adapters.deployer.listing import Clients, Place, candidate, names_of, unreadable
from bot.adapters.deployer.pace import Pace
from bot.core.deployment import Alias
from bot.core.errors import DeployError
from bot.core.mapping import Candidate
from bot.core.reference import Reference
from bot.ports.clock import Clock
from bot.ports.deployer import Function, Listing, Readiness

READS_A_SECOND: Final = 100
OTHERS_A_SECOND: Final = 15
"""Lambda's quotas of GetFunction and of all other calls together, for each account and Region; not adjustable."""

_LATEST: Final = "$LATEST"

CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="refrom",
)


def lambda_clients(session: Session, *, endpoint_url: str | None = None) -> Callable[[str], Any]:
    """Return a maker of Lambda clients by Region that try each call three times, with botocore's backoff."""
    return lambda region: session.client("lambda", region_name=region, endpoint_url=endpoint_url, config=CONFIG)


@dataclass(frozen=True, slots=True)
class _Region:
    """The client of one account and Region, and its two quotas."""

    client: Any
    reads: Pace
    others: Pace


class LambdaFunctions:
    """`Functions` and `Deployer` on AWS Lambda; safe to share between threads.

    A function is named by its name, then it lies in `region`, or by its ARN, which brings its own Region and account.
    `roles` make the clients for other accounts, by account; `places` are those whose functions are listed.
    """

    def __init__(
        self,
        client_factory: Clients,
        *,
        region: str,
        clock: Clock,
        roles: Mapping[str, Clients] = MappingProxyType({}),
        places: Sequence[Place] = (),
    ) -> None:
        self._client_factory = client_factory
        self._default_region = region
        self._clock = clock
        self._roles = roles
        self.places = places or (Place(region),)
        self._regions: dict[Place, _Region] = {}
        self._lock = threading.Lock()

    def function(self, name: str, version: str = _LATEST) -> Function:
        """Describe one version (or what an alias of that name serves), with its resolved image.

        A version that Lambda still prepares (State `Pending`) is reported as in progress.
        """
        subject = f"function {name}" if version == _LATEST else f"function {name} version {version}"
        qualifier = {} if version == _LATEST else {"Qualifier": version}  # tags are the function's, not a version's
        answer = self.call("get_function", name, subject=subject, **qualifier)
        return function_of(subject, answer)

    def alias(self, function: str, name: str) -> Alias | None:
        """Describe an alias; None if the function is there and has no such alias."""
        try:
            answer = self.call("get_alias", function, subject=f"alias {name} of function {function}", Name=name)
        except DeployError as fault:
            if not says_missing(fault):
                raise
            self.function(function)  # a missing function is another matter than a missing alias
            return None
        return alias_of(function, answer)

    def readiness(self, function: Function, alias: Alias) -> Readiness:
        """Say how far the provisioned concurrency of an alias is; an alias without any is ready."""
        subject = f"provisioned concurrency of function {function.name} alias {alias.name}"
        try:
            answer = self.call(
                "get_provisioned_concurrency_config", function.arn, subject=subject, Qualifier=alias.name
            )
        except DeployError as fault:
            if not says_missing(fault, "ProvisionedConcurrencyConfigNotFoundException"):
                raise
            return Readiness()
        return readiness_of(answer)

    def versions(self, function: Function) -> Sequence[str]:
        """List them, the newest first, with one request for 50 of them."""
        listed = self._versions(function, f"versions of function {function.name}")
        return sorted((str(entry["Version"]) for entry in listed if entry["Version"] != _LATEST), key=int, reverse=True)

    def listed(self) -> Listing:
        """List functions with one request for 50 of any kind and one for each that is a container image."""
        functions: list[Candidate] = []
        faults = []
        for place in self.places:
            try:
                functions += self._list(place)
            except DeployError as fault:
                faults.append((str(place), str(fault)))
        return Listing(tuple(functions), tuple(faults))

    def update_code(self, function: Function, image: Reference) -> None:
        """Point `$LATEST` at an image by digest; refused if the function changed since it was read."""
        subject = f"function {function.name}"
        if function.image is None:
            raise DeployError(f"{subject} is a .zip function and takes no image; update its code with its own tools")
        if image.digest is None:
            raise DeployError(f"{subject}: image {image} has no digest; name it by digest, a tag may move meanwhile")
        uri = f"{image.name}@{image.digest}"
        self.call(
            "update_function_code",
            function.arn,
            subject=f"{subject} with image {uri}",
            refusal="give one image that is there, for the function's platform, in ECR of its Region",
            ImageUri=uri,
            RevisionId=function.revision,
        )

    def publish_version(self, function: Function) -> str:
        """Publish `$LATEST` as it was read, unless a version with its code and configuration is there.

        Lambda itself gives the last version again if nothing changed since; a version before the last one, or a change
        that was taken back, is found here.
        That a version has the ConfigSha256 of the `$LATEST` it was published from is UNVERIFIED; if not, Lambda's own
        promise is left.
        """
        subject = f"new version of function {function.name}"
        there = self._version_like(function, subject)
        if there:
            return there
        answer = self.call(
            "publish_version",
            function.arn,
            subject=subject,
            CodeSha256=function.code_sha256,
            RevisionId=function.revision,
        )
        version = str(answer.get("Version", ""))
        if not version.isdecimal():
            raise DeployError(f"{subject}: Lambda gave no version number but {version[:40]!r}; look at it in Lambda")
        return version

    def move_alias(self, function: Function, alias: Alias) -> None:
        """Let the alias become this one; refused if it changed since it was read."""
        self.call(
            "update_alias",
            function.arn,
            subject=f"alias {alias.name} of function {function.name}",
            refusal="check that the versions exist and have the same execution role",
            Name=alias.name,
            FunctionVersion=alias.version,
            RevisionId=alias.revision,
            RoutingConfig={"AdditionalVersionWeights": dict(alias.weights)},
            Description=alias.description,
        )

    def _versions(self, function: Function, subject: str) -> Iterator[Mapping[str, Any]]:
        """Read all pages of versions, `$LATEST` among them."""
        marker: Mapping[str, str] = {}
        while True:
            page = self.call("list_versions_by_function", function.arn, subject=subject, **marker)
            yield from page.get("Versions", ())
            if not page.get("NextMarker"):
                return
            marker = {"Marker": page["NextMarker"]}

    def _list(self, place: Place) -> Iterator[Candidate]:
        for config in self.configurations(place):
            if config.get("PackageType") != "Image":
                continue
            names = self.names(config, place)
            try:
                yield candidate(names, self.call("get_function", names[0], subject=f"function {names[0]}"))
            except DeployError as fault:
                if not says_missing(fault):  # else it was deleted since it was listed
                    yield unreadable(names, str(fault))

    def names(self, config: Mapping[str, Any], place: Place) -> tuple[str, ...]:
        """Say under which names settings may know a listed function, the ARN first."""
        return names_of(config["FunctionArn"], self._default_region, is_own=place.account is None)

    def configurations(self, place: Place) -> Iterator[Mapping[str, Any]]:
        """List the functions of a place, of any kind, with one request for 50; raises `DeployError`."""
        marker: Mapping[str, str] = {}
        while True:
            with translated(f"functions of {place}", refusal="list them again"):
                region = self._region(place)
                region.others.wait()
                page = region.client.list_functions(**marker)
            yield from page["Functions"]
            if not page.get("NextMarker"):
                return
            marker = {"Marker": page["NextMarker"]}

    def _version_like(self, function: Function, subject: str) -> str:
        """Find the newest version that is what `$LATEST` is; empty if there is none."""
        found = list(self._versions(function, subject))
        latest = next((entry for entry in found if entry.get("Version") == _LATEST), {})
        if latest.get("CodeSha256") != function.code_sha256:
            return ""
        alike = [entry["Version"] for entry in found if entry is not latest and same_version(entry, latest)]
        return str(max(alike, key=int, default=""))

    def call(
        self,
        operation: str,
        function: str,
        *,
        subject: str,
        refusal: str = "read the function again",
        **members: object,
    ) -> Mapping[str, Any]:
        """Make one call about a function within the quota of its place; raises `DeployError`."""
        name = FunctionName.parse(function, default_region=self._default_region)
        with translated(f"{subject} in {name.region}", refusal=refusal):
            region = self._region(Place(name.region, name.account))
            (region.reads if operation == "get_function" else region.others).wait()
            answer: Mapping[str, Any] = getattr(region.client, operation)(FunctionName=name.text, **members)
            return answer

    def _region(self, place: Place) -> _Region:
        """Return what asks a Region; an account that has no role of its own is asked with what the process has."""
        factory = self._roles.get(place.account or "", self._client_factory)
        place = place if place.account in self._roles else Place(place.region)
        with self._lock:  # sessions do not make clients in two threads at once
            if place not in self._regions:
                reads, others = Pace(READS_A_SECOND, self._clock), Pace(OTHERS_A_SECOND, self._clock)
                self._regions[place] = _Region(factory(place.region), reads, others)
            return self._regions[place]

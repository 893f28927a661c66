"""The Lambda control plane of the lab: what each operation checks, changes and answers (Lambda API 2015-03-31)."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from bot.ports.clock import Clock
from tests.lab.aws_functions import LATEST, Alias, Code, FunctionState, Version, Work
from tests.lab.aws_images import LambdaImages
from tests.lab.aws_protocols import AwsError, Call, Unmodelled
from tests.lab.aws_runtimes import RuntimeManagement

ACCOUNT: Final = "123456789012"
_NAME: Final = re.compile(
    r"(?:arn:aws:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_-]+)(?::(?P<qualifier>[$a-zA-Z0-9_-]+))?"
)
_DEFAULTS: Final[Mapping[str, Any]] = {"Description": "", "Timeout": 3, "MemorySize": 128}
_CHOSEN: Final = (
    "Architectures", "Description", "Handler", "LoggingConfig", "MemorySize", "Role", "Runtime", "Timeout",
)  # fmt: skip
_STATE: Final = re.compile(r"State|LastUpdateStatus")
_STALE: Final = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)


@dataclass(slots=True, kw_only=True)
class LambdaService:
    """All functions of one account; `update_seconds` is how long Lambda works on a change."""

    clock: Clock
    images: LambdaImages
    update_seconds: float
    account: str = ACCOUNT
    page: int = 50
    functions: dict[tuple[str, str], FunctionState] = field(default_factory=dict)
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)
    versions_a_page: int = 50
    runtimes: RuntimeManagement = field(default_factory=RuntimeManagement)
    vanishing: set[tuple[str, str]] = field(default_factory=set)
    """Functions that are deleted as soon as they were listed."""

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call."""
        return self._operation(call.operation)(call)

    def _operation(self, name: str) -> Callable[[Call], dict[str, Any]]:
        operations = {
            "CreateAlias": self._create_alias,
            "CreateFunction": self._create_function,
            "GetAlias": self._get_alias,
            "GetFunction": self._get_function,
            "GetFunctionConfiguration": self._get_function_configuration,
            "GetRuntimeManagementConfig": self._get_runtime_management_config,
            "ListAliases": self._list_aliases,
            "ListFunctions": self._list_functions,
            "GetProvisionedConcurrencyConfig": self._get_provisioned_concurrency_config,
            "ListVersionsByFunction": self._list_versions_by_function,
            "PublishVersion": self._publish_version,
            "UpdateAlias": self._update_alias,
            "UpdateFunctionCode": self._update_function_code,
            "UpdateFunctionConfiguration": self._update_function_configuration,
        }
        if name not in operations:
            raise Unmodelled(f"the lab's Lambda does not speak {name} yet")
        return operations[name]

    def _create_function(self, call: Call) -> dict[str, Any]:
        p = only(
            call,
            "Architectures Code Description FunctionName Handler LoggingConfig MemorySize PackageType Role Runtime Tags"
            " Timeout",
        )
        name, region = p["FunctionName"], call.region
        if (region, name) in self.functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}")
        settings = {**_DEFAULTS, "Architectures": ["x86_64"], **{k: p[k] for k in _CHOSEN if k in p}}
        code, flaw = self._code(p["Code"], p.get("PackageType", "Zip"), region, settings["Architectures"][0])
        version = Version(number=LATEST, code=code, settings=settings, modified=self.clock.now(), created=False)
        version.work = self._work(name, flaw, creates=True)
        arn = f"arn:aws:lambda:{region}:{self.account}:function:{name}"
        function = FunctionState(name=name, arn=arn, latest=version, tags=p.get("Tags", {}))
        self.functions[region, name] = function
        return _configuration(function, version)

    def _get_function(self, call: Call) -> dict[str, Any]:
        function, version, qualified = self._version(call)
        running = self.runtimes.described(call.region, function, version)
        answer: dict[str, Any] = {
            "Configuration": {**_configuration(function, version, qualified), **running},
            "Code": _location(version),
        }
        return answer | ({"Tags": function.tags} if function.tags else {})

    def _list_functions(self, call: Call) -> dict[str, Any]:
        """List without states, as Lambda does; the marker is where the next page begins."""
        p = only(call, "Marker")
        here = [function for (region, _), function in sorted(self.functions.items()) if region == call.region]
        start = int(p.get("Marker", "0"))
        for function in here[start : start + self.page]:
            function.settle(self.clock.now())
        page = [_configuration(function, function.latest) for function in here[start : start + self.page]]
        listed = [{name: value for name, value in config.items() if not _STATE.match(name)} for config in page]
        end = start + self.page
        for key in self.vanishing & self.functions.keys():
            del self.functions[key]
        return {"Functions": listed} | ({"NextMarker": str(end)} if end < len(here) else {})

    def _get_runtime_management_config(self, call: Call) -> dict[str, Any]:
        only(call, "FunctionName Qualifier")
        function, version, _ = self._version(call)
        return self.runtimes.answer(call, function, version)

    def _list_aliases(self, call: Call) -> dict[str, Any]:
        p = only(call, "FunctionName Marker")
        function = self._function(call)
        aliases = [_described(function, alias) for _, alias in sorted(function.aliases.items())]
        start = int(p.get("Marker", "0"))
        end = start + self.page
        return {"Aliases": aliases[start:end]} | ({"NextMarker": str(end)} if end < len(aliases) else {})

    def _get_function_configuration(self, call: Call) -> dict[str, Any]:
        return _configuration(*self._version(call))

    def _update_function_code(self, call: Call) -> dict[str, Any]:
        p = only(call, "Architectures DryRun FunctionName ImageUri RevisionId ZipFile")
        function = self._function(call)
        latest = function.latest
        architecture = p.get("Architectures", latest.settings["Architectures"])[0]
        self._guard(function, p)
        code, flaw = self._code(p, latest.code.package_type, call.region, architecture)
        if not p.get("DryRun", False):
            latest.code, latest.settings = code, {**latest.settings, "Architectures": [architecture]}
            latest.begin(self._work(function.name, flaw, creates=False), self.clock.now())
        return _configuration(function, latest)

    def _update_function_configuration(self, call: Call) -> dict[str, Any]:
        p = only(call, "Description FunctionName MemorySize RevisionId Timeout")
        function = self._function(call)
        self._guard(function, p)
        changed = {k: v for k, v in p.items() if k in _DEFAULTS}
        function.latest.settings = {**function.latest.settings, **changed}
        function.latest.begin(self._work(function.name, "", creates=False), self.clock.now())
        return _configuration(function, function.latest)

    def _publish_version(self, call: Call) -> dict[str, Any]:
        p = only(call, "CodeSha256 Description FunctionName RevisionId")
        function = self._function(call)
        self._guard(function, p)
        current = function.latest.code.sha256
        if p.get("CodeSha256", current) != current:
            raise AwsError(
                "InvalidParameterValueException",
                f"CodeSHA256 ({p['CodeSha256']}) is different from current CodeSHA256 in $LATEST ({current}). "
                "Please try again with the CodeSHA256 in $LATEST.",
            )
        work = self._work(function.name, "", creates=True)
        version = function.publish(description=p.get("Description"), work=work, now=self.clock.now())
        return _configuration(function, version, qualified=True)

    def _list_versions_by_function(self, call: Call) -> dict[str, Any]:
        """List `$LATEST` and all versions without their states, as Lambda does; a marker says where to go on."""
        p = only(call, "FunctionName Marker")
        function = self._function(call)
        versions = [function.latest, *function.versions.values()]
        start = int(p.get("Marker", "0"))
        end = start + self.versions_a_page
        page = [_configuration(function, version, qualified=True) for version in versions[start:end]]
        listed = [{k: v for k, v in entry.items() if not k.startswith(("State", "LastUpdate"))} for entry in page]
        return {"Versions": listed} | ({"NextMarker": str(end)} if end < len(versions) else {})

    def _get_provisioned_concurrency_config(self, call: Call) -> dict[str, Any]:
        p = only(call, "FunctionName Qualifier")
        provisioned = self._function(call).provisioned.get(p["Qualifier"])
        if provisioned is None:
            text = f"No Provisioned Concurrency Config found for this function: {p['FunctionName']}:{p['Qualifier']}"
            raise AwsError("ProvisionedConcurrencyConfigNotFoundException", text)
        return provisioned.describe(self.clock.now())

    def _create_alias(self, call: Call) -> dict[str, Any]:
        p = only(call, "Description FunctionName FunctionVersion Name RoutingConfig")
        function = self._function(call)
        if p["Name"] in function.aliases:
            raise AwsError("ResourceConflictException", f"Alias already exists: {function.arn}:{p['Name']}")
        weights = _weights(p)
        _check_routing(function, p["FunctionVersion"], weights)
        alias = Alias(
            name=p["Name"], version=p["FunctionVersion"], description=p.get("Description", ""), weights=weights
        )
        function.aliases[alias.name] = alias
        return _described(function, alias)

    def _get_alias(self, call: Call) -> dict[str, Any]:
        function = self._function(call)
        return _described(function, _alias(function, call.params["Name"]))

    def _update_alias(self, call: Call) -> dict[str, Any]:
        p = only(call, "Description FunctionName FunctionVersion Name RevisionId RoutingConfig")
        function = self._function(call)
        alias = _alias(function, p["Name"])
        if p.get("RevisionId", alias.revision) != alias.revision:
            raise AwsError("PreconditionFailedException", _STALE)
        version = p.get("FunctionVersion", alias.version)
        weights = _weights(p) if "RoutingConfig" in p else alias.weights
        _check_routing(function, version, weights)
        description = p.get("Description", alias.description)
        moved = Alias(name=alias.name, version=version, description=description, weights=weights)
        function.aliases[alias.name] = moved
        if alias.name in function.provisioned:  # it is allocated anew for what the alias serves now
            function.provisioned[alias.name].ready_at = self.clock.now() + timedelta(seconds=self.update_seconds)
        return _described(function, moved)

    def _function(self, call: Call) -> FunctionState:
        """Find the function that a call names; a Region of its ARN must be the one that is asked."""
        name, region, _ = _parse(call.params["FunctionName"])
        if (stranger := _account(call.params["FunctionName"])) not in (None, self.account):
            raise AwsError("AccessDeniedException", f"{call.operation} in account {stranger} is not allowed")
        if region not in (None, call.region):
            text = f"Functions from '{region}' are not reachable in this region ('{call.region}')"
            raise AwsError("ResourceNotFoundException", text)
        function = self.functions.get((call.region, name))
        if function is None:
            arn = f"arn:aws:lambda:{call.region}:{self.account}:function:{name}"
            raise AwsError("ResourceNotFoundException", f"Function not found: {arn}")
        function.settle(self.clock.now())
        return function

    def _version(self, call: Call) -> tuple[FunctionState, Version, bool]:
        """Find the version that a call names, and whether it names one at all."""
        function = self._function(call)
        derived = _parse(call.params["FunctionName"])[2]
        qualifier = call.params.get("Qualifier", derived)
        if derived not in (None, qualifier):
            text = "The derived qualifier from the function name does not match the specified qualifier."
            raise AwsError("InvalidParameterValueException", text)
        version = function.find(qualifier or LATEST)
        if version is None:
            raise AwsError("ResourceNotFoundException", f"Function not found: {function.arn}:{qualifier}")
        return function, version, qualifier is not None

    def _guard(self, function: FunctionState, p: Mapping[str, Any]) -> None:
        """Refuse a change of what is being changed, or of what is no longer what the caller read."""
        if p.get("RevisionId", function.latest.revision) != function.latest.revision:
            raise AwsError("PreconditionFailedException", _STALE)
        if function.latest.work is not None:
            raise AwsError(
                "ResourceConflictException",
                "The operation cannot be performed at this time. "
                f"An update is in progress for resource: {function.arn}",
            )

    def _code(self, p: Mapping[str, Any], package_type: str, region: str, architecture: str) -> tuple[Code, str]:
        """Take the code of a request, with the flaw that Lambda will find in it later."""
        if package_type == "Zip":
            if "ImageUri" in p:
                text = "Please don't provide ImageUri when updating a function with packageType Zip."
                raise AwsError("InvalidParameterValueException", text)
            return Code(sha256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), ""
        if "ImageUri" not in p:
            text = "Please provide ImageUri when updating a function with packageType Image."
            raise AwsError("InvalidParameterValueException", text)
        image = self.images.resolve(p["ImageUri"], region=region, architecture=architecture)
        return Code(sha256=image.digest_hex, uri=image.uri, resolved=image.resolved), image.flaw

    def _work(self, name: str, flaw: str, *, creates: bool) -> Work:
        failure = ("InvalidImage", flaw) if flaw else self.failures.pop(name, None)
        return Work(until=self.clock.now() + timedelta(seconds=self.update_seconds), creates=creates, failure=failure)


def _parse(text: str) -> tuple[str, str | None, str | None]:
    """Take a FunctionName apart into name, Region and qualifier; botocore's pattern has already checked it."""
    found = _NAME.fullmatch(text)
    assert found is not None, f"{text} passed the model's pattern and not the lab's"
    return found["name"], found["region"], found["qualifier"]


def _account(text: str) -> str | None:
    found = _NAME.fullmatch(text)
    return found["account"] if found else None


def only(call: Call, names: str) -> Mapping[str, Any]:
    """Give the parameters of a call; one that the lab does not act on must not pass in silence."""
    unknown = call.params.keys() - set(names.split())
    if unknown:
        raise Unmodelled(f"the lab's {call.operation} does not act on {', '.join(sorted(unknown))} yet")
    return call.params


def _alias(function: FunctionState, name: str) -> Alias:
    if name not in function.aliases:
        raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {function.arn}:{name}")
    return function.aliases[name]


def _weights(p: Mapping[str, Any]) -> Mapping[str, float]:
    weights: Mapping[str, float] = p.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return weights


def _check_routing(function: FunctionState, version: str, weights: Mapping[str, float]) -> None:
    """Refuse versions that are not there, a second extra version, and a shift between a version and itself."""
    for number in (version, *weights):
        if number != LATEST and number not in function.versions:
            raise AwsError("ResourceNotFoundException", f"Function not found: {function.arn}:{number}")
    if len(weights) > 1:
        text = "Number of items in AdditionalVersionWeights cannot be greater than 1"
    elif version in weights:
        text = f"Invalid function version {version}. Function version {version} is already included in routing"
        text += " configuration."
    elif weights and LATEST in (version, *weights):
        text = "$LATEST is not supported for an alias pointing to more than 1 version"
    else:
        return
    raise AwsError("InvalidParameterValueException", text)


def _configuration(function: FunctionState, version: Version, qualified: bool = False) -> dict[str, Any]:
    return {
        **version.settings,
        **version.describe_state(),
        "FunctionName": function.name,
        "FunctionArn": f"{function.arn}:{version.number}" if qualified else function.arn,
        "CodeSha256": version.code.sha256,
        "CodeSize": 0,
        "ConfigSha256": _hash(version),
        "LastModified": f"{version.modified:%Y-%m-%dT%H:%M:%S}.000+0000",
        "PackageType": version.code.package_type,
        "RevisionId": version.revision,
        "Version": version.number,
    }


def _hash(version: Version) -> str:
    return hashlib.sha256(repr(sorted(version.content[1].items())).encode()).hexdigest()


def _location(version: Version) -> dict[str, Any]:
    if version.code.package_type == "Zip":
        return {"RepositoryType": "S3", "Location": "https://lab.invalid/code.zip"}
    return {"RepositoryType": "ECR", "ImageUri": version.code.uri, "ResolvedImageUri": version.code.resolved}


def _described(function: FunctionState, alias: Alias) -> dict[str, Any]:
    described: dict[str, Any] = {
        "AliasArn": f"{function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    return described | ({"RoutingConfig": {"AdditionalVersionWeights": alias.weights}} if alias.weights else {})

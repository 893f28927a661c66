"""What is kept of Lambda's answers about one function, and the values that it stands for.

Environment variables and addresses of code, which are secrets or lead to them, are never kept.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.adapters.deployer.lambda_answers import alias_of, function_of, modified_of
from bot.adapters.deployer.listing import candidate, unreadable
from bot.core.errors import DeployError
from bot.core.management import Management, Source, UpdateRuntimeOn
from bot.core.mapping import Candidate
from bot.ports.fleet import Listed, SeenFunction, SeenVersion

Document = dict[str, Any]

LATEST: Final = "$LATEST"
_CONFIGURATION: Final = (
    "Architectures", "CodeSha256", "FunctionArn", "FunctionName", "LastModified", "LastUpdateStatus",
    "LastUpdateStatusReason", "LastUpdateStatusReasonCode", "LoggingConfig", "PackageType", "RevisionId", "Runtime",
    "RuntimeVersionConfig", "State", "StateReason", "StateReasonCode", "Version",
)  # fmt: skip


def listed_of(config: Mapping[str, Any], names: tuple[str, ...], place: str) -> Listed:
    """Read one function of ListFunctions."""
    return Listed(
        place=place,
        names=names,
        is_image=config.get("PackageType") == "Image",
        revision=config.get("RevisionId", ""),
        runtime=config.get("Runtime"),
        modified=modified_of(config),
    )


def picked(answer: Mapping[str, Any]) -> Document:
    """Pick what is kept of an answer to GetFunction."""
    code = {name: answer["Code"][name] for name in ("ResolvedImageUri", "Error") if name in answer.get("Code", {})}
    rest = {name: answer[name] for name in ("Tags", "TagsError") if name in answer}
    return {"Configuration": _some(answer["Configuration"], _CONFIGURATION), "Code": code, **rest}


def picked_management(answer: Mapping[str, Any]) -> Document:
    """Pick what is kept of an answer to GetRuntimeManagementConfig."""
    return _some(answer, ("UpdateRuntimeOn", "RuntimeVersionArn"))


def picked_alias(answer: Mapping[str, Any]) -> Document:
    """Pick what is kept of an alias."""
    return _some(answer, ("Name", "FunctionVersion", "RevisionId", "RoutingConfig", "Description"))


def seen_of(listed: Listed, document: Mapping[str, Any]) -> SeenFunction:
    """Read what was kept; what cannot be read is told beside the rest."""
    versions, unread = {}, dict(document["unread"])
    for number, answers in document["versions"].items():
        try:
            versions[number] = _version_of(listed, answers)
        except DeployError as fault:
            unread[number] = str(fault)
    return SeenFunction(
        listed=listed,
        candidate=_candidate(listed, document),
        aliases=tuple(alias_of(listed.arn, alias) for alias in document["aliases"]),
        versions=versions,
        unread=unread,
        aliases_unread=document["aliases_unread"],
    )


def _candidate(listed: Listed, document: Mapping[str, Any]) -> Candidate:
    if LATEST in document["versions"]:
        return candidate(listed.names, document["versions"][LATEST]["function"])
    return unreadable(listed.names, document["unread"][LATEST])


def _version_of(listed: Listed, answers: Mapping[str, Any]) -> SeenVersion:
    config = answers["function"]["Configuration"]
    logging = config.get("LoggingConfig", {})
    function = function_of(f"function {listed.arn}", answers["function"])
    return SeenVersion(
        function=function,
        runtime=config.get("Runtime"),
        management=None if listed.is_image else _management_of(config, answers["management"]),
        logs=logging.get("LogGroup", f"/aws/lambda/{function.name}"),
        json=logging.get("LogFormat") == "JSON",
    )


def _management_of(config: Mapping[str, Any], answer: Mapping[str, Any]) -> Management:
    """Put both answers together; in mode Manual the ARN that is set is the one that runs."""
    running = config.get("RuntimeVersionConfig", {})
    error = running.get("Error", {})
    set_to, arn = answer.get("RuntimeVersionArn"), running.get("RuntimeVersionArn")
    mode = answer.get("UpdateRuntimeOn", "")
    known, offered = mode in set(UpdateRuntimeOn), answer.get("offered", True)
    return Management(
        update_on=UpdateRuntimeOn(mode) if known else None,
        mode_unread=answer.get("unread", "" if known or not offered else f"update mode {mode!r} is not known"),
        offered=offered,
        arn=set_to or arn,
        source=Source.MANAGEMENT if set_to else Source.CONFIGURATION if arn else None,
        version_unread=f"Lambda names no runtime version ({error.get('ErrorCode', 'no code')})" if error else "",
    )


def _some(answer: Mapping[str, Any], names: tuple[str, ...]) -> Document:
    return {name: answer[name] for name in names if name in answer}

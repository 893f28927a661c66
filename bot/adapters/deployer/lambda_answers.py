"""What Lambda answers, as values of the project (Lambda API 2015-03-31; developer guide, "Lambda function states")."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.adapters.deployer.aws_errors import explained
from bot.adapters.deployer.function_name import FunctionName
from bot.core.deployment import Alias
from bot.core.errors import DeployError, InvalidReference
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.deployer import Function, Readiness, UpdateStatus


def function_of(subject: str, answer: Mapping[str, Any]) -> Function:
    """Read GetFunction; raises `DeployError` for an answer that cannot be read."""
    try:
        config = answer["Configuration"]
        status, reason = _status(config)
        return Function(
            name=config["FunctionName"],
            arn=FunctionName.of_arn(config["FunctionArn"]).text,
            image=_image(subject, config, answer.get("Code", {})),
            platform=Platform.of_function(config.get("Architectures", ["x86_64"])[0]),
            status=status,
            status_reason=reason,
            revision=config["RevisionId"],
            code_sha256=config["CodeSha256"],
            version=config["Version"],
            modified=modified_of(config),
            tags=answer.get("Tags", {}),
            tags_fault=tags_fault_of(answer),
        )
    except (KeyError, IndexError, ValueError) as fault:
        raise DeployError(f"{subject}: Lambda's answer cannot be read ({fault!r}); report this to refrom") from fault


def modified_of(config: Mapping[str, Any]) -> datetime | None:
    """Read LastModified, such as `2026-11-20T14:02:11.000+0000`; None where there is none that can be read."""
    try:
        moment = datetime.fromisoformat(config.get("LastModified", ""))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def tags_fault_of(answer: Mapping[str, Any]) -> str:
    """Say why GetFunction told no tags; empty where it told all there are."""
    if not (error := answer.get("TagsError")):
        return ""
    reason = explained(str(error.get("ErrorCode", "")), str(error.get("Message", "")))
    return f"its tags cannot be read ({reason}); allow lambda:ListTags"


def _image(subject: str, config: Mapping[str, Any], code: Mapping[str, Any]) -> Reference | None:
    """Read the resolved image; the URI as given may be a tag that has moved since."""
    if config.get("PackageType") != "Image":
        return None
    if "ResolvedImageUri" not in code:
        error = code.get("Error", {})
        reason = explained(str(error.get("ErrorCode", "")), str(error.get("Message", "")))
        raise DeployError(f"{subject}: Lambda names no resolved image ({reason or 'no reason given'}); check it in ECR")
    image = Reference.parse(code["ResolvedImageUri"])
    if image.digest is None:
        raise InvalidReference(f"{image} has no digest")
    return image


def _status(config: Mapping[str, Any]) -> tuple[UpdateStatus, str]:
    """Fold State into LastUpdateStatus: what is Pending still works on something, what Failed cannot be invoked."""
    state, update = config.get("State", "Active"), UpdateStatus(config.get("LastUpdateStatus", "Successful"))
    if update is not UpdateStatus.SUCCESSFUL:
        return update, _reason(config, "LastUpdateStatusReason")
    if state == "Pending":
        return UpdateStatus.IN_PROGRESS, _reason(config, "StateReason")
    if state == "Failed":
        return UpdateStatus.FAILED, _reason(config, "StateReason")
    return update, ""


def _reason(config: Mapping[str, Any], member: str) -> str:
    return explained(config.get(f"{member}Code", ""), config.get(member, ""))


def alias_of(function: str, answer: Mapping[str, Any]) -> Alias:
    """Read GetAlias; raises `DeployError` for an answer that cannot be read."""
    try:
        weights = answer.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        return Alias(
            name=answer["Name"],
            version=answer["FunctionVersion"],
            revision=answer["RevisionId"],
            weights=tuple(sorted((version, float(weight)) for version, weight in weights.items())),
            description=answer.get("Description", ""),
        )
    except (KeyError, ValueError) as fault:
        raise DeployError(
            f"alias of function {function}: Lambda's answer cannot be read ({fault!r}); report this to refrom"
        ) from fault


def readiness_of(answer: Mapping[str, Any]) -> Readiness:
    """Read GetProvisionedConcurrencyConfig: a status that is not known here is waited for."""
    wanted, ready = (answer.get(f"{kind}ProvisionedConcurrentExecutions") for kind in ("Requested", "Available"))
    match answer.get("Status"):
        case "READY":
            return Readiness()
        case "FAILED":
            reason = explained("", str(answer.get("StatusReason", "")))
            return Readiness(failure=f"provisioned concurrency failed ({reason or 'no reason given'})")
        case status:
            return Readiness(unready=f"provisioned concurrency is {status}: {ready} of {wanted} are there")


def same_version(answer: Mapping[str, Any], latest: Mapping[str, Any]) -> bool:
    """Say whether a version has the code and the configuration of `$LATEST`; unknown hashes are not the same."""
    hashes = ("CodeSha256", "ConfigSha256")
    return all(latest.get(name) and answer.get(name) == latest[name] for name in hashes)

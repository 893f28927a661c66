"""Redeploy: point a function at an image by digest, then let its alias follow."""

from bot.core.errors import DeployError
from bot.core.outcome import Outcome, Result
from bot.core.reference import Reference
from bot.core.target import Target
from bot.ports.deployer import Alias, Deployer, Function, Functions, UpdateStatus


def update_code(function: Function, image: Reference, deployer: Deployer) -> Outcome:
    """Point `$LATEST` at the image."""
    deployer.update_code(function, image)
    return _outcome(function, Result.UPDATED, f"updated to {image}", image)


def follow_alias(
    target: Target, latest: Function, functions: Functions, deployer: Deployer, *, ours: bool
) -> Outcome | None:
    """Bring the alias to the image of `$LATEST`, with one change at a time; None once it serves it.

    An alias that somebody shifts just now is left alone, and so is one behind an image that is not `ours`:
    whoever deployed that image decides when it serves.
    """
    alias = alias_of(target, functions)
    if alias is None:
        return None
    if alias.weights:
        return _outcome(latest, Result.UNCHANGED, f"alias {alias.name} is being shifted; left alone", latest.image)
    if functions.function(target.function, alias.version).image == latest.image:
        return None
    if not ours:
        what = f"alias {alias.name} does not serve $LATEST, which refrom did not deploy; left alone"
        return _outcome(latest, Result.UNCHANGED, what, latest.image)
    return _move(alias, latest, functions, deployer)


def alias_of(target: Target, functions: Functions) -> Alias | None:
    """Return the alias that serves, None where the target names none; raises `DeployError` where it is missing."""
    if target.alias is None:
        return None
    alias = functions.alias(target.function, target.alias)
    if alias is None:
        raise DeployError(f"{target.function} has no alias {target.alias}; create it, or take it from the target")
    return alias


def _move(alias: Alias, latest: Function, functions: Functions, deployer: Deployer) -> Outcome:
    """Publish, wait until the version is ready, then move; publishing twice gives the same version, so no harm."""
    version = deployer.publish_version(latest)
    published = functions.function(latest.arn, version)
    match published.status:
        case UpdateStatus.IN_PROGRESS:
            return _outcome(latest, Result.PUBLISHED, f"published version {version}, not ready yet", latest.image)
        case UpdateStatus.FAILED:
            raise DeployError(f"version {version} of {latest.name} failed: {published.status_reason}")
    deployer.move_alias(latest, alias, version)
    moved = f"alias {alias.name} moved from version {alias.version} to {version}"
    return _outcome(latest, Result.MOVED, moved, latest.image)


def _outcome(function: Function, result: Result, message: str, image: Reference | None) -> Outcome:
    details = {"image": str(image), "arn": function.arn}
    return Outcome(step="redeploy", subject=function.name, result=result, message=message, details=details)

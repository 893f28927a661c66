"""By hand: one function taken back to what it ran before, as a person wants it.

What is read first is what a person confirms, and what the change is guarded by: a function that changed in between is
refused. Whoever wants that the loop leaves it there declares mode `manual` before.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from bot.core.deployment import Alias, taken_back
from bot.core.digest import Digest
from bot.core.errors import DeployError, InvalidReference, SettingsError
from bot.core.gate import check_image
from bot.core.image import Index
from bot.core.outcome import Outcome, Result
from bot.core.reference import Reference
from bot.core.target import Target
from bot.core.troubles import IMAGE, LEFT
from bot.ports.deployer import Deployer, Function, Functions, UpdateStatus
from bot.ports.engine import Again, Done, Engine, Key
from bot.ports.registry import Registry
from bot.ports.world import World
from bot.steps.redeploy import POLL, alias_of
from bot.steps.rules import Rules

_UPDATES: Final = "the service updates the function"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """From what a function serves to what it shall serve again: a version behind its alias, or the code of `$LATEST`.

    It `leaves` a version, with the image `left`. `latest` and `alias` are as they were read; `version` is None where
    only the image is known.
    """

    target: Target
    latest: Function
    image: Reference
    left: Reference | None
    leaves: str
    alias: Alias | None = None
    version: str | None = None

    def __str__(self) -> str:
        if self.alias is None:
            return f"{self.target.function}: point $LATEST back at {self.image}, from {self.latest.image}"
        return (
            f"{self.target.function}: move alias {self.alias.name} back to version {self.version} alone, "
            f"from version {self.leaves}; it runs {self.image}"
        )


def find_target(rules: Rules, name: str) -> Target:
    """Find a function by its name as in the targets, its ARN, or the last part of its ARN; `SettingsError` if none."""
    exact = [target for target in rules.targets if target.function == name]
    found = exact or [target for target in rules.targets if target.function.rpartition(":")[2] == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingsError([f"{name} is {', '.join(target.function for target in found)}; write one of them out"])
    close = get_close_matches(name, [target.function for target in rules.targets], n=1)
    hint = f"did you mean {close[0]}?" if close else "run refrom doctor, which lists them"
    raise SettingsError([f"{name} is no function that the settings name or find; {hint}"])


def find_way_back(target: Target, to: str | None, functions: Functions, registry: Registry) -> WayBack:
    """Find what a function shall serve: a version, a digest, or what it served before; reads alone.

    Raises `DeployError` where there is none, or where Lambda would not take it; a `RegistryError` if its image is gone.
    """
    latest, alias = functions.function(target.function), alias_of(target, functions)
    serving = functions.function(target.function, alias.version) if alias else latest
    found = _named(to, latest, functions) if to else _before(alias, serving, functions)
    if alias and found.version == alias.version and not alias.weights:
        raise DeployError(f"alias {alias.name} of {target.function} serves version {alias.version} alone already")
    if alias is None and found.image == latest.image:
        raise DeployError(f"{target.function} runs {latest.image} already")
    if alias and not found.version.isdecimal():
        raise DeployError(f"no version of {target.function} runs {found.image}; name a version, or redeploy that image")
    if found.image is None:
        raise DeployError(f"version {found.version} of {target.function} is no container image; name another one")
    _require_takable(found, found.image, registry)
    leaves = (
        functions.function(latest.arn, alias.weights[0][0]) if alias and alias.version == found.version else serving
    )
    return WayBack(
        target=target,
        latest=latest,
        image=found.image,
        left=leaves.image,
        leaves=leaves.version,
        alias=alias,
        version=found.version if alias else None,
    )


def roll_back(way: WayBack, world: World, engine: Engine) -> tuple[tuple[Outcome, ...], tuple[tuple[Key, Again], ...]]:
    """Go that way with one guarded change, and wait until the service is done with it; return what it still waits for.

    The alias keeps a mark that says which version was taken back, so that no later run of the loop brings it up again.
    """
    outcomes: list[Outcome] = []

    def tick(_key: Key, now: datetime) -> Done | Again:
        if not outcomes:
            _record(_change(way, world.deployer, now), now)
            return Again(now + POLL, _UPDATES)
        function = world.functions.function(way.target.function)
        if function.status is UpdateStatus.IN_PROGRESS:
            return Again(now + POLL, _UPDATES)
        if way.alias is None and function.status is UpdateStatus.FAILED:
            _record(_outcome(way, f"the update failed: {function.status_reason}", Result.FAILED), now)
        return Done()

    def _record(outcome: Outcome, now: datetime) -> None:
        outcomes.append(outcome)
        world.journal.append(outcome, now)

    waiting = engine.drain([Key("function", way.target.function)], tick)
    return tuple(outcomes), waiting


def _change(way: WayBack, deployer: Deployer, now: datetime) -> Outcome:
    if way.alias is None:
        deployer.update_code(way.latest, way.image)
        return _outcome(way, f"pointed back at {way.image}")
    deployer.move_alias(way.latest, taken_back(way.alias, way.version or "", leaves=way.leaves, now=now))
    return _outcome(way, f"alias {way.alias.name} is back on version {way.version} alone, from version {way.leaves}")


def _named(to: str, latest: Function, functions: Functions) -> Function:
    """Find what a person names: a version, or the newest version that runs a digest, else that digest itself."""
    if to.isdecimal():
        return functions.function(latest.arn, to)
    try:
        digest = Digest.parse(to)
    except InvalidReference:
        cure = "write a version's number, or sha256: and 64 lower-case hex digits"
        raise SettingsError([f"--to {to} is neither a version nor a digest; {cure}"]) from None
    versions = (functions.function(latest.arn, number) for number in functions.versions(latest))
    found = next((one for one in versions if one.image and one.image.digest == digest), None)
    if found is None and latest.image is None:
        raise DeployError(f"{latest.name} is no container-image function; roll it back with its own tools")
    return found or replace(latest, image=latest.image and latest.image.with_digest(digest))


def _before(alias: Alias | None, serving: Function, functions: Functions) -> Function:
    """Find what served before: while an alias is shifted, its own version; else the newest that runs another image."""
    if alias and alias.weights:
        return serving
    numbers = functions.versions(serving)
    if alias and alias.version.isdecimal():  # an alias may serve $LATEST, than which all are older
        numbers = [number for number in numbers if int(number) < int(alias.version)]
    versions = (functions.function(serving.arn, number) for number in numbers)
    found = next((one for one in versions if one.image and one.image != serving.image), None)
    if found is None:
        raise DeployError(f"{serving.name} has no older version with another image; name a digest with --to")
    return found


def _require_takable(function: Function, image: Reference, registry: Registry) -> None:
    """Read the image, which may be gone, and refuse what Lambda would refuse."""
    manifest = registry.manifest(image)
    config = None if isinstance(manifest, Index) else registry.image(image).config
    faults = [str(refusal) for refusal in check_image(manifest, config, function.platform) if not refusal.advice]
    if faults:
        raise DeployError(f"{image} is not for Lambda: {'; '.join(faults)}")


def _outcome(way: WayBack, message: str, result: Result = Result.ROLLED_BACK) -> Outcome:
    details = {IMAGE: str(way.image), "arn": way.latest.arn, LEFT: str(way.left)}
    return Outcome(step="redeploy", subject=way.target.function, result=result, message=message, details=details)

"""Serving: what answers a function's requests, each version with its share, and the proof of what that stands on."""

from dataclasses import dataclass

from bot.core.deployment import Alias
from bot.core.lineage import stands_on
from bot.core.observation import KnownBase
from bot.core.outcome import Outcome, Result
from bot.core.target import Target
from bot.ports.deployer import Function, Functions
from bot.ports.registry import Registry
from bot.steps.redeploy import alias_of


@dataclass(frozen=True, slots=True)
class Share:
    """One version, and the part of the requests that it answers, from 0 to 1."""

    function: Function
    weight: float


def serving(target: Target, functions: Functions) -> tuple[Share, ...]:
    """Read what serves: all versions that the alias names by weight, else `$LATEST`; the largest share comes first.

    Raises `DeployError` where function, alias or a version cannot be read.
    """
    return shares_of(target.function, alias_of(target, functions), functions)


def shares_of(name: str, alias: Alias | None, functions: Functions) -> tuple[Share, ...]:
    """Read the versions that an alias of a function serves; without alias that is `$LATEST`. Raises `DeployError`."""
    if alias is None:
        return (Share(functions.function(name), 1.0),)
    shares = {alias.version: 1.0 - sum(weight for _, weight in alias.weights), **dict(alias.weights)}
    read = [Share(functions.function(name, version), weight) for version, weight in shares.items()]
    return tuple(sorted(read, key=lambda share: -share.weight))


def prove_served(target: Target, goal: KnownBase, functions: Functions, registry: Registry) -> Outcome:
    """Read what serves once more, from the service and the registry, and say whether all of it stands on the goal."""
    astray = []
    for share in serving(target, functions):
        function = share.function
        if function.image is None or not stands_on(registry.image(function.image, function.platform), goal):
            astray.append(f"version {function.version} with {share.weight:.0%} of the requests runs {function.image}")
    where = f"alias {target.alias}" if target.alias else "$LATEST"
    if astray:
        what = f"{where} does not stand on {goal.reference}: {', '.join(astray)}; find out who deployed it"
        return Outcome(step="prove", subject=target.function, result=Result.FAILED, message=what)
    what = f"all that {where} serves stands on {goal.reference}"
    return Outcome(step="prove", subject=target.function, result=Result.PROVEN, message=what)

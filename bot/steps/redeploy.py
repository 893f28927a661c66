"""Redeploy: point a function at an image by digest, then let its alias follow by the steps of its strategy.

Each call reads the alias, makes at most one change of it, and says when to look again; what it waits for stands in the
alias, so a process that was killed leaves nothing behind that the next one does not see.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.core.deployment import (
    LOOK,
    Alias,
    Finish,
    Leave,
    Mark,
    RollBack,
    Shift,
    Signs,
    Wait,
    hand_over,
    handed_over,
    next_step,
    underway,
    unmarked,
)
from bot.core.errors import DeployError, RegistryError
from bot.core.handover import Create, DeploymentGroup, Follow, HandoverState, next_handover
from bot.core.image import Image
from bot.core.outcome import Outcome, Result
from bot.core.reference import Reference
from bot.core.target import Target
from bot.ports.deployer import Deployer, Function, Functions, UpdateStatus
from bot.ports.registry import Registry
from bot.ports.world import World
from bot.steps.fleet import LATEST

POLL: Final = timedelta(seconds=2)
"""How long to leave a function alone while the service works on it."""

ROLLBACK_TAG: Final = "refrom-rollback-"
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What was done for an alias, and when it is to be looked at again; `again` is None once nothing is left to do.

    `elsewhere` says that it goes on though nobody looks.
    """

    outcomes: tuple[Outcome, ...] = ()
    again: datetime | None = None
    why: str = ""
    elsewhere: bool = False


def update_code(function: Function, image: Reference, deployer: Deployer) -> Outcome:
    """Point `$LATEST` at the image."""
    deployer.update_code(function, image)
    return _outcome(function, Result.UPDATED, f"updated to {image}", image)


def image_of(function: Function, registry: Registry) -> Image:
    """Read the image that a function runs; raises `DeployError` where it runs none, or one that is gone."""
    if function.image is None:
        raise DeployError(f"{function.name} is no container-image function; take it from deploy.targets")
    try:
        return registry.image(function.image, function.platform)
    except RegistryError as fault:
        if fault.status != _NOT_FOUND:
            raise
        gone = f"the image that {function.name} runs is gone from its registry: {function.image}"
        raise DeployError(
            f"{gone}; push it again or deploy another one, and keep lifecycle rules off what functions run"
        ) from fault


def alias_of(target: Target, functions: Functions) -> Alias | None:
    """Return the alias that serves, None where the target names none; raises `DeployError` where it is missing."""
    if target.alias is None:
        return None
    alias = functions.alias(target.function, target.alias)
    if alias is None:
        raise DeployError(f"{target.function} has no alias {target.alias}; create it, or take it from the target")
    return alias


def require_alias(target: Target, alias: Alias | None) -> None:
    """Refuse to point `$LATEST` at another image where that is to be watched, and `$LATEST` is what serves."""
    if not target.is_watched:
        return
    if alias and alias.version == LATEST:
        raise DeployError(
            f"alias {alias.name} of {target.function} serves $LATEST, so a new image would serve at once and "
            "unwatched; publish a version and point the alias at it"
        )
    if alias is None:
        raise DeployError(
            f"{target.function} has no alias, so nothing of strategy, bake, alarms and codedeploy can be done for it; "
            "tag it refrom:alias, name the alias in its rule under deploy.discover, or in a target of its own"
        )


def follow_alias(
    target: Target,
    latest: Function,
    alias: Alias,
    world: World,
    now: datetime,
    *,
    ours: bool,
    halt: Callable[[], str] = str,
    condemned: str = "",
) -> Followed:
    """Bring an alias one step nearer to the image of `$LATEST`, or to the end of the deployment that is underway.

    An alias that somebody else shifts is left alone, and so is one behind an image that is not `ours`: whoever deployed
    that image decides when it serves. `halt` is asked before something begins, and says why nothing may. What is
    underway goes on, unless it is `condemned`: then it is taken back. What CodeDeploy has begun goes on there.
    """
    if handed := handed_over(alias):
        return _follow_handover(target, latest, alias, handed, world, now, condemned)
    mark = underway(alias)
    if mark is not None and mark.old is not None:
        seen = Signs(failure=condemned) if condemned else _seen(target, latest, alias, mark, world, now)
        return _act(target, latest, alias, mark.new, seen, world, now)
    if alias.weights:
        return _act(target, latest, alias, latest.version, Signs(), world, now)
    if world.functions.function(target.function, alias.version).image == latest.image:
        return Followed()
    if not ours:
        what = f"alias {alias.name} does not serve $LATEST, which refrom did not deploy; left alone"
        return _left(latest, Result.UNCHANGED, what)
    if halted := halt():
        return _left(latest, Result.WAITING, halted)
    return _begin(target, latest, alias, world, now)


def _begin(target: Target, latest: Function, alias: Alias, world: World, now: datetime) -> Followed:
    """Publish, and shift once the version is ready; publishing again gives the same version, so no harm."""
    version = world.deployer.publish_version(latest)
    published = world.functions.function(latest.arn, version)
    match published.status:
        case UpdateStatus.IN_PROGRESS:
            return Followed(again=now + POLL, why=f"version {version} is not ready yet")
        case UpdateStatus.FAILED:
            raise DeployError(f"version {version} of {latest.name} failed: {published.status_reason}")
    readiness = world.functions.readiness(latest, alias)
    if readiness.failure:
        raise DeployError(f"alias {alias.name} of {latest.name}: {readiness.failure}; repair it before a deployment")
    if target.codedeploy:
        return _hand_over(target.codedeploy, latest, alias, version, readiness.unready, world, now)
    alarms = world.watcher.ringing(latest, target.strategy.alarms)
    if target.strategy.lasts:
        world.watcher.served(latest, alias, now, now)  # whoever may not read the errors begins nothing
    signs = Signs(unready=readiness.unready, alarms=alarms)
    return _act(target, latest, alias, version, signs, world, now)


def _hand_over(
    group: DeploymentGroup,
    latest: Function,
    alias: Alias,
    version: str,
    unready: str,
    world: World,
    now: datetime,
) -> Followed:
    """Mark the alias first, so that whoever comes later knows what CodeDeploy is about to do."""
    if unready:
        return Followed(again=now + LOOK, why=f"nothing is handed over yet: {unready}")
    handed = hand_over(alias, version, now)
    if isinstance(handed, Leave):
        return _left(latest, Result.REFUSED if handed.refused else Result.UNCHANGED, handed.why)
    world.deployer.move_alias(latest, handed)
    why = f"alias {alias.name} is to go from version {alias.version} to {version} with CodeDeploy {group}"
    return Followed(again=now + POLL, why=why)


def _follow_handover(
    target: Target, latest: Function, alias: Alias, mark: Mark, world: World, now: datetime, condemned: str
) -> Followed:
    """Let CodeDeploy begin once, and see from it how it ends; then the alias is read again, which it has moved.

    What is `condemned` does not begin: the mark of it is taken out.
    """
    group = target.codedeploy
    if group is None:
        what = f"alias {alias.name} was handed over to CodeDeploy, which the settings do not name any more"
        return _left(latest, Result.REFUSED, f"{what}; name it, or take refrom's mark out of the alias's description")
    seen = world.handovers.seen(group, latest, alias.name, mark.since)
    if all(one.state is not HandoverState.UNDERWAY for one in seen):
        alias = alias_of(target, world.functions) or alias
    step = next_handover(alias, mark, seen, now)
    way = f"alias {alias.name} from version {mark.old} to {mark.new}"
    match step:
        case Create() if condemned:
            world.deployer.move_alias(latest, replace(alias, description=unmarked(alias.description)))
            return _left(latest, Result.UNCHANGED, f"{way} is not handed over to CodeDeploy: {condemned}")
        case Create():
            kept = _keep_way_back(target, alias, latest, world)
            name = world.handovers.create(group, latest, alias, mark.new)
            message = f"CodeDeploy {name} of {group} is to move {way}"
            made = _outcome(latest, Result.HANDED_OVER, message, latest.image)
            return Followed(outcomes=(*kept, made), again=now + LOOK, why=message, elsewhere=True)
        case Follow(handover=one):
            return Followed(again=now + LOOK, why=f"CodeDeploy {one.id} of {group} moves {way}", elsewhere=True)
        case Finish():
            world.deployer.move_alias(latest, step.alias)
            message = f"CodeDeploy moved {way}, and is done"
            settled = _outcome(latest, Result.SETTLED, message, latest.image)
            return Followed(outcomes=(settled,), again=now + POLL, why=message)
        case RollBack():
            world.deployer.move_alias(latest, step.alias)
            back = f"alias {alias.name} is back on version {step.alias.version} alone, from version {step.version}"
            return _left(latest, Result.ROLLED_BACK, f"{back}: {step.why}")
        case Leave():
            return _left(latest, Result.REFUSED if step.refused else Result.UNCHANGED, step.why)


def _seen(target: Target, latest: Function, alias: Alias, mark: Mark, world: World, now: datetime) -> Signs:
    """Look at what is underway. What cannot be seen hides nothing else, and is waited for as the strategy allows."""

    def version() -> Signs:
        new = world.functions.function(latest.arn, mark.new)
        if new.status is UpdateStatus.FAILED:
            return Signs(failure=f"version {mark.new} failed: {new.status_reason}")
        return Signs(unready=f"version {mark.new} is not ready yet" if new.status is UpdateStatus.IN_PROGRESS else "")

    def strength() -> Signs:
        readiness = world.functions.readiness(latest, alias)
        return Signs(failure=readiness.failure, unready=readiness.unready)

    def alarms() -> Signs:
        return Signs(alarms=world.watcher.ringing(latest, target.strategy.alarms))

    def errors() -> Signs:
        served, before = world.watcher.served(latest, alias, mark.since, now)
        return Signs(now=served, before=before)

    return Signs.together([_look(look) for look in (version, strength, alarms, errors)])


def _look(look: Callable[[], Signs]) -> Signs:
    try:
        return look()
    except DeployError as fault:
        return Signs(unseen=str(fault))


def _act(
    target: Target, latest: Function, alias: Alias, version: str, signs: Signs, world: World, now: datetime
) -> Followed:
    step = next_step(target.strategy, alias, version, signs, now)
    match step:
        case Wait():
            return Followed(again=step.until, why=step.why)
        case Leave():
            return _left(latest, Result.REFUSED if step.refused else Result.UNCHANGED, step.why)
        case Shift():
            kept = () if underway(alias) else _keep_way_back(target, alias, latest, world)
            world.deployer.move_alias(latest, step.alias)
            message = f"alias {alias.name} lets version {version} serve {step.weight:.0%}"
            result = Result.SHIFTED if step.weight < 1 else Result.MOVED
            if step.weight == 1:
                message = f"alias {alias.name} moved from version {alias.version} to {version}"
            moved = _outcome(latest, result, message, latest.image)
            return Followed(outcomes=(*kept, moved), again=now + POLL, why=message)
        case Finish():
            world.deployer.move_alias(latest, step.alias)
            message = f"version {version} was watched behind alias {alias.name}, and stays"
            return Followed(
                outcomes=(_outcome(latest, Result.SETTLED, message, latest.image),), again=now + POLL, why=message
            )
        case RollBack():
            world.deployer.move_alias(latest, step.alias)
            back = f"alias {alias.name} is back on version {step.alias.version} alone, from version {step.version}"
            return _left(latest, Result.ROLLED_BACK, f"{back}: {step.why}")


def _keep_way_back(target: Target, alias: Alias, latest: Function, world: World) -> tuple[Outcome, ...]:
    """Look after the image that a rollback needs, before the alias leaves it; what fails here stops nothing."""
    image = world.functions.function(latest.arn, alias.version).image
    if image is None or image.digest is None:
        return ()
    try:
        if target.keep_rollback_tag:
            world.retention.keep(image, f"{ROLLBACK_TAG}{image.digest.short}")
        expires = world.retention.expires(image)
    except DeployError as fault:
        return (
            _outcome(latest, Result.WARNED, f"the way back to version {alias.version} is not sure: {fault}", image),
        )
    if not expires:
        return ()
    cure = f"let a rule before it spare tags {ROLLBACK_TAG}*"
    cure = cure if target.keep_rollback_tag else f"set deploy.keep_rollback_tag, and {cure}"
    warning = f"version {alias.version}, to which a rollback goes, stands on {image}: {expires}; {cure}"
    return (_outcome(latest, Result.WARNED, warning, image),)


def _left(function: Function, result: Result, message: str) -> Followed:
    return Followed(outcomes=(_outcome(function, result, message, function.image),))


def _outcome(function: Function, result: Result, message: str, image: Reference | None) -> Outcome:
    details = {"image": str(image), "arn": function.arn}
    return Outcome(step="redeploy", subject=function.name, result=result, message=message, details=details)

"""Bring: one function, one step nearer to the base that it should stand on: rebuild, redeploy, prove.

Each call makes at most one change, and says when to look again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.core.decision import Action, Update
from bot.core.deployment import Alias, is_marked
from bot.core.errors import BuildError, DeployError
from bot.core.image import BASE_DIGEST_LABEL, REVISION_LABEL, Image
from bot.core.lineage import stands_on
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome, Result
from bot.core.pipeline import Pipeline
from bot.core.target import Target
from bot.core.troubles import BASE, IMAGE
from bot.ports.builder import Building
from bot.ports.deployer import Function, UpdateStatus
from bot.ports.engine import Again, Done
from bot.ports.world import World
from bot.steps.inquire import Inquiry
from bot.steps.pipeline import by_pipeline, order_of
from bot.steps.rebuild import NothingNew, Rebuilt, rebuild
from bot.steps.rebuild import order as build_order
from bot.steps.record import Record
from bot.steps.redeploy import POLL, Followed, follow_alias, image_of, require_alias, update_code
from bot.steps.restraint import Restraint
from bot.steps.serving import prove_served

RETRY: Final = timedelta(seconds=10)
"""When a deployment that is underway is looked at again after AWS could not be asked."""
_CHANGES: Final = (Result.UPDATED, Result.MOVED, Result.SETTLED)


@dataclass(frozen=True, slots=True)
class Bringer:
    """Brings functions to their bases; without `stays` it does not wait for what goes on elsewhere by itself."""

    inquiry: Inquiry
    record: Record
    restraint: Restraint
    stays: bool

    @property
    def world(self) -> World:
        """What it changes."""
        return self.inquiry.world

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """What was done so far."""
        return self.record.outcomes

    def bring(self, target: Target, alias: Alias | None, now: datetime) -> Done | Again:
        """Bring one function one step nearer to the base that it should stand on."""
        if self.inquiry.hold_for(target, now):
            return Done()
        function = self.world.functions.function(target.function)
        if self.restraint.left_alone(target, function, now):
            return Done()
        if alias and is_marked(alias):
            self.restraint.marked[target.function] = None
        if function.status is UpdateStatus.IN_PROGRESS:
            return Again(now + POLL, "the service updates the function")
        image = image_of(function, self.world.registry)
        goal = self._goal(target, function, image)
        if goal is None:
            return Done()
        return self._reach(target, function, alias, image, goal, now)

    def _reach(
        self, target: Target, function: Function, alias: Alias | None, image: Image, goal: KnownBase, now: datetime
    ) -> Done | Again:
        """Bring a function that runs an image to the base that it should stand on, or let its pipeline do that."""
        if target.pipeline and self._is_proven(target, function, goal, now):
            return Done()
        if not target.pipeline and stands_on(image, goal):
            return self._finish(target, function, alias, goal, now, ours=_is_ours(image))
        if why := self.restraint.block(goal, now) or self.restraint.rides_later(target, function, image, goal, now):
            result = Result.UNCHANGED  # which keeps no other Region waiting
        elif why := self.restraint.halt(target, goal, now):
            result = Result.WAITING
        elif target.pipeline:
            return self._run_pipeline(target, target.pipeline, function, goal, now)
        else:
            require_alias(target, alias)
            return self._rebuild(target, function, goal, now)
        self.record.say("rebuild", target.function, result, why, now)
        return Done()

    def _goal(self, target: Target, function: Function, image: Image) -> KnownBase | None:
        """The base that a function should stand on: the one that is merged, or the one of a due rebuild.

        Where the file pins none and no rebuild is due, an image of ours is at its goal, though its alias may not be.
        """
        use = self.inquiry.base_use(target)
        if use is None:
            stage = f" in stage {target.stage}" if target.stage else ""
            what = f"{target.dockerfile} of {target.repository} builds{stage} on no Lambda base"
            raise DeployError(f"{what}; correct the target of {target.function} in the settings")
        if use.fixed:
            return self.inquiry.merged_base(target, function.platform)
        due = [d for d in self.inquiry.decisions[target.repository] if d.use.names == use.names]
        if any(isinstance(decision, Update) and decision.action is Action.REBUILD for decision in due):
            observed = self.inquiry.observed[use.runtime or ""]
            return observed.platforms.get(function.platform) if isinstance(observed, Observation) else None
        return self.inquiry.lineage_of(image).base if _is_ours(image) else None

    def _is_proven(self, target: Target, function: Function, goal: KnownBase, now: datetime) -> bool:
        """Whether all that a function serves stands on its goal; that is said if its pipeline was started just now."""
        proven = prove_served(target, goal, self.world.functions, self.world.registry)
        if proven.result is not Result.PROVEN:
            return False
        if any((o.details.get("arn"), o.result) == (function.arn, Result.STARTED) for o in self.outcomes):
            self.record.keep(proven, now)
        return True

    def _run_pipeline(
        self, target: Target, pipeline: Pipeline, function: Function, goal: KnownBase, now: datetime
    ) -> Done | Again:
        """Leave a function to its team's pipeline."""
        order = order_of(target, self.inquiry.surveys[target.repository].repository.commit, goal)
        followed = by_pipeline(target, pipeline, order, function, goal, self.world, now)
        return self._told(target.function, followed, now)

    def _rebuild(self, target: Target, function: Function, goal: KnownBase, now: datetime) -> Done | Again:
        """Build the merged commit on the goal, and point the function at it."""
        proven = self.inquiry.lineage(function.image, function.platform).base if function.image else None
        commit = self.inquiry.surveys[target.repository].repository.commit
        wanted = build_order(target, commit, goal, function, proven, self.inquiry.rules.tag)
        base = {BASE: str(goal.shared)}
        try:
            built = rebuild(wanted, goal, proven, self.world, target.smoke or self.inquiry.rules.smoke)
        except BuildError as fault:
            if fault.retryable:
                raise
            self.record.say("rebuild", target.function, Result.FAILED, str(fault), now, **base)
            return Done()
        match built:
            case Building(why=why, look=look):
                if not any((o.subject, o.result) == (target.function, Result.WAITING) for o in self.outcomes):
                    self.record.say("rebuild", target.function, Result.WAITING, why, now)
                return Again(now + look, why) if look else Done()
            case NothingNew(image=image):
                message = f"nothing to deploy: {image} differs from what is deployed in times alone"
                self.record.say("rebuild", target.function, Result.UNCHANGED, message, now)
                return Done()
            case Rebuilt(image=image, how=how):
                message = f"built {image} ({how})" if how else f"built {image}"
                details = {**base, IMAGE: str(image)}
                self.record.say("rebuild", target.function, Result.BUILT, message, now, **details)
                self.record.keep(update_code(function, image, self.world.deployer), now)
        return Again(now + POLL, "the service updates the function")

    def _finish(
        self, target: Target, function: Function, alias: Alias | None, goal: KnownBase, now: datetime, *, ours: bool
    ) -> Done | Again:
        """The code is on its goal: let the alias follow, then say what runs."""
        halt = partial(self.restraint.halt, target, goal, now)
        if function.status is UpdateStatus.FAILED:
            tried = any(o.details.get("arn") == function.arn and o.result is Result.UPDATED for o in self.outcomes)
            if tried or not ours or function.image is None or halt():
                raise DeployError(f"the last update of {target.function} failed: {function.status_reason}")
            # what failed may be cured by now
            self.record.keep(update_code(function, function.image, self.world.deployer), now)
            return Again(now + POLL, "the service updates the function")
        followed = follow_alias(target, function, alias, self.world, now, ours=ours, halt=halt) if alias else Followed()
        if followed.outcomes or followed.again:
            return self._told(target.function, followed, now)
        if any(o.details.get("arn") == function.arn and o.result in _CHANGES for o in self.outcomes):
            self.record.keep(prove_served(target, goal, self.world.functions, self.world.registry), now)
        return Done()

    def go_on(self, target: Target, alias: Alias, now: datetime) -> Done | Again:
        """Go on with a deployment whatever else is: neither a hold nor a forge in trouble leaves it half done."""
        latest = self.world.functions.function(target.function)
        try:
            condemned = self.restraint.condemned(target, alias, now)
            followed = follow_alias(target, latest, alias, self.world, now, ours=True, condemned=condemned)
        except DeployError as fault:
            if not fault.retryable:
                raise
            return Again(now + RETRY, str(fault))
        if any(outcome.result is Result.ROLLED_BACK for outcome in followed.outcomes):
            self.restraint.note_taken_back(target.function)
        return self._told(target.function, followed, now)

    def _told(self, name: str, followed: Followed, now: datetime) -> Done | Again:
        for outcome in followed.outcomes:
            self.record.keep(outcome, now)
        if followed.elsewhere and not self.stays:
            message = f"{followed.why}; it goes on by itself, and a later run sees how it ends"
            self.record.say("redeploy", name, Result.WAITING, message, now)
            return Done()
        return Again(followed.again, followed.why) if followed.again else Done()


def _is_ours(image: Image) -> bool:
    """Whether a builder of ours made the image: it says of which commit and on which base."""
    return {REVISION_LABEL, BASE_DIGEST_LABEL} <= image.config.labels.keys()

"""One cycle: watch, judge, survey, plan, propose; then rebuild, redeploy, prove.

The unit of work is a tick for one key; every fact is read in it, and at most one thing is changed.
What a tick did is recorded after it happened. Running a cycle again does nothing that is done already.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.errors import DeployError, HalfPublished, RefromError
from bot.core.image import BASE_DIGEST_LABEL, REVISION_LABEL, Image
from bot.core.lineage import stands_on
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome, Result
from bot.core.plan import Action, Decision, Update
from bot.core.target import Target
from bot.ports.builder import Building
from bot.ports.deployer import Function, UpdateStatus
from bot.ports.engine import Again, Done, Engine, Key
from bot.ports.forge import SourceRepository
from bot.ports.world import World
from bot.steps.inquire import Inquiry, Rules
from bot.steps.propose import propose
from bot.steps.rebuild import NothingNew, Rebuilt, order, rebuild
from bot.steps.redeploy import follow_alias, update_code
from bot.steps.survey import Survey

POLL = timedelta(seconds=2)
"""How long to leave a function alone while the service works on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a cycle decided and did, and which keys still wait for something."""

    decisions: tuple[Decision, ...]
    outcomes: tuple[Outcome, ...]
    surveys: Mapping[str, Survey]
    waiting: tuple[tuple[Key, Again], ...]

    @property
    def needs_attention(self) -> bool:
        """Whether something failed or was refused."""
        return any(outcome.needs_attention for outcome in self.outcomes)


@dataclass(slots=True)
class Cycle:
    """One cycle over one world."""

    world: World
    rules: Rules
    inquiry: Inquiry = field(init=False)
    outcomes: list[Outcome] = field(init=False, default_factory=list)
    repositories: Mapping[str, SourceRepository] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.inquiry = Inquiry(self.world, self.rules)

    def run(self, engine: Engine) -> Report:
        """Handle every source repository, then every stream that was or is to be watched, then every function."""
        self.repositories = self.inquiry.repositories()
        waiting = engine.drain([Key("repository", name) for name in self.repositories], self.tick)
        streams = (*self.rules.watch, *self.inquiry.observed)
        waiting += engine.drain([Key("stream", name) for name in streams], self.tick)
        waiting += engine.drain([Key("function", target.function) for target in self.rules.targets], self.tick)
        decisions = (decision for made in self.inquiry.decisions.values() for decision in made)
        return Report(
            decisions=tuple(sorted(decisions, key=lambda decision: decision.use.sort_key)),
            outcomes=tuple(self.outcomes),
            surveys=self.inquiry.surveys,
            waiting=waiting,
        )

    def tick(self, key: Key, now: datetime) -> Done | Again:
        """Do one short piece of work for one key; a failure is an outcome, and the other keys go on."""
        work = {"stream": self._watch, "repository": self._handle_repository, "function": self._handle_function}
        try:
            return work[key.kind](key.name, now)
        except RefromError as fault:
            self._record(_outcome(_STEPS[key.kind], key.name, Result.FAILED, str(fault)), now)
            return Done()

    def _watch(self, runtime: str, now: datetime) -> Done:
        """Watch a stream; what failed in it, or waits, is said here once, however many uses it has."""
        with suppress(HalfPublished):
            self.inquiry.observe(runtime, now)
        if waiting := self.inquiry.waiting.get(runtime):
            self._record(_outcome("watch", runtime, Result.WAITING, waiting), now)
        fault = self.inquiry.unjudged.get(runtime)
        if fault:
            self._record(_outcome("judge", runtime, Result.FAILED, str(fault)), now)
        return Done()

    def _handle_repository(self, name: str, now: datetime) -> Done:
        """Survey, watch, judge and plan; then bring the pull request to what the plan wants."""
        found, decisions = self.inquiry.read(self.repositories[name], now)
        updates = [d for d in decisions if isinstance(d, Update) and d.action is not Action.REBUILD]
        complete = name not in self.inquiry.incomplete
        self._record(propose(found, updates, self.world.forge, self.world.pull_requests, complete=complete), now)
        return Done()

    def _handle_function(self, name: str, now: datetime) -> Done | Again:
        """Bring one function one step nearer to the base that it should stand on."""
        target = next(target for target in self.rules.targets if target.function == name)
        if target.repository not in self.inquiry.surveys:
            raise DeployError(self._why_no_survey(target))
        if self.inquiry.hold_for(target, now):
            return Done()
        function = self.world.functions.function(name)
        if function.image is None:
            raise DeployError(f"{name} is no container-image function; take it from deploy.targets")
        if function.status is UpdateStatus.IN_PROGRESS:
            return Again(now + POLL, "the service updates the function")
        image = self.world.registry.image(function.image, function.platform)
        goal = self._goal(target, function, image)
        if goal is None:
            return Done()
        if not stands_on(image, goal):
            return self._rebuild(target, function, goal, now)
        return self._finish(target, function, goal, now, ours=_is_ours(image))

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

    def _rebuild(self, target: Target, function: Function, goal: KnownBase, now: datetime) -> Done | Again:
        """Build the merged commit on the goal, and point the function at it."""
        proven = self.inquiry.lineage(function.image, function.platform).base if function.image else None
        commit = self.inquiry.surveys[target.repository].repository.commit
        wanted = order(target, commit, goal, function, proven, self.rules.tag)
        match rebuild(wanted, goal, proven, self.world, target.smoke or self.rules.smoke):
            case Building(why=why):
                self._record(_outcome("rebuild", target.function, Result.WAITING, why), now)
                return Done()
            case NothingNew(image=image):
                message = f"nothing to deploy: {image} differs from what is deployed in times alone"
                self._record(_outcome("rebuild", target.function, Result.UNCHANGED, message), now)
                return Done()
            case Rebuilt(image=image, how=how):
                message = f"built {image} ({how})" if how else f"built {image}"
                self._record(_outcome("rebuild", target.function, Result.BUILT, message), now)
                self._record(update_code(function, image, self.world.deployer), now)
        return Again(now + POLL, "the service updates the function")

    def _finish(
        self, target: Target, function: Function, goal: KnownBase, now: datetime, *, ours: bool
    ) -> Done | Again:
        """The code is on its goal: let the alias follow, then say what runs."""
        if function.status is UpdateStatus.FAILED:
            raise DeployError(f"the last update of {target.function} failed: {function.status_reason}")
        moved = follow_alias(target, function, self.world.functions, self.world.deployer, ours=ours)
        if moved:
            self._record(moved, now)
            return Done() if moved.result is Result.UNCHANGED else Again(now + POLL, moved.message)
        if any(o.subject == target.function and o.result in _CHANGES for o in self.outcomes):
            message = f"{function.image} stands on {goal.reference}"
            self._record(_outcome("prove", target.function, Result.PROVEN, message), now)
        return Done()

    def _why_no_survey(self, target: Target) -> str:
        if target.repository in self.repositories:
            return f"its source repository {target.repository} could not be read"
        return f"its source repository {target.repository} is in no forge of the settings; name it there"

    def _record(self, outcome: Outcome | None, now: datetime) -> None:
        """Keep an outcome after it happened; what changed nothing is no news for the journal."""
        if outcome is None:
            return
        self.outcomes.append(outcome)
        if outcome.result is not Result.UNCHANGED:
            self.world.journal.append(outcome, now)


_STEPS = {"stream": "watch", "repository": "survey", "function": "redeploy"}
_CHANGES = (Result.UPDATED, Result.MOVED)


def _is_ours(image: Image) -> bool:
    """Whether a builder of ours made the image: it says of which commit and on which base."""
    return {REVISION_LABEL, BASE_DIGEST_LABEL} <= image.config.labels.keys()


def _outcome(step: str, subject: str, result: Result, message: str) -> Outcome:
    return Outcome(step=step, subject=subject, result=result, message=message)

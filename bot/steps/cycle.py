"""One cycle: survey, watch, judge and plan; then propose; then rebuild, redeploy, prove.

The unit of work is a tick for one key, and at most one thing is changed in it. What a tick did is recorded after it
happened. Running a cycle again does nothing that is done already. Whatever one key meets, the others go on: a failure
is an outcome, a forge's pause is a wait, and what nobody foresaw is a defect that is told with its key.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from bot.core.deployment import Alias, is_begun, is_marked
from bot.core.errors import BuildError, DeployError, HalfPublished, Paused, RefromError
from bot.core.image import BASE_DIGEST_LABEL, REVISION_LABEL, Image
from bot.core.lineage import stands_on
from bot.core.modes import Mode, effective, rides
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome, Result
from bot.core.pipeline import Pipeline
from bot.core.plan import Action, Decision, Update
from bot.core.taken_back import TakenBack, why_halted
from bot.core.target import Target
from bot.core.troubles import BASE, IMAGE
from bot.ports.builder import Building
from bot.ports.deployer import Function, UpdateStatus
from bot.ports.engine import Again, Done, Engine, Key
from bot.ports.forge import SourceRepository
from bot.ports.world import World
from bot.steps.inquire import Inquiry, Rules
from bot.steps.line import Line, repository_of
from bot.steps.pipeline import by_pipeline, order_of
from bot.steps.propose import STEP
from bot.steps.rebuild import NothingNew, Rebuilt, rebuild
from bot.steps.rebuild import order as build_order
from bot.steps.redeploy import POLL, Followed, alias_of, follow_alias, image_of, update_code
from bot.steps.serving import prove_served
from bot.steps.survey import Survey
from bot.steps.taken_back import find_all_taken_back, find_taken_back, tell

RETRY = timedelta(seconds=10)
"""When a deployment that is underway is looked at again after AWS could not be asked."""


@dataclass(frozen=True, slots=True)
class Defect:
    """What nobody foresaw in the tick of one key; the outcome of that key says so too."""

    key: Key
    fault: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a cycle decided and did, which keys still wait for something, and which met a defect of ours."""

    decisions: tuple[Decision, ...]
    outcomes: tuple[Outcome, ...]
    surveys: Mapping[str, Survey]
    waiting: tuple[tuple[Key, Again], ...]
    defects: tuple[Defect, ...] = ()

    @property
    def needs_attention(self) -> bool:
        """Whether something failed or was refused."""
        return any(outcome.needs_attention for outcome in self.outcomes)


@dataclass(slots=True)
class Cycle:
    """One cycle over one world; without `stays` it does not wait for what goes on elsewhere by itself."""

    world: World
    rules: Rules
    stays: bool = True
    inquiry: Inquiry = field(init=False)
    line: Line = field(init=False)
    outcomes: list[Outcome] = field(init=False, default_factory=list)
    defects: list[Defect] = field(init=False, default_factory=list)
    repositories: Mapping[str, SourceRepository] = field(init=False, default_factory=dict)
    listed: datetime | None = field(init=False, default=None)
    """When they were listed, at the earliest."""
    paused: dict[Key, str] = field(init=False, default_factory=dict)
    """The keys that a forge's limit keeps waiting, and why."""
    taken_back: tuple[TakenBack, ...] | None = field(init=False, default=None)
    """What the aliases say was taken back; None until something is about to begin, which that may halt."""
    unread: str = field(init=False, default="")
    marked: dict[str, None] = field(init=False, default_factory=dict)
    """The functions whose aliases say that a version was taken back, in the order in which they were met."""
    halted: set[str] = field(init=False, default_factory=set)
    """The functions that do not begin because their base was taken back elsewhere."""
    behind: str = field(init=False, default="")
    asked: str = field(init=False, default="")
    """The function that a person asks for by hand."""

    def __post_init__(self) -> None:
        self.inquiry = Inquiry(self.world, self.rules)
        self.inquiry.marks = self._marks
        self.line = Line(self.inquiry)

    def run(self, engine: Engine) -> Report:
        """List; read and plan every source repository, then every stream; then pull requests, then functions."""
        waiting = self._begin(engine)
        waiting += engine.drain([Key("place", place) for place, _ in self.rules.found.unlisted], self.tick)
        waiting += engine.drain([Key("repository", name) for name in self.repositories], self.tick)
        streams = (*self.rules.watch, *self.inquiry.observed)
        waiting += engine.drain([Key("stream", name) for name in streams], self.tick)
        line = self.line.form(self.repositories, self.listed)
        waiting += engine.drain([Key("pull-request", name) for name in line], self.tick)
        waiting += self._drain_functions(engine)
        return self._report(waiting + self._tell_all(engine))

    def redeploy(self, engine: Engine, name: str) -> Report:
        """Bring one function of the targets to where the loop would, now; nothing is proposed.

        A person who wants it begins though the rollout of its base is halted.
        """
        self.asked = name
        return self._alone(engine, name, self._redeploy)

    def look(self, engine: Engine, name: str) -> Report:
        """Do for one function of the targets what the loop would; nothing is proposed, and no pull request told."""
        return self._alone(engine, name, self.tick)

    def _alone(self, engine: Engine, name: str, tick: Callable[[Key, datetime], Done | Again]) -> Report:
        source = self._target(name).repository
        waiting = self._begin(engine)
        waiting += engine.drain([Key("repository", source)] if source in self.repositories else [], self.tick)
        if not self.outcomes:
            waiting += engine.drain([Key("function", name)], tick)
            waiting += self._tell_all(engine) if self.asked else ()
        return self._report(waiting)

    def _redeploy(self, key: Key, now: datetime) -> Done | Again:
        """Do what the loop would, and refuse what a person holds."""
        target = self._target(key.name)
        hold = self.inquiry.hold_for(target, now)
        why = hold.reason if hold else self._left_alone(target, self.world.functions.function(target.function), now)
        if why:
            what = f"it is held: {why}; take that out first"
            self._record(_outcome("redeploy", key.name, Result.REFUSED, what), now)
            return Done()
        return self.tick(key, now)

    def _begin(self, engine: Engine) -> tuple[tuple[Key, Again], ...]:
        """List the source repositories; where that fails, deployments that are underway still go on to their end."""
        try:
            return engine.drain([_LISTING], self.tick)
        except Exception:
            engine.drain([Key("deployment", target.function) for target in self.rules.targets], self.tick)
            raise

    def _report(self, waiting: tuple[tuple[Key, Again], ...]) -> Report:
        decisions = (decision for made in self.inquiry.decisions.values() for decision in made)
        return Report(
            decisions=tuple(sorted(decisions, key=lambda decision: decision.use.sort_key)),
            outcomes=tuple(self.outcomes),
            surveys=self.inquiry.surveys,
            waiting=waiting,
            defects=tuple(self.defects),
        )

    def _drain_functions(self, engine: Engine) -> tuple[tuple[Key, Again], ...]:
        """Handle Regions in the order in which the targets first name them; none begins before the last one is done.

        What waits for its halted base keeps no other base from the next Region: that may last for days.
        """
        waiting: tuple[tuple[Key, Again], ...] = ()
        for region in dict.fromkeys(target.region for target in self.rules.targets):
            names = [target.function for target in self.rules.targets if target.region == region]
            left = engine.drain([Key("function", name) for name in names], self.tick)
            waiting += left
            late = [key.name for key, _ in left]
            waits = [o.subject for o in self.outcomes if o.subject in names and o.result is Result.WAITING]
            late += [name for name in waits if name not in self.halted]
            if late and not self.behind:
                self.behind = f"{late[0]} in the Region before is not done"
        return waiting

    def _tell_all(self, engine: Engine) -> tuple[tuple[Key, Again], ...]:
        """Tell of what was taken back, in this run or before it by one that died."""
        return engine.drain([Key("taken-back", name) for name in self.marked], self.tick)

    def tick(self, key: Key, now: datetime) -> Done | Again:
        """Do one short piece of work for one key, whatever it meets; only a listing that fails ends the cycle."""
        work = {
            "forge": self._list,
            "place": self._miss,
            "repository": self._read_repository,
            "stream": self._watch,
            "pull-request": self._handle_pull_request,
            "function": self._handle_function,
            "deployment": self._handle_deployment,
            "taken-back": self._tell,
        }
        self.paused.pop(key, None)
        try:
            return work[key.kind](key.name, now)
        except Paused as pause:
            self.paused[key] = str(pause)
            return Again(pause.until, str(pause))
        except Exception as fault:
            if key == _LISTING:
                raise
            self._fail(key, fault, now)
        return Done()

    def _fail(self, key: Key, fault: Exception, now: datetime) -> None:
        """Record that a key failed; what nobody foresaw is kept, so that its traceback is told."""
        message = str(fault)
        if not isinstance(fault, RefromError):
            self.defects.append(Defect(key, fault))
            message = f"a defect of refrom ({type(fault).__name__}); please report it"
        self._record(_outcome(_STEPS[key.kind], _subject(key), Result.FAILED, message), now)

    def _list(self, _name: str, now: datetime) -> Done:
        """List the source repositories."""
        self.repositories, self.listed = self.inquiry.repositories(), now
        return Done()

    def _miss(self, place: str, now: datetime) -> Done:
        """Say that functions of a place could not be listed: those that are mapped there are left alone."""
        why = dict(self.rules.found.unlisted)[place]
        self._record(_outcome("discover", place, Result.FAILED, why), now)
        return Done()

    def _watch(self, runtime: str, now: datetime) -> Done:
        """Watch a stream; what failed in it, or waits, is said here once, however many uses it has."""
        with suppress(HalfPublished):
            self.inquiry.observe(runtime, now)
            self.inquiry.standing(runtime, now)
        if waiting := self.inquiry.waiting.get(runtime):
            self._record(_outcome("watch", runtime, Result.WAITING, waiting), now)
        fault = self.inquiry.unjudged.get(runtime)
        if fault:
            self._record(_outcome("judge", runtime, Result.FAILED, str(fault)), now)
        return Done()

    def _read_repository(self, name: str, now: datetime) -> Done:
        """Survey, watch, judge and plan."""
        self.inquiry.read(self.repositories[name], now)
        return Done()

    def _handle_pull_request(self, name: str, now: datetime) -> Done | Again:
        """Bring one pull request one step nearer to what the plan wants."""
        outcome, answer = self.line.handle(name, now)
        self._record(outcome, now)
        return answer

    def _handle_deployment(self, name: str, now: datetime) -> Done | Again:
        """Go on with what is underway at one function, and begin nothing."""
        target = self._target(name)
        alias = alias_of(target, self.world.functions)
        return self._go_on(target, alias, now) if alias and is_begun(alias) else Done()

    def _target(self, name: str) -> Target:
        return next(target for target in self.rules.targets if target.function == name)

    def _handle_function(self, name: str, now: datetime) -> Done | Again:
        """Bring one function one step nearer to the base that it should stand on."""
        target = self._target(name)
        alias = alias_of(target, self.world.functions)
        if alias and is_begun(alias):
            return self._go_on(target, alias, now)
        if target.repository not in self.inquiry.decisions:
            return self._without_source(target, now)
        if self.inquiry.hold_for(target, now):
            return Done()
        function = self.world.functions.function(name)
        if self._left_alone(target, function, now):
            return Done()
        if alias and is_marked(alias):
            self.marked[name] = None
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
        if why := self._block(goal, now) or self._rides_later(target, function, image, goal, now):
            result = Result.UNCHANGED  # which keeps no other Region waiting
        elif why := self._halt(target, goal, now):
            result = Result.WAITING
        elif target.pipeline:
            return self._run_pipeline(target, target.pipeline, function, goal, now)
        else:
            return self._rebuild(target, function, goal, now)
        self._record(_outcome("rebuild", target.function, result, why), now)
        return Done()

    def _left_alone(self, target: Target, function: Function, now: datetime) -> str:
        """Say why mode `manual` keeps a function as it is, empty if it does not.

        Raises `DeployError` where nobody can tell what mode was meant.
        """
        mode = effective(self.inquiry.modes_of(target, function), now.date())
        if mode.fault:
            raise DeployError(f"{target.function} is left alone: {mode}")
        return str(mode) if mode.mode is Mode.MANUAL else ""

    def _rides_later(self, target: Target, function: Function, image: Image, goal: KnownBase, now: datetime) -> str:
        """Say why a function in mode `function-update` is not rebuilt on a goal yet; empty if it may be.

        What stands on a blocked base is not left there, and what a person asks for by hand is a change of theirs.
        """
        mode = effective(self.inquiry.modes_of(target, function), now.date()).mode
        if mode is not Mode.FUNCTION_UPDATE or self.asked == target.function:
            return ""
        if rides(self.inquiry.surveys[target.repository].changed, self.inquiry.first_seen(goal, now)):
            return ""
        runs = self.inquiry.lineage_of(image).base
        if runs and self._block(runs, now):
            return ""
        return f"mode {mode}: {goal.reference} comes with the next change of {target.repository}"

    def _block(self, base: KnownBase, now: datetime) -> str:
        """Say that a base is blocked; empty if it is not."""
        blocked = self.rules.declared.blocked(now.date()) & base.digests
        return f"the base {base.reference} is blocked; nothing is built or shifted to it" if blocked else ""

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
            self._record(proven, now)
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
        wanted = build_order(target, commit, goal, function, proven, self.rules.tag)
        base = {BASE: str(goal.shared)}
        try:
            built = rebuild(wanted, goal, proven, self.world, target.smoke or self.rules.smoke)
        except BuildError as fault:
            if fault.retryable:
                raise
            self._record(_outcome("rebuild", target.function, Result.FAILED, str(fault), base), now)
            return Done()
        match built:
            case Building(why=why, look=look):
                if not any((o.subject, o.result) == (target.function, Result.WAITING) for o in self.outcomes):
                    self._record(_outcome("rebuild", target.function, Result.WAITING, why), now)
                return Again(now + look, why) if look else Done()
            case NothingNew(image=image):
                message = f"nothing to deploy: {image} differs from what is deployed in times alone"
                self._record(_outcome("rebuild", target.function, Result.UNCHANGED, message), now)
                return Done()
            case Rebuilt(image=image, how=how):
                message = f"built {image} ({how})" if how else f"built {image}"
                details = {**base, IMAGE: str(image)}
                self._record(_outcome("rebuild", target.function, Result.BUILT, message, details), now)
                self._record(update_code(function, image, self.world.deployer), now)
        return Again(now + POLL, "the service updates the function")

    def _finish(
        self, target: Target, function: Function, alias: Alias | None, goal: KnownBase, now: datetime, *, ours: bool
    ) -> Done | Again:
        """The code is on its goal: let the alias follow, then say what runs."""
        halt = partial(self._halt, target, goal, now)
        if function.status is UpdateStatus.FAILED:
            tried = any(o.details.get("arn") == function.arn and o.result is Result.UPDATED for o in self.outcomes)
            if tried or not ours or function.image is None or halt():
                raise DeployError(f"the last update of {target.function} failed: {function.status_reason}")
            self._record(update_code(function, function.image, self.world.deployer), now)  # what failed may be cured
            return Again(now + POLL, "the service updates the function")
        followed = follow_alias(target, function, alias, self.world, now, ours=ours, halt=halt) if alias else Followed()
        if followed.outcomes or followed.again:
            return self._told(target.function, followed, now)
        if any(o.details.get("arn") == function.arn and o.result in _CHANGES for o in self.outcomes):
            self._record(prove_served(target, goal, self.world.functions, self.world.registry), now)
        return Done()

    def _go_on(self, target: Target, alias: Alias, now: datetime) -> Done | Again:
        """Go on with a deployment whatever else is: neither a hold nor a forge in trouble leaves it half done."""
        latest = self.world.functions.function(target.function)
        try:
            condemned = self._condemned(latest, now)
            followed = follow_alias(target, latest, alias, self.world, now, ours=True, condemned=condemned)
        except DeployError as fault:
            if not fault.retryable:
                raise
            return Again(now + RETRY, str(fault))
        if any(outcome.result is Result.ROLLED_BACK for outcome in followed.outcomes):
            self.marked[target.function], self.taken_back = None, None
        return self._told(target.function, followed, now)

    def _condemned(self, latest: Function, now: datetime) -> str:
        """Say that what is being deployed stands on a blocked base; empty if not, or while nobody can tell."""
        if latest.image is None or not self.rules.declared.blocked(now.date()):
            return ""
        try:
            base = self.inquiry.lineage(latest.image, latest.platform).base
        except RefromError:  # what cannot be read leaves no deployment half done; the next look reads again
            return ""
        return f"its base {base.reference} is blocked" if base and self._block(base, now) else ""

    def _told(self, name: str, followed: Followed, now: datetime) -> Done | Again:
        for outcome in followed.outcomes:
            self._record(outcome, now)
        if followed.elsewhere and not self.stays:
            message = f"{followed.why}; it goes on by itself, and a later run sees how it ends"
            self._record(_outcome("redeploy", name, Result.WAITING, message), now)
            return Done()
        return Again(followed.again, followed.why) if followed.again else Done()

    def _halt(self, target: Target, goal: KnownBase, now: datetime) -> str:
        """Say why a function may not begin on a base now; empty if it may, as all that a person asks for by hand."""
        if (blocked := self._block(goal, now)) or self.asked:
            return blocked
        if why := why_halted(target.function, goal, self._marks()):
            self.halted.add(target.function)
            return why
        return self.unread or self.behind

    def _marks(self) -> Sequence[TakenBack]:
        """What the aliases say was taken back, read once, and again after something is."""
        if self.taken_back is None:
            self.taken_back, self.unread = find_all_taken_back(self.rules.targets, self.inquiry)
        return self.taken_back

    def _tell(self, name: str, now: datetime) -> Done:
        """Tell the pull request that brought a base to a function that it was taken back."""
        target = self._target(name)
        found = find_taken_back(target, self.inquiry)
        self._record(tell(target, found, self.inquiry, now) if found else None, now)
        return Done()

    def _without_source(self, target: Target, now: datetime) -> Done:
        """The source of a function was not read: it waits as its repository does, or fails."""
        name = target.repository
        pause = self.paused.get(_LISTING) or self.paused.get(Key("repository", name))
        if pause:
            message = f"its source repository {name} is to be read first: {pause}"
            self._record(_outcome("redeploy", target.function, Result.WAITING, message), now)
            return Done()
        if name in self.repositories:
            raise DeployError(f"its source repository {name} could not be read")
        raise DeployError(f"its source repository {name} is in no forge of the settings; name it there")

    def _record(self, outcome: Outcome | None, now: datetime) -> None:
        """Keep an outcome after it happened; what changed nothing is no news for the journal."""
        if outcome is None:
            return
        self.outcomes.append(outcome)
        waits_in_line = outcome.step == STEP and outcome.result is Result.WAITING
        if outcome.result is not Result.UNCHANGED and not waits_in_line:
            self.world.journal.append(outcome, now)


_LISTING = Key("forge", "repositories")
_STEPS = {
    "forge": "survey",
    "place": "discover",
    "repository": "survey",
    "stream": "watch",
    "pull-request": STEP,
    "function": "redeploy",
    "deployment": "redeploy",
    "taken-back": "redeploy",
}
_CHANGES = (Result.UPDATED, Result.MOVED, Result.SETTLED)


def _is_ours(image: Image) -> bool:
    """Whether a builder of ours made the image: it says of which commit and on which base."""
    return {REVISION_LABEL, BASE_DIGEST_LABEL} <= image.config.labels.keys()


def _subject(key: Key) -> str:
    """What an outcome is about: of a pull request its source repository."""
    return repository_of(key.name) if key.kind == "pull-request" else key.name


def _outcome(
    step: str, subject: str, result: Result, message: str, details: Mapping[str, str] | None = None
) -> Outcome:
    return Outcome(step=step, subject=subject, result=result, message=message, details=details or {})

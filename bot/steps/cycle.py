"""One cycle: survey, watch, judge and plan; then propose; then rebuild, redeploy, prove.

The unit of work is a tick for one key, and at most one thing is changed in it. What a tick did is recorded after it
happened. Running a cycle again does nothing that is done already. Whatever one key meets, the others go on: a failure
is an outcome, a forge's pause is a wait, and what nobody foresaw is a defect that is told with its key.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.decision import Decision
from bot.core.deployment import is_begun
from bot.core.errors import DeployError, HalfPublished, Paused, RefromError
from bot.core.outcome import Outcome, Result
from bot.core.target import Target
from bot.ports.engine import Again, Done, Engine, Key
from bot.ports.forge import SourceRepository
from bot.ports.world import World
from bot.steps.bring import Bringer
from bot.steps.inquire import Inquiry
from bot.steps.line import Line, repository_of
from bot.steps.propose import STEP
from bot.steps.record import Record
from bot.steps.redeploy import alias_of
from bot.steps.restraint import Restraint
from bot.steps.rules import Rules
from bot.steps.survey import Survey
from bot.steps.taken_back import find_taken_back, tell


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
    record: Record = field(init=False)
    restraint: Restraint = field(init=False)
    bringer: Bringer = field(init=False)
    defects: list[Defect] = field(init=False, default_factory=list)
    repositories: Mapping[str, SourceRepository] = field(init=False, default_factory=dict)
    listed: datetime | None = field(init=False, default=None)
    """When they were listed, at the earliest."""
    paused: dict[Key, str] = field(init=False, default_factory=dict)
    """The keys that a forge's limit keeps waiting, and why."""

    def __post_init__(self) -> None:
        self.inquiry = Inquiry(self.world, self.rules)
        self.line = Line(self.inquiry)
        self.record, self.restraint = Record(self.world.journal), Restraint(self.inquiry)
        self.inquiry.marks = self.restraint.marks
        self.bringer = Bringer(self.inquiry, self.record, self.restraint, self.stays)

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """What was done so far."""
        return self.record.outcomes

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
        self.restraint.asked = name
        return self._alone(engine, name, self._redeploy)

    def look(self, engine: Engine, name: str) -> Report:
        """Do for one function of the targets what the loop would; nothing is proposed, and no pull request told."""
        return self._alone(engine, name, self.tick)

    def _alone(self, engine: Engine, name: str, tick: Callable[[Key, datetime], Done | Again]) -> Report:
        source = self._target(name).repository
        waiting = self._begin(engine)
        waiting += engine.drain([Key("repository", source)] if source in self.repositories else [], self.tick)
        if not self.record.outcomes:
            waiting += engine.drain([Key("function", name)], tick)
            waiting += self._tell_all(engine) if self.restraint.asked else ()
        return self._report(waiting)

    def _redeploy(self, key: Key, now: datetime) -> Done | Again:
        """Do what the loop would, and refuse what a person holds."""
        target = self._target(key.name)
        hold = self.inquiry.hold_for(target, now)
        function = self.world.functions.function(target.function)
        why = hold.reason if hold else self.restraint.left_alone(target, function, now)
        if why:
            what = f"it is held: {why}; take that out first"
            self.record.say("redeploy", key.name, Result.REFUSED, what, now)
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
            outcomes=tuple(self.record.outcomes),
            surveys=self.inquiry.surveys,
            waiting=waiting,
            defects=tuple(self.defects),
        )

    def _drain_functions(self, engine: Engine) -> tuple[tuple[Key, Again], ...]:
        """Handle Regions in the order in which the targets first name them; none begins before the last one is done.

        What waits for its halted base keeps no other base from the next Region: that may last for days.
        """
        waiting: tuple[tuple[Key, Again], ...] = ()
        regions: dict[str, list[str]] = {}
        for target in self.rules.targets:
            regions.setdefault(target.region or self.rules.region, []).append(target.function)
        for names in regions.values():
            left = engine.drain([Key("function", name) for name in names], self.tick)
            waiting += left
            late = [key.name for key, _ in left]
            waits = [o.subject for o in self.record.outcomes if o.subject in names and o.result is Result.WAITING]
            late += [name for name in waits if name not in self.restraint.halted]
            if late and not self.restraint.behind:
                self.restraint.behind = f"{late[0]} in the Region before is not done"
        return waiting

    def _tell_all(self, engine: Engine) -> tuple[tuple[Key, Again], ...]:
        """Tell of what was taken back, in this run or before it by one that died."""
        return engine.drain([Key("taken-back", name) for name in self.restraint.marked], self.tick)

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
        self.record.say(_STEPS[key.kind], _subject(key), Result.FAILED, message, now)

    def _list(self, _name: str, now: datetime) -> Done:
        """List the source repositories."""
        self.repositories, self.listed = self.inquiry.repositories(), now
        return Done()

    def _miss(self, place: str, now: datetime) -> Done:
        """Say that functions of a place could not be listed: those that are mapped there are left alone."""
        why = dict(self.rules.found.unlisted)[place]
        self.record.say("discover", place, Result.FAILED, why, now)
        return Done()

    def _watch(self, runtime: str, now: datetime) -> Done:
        """Watch a stream; what failed in it, or waits, is said here once, however many uses it has."""
        with suppress(HalfPublished):
            self.inquiry.observe(runtime, now)
            self.inquiry.standing(runtime, now)
        if waiting := self.inquiry.waiting.get(runtime):
            self.record.say("watch", runtime, Result.WAITING, waiting, now)
        fault = self.inquiry.unjudged.get(runtime)
        if fault:
            self.record.say("judge", runtime, Result.FAILED, str(fault), now)
        return Done()

    def _read_repository(self, name: str, now: datetime) -> Done:
        """Survey, watch, judge and plan."""
        self.inquiry.read(self.repositories[name], now)
        return Done()

    def _handle_pull_request(self, name: str, now: datetime) -> Done | Again:
        """Bring one pull request one step nearer to what the plan wants."""
        outcome, answer = self.line.handle(name, now)
        self.record.keep(outcome, now)
        return answer

    def _handle_deployment(self, name: str, now: datetime) -> Done | Again:
        """Go on with what is underway at one function, and begin nothing."""
        target = self._target(name)
        alias = alias_of(target, self.world.functions)
        return self.bringer.go_on(target, alias, now) if alias and is_begun(alias) else Done()

    def _handle_function(self, name: str, now: datetime) -> Done | Again:
        """Bring one function one step nearer to the base that it should stand on."""
        target = self._target(name)
        alias = alias_of(target, self.world.functions)
        if alias and is_begun(alias):
            return self.bringer.go_on(target, alias, now)
        if target.repository not in self.inquiry.decisions:
            return self._without_source(target, now)
        return self.bringer.bring(target, alias, now)

    def _without_source(self, target: Target, now: datetime) -> Done:
        """The source of a function was not read: it waits as its repository does, or fails."""
        name = target.repository
        pause = self.paused.get(_LISTING) or self.paused.get(Key("repository", name))
        if pause:
            message = f"its source repository {name} is to be read first: {pause}"
            self.record.say("redeploy", target.function, Result.WAITING, message, now)
            return Done()
        if name in self.repositories:
            raise DeployError(f"its source repository {name} could not be read")
        raise DeployError(f"its source repository {name} is in no forge of the settings; name it there")

    def _target(self, name: str) -> Target:
        return next(target for target in self.rules.targets if target.function == name)

    def _tell(self, name: str, now: datetime) -> Done:
        """Tell the pull request that brought a base to a function that it was taken back."""
        target = self._target(name)
        found = find_taken_back(target, self.inquiry)
        self.record.keep(tell(target, found, self.inquiry, now) if found else None, now)
        return Done()


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


def _subject(key: Key) -> str:
    """What an outcome is about: of a pull request its source repository."""
    return repository_of(key.name) if key.kind == "pull-request" else key.name

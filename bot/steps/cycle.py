"""One cycle: watch, judge, survey, plan, propose; then rebuild, redeploy, prove.

The unit of work is a tick for one key; every fact is read in it, and at most one thing is changed.
What a tick did is recorded after it happened. Running a cycle again does nothing that is done already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.change import BaseChange
from bot.core.errors import RefromError
from bot.core.lineage import stands_on
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome, Result
from bot.core.plan import Action, BaseUse, Decision, Known, Unwatched, Update, plan
from bot.core.policy import Declarations, Policy
from bot.core.reference import Reference
from bot.core.runtimes import Catalogue
from bot.core.target import Target
from bot.ports.deployer import Function, UpdateStatus
from bot.ports.engine import Again, Done, Engine, Key
from bot.ports.forge import SourceRepository
from bot.ports.world import World
from bot.ports.builder import Building
from bot.steps.gather import gather
from bot.steps.judge import judge
from bot.steps.propose import propose
from bot.steps.prove import fetch_base, lineage
from bot.steps.rebuild import order, rebuild
from bot.steps.redeploy import follow_alias, update_code
from bot.steps.survey import Survey, survey
from bot.steps.watch import watch

POLL = timedelta(seconds=2)
"""How long to leave a function alone while the service works on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say and people declared, as far as the loop needs it."""

    catalogue: Catalogue
    policy_for: Callable[[str, str, str], Policy]
    """From source repository, path and runtime identifier to the policy that applies."""
    declared: Declarations
    targets: tuple[Target, ...] = ()
    mirrors: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    """Runtime identifiers to watch although nothing may use them."""


@dataclass(slots=True)
class Report:
    """What a cycle decided and did."""

    decisions: list[Decision] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    surveys: dict[str, Survey] = field(default_factory=dict)
    waiting: tuple[tuple[Key, Again], ...] = ()

    @property
    def needs_attention(self) -> bool:
        """Whether something failed or was refused."""
        return any(outcome.needs_attention for outcome in self.outcomes)


class Cycle:
    """One cycle over one world; what it read of streams and repositories is kept for its own length only."""

    def __init__(self, world: World, rules: Rules) -> None:
        self.world = world
        self.rules = rules
        self.report = Report()
        self._repositories: dict[str, SourceRepository] = {}
        self._observed: dict[str, Observation | RefromError] = {}
        self._judged: dict[tuple[Reference, Reference], BaseChange] = {}

    def run(self, engine: Engine) -> Report:
        """Watch what the settings name, then handle every source repository, then every function."""
        engine.drain([Key("stream", name) for name in self.rules.watch], self.tick)
        self._repositories = {repository.name: repository for repository in self.world.forge.repositories()}
        still = engine.drain([Key("repository", name) for name in self._repositories], self.tick)
        still += engine.drain([Key("function", name) for name in self._targets], self.tick)
        self.report.waiting = still
        self.report.decisions.sort(key=lambda decision: decision.use.sort_key)
        return self.report

    def tick(self, key: Key, now: datetime) -> Done | Again:
        """Do one short piece of work for one key; a failure is an outcome, and the other keys go on."""
        work = {"stream": self._tick_stream, "repository": self._tick_repository, "function": self._tick_function}
        try:
            return work[key.kind](key.name, now)
        except RefromError as fault:
            self._record(Outcome(step=key.kind, subject=key.name, result=Result.FAILED, message=str(fault)), now)
            return Done()

    # --- watch ---

    def observe(self, runtime: str, now: datetime) -> Observation:
        """Return what a stream has now; a stream is asked once a cycle, and fails once a cycle."""
        if runtime not in self._observed:
            try:
                found = self.rules.catalogue.get(runtime)
                self._observed[runtime] = watch(found, self.world.registry, self.world.ledger, now)
            except RefromError as fault:
                self._observed[runtime] = fault
                self._record(Outcome(step="watch", subject=runtime, result=Result.FAILED, message=str(fault)), now)
        observed = self._observed[runtime]
        if isinstance(observed, RefromError):
            raise observed
        return observed

    def _tick_stream(self, runtime: str, now: datetime) -> Done:
        self.observe(runtime, now)
        return Done()

    # --- survey, judge, plan, propose ---

    def _tick_repository(self, name: str, now: datetime) -> Done:
        repository = self._repositories[name]
        if repository.fault:
            self._record(Outcome(step="survey", subject=name, result=Result.FAILED, message=repository.fault), now)
            return Done()
        found = survey(repository, self.world.forge, self.rules.mirrors)
        self.report.surveys[name] = found
        decisions = self.decide(found, now)
        self.report.decisions.extend(decisions)
        updates = [d for d in decisions if isinstance(d, Update) and d.action is not Action.REBUILD]
        self._record(propose(found, updates, self.world.forge, self.world.pull_requests), now)
        return Done()

    def decide(self, found: Survey, now: datetime) -> Sequence[Decision]:
        """Gather the facts of every use in a repository, and plan."""
        facts = [(self._gather(use, now), self._policy(use)) for use in found.uses]
        return plan(facts, self.rules.declared, now)

    def _gather(self, use: BaseUse, now: datetime) -> Known | Unwatched:
        if use.runtime is None or use.runtime not in self.rules.catalogue:
            return Unwatched(use=use, fault=self.rules.catalogue.why_unknown(use.runtime))
        try:
            latest = self.observe(use.runtime, now)
            deployed = [] if use.pinned else self._deployed_bases(use, latest)
            return gather(use, latest, deployed, self.world.registry, self.world.ledger, self.judge)
        except RefromError as fault:
            return Unwatched(use=use, fault=str(fault))

    def judge(self, old: Reference, new: Reference) -> BaseChange:
        """Compare two bases, once a cycle."""
        if (old, new) not in self._judged:
            self._judged[old, new] = judge(old, new, self.world.registry, self.world.contents)
        return self._judged[old, new]

    def _deployed_bases(self, use: BaseUse, latest: Observation) -> list[KnownBase]:
        """What the functions built from this file are proven to stand on."""
        targets = [t for t in self.rules.targets if (t.repository, t.dockerfile) == (use.repository, use.located.path)]
        proven = (self.deployed_base(target, latest) for target in targets)
        return [base for base in proven if base]

    def deployed_base(self, target: Target, latest: Observation) -> KnownBase | None:
        """Prove the base of what a function's `$LATEST` runs; None where nothing proves one."""
        function = self.world.functions.function(target.function)
        return self._proven(function, [latest])

    def _proven(self, function: Function, observations: Sequence[Observation]) -> KnownBase | None:
        if function.image is None:
            return None
        image = self.world.registry.image(function.image, function.platform)
        return lineage(
            image,
            observations=observations,
            runtimes=[seen.runtime for seen in observations],
            registry=self.world.registry,
            ledger=self.world.ledger,
            mirrors=self.rules.mirrors,
        ).base

    def _policy(self, use: BaseUse) -> Policy:
        return self.rules.policy_for(use.repository, use.located.path, use.runtime or "")

    # --- rebuild, redeploy, prove ---

    @property
    def _targets(self) -> Mapping[str, Target]:
        return {target.function: target for target in self.rules.targets}

    def _tick_function(self, name: str, now: datetime) -> Done | Again:
        """Bring one function one step nearer to the base that its merged Dockerfile names."""
        target = self._targets[name]
        found = self.report.surveys.get(target.repository)
        if found is None:
            self._record(_failed(name, self._why_no_survey(target)), now)
            return Done()
        hold = self.rules.declared.hold_for(function=name, today=now.date())
        if hold:
            return Done()
        return self._advance(target, found, now)

    def _advance(self, target: Target, found: Survey, now: datetime) -> Done | Again:
        function = self.world.functions.function(target.function)
        if function.image is None:
            self._record(_failed(target.function, "it is no container-image function; take it from deploy.targets"), now)
            return Done()
        if function.status is UpdateStatus.IN_PROGRESS:
            return Again(now + POLL, "the service updates the function")
        goal = self.goal(target, found, function)
        if goal is None:
            return Done()
        image = self.world.registry.image(function.image, function.platform)
        if not stands_on(image, goal):
            return self._rebuild(target, found, function, goal, now)
        if function.status is UpdateStatus.FAILED:
            self._record(_failed(target.function, function.status_reason), now)
            return Done()
        moved = follow_alias(target, function, self.world.functions, self.world.deployer)
        if moved:
            self._record(moved, now)
            return Again(now + POLL, moved.message)
        self._record_proof(target, function, goal, now)
        return Done()

    def goal(self, target: Target, found: Survey, function: Function) -> KnownBase | None:
        """The base that a function should stand on: the one pinned in the merged file, or the one of a due rebuild."""
        use = base_of(target, found)
        if use is None or use.located.use.lambda_image is None:
            return None
        if use.pinned:
            merged = use.located.use.lambda_image.upstream.with_digest(use.pinned)
            return fetch_base(merged, function.platform, self.world.registry)
        for decision in self.report.decisions:
            if isinstance(decision, Update) and decision.action is Action.REBUILD and decision.use == use:
                observed = self._observed[use.runtime or ""]
                return observed.platforms.get(function.platform) if isinstance(observed, Observation) else None
        return None

    def _rebuild(
        self, target: Target, found: Survey, function: Function, goal: KnownBase, now: datetime
    ) -> Done | Again:
        observations = [seen for seen in self._observed.values() if isinstance(seen, Observation)]
        proven = self._proven(function, observations)
        wanted = order(target, found.repository.commit, goal, function, proven)
        built = rebuild(wanted, goal, self.world.builder, self.world.registry)
        if isinstance(built, Building):
            self._record(_outcome("rebuild", target.function, Result.WAITING, built.why), now)
            return Done()
        if function.image and built.digest == function.image.digest:
            self._record(_failed(target.function, function.status_reason or "the rebuilt image is deployed already"), now)
            return Done()
        self._record(_outcome("rebuild", target.function, Result.BUILT, f"built {built}"), now)
        self._record(update_code(function, built, self.world.deployer), now)
        return Again(now + POLL, "the service updates the function")

    def _record_proof(self, target: Target, function: Function, goal: KnownBase, now: datetime) -> None:
        """Say what runs now, where this cycle changed it."""
        if any(o.subject == function.name and o.result in (Result.UPDATED, Result.MOVED) for o in self.report.outcomes):
            message = f"{function.image} stands on {goal.reference}, by layers"
            self._record(_outcome("prove", target.function, Result.PROVEN, message), now)

    def _why_no_survey(self, target: Target) -> str:
        if target.repository in self._repositories:
            return f"its source repository {target.repository} could not be read"
        return f"its source repository {target.repository} is in no forge of the settings"

    def _record(self, outcome: Outcome | None, now: datetime) -> None:
        """Keep an outcome after it happened; what changed nothing is not news for the journal."""
        if outcome is None:
            return
        self.report.outcomes.append(outcome)
        if outcome.result is not Result.UNCHANGED:
            self.world.journal.append(outcome, now)


def base_of(target: Target, found: Survey) -> BaseUse | None:
    """Find the reference that the image of a target stands on: the one that its last stage is built from."""
    for use in found.uses:
        if use.located.path == target.dockerfile and use.located.use.base:
            return use
    return None


def _outcome(step: str, subject: str, result: Result, message: str) -> Outcome:
    return Outcome(step=step, subject=subject, result=result, message=message)


def _failed(subject: str, message: str) -> Outcome:
    return _outcome("redeploy", subject, Result.FAILED, message)

"""Three ways to keep the same fleet current: refrom with a rollout, a bump for every digest, a round once a month."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.advisories import Severity
from bot.core.change import BaseChange
from bot.core.decision import Known, Update
from bot.core.digest import Digest
from bot.core.observation import Observation
from bot.core.outcome import Outcome, Result
from bot.core.plan import decide
from bot.core.policy import Block, Declarations, Policy
from bot.core.rollout import Phase, RolloutPolicy, Wave, admission, is_active, phase
from bot.core.troubles import BASE, IMAGE
from bot.ports.clock import Clock
from bot.steps.gather import behind_since
from bot.steps.roll import Roller, Standing
from tests.simulate.deploying import Deployment
from tests.simulate.fleet import Repository
from tests.simulate.memory import MemoryJournal, MemoryLedger, MemoryRollouts
from tests.simulate.rhythm import DAY, Stream, day_of, digest

HOUR = timedelta(hours=1)
RULES = RolloutPolicy(
    soaks={Severity.CRITICAL: 6 * HOUR, Severity.IMPORTANT: DAY}, waves=(Wave(share=0.1), Wave(share=0.3))
)
POLICY = Policy()
BLOCKS_AFTER = 12 * HOUR
"""A person blocks the first bad base so long after its rollout halted; the second one nobody does."""
BLOCKED = "java21"

Wanted = Iterator[tuple[Repository, int]]
"""Repositories, and the day of the base that each is to be brought to."""


class Strategy(Protocol):
    """One way to keep a fleet current."""

    name: str
    halts: bool
    """Whether nobody begins on a base that was taken back from a function."""
    declared: Declarations
    """What people declared."""

    def wanted(self, repositories: Sequence[Repository], now: datetime) -> Wanted:
        """Say which repositories are to be brought to another base now."""
        ...

    def deployed(self, made: Sequence[Deployment]) -> None:
        """Take note of deployments."""
        ...


@dataclass(slots=True)
class EveryDigest:
    """A pull request for every digest that a tag names."""

    streams: Mapping[str, Stream]
    name: str = "bump every digest"
    halts: bool = False
    declared: Declarations = field(default_factory=Declarations)

    def wanted(self, repositories: Sequence[Repository], now: datetime) -> Wanted:
        newest = {name: _newest(stream, now) for name, stream in self.streams.items()}
        return ((r, newest[r.runtime]) for r in repositories if r.pinned != newest[r.runtime])

    def deployed(self, made: Sequence[Deployment]) -> None:
        """Nothing follows from it."""


@dataclass(slots=True)
class Monthly:
    """A round by hand on the first of each month, to what the tags name then."""

    streams: Mapping[str, Stream]
    name: str = "monthly by hand"
    halts: bool = False
    declared: Declarations = field(default_factory=Declarations)
    _round: dict[str, int] = field(default_factory=dict)

    def wanted(self, repositories: Sequence[Repository], now: datetime) -> Wanted:
        if now.day == 1:
            self._round = {name: _newest(stream, now) for name, stream in self.streams.items()}
        return ((r, self._round[r.runtime]) for r in repositories if r.pinned < self._round.get(r.runtime, 0))

    def deployed(self, made: Sequence[Deployment]) -> None:
        """Nothing follows from it."""


@dataclass(slots=True)
class Refrom:
    """What refrom does: plan and rollout by its own rules, with its memories in this process."""

    streams: Mapping[str, Stream]
    clock: Clock
    name: str = "refrom"
    halts: bool = True
    declared: Declarations = field(default_factory=Declarations)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    rollouts: MemoryRollouts = field(default_factory=MemoryRollouts)
    stopped: dict[str, tuple[Phase, int]] = field(default_factory=dict)
    """By stream, how far the rollout of a bad base was when it halted, and how many waves were open."""
    active: dict[str, int] = field(default_factory=dict)
    """By stream, how many functions were in phase one of that rollout."""
    _halted: dict[str, datetime] = field(default_factory=dict)
    _ledger: MemoryLedger = field(init=False)
    _since: dict[tuple[Digest, Digest], datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ledger = MemoryLedger(self.streams, self.clock)

    def wanted(self, repositories: Sequence[Repository], now: datetime) -> Wanted:
        self._block(now)
        blocked = {block.digest: block.reason for block in self.declared.blocks}
        roller = Roller(
            rules=RULES,
            policy_for=lambda _runtime: POLICY,
            ledger=self._ledger,
            journal=self.journal,
            memory=self.rollouts,
            compare=self._compare,
            marks=tuple,
            blocked=blocked,
        )
        standings = {name: roller.standing(stream.seen_at(now)[0], now) for name, stream in self.streams.items()}
        self._note(standings, repositories, now)
        for repository in repositories:
            known = self._known(repository, standings[repository.runtime], now)
            decision = decide(known, POLICY, self.declared, now)
            if isinstance(decision, Update):
                yield repository, day_of(known.latest.first_seen)

    def deployed(self, made: Sequence[Deployment]) -> None:
        for each in made:
            details = {IMAGE: each.image, "arn": each.function.name}
            base = str(digest(each.repository.runtime, each.base))
            built = Outcome(
                step="rebuild",
                subject=each.function.name,
                result=Result.BUILT,
                message="",
                details={**details, BASE: base},
            )
            result = Result.ROLLED_BACK if each.taken_back else Result.SETTLED
            self.journal.append(built, each.at)
            self.journal.append(replace(built, step="redeploy", result=result, details=details), each.at)

    def _known(self, repository: Repository, standing: Standing, now: datetime) -> Known:
        stream, latest = self.streams[repository.runtime], standing.latest
        in_use = digest(repository.runtime, repository.pinned)
        ahead = in_use in standing.newer
        same = in_use == latest.digest
        changed = repository.changed(now)
        return Known(
            use=repository.use,
            latest=latest,
            candidate=latest.digest,
            in_use=in_use,
            change=None if ahead or same else stream.change(repository.pinned, day_of(latest.first_seen)),
            behind_since=self._behind_since(repository, latest),
            ahead=ahead,
            sick=self.declared.is_blocked(in_use, now.date()),
            changed=changed,
            admission=admission(RULES, standing.rollout, standing.troubles, repository.name, changed),
        )

    def _behind_since(self, repository: Repository, latest: Observation) -> datetime:
        """Ask once for each pair of bases: what is newer than both changes nothing about it."""
        in_use = digest(repository.runtime, repository.pinned)
        if (in_use, latest.digest) not in self._since:
            self._since[in_use, latest.digest] = behind_since(in_use, latest, self._ledger)
        return self._since[in_use, latest.digest]

    def _compare(self, old: Observation, new: Observation) -> BaseChange:
        return self.streams[new.runtime].change(day_of(old.first_seen), day_of(new.first_seen))

    def _block(self, now: datetime) -> None:
        """Let a person look at what halted the first bad base."""
        since = self._halted.get(BLOCKED)
        if since and now >= since + BLOCKS_AFTER and not self.declared.blocks:
            base = self.rollouts.kept[BLOCKED].base
            self.declared = Declarations(blocks=(Block(digest=base, reason="every function on it fails"),))

    def _note(self, standings: Mapping[str, Standing], repositories: Sequence[Repository], now: datetime) -> None:
        """Write down how far a rollout was when it halted first."""
        for name, standing in standings.items():
            rollout = standing.rollout
            if rollout.halted and name not in self.stopped:
                _, opened = phase(RULES, rollout, standing.troubles, now)
                self.stopped[name] = (Phase.WAVES if opened else Phase.ONE, opened)
                self._halted[name] = now
                self.active[name] = sum(
                    len(r.functions)
                    for r in repositories
                    if r.runtime == name and is_active(RULES, rollout, r.changed(now))
                )


def _newest(stream: Stream, now: datetime) -> int:
    return day_of(stream.seen_at(now)[0].first_seen)

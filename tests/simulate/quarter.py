"""A quarter: the same bases, people and alarms for each strategy, hour by hour on a virtual clock."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.adapters.engine.clock import VirtualClock
from bot.core.admission import Limits, Load, deferral
from bot.core.advisories import Severity
from tests.simulate.deploying import Deployment, deploy
from tests.simulate.fleet import FUNCTIONS, Repository, fleet
from tests.simulate.rhythm import BAD, DAY, DAYS, SEED, START, Event, Stream, day_of, streams
from tests.simulate.strategies import EveryDigest, Monthly, Refrom, Strategy

EVERY = timedelta(hours=3)
"""From one run to the next."""
ALLOWED = {Severity.CRITICAL: 3, Severity.IMPORTANT: 7}
ANY = 30
"""The SLO in days: how long a fix of each severity, and anything else that changed, may be missing."""
BRANCH = "refrom/lambda-base-images"


@dataclass(slots=True)
class Pull:
    """An open pull request: the day of the base that it brings, and when it is merged."""

    base: int
    merged: datetime


@dataclass(slots=True)
class Quarter:
    """What happened in a quarter under one strategy."""

    strategy: Strategy
    streams: dict[str, Stream]
    repositories: list[Repository]
    clock: VirtualClock
    opened: int = 0
    refreshed: int = 0
    deployments: list[Deployment] = field(default_factory=list)
    ages: Counter[int] = field(default_factory=Counter)
    """For each day and function: for how many days something newer had been there that it lacks."""
    within: list[float] = field(default_factory=list)
    """For each day the share of functions that keep the SLO."""
    exposed: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in BAD})
    """By stream, the functions that served a bad base, were it for a minute."""
    _pulls: dict[str, Pull] = field(default_factory=dict)
    _load: Load = field(default_factory=Load)

    def live(self, days: int = DAYS) -> None:
        """Let the days go by."""
        while self.clock.now() < START + days * DAY:
            now = self.clock.now()
            self._merge(now)
            self._propose(now)
            made = deploy(
                self.repositories,
                self.streams,
                now,
                halts=self.strategy.halts,
                blocked=self.strategy.declared.blocked(now.date()),
            )
            self.strategy.deployed(made)
            self.deployments += made
            for each in made:
                if self.streams[each.repository.runtime].is_bad(each.base):
                    self.exposed[each.repository.runtime].add(each.function.name)
            if (now - START) % DAY == timedelta():
                self._measure(day_of(now))
            self.clock.wait_until(now + EVERY)

    @property
    def taken_back(self) -> int:
        """How many deployments did not stay."""
        return sum(each.taken_back for each in self.deployments)

    @property
    def kept(self) -> float:
        """The share of function days within the SLO."""
        return sum(self.within) / len(self.within)

    def age(self, share: float) -> int:
        """The age in days that this share of the function days does not exceed."""
        rest = share * self.ages.total()
        for age, count in sorted(self.ages.items()):
            rest -= count
            if rest <= 0:
                return age
        return max(self.ages)

    def functions_of(self, runtime: str) -> int:
        """How many functions stand on a stream."""
        return sum(len(repository.functions) for repository in self.repositories if repository.runtime == runtime)

    def _merge(self, now: datetime) -> None:
        for repository in self.repositories:
            pull = self._pulls.get(repository.name)
            if pull and pull.merged <= now:
                repository.pinned = pull.base
                del self._pulls[repository.name]

    def _propose(self, now: datetime) -> None:
        """Open and refresh; whatever was opened an hour ago no longer counts for the limit of an hour."""
        self._load = Load(open=frozenset((name, BRANCH) for name in self._pulls))
        for repository, base in self.strategy.wanted(self.repositories, now):
            pull = self._pulls.get(repository.name)
            if pull is None:
                self._open(repository, base, now)
            elif pull.base != base:
                pull.base, pull.merged = base, max(pull.merged, now + EVERY)
                self.refreshed += 1

    def _open(self, repository: Repository, base: int, now: datetime) -> None:
        """Open a pull request, within the limits that hold where nothing is set."""
        if deferral(self._load, repository.name, Limits(), None, now, opens=True):
            return
        self._load = self._load.with_opened((repository.name, BRANCH), now)
        self._pulls[repository.name] = Pull(base, now + repository.review())
        self.opened += 1

    def _measure(self, day: int) -> None:
        late = 0
        for repository in self.repositories:
            events = self.streams[repository.runtime].contents(day)
            for function in repository.functions:
                missing = [event for event in events if event.day > function.base]
                self.ages[day - min((event.day for event in missing), default=day)] += 1
                late += any(_is_late(event, day) for event in missing)
        total = sum(len(repository.functions) for repository in self.repositories)
        self.within.append(1 - late / total)


def _is_late(event: Event, day: int) -> bool:
    return day - event.day > (ALLOWED.get(event.severity, ANY) if event.severity else ANY)


def quarter(strategy: str, *, seed: int = SEED, functions: int = FUNCTIONS, days: int = DAYS) -> Quarter:
    """Live a quarter under the strategy of a name: `refrom`, `every digest` or `monthly`."""
    clock = VirtualClock(START)
    made = {stream.runtime: stream for stream in streams(seed, days)}
    strategies: dict[str, Strategy] = {
        "refrom": Refrom(made, clock),
        "every digest": EveryDigest(made),
        "monthly": Monthly(made),
    }
    lived = Quarter(strategies[strategy], made, fleet(seed, functions), clock)
    lived.live(days)
    return lived

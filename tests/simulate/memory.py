"""The ports that a rollout works with, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.digest import Digest
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome
from bot.core.rollout import Rollout
from bot.ports.clock import Clock
from tests.simulate.rhythm import Stream


@dataclass(slots=True)
class MemoryLedger:
    """What was seen of the streams so far; implements `Ledger`."""

    streams: Mapping[str, Stream]
    clock: Clock

    def record(self, observation: Observation) -> Observation:
        return observation

    def history(self, runtime: str) -> Sequence[Observation]:
        return self.streams[runtime].seen_at(self.clock.now())

    def observations(self) -> Sequence[Observation]:
        return [seen for runtime in self.streams for seen in self.history(runtime)]

    def base(self, digest: Digest) -> KnownBase | None:
        return next((base for seen in self.observations() for base in seen.bases if base.digest == digest), None)


@dataclass(slots=True)
class MemoryJournal:
    """What was done; implements `Journal`."""

    kept: list[tuple[datetime, Outcome]] = field(default_factory=list)

    def append(self, outcome: Outcome, at: datetime) -> None:
        self.kept.append((at, outcome))

    def entries(self, limit: int = 100) -> Sequence[tuple[datetime, Outcome]]:
        return self.kept[::-1][:limit]

    def since(self, moment: datetime) -> Sequence[tuple[datetime, Outcome]]:
        return [entry for entry in self.kept if entry[0] >= moment]


@dataclass(slots=True)
class MemoryRollouts:
    """The rollout of each stream; implements `Rollouts`."""

    kept: dict[str, Rollout] = field(default_factory=dict)

    def get(self, runtime: str) -> Rollout | None:
        return self.kept.get(runtime)

    def put(self, rollout: Rollout) -> None:
        self.kept[rollout.runtime] = rollout

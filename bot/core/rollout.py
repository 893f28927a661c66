"""Rollout: which base of a stream the fleet goes to, and when each source repository may take it.

As Lambda does with runtime versions, in two phases: first those that somebody works on, who would notice; after a soak
the others, in waves. All workers agree, because a wave derives from a repository's name alone.
A stream goes to one base at a time. What comes after it waits for its end, unless it fixes what the settings call
urgent, or the rollout halted. A digest that moves while the contents stay is no other base.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.core.advisories import Severity
from bot.core.change import BaseChange, Significance
from bot.core.decision import Admission
from bot.core.digest import Digest
from bot.core.plan import matters
from bot.core.policy import Policy

_SHARES = 1 << 32


class Phase(StrEnum):
    """How far a rollout is."""

    ONE = "one"
    WAVES = "waves"
    DONE = "done"
    HALTED = "halted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A part of the repositories: those that a glob of `repositories` matches, or a share (0 to 1) of all others."""

    share: float = 0.0
    repositories: tuple[str, ...] = ()

    def names(self, repository: str) -> bool:
        """Say whether it names a repository."""
        return any(fnmatchcase(repository, glob) for glob in self.repositories)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPolicy:
    """How bases are rolled out.

    In phase one are the repositories that somebody changed within `active` before it began, or since.
    `soaks` are by severity: for a base that fixes at least that the soak is as short, and it is urgent.
    Whoever is in none of the `waves`, which are `every` apart, comes after the last one.
    More than `tolerated` failed builds and checks halt it; a roll back halts it always.
    """

    active: timedelta = timedelta(days=14)
    soak: timedelta = timedelta(days=3)
    soaks: Mapping[Severity, timedelta] = field(default_factory=dict)
    waves: tuple[Wave, ...] = ()
    every: timedelta = timedelta(days=1)
    tolerated: int = 0

    def soak_for(self, severity: Severity | None) -> timedelta:
        """How long phase one is watched for a base that fixes the like of this."""
        return min([self.soak, *(soak for least, soak in self.soaks.items() if severity and severity >= least)])

    def is_urgent(self, severity: Severity | None) -> bool:
        """Say whether a base that fixes the like of this goes before one that is underway."""
        return bool(severity and self.soaks and severity >= min(self.soaks))

    def wave_of(self, repository: str) -> int:
        """The wave of a repository, from 0; the number of waves for one that is in none."""
        named = next((number for number, wave in enumerate(self.waves) if wave.names(repository)), None)
        if named is not None:
            return named
        place, least = int.from_bytes(hashlib.sha256(repository.encode()).digest()[:4], "big") / _SHARES, 0.0
        for number, wave in enumerate(self.waves):
            least += wave.share
            if place < least:
                return number
        return len(self.waves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One base (the digest of its set) on its way through the fleet since `began`; `severity` is the worst it fixes.

    `halted` is since when it stands still, if it does, and `paused` how long it did so before: that time counts for no
    soak and no wave. `makeshift` says that it took the place of a base that was blocked.
    """

    runtime: str
    base: Digest
    began: datetime
    severity: Severity | None = None
    paused: timedelta = timedelta()
    halted: datetime | None = None
    makeshift: bool = False

    def opens(self, rules: RolloutPolicy, wave: int) -> datetime:
        """When a wave may begin, if nothing halts it from now on."""
        return self.began + self.paused + rules.soak_for(self.severity) + wave * rules.every

    def ends(self, rules: RolloutPolicy) -> datetime:
        """When the last ones have had as long as every wave before them."""
        return self.opens(rules, len(rules.waves) + 1)

    def went_on(self, now: datetime, *, halts: bool) -> "Rollout":
        """Return it as of now: it stands still from the moment at which something halts it until nothing does."""
        if halts:
            return self if self.halted else replace(self, halted=now)
        if self.halted is None:
            return self
        return replace(self, halted=None, paused=self.paused + max(now - self.halted, timedelta()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """What speaks against a base: a block, failed builds and checks, which rules may tolerate, and roll backs.

    Each is a sentence that names who it happened to.
    """

    failures: tuple[str, ...] = ()
    taken_back: tuple[str, ...] = ()
    blocked: str = ""

    def halt(self, rules: RolloutPolicy) -> str:
        """Say why nobody else may take the base; empty if others may."""
        if self.blocked or self.taken_back:
            return "; ".join((*([self.blocked] if self.blocked else ()), *self.taken_back))
        return "; ".join(self.failures) if len(self.failures) > rules.tolerated else ""


def is_active(rules: RolloutPolicy, rollout: Rollout, changed: datetime | None) -> bool:
    """Say whether a repository is in phase one: somebody `changed` something shortly before the rollout, or since."""
    return changed is not None and changed >= rollout.began - rules.active


def admission(
    rules: RolloutPolicy, rollout: Rollout, troubles: Troubles, repository: str, changed: datetime | None
) -> Admission:
    """Say from when on a repository, in which somebody last `changed` something, may take the base."""
    if why := troubles.halt(rules):
        return Admission(opens=None, why=f"the rollout of {rollout.base.short} halted: {why}")
    if is_active(rules, rollout, changed):
        return Admission(opens=rollout.began, why="phase one")
    wave = rules.wave_of(repository)
    why = f"phase two, wave {wave + 1} of {len(rules.waves) + 1}"
    return Admission(opens=rollout.opens(rules, wave), why=why)


def phase(rules: RolloutPolicy, rollout: Rollout, troubles: Troubles, now: datetime) -> tuple[Phase, int]:
    """Say how far a rollout is, and how many waves are open; none opens while it is halted."""
    until = rollout.halted or now
    opened = sum(until >= rollout.opens(rules, wave) for wave in range(len(rules.waves) + 1))
    if troubles.halt(rules):
        return Phase.HALTED, opened
    if now >= rollout.ends(rules):
        return Phase.DONE, opened
    return (Phase.WAVES if opened else Phase.ONE), opened


def advance(
    current: Rollout | None,
    newest: Rollout,
    change: BaseChange | None,
    rules: RolloutPolicy,
    policy: Policy,
    troubles: Troubles,
) -> Rollout:
    """Return the rollout that a stream is in: the current one, or the one that would begin now with its newest base.

    `change` is what differs between the two bases, None where they could not be compared; what nobody could compare
    is taken for news. `troubles` are those of the current one.
    What takes the place of a base that not all have taken fixes for the others what that one fixed, too.
    """
    if current is None:
        return newest
    if newest.base == current.base or not _is_next(current, newest, change, rules, policy, troubles):
        return current
    if newest.began < current.ends(rules):
        worst = max((s for s in (current.severity, newest.severity) if s), key=lambda s: s.rank, default=None)
        newest = replace(newest, severity=worst)
    return replace(newest, makeshift=bool(troubles.blocked))


def _is_next(
    current: Rollout,
    newest: Rollout,
    change: BaseChange | None,
    rules: RolloutPolicy,
    policy: Policy,
    troubles: Troubles,
) -> bool:
    """Say whether the newest base takes the place of the current one; the same contents never do."""
    if change is None:
        return bool(troubles.halt(rules)) or newest.began >= current.ends(rules)
    if change.significance is Significance.NONE:
        return False
    if troubles.halt(rules):
        return True
    if newest.began < current.ends(rules):
        return matters(change, policy) and (current.makeshift or rules.is_urgent(newest.severity))
    return matters(change, policy) or newest.began >= current.began + policy.max_age

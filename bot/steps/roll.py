"""Roll: which base each stream goes to, how far that is, and what speaks against it.

The rollout of a stream is remembered in the store; where that was lost, it begins again with phase one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.core.change import BaseChange, Significance
from bot.core.digest import Digest
from bot.core.errors import RefromError
from bot.core.observation import Observation
from bot.core.outcome import Outcome
from bot.core.policy import Policy
from bot.core.rollout import Rollout, RolloutPolicy, Troubles, advance
from bot.core.taken_back import TakenBack
from bot.core.troubles import troubles_of
from bot.ports.store import Journal, Ledger, Rollouts

Compare = Callable[[Observation, Observation], BaseChange | None]
"""What differs between two observations of one stream, None where the older one is gone; raises `RefromError`."""
Entries = Sequence[tuple[datetime, Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the rollout of one stream stood when it was `asked` for.

    `latest` is its base as it was seen, `newer` are digests seen since.
    `fault` is why its base could not be compared with the newest one, so that it stays.
    """

    rollout: Rollout
    troubles: Troubles
    latest: Observation
    asked: datetime
    newer: frozenset[Digest] = frozenset()
    fault: RefromError | None = None


@dataclass(slots=True)
class Roller:
    """The rollouts of all streams in one inquiry; each is moved on at most once."""

    rules: RolloutPolicy
    policy_for: Callable[[str], Policy]
    ledger: Ledger
    journal: Journal
    memory: Rollouts
    compare: Compare
    marks: Callable[[], Sequence[TakenBack]]
    """What the functions themselves say was taken back, which no loss of the store hides."""
    blocked: Mapping[Digest, str]
    """The digests that are blocked, each with the reason."""
    _read: tuple[datetime, Entries] | None = field(init=False, default=None)

    def standing(self, newest: Observation, now: datetime) -> Standing:
        """Return where a stream stands, of which this is the newest base; what is new about that is kept.

        Where two bases cannot be compared now, the stream stays where it is.
        """
        history = self.ledger.history(newest.runtime)
        kept = self.memory.get(newest.runtime)
        current = next((seen for seen in history if kept and seen.digest == kept.base), None)
        kept, fault = (kept if current else None), None
        try:
            rollout, latest = self._choose(kept, current, newest, history, now)
        except RefromError as unread:
            fault, latest = unread, current or newest
            rollout = kept or Rollout(runtime=newest.runtime, base=newest.digest, began=now)
        troubles = self._troubles(rollout, latest)
        rollout = rollout.went_on(now, halts=bool(troubles.halt(self.rules)))
        if rollout != kept:
            self.memory.put(rollout)
        later = [seen for seen in history if seen.first_seen > latest.first_seen and latest.digest != newest.digest]
        newer = frozenset(digest for seen in later for digest in seen.digests)
        newer -= latest.digests
        return Standing(rollout=rollout, troubles=troubles, latest=latest, asked=now, newer=newer, fault=fault)

    def since(self, moment: datetime) -> Entries:
        """What was done from a moment on, oldest first; the journal is read again only for an earlier one."""
        if self._read is None or moment < self._read[0]:
            self._read = (moment, self.journal.since(moment))
        first, entries = self._read
        return entries if first == moment else [entry for entry in entries if entry[0] >= moment]

    def _choose(
        self,
        kept: Rollout | None,
        current: Observation | None,
        newest: Observation,
        history: Sequence[Observation],
        now: datetime,
    ) -> tuple[Rollout, Observation]:
        """Choose between the base that a stream goes to and its newest one, of which a blocked one is none."""
        best = self._best(newest, history)
        begins = Rollout(runtime=best.runtime, base=best.digest, began=now)
        if kept is None or current is None:
            return begins, best
        if best.digest == current.digest:
            return kept, current
        change = self.compare(current, best)
        begins = replace(begins, severity=change.severity if change else None)
        policy, troubles = self.policy_for(best.runtime), self._troubles(kept, current)
        chosen = advance(kept, begins, change, self.rules, policy, troubles)
        return chosen, (current if chosen is kept else best)

    def _best(self, newest: Observation, history: Sequence[Observation]) -> Observation:
        """The newest base that neither is blocked nor holds what a blocked one holds; the newest where all are."""
        bad = [seen for seen in (newest, *history) if not seen.digests.isdisjoint(self.blocked)]
        if not bad:
            return newest
        return next((seen for seen in (newest, *history) if not self._is_like(seen, bad)), newest)

    def _is_like(self, seen: Observation, bad: Sequence[Observation]) -> bool:
        for one in bad:
            if one.digest == seen.digest:
                return True
            change = self.compare(one, seen)
            if change is not None and change.significance is Significance.NONE:
                return True
        return False

    def _troubles(self, rollout: Rollout, latest: Observation) -> Troubles:
        why = next((self.blocked[digest] for digest in latest.digests if digest in self.blocked), None)
        blocked = "" if why is None else f"it is blocked ({why})"
        told = troubles_of(self.since(rollout.began), latest.digests, blocked)
        marked = (f"{one.function} was rolled back" for one in self.marks() if one.bases & latest.digests)
        return replace(told, taken_back=tuple(dict.fromkeys((*told.taken_back, *marked))))

"""What moves rollouts on, over ports in memory: the journal is read once for all streams of a cycle."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.adapters.engine.clock import VirtualClock
from bot.core.outcome import Outcome, Result
from bot.core.policy import Policy
from bot.core.rollout import Rollout, RolloutPolicy
from bot.core.troubles import BASE
from bot.steps.roll import Entries, Roller
from tests.simulate.memory import MemoryJournal, MemoryLedger, MemoryRollouts
from tests.simulate.rhythm import DAY, START, streams

NOW = START + 20 * DAY


@dataclass(slots=True)
class CountedJournal(MemoryJournal):
    """A journal that counts how often it is read."""

    reads: int = 0

    def since(self, moment: datetime) -> Entries:
        self.reads += 1
        return MemoryJournal.since(self, moment)


def roller(journal: MemoryJournal, memory: MemoryRollouts) -> Roller:
    made = {stream.runtime: stream for stream in streams()}
    return Roller(
        rules=RolloutPolicy(),
        policy_for=lambda _: Policy(),
        ledger=MemoryLedger(made, VirtualClock(NOW)),
        journal=journal,
        memory=memory,
        compare=lambda *_: None,
        marks=tuple,
        blocked={},
    )


def test_the_journal_is_read_once_for_all_streams_and_again_only_for_an_earlier_one() -> None:
    journal, memory = CountedJournal(), MemoryRollouts()
    began = {"java11": 19, "java17": 19, "java21": 20, "java8.al2": 10}
    newest = {stream.runtime: stream.seen_at(NOW)[0] for stream in streams()}
    for runtime, day in began.items():
        memory.put(Rollout(runtime=runtime, base=newest[runtime].digest, began=START + day * DAY))
    moved = roller(journal, memory)

    for runtime in began:
        moved.standing(newest[runtime], NOW)

    assert journal.reads == 2


def test_what_was_done_before_a_rollout_began_says_nothing_against_its_base() -> None:
    journal, memory = MemoryJournal(), MemoryRollouts()
    newest = {stream.runtime: stream.seen_at(NOW)[0] for stream in streams()}
    old, young = newest["java11"], newest["java17"]
    memory.put(Rollout(runtime="java11", base=old.digest, began=NOW - 3 * DAY))
    memory.put(Rollout(runtime="java17", base=young.digest, began=NOW - timedelta(hours=1)))
    for seen in (old, young):
        failed = Outcome(
            step="rebuild", subject=seen.runtime, result=Result.FAILED, message="", details={BASE: str(seen.digest)}
        )
        journal.append(failed, NOW - DAY)
    moved = roller(journal, memory)

    found = [moved.standing(seen, NOW).troubles.failures for seen in (old, young)]

    assert found == [("java11 cannot be built on it",), ()]

"""Record: what a run did, kept after it happened."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.core.outcome import Outcome, Result
from bot.ports.store import Journal
from bot.steps.propose import STEP


@dataclass(slots=True)
class Record:
    """The outcomes of one run, each of which stands in the journal if it is news."""

    journal: Journal
    outcomes: list[Outcome] = field(init=False, default_factory=list)

    def keep(self, outcome: Outcome | None, now: datetime) -> None:
        """Keep an outcome after it happened; what changed nothing is no news for the journal."""
        if outcome is None:
            return
        self.outcomes.append(outcome)
        waits_in_line = outcome.step == STEP and outcome.result is Result.WAITING
        if outcome.result is not Result.UNCHANGED and not waits_in_line:
            self.journal.append(outcome, now)

    def say(self, step: str, subject: str, result: Result, message: str, now: datetime, **details: str) -> None:
        """Keep an outcome that is made of its parts."""
        self.keep(Outcome(step=step, subject=subject, result=result, message=message, details=details), now)

"""The SLO of freshness: how long a function may lack what a newer base has, and how that went day by day.

What may wait depends on what is lacking: a critical fix less than an important one, and any difference at most so long.
Each time runs from when the function could have had it, not from the first newer base, which may have lacked it too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.advisories import Severity
from bot.core.outcome import Outcome, Result

_STEP: Final = "audit"
_SUBJECT: Final = "slo"


class Rule(StrEnum):
    """What a time was agreed on for; a fix that is critical is important, too."""

    SECURITY_CRITICAL = "security_critical"
    SECURITY_IMPORTANT = "security_important"
    ANY = "any"

    @property
    def severity(self) -> Severity | None:
        """The least severity of a fix that is meant; None where anything is. What is unrated may be the worst."""
        return _SEVERITIES.get(self)


_SEVERITIES: Final = {Rule.SECURITY_CRITICAL: Severity.CRITICAL, Rule.SECURITY_IMPORTANT: Severity.IMPORTANT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A function lacks something that a rule is about, and could have had it since a moment."""

    rule: Rule
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Until when a function has to have what it lacks, and by which rule."""

    rule: Rule
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long each may be lacking; a fix for which nothing was agreed on has the time of anything."""

    any: timedelta
    security_critical: timedelta | None = None
    security_important: timedelta | None = None

    def allowed(self, rule: Rule) -> timedelta:
        """How long what a rule is about may be lacking."""
        agreed = {Rule.SECURITY_CRITICAL: self.security_critical, Rule.SECURITY_IMPORTANT: self.security_important}
        time = agreed.get(rule)
        return self.any if time is None else time

    def deadline(self, behind_since: datetime, urgent: Iterable[Lack] = ()) -> Deadline:
        """The first deadline of all that is lacking, of equal ones that of the narrower rule."""
        lacks = (*urgent, Lack(rule=Rule.ANY, since=behind_since))
        found = (Deadline(rule=lack.rule, at=lack.since + self.allowed(lack.rule)) for lack in lacks)
        return min(found, key=lambda each: (each.at, list(Rule).index(each.rule)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the settings agree on; None where they say nothing, and for anything the policy's `max_age` holds then."""

    any: timedelta | None = None
    security_critical: timedelta | None = None
    security_important: timedelta | None = None

    def within(self, max_age: timedelta) -> Freshness:
        """Return the times that hold where the policy says `max_age`."""
        return Freshness(
            any=max_age if self.any is None else self.any,
            security_critical=self.security_critical,
            security_important=self.security_important,
        )

    @property
    def urgent(self) -> tuple[Rule, ...]:
        """The rules about fixes for which a time was agreed on."""
        agreed = {Rule.SECURITY_CRITICAL: self.security_critical, Rule.SECURITY_IMPORTANT: self.security_important}
        return tuple(rule for rule, time in agreed.items() if time is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How the SLO stood on one day: how many functions there were, kept it, and were overdue; the rest is unknown."""

    day: date
    functions: int
    within: int
    overdue: int

    @property
    def outcome(self) -> Outcome:
        """What the journal keeps of it."""
        counts = {"functions": self.functions, "within": self.within, "overdue": self.overdue}
        return Outcome(
            step=_STEP,
            subject=_SUBJECT,
            result=Result.UNCHANGED,
            message=f"{self.within} of {self.functions} functions keep the SLO, {self.overdue} are overdue",
            details={"day": self.day.isoformat(), **{name: str(count) for name, count in counts.items()}},
        )


def sample_of(outcome: Outcome) -> Sample | None:
    """Read a sample back from the journal; None for every other outcome."""
    if (outcome.step, outcome.subject) != (_STEP, _SUBJECT):
        return None
    details = outcome.details
    return Sample(
        day=date.fromisoformat(details["day"]),
        functions=int(details["functions"]),
        within=int(details["within"]),
        overdue=int(details["overdue"]),
    )

"""Burn: how the SLO stands, kept in the journal once a day, and read back as a series."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core.responsibility import Finding, State
from bot.core.slo import Sample, sample_of
from bot.ports.store import Journal

SPAN: Final = timedelta(days=92)
"""How far back a report looks: a quarter."""


def burn(journal: Journal, now: datetime) -> tuple[Sample, ...]:
    """Return the samples of the last quarter, oldest first."""
    samples = (sample_of(outcome) for _, outcome in journal.since(now - SPAN))
    return tuple(sorted((each for each in samples if each), key=lambda each: each.day))


def is_due(journal: Journal, now: datetime) -> bool:
    """Whether this day, in UTC, has no sample yet."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return not any(sample_of(outcome) for _, outcome in journal.since(midnight))


def keep_sample(journal: Journal, findings: Sequence[Finding], now: datetime) -> None:
    """Append how the SLO stands unless this day has a sample; no function at all is no sample."""
    if findings and is_due(journal, now):
        journal.append(sample(findings, now).outcome, now)


def sample(findings: Sequence[Finding], now: datetime) -> Sample:
    """Count the functions that keep the SLO, and those with a duty that is overdue."""
    return Sample(
        day=now.date(),
        functions=len(findings),
        within=sum(not finding.breaks_slo for finding in findings),
        overdue=sum(any(duty.state is State.OVERDUE for duty in finding.duties) for finding in findings),
    )

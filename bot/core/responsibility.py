"""Who owes what: the shared responsibility table for functions, as rows with evidence.

For a container image AWS publishes updated base images, and the customer rebuilds and redeploys
on the latest base (AWS Lambda Developer Guide, "Shared responsibility model" under runtime management).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.change import BaseChange, Significance
from bot.core.lineage import Lineage
from bot.core.observation import KnownBase, Observation

REDEPLOY = "redeploy on the latest base"


class Verdict(StrEnum):
    """What a function runs on, the first that fits."""

    UNKNOWN = "unknown"
    DRIFTED = "drifted"
    BEHIND = "behind"
    CURRENT = "current"


class State(StrEnum):
    """Whether a duty is done."""

    MET = "met"
    DUE = "due"
    OVERDUE = "overdue"
    EXCEPTED = "excepted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One duty of the customer; `days` are the days left (due) or the days over (overdue)."""

    duty: str
    state: State
    days: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known about one function when it is judged.

    `merged` is the base that the default branch names, None where it pins none.
    `change` compares the proven base with the stream's latest; `fault` says what could not be read.
    """

    function: str
    repository: str
    runtime: str | None = None
    alias: str | None = None
    version: str | None = None
    lineage: Lineage | None = None
    merged: KnownBase | None = None
    latest: Observation | None = None
    change: BaseChange | None = None
    behind_since: datetime | None = None
    held: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One function, judged."""

    evidence: Evidence
    verdict: Verdict
    base_age_days: int | None
    duties: tuple[Duty, ...]
    row: str = "container-image"
    mode: str = "auto"

    @property
    def breaks_slo(self) -> bool:
        """Whether a duty is overdue, or nobody can say."""
        return any(duty.state in (State.OVERDUE, State.UNKNOWN) for duty in self.duties)


def judge_function(evidence: Evidence, max_age: timedelta, now: datetime) -> Finding:
    """Judge one container-image function; pure, for evidence of any completeness."""
    verdict = _verdict(evidence)
    base = evidence.lineage.base if evidence.lineage else None
    return Finding(
        evidence=evidence,
        verdict=verdict,
        base_age_days=(now - base.created).days if base and base.created else None,
        duties=(_duty(evidence, verdict, max_age, now),),
    )


def slo_kept(findings: Iterable[Finding]) -> bool:
    """Say whether every duty is met, due or excepted."""
    return not any(finding.breaks_slo for finding in findings)


def _verdict(evidence: Evidence) -> Verdict:
    base = evidence.lineage.base if evidence.lineage else None
    if base is None:
        return Verdict.UNKNOWN
    if evidence.merged and evidence.merged.diff_ids != base.diff_ids:
        return Verdict.DRIFTED
    if evidence.latest is None:
        return Verdict.UNKNOWN
    newest = evidence.latest.platforms.get(base.platform)
    if newest and newest.diff_ids == base.diff_ids:
        return Verdict.CURRENT
    if evidence.change is None:
        return Verdict.UNKNOWN
    return Verdict.CURRENT if evidence.change.significance is Significance.NONE else Verdict.BEHIND


def _duty(evidence: Evidence, verdict: Verdict, max_age: timedelta, now: datetime) -> Duty:
    if verdict is Verdict.CURRENT:
        return Duty(duty=REDEPLOY, state=State.MET)
    if evidence.held:
        return Duty(duty=REDEPLOY, state=State.EXCEPTED, why=evidence.held)
    if verdict is Verdict.UNKNOWN:
        return Duty(duty=REDEPLOY, state=State.UNKNOWN, why=evidence.fault or "no known base lies under the image")
    left = (evidence.behind_since or now) + max_age - now
    why = "merged but not deployed" if verdict is Verdict.DRIFTED else ""
    if left < timedelta():
        return Duty(duty=REDEPLOY, state=State.OVERDUE, days=(-left).days, why=why)
    return Duty(duty=REDEPLOY, state=State.DUE, days=left.days, why=why)

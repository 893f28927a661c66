"""Who owes what: the shared responsibility table for functions, as rows with evidence.

For a container image AWS publishes updated base images, and the customer rebuilds and redeploys
on the latest base (AWS Lambda Developer Guide, "Shared responsibility model" under runtime management).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.core.change import BaseChange, Significance
from bot.core.lineage import Lineage
from bot.core.observation import KnownBase, Observation
from bot.core.slo import Freshness, Lack, Rule

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
    """One duty of the customer; `days` are the days left (due) or the days over (overdue), `rule` says by what."""

    duty: str
    state: State
    days: int | None = None
    why: str = ""
    rule: Rule = Rule.ANY

    @property
    def breaks(self) -> bool:
        """Whether it breaks the SLO: it is overdue, or nobody can say."""
        return self.state in (State.OVERDUE, State.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known about one function when it is judged.

    `merged` is the base that the default branch names, None where it pins none; `unserved` says that `$LATEST` stands
    on it, and the alias serves something else.
    `change` compares the proven base with the stream's latest; `urgent` is what it lacks that an SLO gives less time;
    `fault` says what could not be read.
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
    urgent: tuple[Lack, ...] = ()
    held: str = ""
    mode: str = "auto"
    unserved: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One version that serves, with its share of the requests, and what it stands on."""

    version: str | None
    weight: float
    verdict: Verdict
    base: KnownBase | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One function, judged by the worst of what it serves."""

    evidence: Evidence
    verdict: Verdict
    base_age_days: int | None
    duties: tuple[Duty, ...]
    serves: tuple[Served, ...] = ()
    row: str = "container-image"

    @property
    def mode(self) -> str:
        """The update mode that is declared for it."""
        return self.evidence.mode

    @property
    def breaks_slo(self) -> bool:
        """Whether a duty is overdue, or nobody can say."""
        return any(duty.breaks for duty in self.duties)


def judge_function(evidence: Evidence, freshness: Freshness, now: datetime) -> Finding:
    """Judge one container-image function; pure, for evidence of any completeness."""
    verdict, base = _verdict(evidence), _base(evidence)
    return Finding(
        evidence=evidence,
        verdict=verdict,
        base_age_days=(now - base.created).days if base and base.created else None,
        duties=(_duty(evidence, verdict, freshness, now),),
    )


def judge_served(shares: Sequence[tuple[float, Evidence]], freshness: Freshness, now: datetime) -> Finding:
    """Judge each version that serves; the function is as the worst of them, of equals the largest share."""
    judged = [(weight, judge_function(evidence, freshness, now)) for weight, evidence in shares]
    serves = tuple(
        Served(version=one.evidence.version, weight=weight, verdict=one.verdict, base=_base(one.evidence))
        for weight, one in judged
    )
    worst = min((one for _, one in judged), key=lambda one: list(Verdict).index(one.verdict))
    return replace(worst, serves=serves)


def slo_kept(findings: Iterable[Finding]) -> bool:
    """Say whether every duty is met, due or excepted."""
    return not any(finding.breaks_slo for finding in findings)


def _base(evidence: Evidence) -> KnownBase | None:
    return evidence.lineage.base if evidence.lineage else None


def _verdict(evidence: Evidence) -> Verdict:
    """In mode `manual` the base that runs is what was declared, whatever is merged; that it is behind is said still."""
    base = _base(evidence)
    if base is None:
        return Verdict.UNKNOWN
    if evidence.mode != "manual" and evidence.merged and evidence.merged.diff_ids != base.diff_ids:
        return Verdict.DRIFTED
    if evidence.latest is None:
        return Verdict.UNKNOWN
    newest = evidence.latest.platforms.get(base.platform)
    if newest and newest.diff_ids == base.diff_ids:
        return Verdict.CURRENT
    if evidence.change is None:
        return Verdict.UNKNOWN
    return Verdict.CURRENT if evidence.change.significance is Significance.NONE else Verdict.BEHIND


def _duty(evidence: Evidence, verdict: Verdict, freshness: Freshness, now: datetime) -> Duty:
    if verdict is Verdict.CURRENT:
        return Duty(duty=REDEPLOY, state=State.MET)
    if evidence.held:
        return Duty(duty=REDEPLOY, state=State.EXCEPTED, why=evidence.held)
    if verdict is Verdict.UNKNOWN:
        return Duty(duty=REDEPLOY, state=State.UNKNOWN, why=evidence.fault or "no known base lies under the image")
    why = _why_drifted(evidence) if verdict is Verdict.DRIFTED else ""
    deadline = freshness.deadline(evidence.behind_since or now, evidence.urgent)
    if deadline.at < now:
        return Duty(duty=REDEPLOY, state=State.OVERDUE, days=(now - deadline.at).days, why=why, rule=deadline.rule)
    return Duty(duty=REDEPLOY, state=State.DUE, days=(deadline.at - now).days, why=why, rule=deadline.rule)


def _why_drifted(evidence: Evidence) -> str:
    """Tell a deployment that is still to come from one that somebody made beside the default branch."""
    base, merged = _base(evidence), evidence.merged
    if base is None or merged is None:
        return ""
    names = f"{evidence.repository} names {merged.reference}, and this stands on {base.reference}"
    if evidence.unserved:
        return f"merged but not deployed: $LATEST has it, alias {evidence.alias} does not serve it; {names}"
    if base.runtime in ("", merged.runtime) and base.created and merged.created and base.created < merged.created:
        return f"merged but not deployed: {names}"
    return f"something else was deployed: {names}"

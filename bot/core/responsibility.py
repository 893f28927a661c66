"""Who owes what: the shared responsibility table for functions, as rows with evidence.

For a container image AWS publishes updated base images, and the customer rebuilds and redeploys
on the latest base (AWS Lambda Developer Guide, "Shared responsibility model" under runtime management).
The rows of managed runtimes are judged in `managed`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from bot.core.change import BaseChange, Significance
from bot.core.digest import Digest
from bot.core.lineage import Lineage
from bot.core.management import Management
from bot.core.modes import UpdateMode
from bot.core.observation import KnownBase, Observation
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.rows import Row
from bot.core.slo import Freshness, Lack, Rule

REDEPLOY = "redeploy on the latest base"
RETURN = "return to auto or function-update"


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


_WORST = (State.OVERDUE, State.UNKNOWN, State.DUE, State.EXCEPTED, State.MET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One duty of the customer; `days` are the days left (due) or the days over (overdue), `rule` says by what.

    `until` is the last day of an exception that has one.
    """

    duty: str
    state: State
    days: int | None = None
    why: str = ""
    until: date | None = None
    rule: Rule = Rule.ANY

    @property
    def breaks(self) -> bool:
        """Whether it breaks the SLO: it is overdue, or nobody can say."""
        return self.state in (State.OVERDUE, State.UNKNOWN)

    @classmethod
    def by(cls, duty: str, left: timedelta, why: str = "", rule: Rule = Rule.ANY) -> Self:
        """A duty with so much time left: due, or overdue once that is below zero."""
        if left < timedelta():
            return cls(duty=duty, state=State.OVERDUE, days=(-left).days, why=why, rule=rule)
        return cls(duty=duty, state=State.DUE, days=left.days, why=why, rule=rule)

    @classmethod
    def by_day(cls, duty: str, last: date, today: date, why: str = "") -> Self:
        """A duty that is to be done by the end of a day."""
        return cls.by(duty, last - today, why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known about one function when it is judged.

    `merged` is the base that the default branch names, None where it pins none; `unserved` says that `$LATEST` stands
    on it, and the alias serves something else.
    `change` compares the proven base with the stream's latest; `urgent` is what it lacks that an SLO gives less time;
    `fault` says what could not be read.
    `repository` and `path` are None where nobody knows what the function is built from.
    `manual` is the mode of that name that holds, or that would had its end not come; `held_until` is the last day of
    the hold. `redeployed` is when the version got its code or configuration (LastModified).
    `consistency` says in what other Regions, accounts or aliases the same source serves another image.
    `management` is what is known of a managed runtime, None for a container image.
    """

    function: str
    repository: str | None
    path: str | None = None
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
    mode: str | None = "auto"
    manual: UpdateMode | None = None
    unserved: bool = False
    fault: str = ""
    held_until: date | None = None
    pull_request: str | None = None
    redeployed: datetime | None = None
    image: Reference | None = None
    platform: Platform | None = None
    consistency: str = ""
    management: Management | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One version that serves, with its share of the requests, and what it stands on."""

    version: str | None
    weight: float
    verdict: Verdict
    base: KnownBase | None
    image: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One function, judged by the worst of what it serves."""

    evidence: Evidence
    verdict: Verdict
    base_age_days: int | None
    duties: tuple[Duty, ...]
    serves: tuple[Served, ...] = ()
    row: Row = Row.CONTAINER_IMAGE

    @property
    def mode(self) -> str | None:
        """The update mode: of an image what is declared for it, of a managed runtime Lambda's own; None if unread."""
        return self.evidence.mode

    @property
    def state(self) -> State:
        """The worst state of its duties."""
        return min((duty.state for duty in self.duties), key=_WORST.index, default=State.MET)

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
        duties=(_duty(evidence, verdict, freshness, now), *return_duties(evidence.manual, now)),
    )


def judge_served(shares: Sequence[tuple[float, Evidence]], freshness: Freshness, now: datetime) -> Finding:
    """Judge each version that serves; the function is as the worst of them, of equals the largest share.

    It owes what the version owes that is worst off, whose verdict need not be the worst.
    """
    judged = [(weight, judge_function(evidence, freshness, now)) for weight, evidence in shares]
    serves = tuple(
        Served(
            version=one.evidence.version,
            weight=weight,
            verdict=one.verdict,
            base=_base(one.evidence),
            image=one.evidence.image.digest if one.evidence.image else None,
        )
        for weight, one in judged
    )
    worst = min((one for _, one in judged), key=lambda one: list(Verdict).index(one.verdict))
    owing = min((one for _, one in judged), key=lambda one: (sorted(map(_urgency, one.duties)), one is not worst))
    return replace(worst, duties=owing.duties, serves=serves)


def _urgency(duty: Duty) -> tuple[int, int]:
    """The worst state comes first, and in it what is over for longest or due soonest."""
    days = duty.days or 0
    return _WORST.index(duty.state), -days if duty.state is State.OVERDUE else days


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCount:
    """How many functions stand in one row of the table, each counted once there, by its worst duty."""

    row: Row
    states: Mapping[State, int]

    @property
    def functions(self) -> int:
        """How many there are."""
        return sum(self.states.values())


def count_rows(findings: Iterable[Finding]) -> tuple[RowCount, ...]:
    """Count the four rows in the table's order; what could not be told apart follows where there is such.

    A function of which several versions serve is as the worst of them.
    """
    worst: dict[tuple[Row, str], State] = {}
    for finding in findings:
        key = (finding.row, finding.evidence.function)
        worst[key] = min(finding.state, worst.get(key, finding.state), key=_WORST.index)
    counts = (RowCount(row=row, states=Counter(s for (r, _), s in worst.items() if r is row)) for row in Row)
    return tuple(count for count in counts if count.functions or count.row is not Row.MANAGED_UNKNOWN)


def slo_kept(findings: Iterable[Finding]) -> bool:
    """Say whether every duty is met, due or excepted."""
    return not any(finding.breaks_slo for finding in findings)


def return_duties(manual: UpdateMode | None, now: datetime) -> tuple[Duty, ...]:
    """Say until when mode `manual` is to be left; it is overdue from the day after its end until it is taken out."""
    if manual and manual.fault:
        return (Duty(duty=RETURN, state=State.UNKNOWN, why=str(manual)),)
    if manual is None or manual.until is None:
        return ()
    left = (manual.until - now.date()).days
    if left >= 0:
        return (Duty(duty=RETURN, state=State.DUE, days=left, why=str(manual)),)
    why = f"{manual} is over, and {manual.said_by} still says it; take it out"
    return (Duty(duty=RETURN, state=State.OVERDUE, days=-left, why=why),)


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
        return Duty(duty=REDEPLOY, state=State.EXCEPTED, why=evidence.held, until=evidence.held_until)
    if verdict is Verdict.UNKNOWN:
        return Duty(duty=REDEPLOY, state=State.UNKNOWN, why=evidence.fault or "no known base lies under the image")
    why = _why_drifted(evidence) if verdict is Verdict.DRIFTED else ""
    deadline = freshness.deadline(evidence.behind_since or now, evidence.urgent)
    return Duty.by(REDEPLOY, deadline.at - now, why, deadline.rule)


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

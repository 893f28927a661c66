"""Audit: which function stands on which base, how far behind, who owes what. Reads all, changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.core.decision import Decision
from bot.core.errors import RefromError
from bot.core.lineage import stands_on
from bot.core.mapping import FunctionMap
from bot.core.modes import Mode, effective, manual_of
from bot.core.observation import KnownBase
from bot.core.responsibility import Evidence, Finding, judge_served, slo_kept
from bot.core.rollout_report import RolloutReport
from bot.core.slo import Freshness
from bot.core.target import Target
from bot.ports.deployer import Function
from bot.ports.engine import Done, Engine, Key
from bot.ports.fleet import Progress
from bot.steps.audit_fleet import Judged, judge_seen, source_of, with_consistency, with_pull_requests
from bot.steps.compare import compare
from bot.steps.cycle import Cycle
from bot.steps.fleet import FleetView, no_progress
from bot.steps.inquire import Inquiry
from bot.steps.serving import serving
from bot.steps.survey import Survey
from bot.steps.urgency import freshness_for

NO_FLEET: Final = FleetView()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The findings for functions, and the uses of every source repository with what the plan says of them.

    `faults` are the repositories that could not be read, `unwatched` the streams, each with its reason.
    """

    findings: tuple[Finding, ...]
    surveys: tuple[Survey, ...]
    decisions: tuple[Decision, ...]
    faults: tuple[tuple[str, str], ...]
    unwatched: tuple[tuple[str, str], ...]
    freshness: Freshness
    """The SLO where no override of the policy says otherwise."""
    found: FunctionMap
    """Which functions were found beside those that the settings name, and which nobody could map or list."""
    rollouts: tuple[RolloutReport, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    """Places of the fleet about which something is not known, each with its reason."""

    @property
    def unlisted(self) -> tuple[tuple[str, str], ...]:
        """Every place about which something is not known, once for each reason."""
        return tuple(dict.fromkeys((*self.found.unlisted, *self.unread)))

    @property
    def needs_attention(self) -> bool:
        """Whether a duty is overdue, or something could not be read.

        No duty hangs on the version of a managed runtime, which nobody can know of a function that never ran.
        """
        unread = any(finding.evidence.fault for finding in self.findings)
        return bool(self.faults or self.unwatched or self.unlisted) or unread or not slo_kept(self.findings)


def audit(inquiry: Inquiry, now: datetime, view: FleetView = NO_FLEET, progress: Progress = no_progress) -> Audit:
    """Read every repository, stream and function that the settings name, and judge each function.

    `view` holds the functions of whole accounts, which stand in the audit whether the settings name them or not.
    """
    faults = inquiry.read_all(now)
    judged = []
    total = len(inquiry.rules.targets) + len(view.functions)
    for done, target in enumerate(inquiry.rules.targets, start=1):
        judged.append(_judge(inquiry, target, now))
        progress("functions judged", done, total)
    for done, seen in enumerate(view.functions, start=1 + len(judged)):
        judged += judge_seen(inquiry, seen, now)
        progress("functions judged", done, total)
    return replace(_audit(inquiry, judged, faults), unread=view.unread)


def audit_after(cycle: Cycle, engine: Engine) -> Audit:
    """Judge each function by what a cycle has read of repositories and streams; one tick for each function.

    The decisions are those that the cycle acted on. Where the engine was stopped, functions are missing.
    What met a defect in the cycle is not asked for its pull request again.
    """
    judged = judge_after(cycle, engine)
    unread = cycle.repositories.keys() - cycle.inquiry.surveys.keys()
    faults = [(outcome.subject, outcome.message) for outcome in cycle.outcomes if outcome.subject in unread]
    return _audit(
        cycle.inquiry, judged, faults, frozenset(defect.key.name.partition(" ")[0] for defect in cycle.defects)
    )


def judge_after(cycle: Cycle, engine: Engine) -> list[Judged]:
    """Judge each function alone by what a cycle has read; where the engine was stopped, functions are missing."""
    targets = {target.function: target for target in cycle.rules.targets}
    judged = []

    def tick(key: Key, now: datetime) -> Done:
        judged.append(_judge(cycle.inquiry, targets[key.name], now))
        return Done()

    engine.drain([Key("function", name) for name in targets], tick)
    return judged


def _audit(
    inquiry: Inquiry,
    judged: Sequence[Judged],
    faults: Sequence[tuple[str, str]],
    skipped: frozenset[str] = frozenset(),
) -> Audit:
    proposed, unlisted = with_pull_requests(inquiry, with_consistency(judged), skipped)
    faults = [*faults, *unlisted]
    return Audit(
        findings=tuple(proposed),
        surveys=tuple(inquiry.surveys.values()),
        decisions=tuple(decision for made in inquiry.decisions.values() for decision in made),
        faults=tuple(faults),
        unwatched=inquiry.failed_streams,
        freshness=freshness_for(inquiry),
        found=inquiry.rules.found,
        rollouts=inquiry.rollouts,
    )


def _judge(inquiry: Inquiry, target: Target, now: datetime) -> Judged:
    """Judge one function; what cannot be read is said in its row, and the other rows go on."""
    use = inquiry.base_use(target)
    path, runtime = target.dockerfile, (use.runtime if use else None) or ""
    freshness = freshness_for(inquiry, target.repository, path, runtime)
    try:
        shares = _evidence(inquiry, target, now)
    except RefromError as fault:
        unread = Evidence(
            function=target.function,
            repository=target.repository,
            path=path,
            alias=target.alias,
            runtime=runtime or None,
            fault=str(fault),
        )
        shares = [(1.0, unread)]
    return Judged(source_of(target), judge_served(shares, freshness, now))


def _evidence(inquiry: Inquiry, target: Target, now: datetime) -> list[tuple[float, Evidence]]:
    """Collect what is known about each version that a function serves."""
    shares = serving(target, inquiry.world.functions)
    tagged = inquiry.world.functions.function(target.function) if target.alias else shares[0].function
    return [(share.weight, _evidence_of(inquiry, target, share.function, tagged, now)) for share in shares]


def _evidence_of(inquiry: Inquiry, target: Target, serving: Function, tagged: Function, now: datetime) -> Evidence:
    use = inquiry.base_use(target)
    named = use.runtime if use else None
    latest = inquiry.observe(named, now) if named else None
    likely = [named] if named else []
    proven = inquiry.lineage(serving.image, serving.platform, likely) if serving.image else None
    hold, said = inquiry.hold_for(target, now), inquiry.modes_of(target, tagged)
    mode, today = effective(said, now.date()), now.date()
    evidence = Evidence(
        function=serving.arn,
        repository=target.repository,
        path=target.dockerfile,
        runtime=named,
        alias=target.alias,
        version=serving.version,
        lineage=proven,
        merged=inquiry.merged_base(target, serving.platform),
        latest=latest,
        held=hold.reason if hold else str(mode) if mode.mode is Mode.MANUAL else "",
        held_until=hold.until if hold else mode.until,
        redeployed=serving.modified,
        image=serving.image,
        platform=serving.platform,
        mode=str(mode.mode),
        manual=manual_of(said, today),
        fault="" if serving.image else "it is no container-image function",
    )
    if proven is None or proven.base is None:
        return evidence
    evidence = replace(evidence, unserved=_is_unserved(inquiry, target, evidence, proven.base))
    return compare(inquiry, evidence, proven.base, now)


def _is_unserved(inquiry: Inquiry, target: Target, evidence: Evidence, base: KnownBase) -> bool:
    """Whether the merged base is on `$LATEST` already, where the alias serves another."""
    merged = evidence.merged
    if target.alias is None or merged is None or merged.diff_ids == base.diff_ids:
        return False
    latest = inquiry.world.functions.function(target.function)
    return latest.image is not None and stands_on(inquiry.world.registry.image(latest.image, latest.platform), merged)

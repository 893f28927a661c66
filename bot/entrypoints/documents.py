"""The JSON documents of the command line (a contract: keys stay, more may be added).

Each function turns values into one document that starts with its schema name.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.core.advisories import Fix
from bot.core.change import BaseChange, PlatformChange, Reason
from bot.core.digest import Digest
from bot.core.lineage import Lineage
from bot.core.management import Management
from bot.core.modes import UpdateMode
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome, Result
from bot.core.plan import BaseUse, Current, Decision, Held, Skip, Update, Waiting
from bot.core.policy import Block, Hold
from bot.core.responsibility import Duty, Evidence, Finding, RowCount, State, count_rows, slo_kept
from bot.core.rollout_report import RolloutReport
from bot.core.slo import Freshness, Rule, Sample
from bot.ports.engine import Again, Key
from bot.ports.examination import Check
from bot.steps.audit import Audit
from bot.steps.byhand import WayBack
from bot.steps.cycle import Report
from bot.steps.survey import Survey

Document = dict[str, Any]

_SUBJECTS = {"watch": "runtime", "judge": "runtime", "survey": "repository", "propose": "repository",
             "discover": "place"}  # fmt: skip
_NAMES = {Update: "update", Current: "current", Waiting: "waiting", Held: "held", Skip: "skip"}

DECISIONS = tuple(_NAMES.values())
"""The contract's words for decisions."""


def name_of(decision: Decision) -> str:
    """The contract's word for a decision."""
    return _NAMES[type(decision)]


def watch_document(
    observations: Sequence[Observation],
    errors: Iterable[tuple[str, str]],
    waiting: Iterable[tuple[str, str]] = (),
) -> Document:
    """`refrom.watch/1`; `waiting` are the streams whose newest set is half published, which are shown as they were."""
    return {
        "schema": "refrom.watch/1",
        "observations": [_observation(observation) for observation in observations],
        "waiting": _streams(waiting),
        "errors": _streams(errors),
    }


def diff_document(change: BaseChange) -> Document:
    """`refrom.diff/1`."""
    return {
        "schema": "refrom.diff/1",
        "old": {"digest": str(change.old)},
        "new": {"digest": str(change.new)},
        "significance": str(change.significance),
        "severity": str(change.severity) if change.severity else None,
        "reasons": [_reason(reason) for reason in change.reasons],
        "platforms": [_platform_change(platform) for platform in change.platforms],
    }


def lineage_document(lineage: Lineage, errors: Iterable[tuple[str, str]] = ()) -> Document:
    """`refrom.lineage/1`; `errors` are the streams that the image could not be compared with."""
    base = lineage.base
    return {
        "schema": "refrom.lineage/1",
        "image": {"digest": str(lineage.image)},
        "verdict": lineage.verdict,
        "by": lineage.by,
        "base": _base(base) if base else None,
        "is_base": lineage.is_base,
        "siblings": [_base(sibling) for sibling in lineage.siblings],
        "layers": {"matched": lineage.matched, "image": lineage.layers},
        "tried": list(lineage.tried),
        "leads": [{"source": lead.source, "what": lead.what, "outcome": lead.outcome} for lead in lineage.leads],
        "errors": _streams(errors),
    }


def _base(base: KnownBase) -> Document:
    return {
        "reference": str(base.reference.with_digest(None)),
        "digest": str(base.reference.digest or base.digest),
        "runtime": base.runtime or None,
        "platform": str(base.platform),
    }


def run_document(report: Report, *, dry_run: bool) -> Document:
    """`refrom.run/1`."""
    return {
        "schema": "refrom.run/1",
        "dry_run": dry_run,
        "decisions": [decision_document(decision) for decision in report.decisions],
        "skipped": [entry for survey in report.surveys.values() for entry in _unread(survey)],
        "outcomes": [outcome_document(outcome) for outcome in report.outcomes],
        "waiting": waiting_documents(report.waiting),
    }


def redeploy_document(function: str, report: Report, *, dry_run: bool) -> Document:
    """`refrom.redeploy/1`."""
    return {
        "schema": "refrom.redeploy/1",
        "dry_run": dry_run,
        "function": function,
        "outcomes": [outcome_document(outcome) for outcome in report.outcomes],
        "waiting": waiting_documents(report.waiting),
    }


def rollback_document(
    way: WayBack,
    mode: UpdateMode,
    outcomes: Iterable[Outcome],
    waiting: Iterable[tuple[Key, Again]],
    *,
    dry_run: bool,
) -> Document:
    """`refrom.rollback/1`."""
    return {
        "schema": "refrom.rollback/1",
        "dry_run": dry_run,
        "function": way.target.function,
        "alias": way.alias.name if way.alias else None,
        "from": {"version": way.leaves, "image": str(way.left)},
        "to": {"version": way.version, "image": str(way.image)},
        "mode": {
            "mode": str(mode.mode),
            "reason": mode.reason,
            "until": mode.until.isoformat() if mode.until else None,
        },
        "outcomes": [outcome_document(outcome) for outcome in outcomes],
        "waiting": waiting_documents(waiting),
    }


def declared_document(
    verb: str, said: Hold | Block, result: Result, file: Path, streams: Sequence[str] | None, *, dry_run: bool
) -> Document:
    """`refrom.hold/1`, `refrom.release/1`, `refrom.block/1` or `refrom.unblock/1`; of a block, the streams it is of."""
    until = said.until.isoformat() if said.until else None
    about = {"reason": said.reason, "until": until, "by": said.by}
    head = {"schema": f"refrom.{verb}/1", "dry_run": dry_run, "file": str(file), "result": str(result)}
    if isinstance(said, Block):
        return {**head, "block": {"digest": str(said.digest), **about}, "runtimes": list(streams or ())}
    named = {"repository": said.repository, "path": said.path, "runtime": said.runtime, "function": said.function}
    return {**head, "hold": {**named, **about}}


def waiting_documents(waiting: Iterable[tuple[Key, Again]]) -> list[Document]:
    """What the keys of an engine wait for, as every document tells it."""
    return [{"key": str(key), "until": time_text(again.at), "reason": again.why} for key, again in waiting]


def audit_document(audit: Audit, samples: Iterable[Sample] = ()) -> Document:
    """`refrom.audit/1`; `samples` are how the SLO stood on earlier days."""
    decided: defaultdict[str, list[Decision]] = defaultdict(list)
    for decision in audit.decisions:
        decided[decision.use.repository].append(decision)
    return {
        "schema": "refrom.audit/1",
        "functions": [_finding(finding) for finding in audit.findings],
        "repositories": [_repository(survey, decided[survey.repository.name]) for survey in audit.surveys],
        "errors": [
            *({"repository": name, "reason": reason} for name, reason in audit.faults),
            *_streams(audit.unwatched),
            *({"place": place, "reason": reason} for place, reason in audit.unlisted),
        ],
        "gaps": [{"function": gap.function, "gap": str(gap.kind), "reason": gap.why} for gap in audit.found.gaps],
        "responsibility": [_row(count) for count in count_rows(audit.findings)],
        "rollouts": [_rollout(report) for report in audit.rollouts],
        "slo": {
            "kept": slo_kept(audit.findings),
            "findings": sum(finding.breaks_slo for finding in audit.findings),
            "freshness": _freshness(audit.freshness),
            "broken": [_broken(finding, duty) for finding in audit.findings for duty in finding.duties if duty.breaks],
        },
        "burn": [_sample(sample) for sample in samples],
    }


def _freshness(freshness: Freshness) -> Document:
    return {str(rule): round(freshness.allowed(rule) / timedelta(days=1), 2) for rule in Rule}


def _broken(finding: Finding, duty: Duty) -> Document:
    """One duty that breaks the SLO; nobody knows for how long where its state is not known."""
    over = duty.days if duty.state is State.OVERDUE else None
    return {"function": finding.evidence.function, "rule": str(duty.rule), "days_over": over}


def _sample(sample: Sample) -> Document:
    return {
        "day": sample.day.isoformat(),
        "functions": sample.functions,
        "within": sample.within,
        "overdue": sample.overdue,
    }


def rollout_document(
    reports: Iterable[RolloutReport], faults: Iterable[tuple[str, str]], streams: Iterable[tuple[str, str]]
) -> Document:
    """`refrom.rollout/1`; `faults` are the repositories that could not be read."""
    return {
        "schema": "refrom.rollout/1",
        "rollouts": [_rollout(report) for report in reports],
        "errors": [*({"repository": name, "reason": reason} for name, reason in faults), *_streams(streams)],
    }


def _rollout(report: RolloutReport) -> Document:
    return {
        "runtime": report.rollout.runtime,
        "base": str(report.rollout.base),
        "began": time_text(report.rollout.began),
        "phase": "soak" if report.soaks else str(report.phase),
        "wave": report.wave,
        "waves": report.waves,
        "next": time_text(report.opens),
        "reason": report.reason or None,
        "uses": {"taken": report.taken, "waiting": report.waiting},
    }


def time_text(moment: datetime | None) -> str | None:
    """Write a moment as every document does: UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def doctor_document(checks: Iterable[Check]) -> Document:
    """`refrom.doctor/1`."""
    return {
        "schema": "refrom.doctor/1",
        "checks": [
            {
                "subject": check.subject,
                "check": check.name,
                "state": str(check.state),
                "message": check.message,
                "cure": check.cure or None,
            }
            for check in checks
        ],
    }


def _streams(errors: Iterable[tuple[str, str]]) -> list[Document]:
    return [{"runtime": runtime, "reason": reason} for runtime, reason in errors]


def _observation(observation: Observation) -> Document:
    return {
        "runtime": observation.runtime,
        "reference": str(observation.reference),
        "digest": str(observation.digest),
        "platforms": {str(platform): str(base.digest) for platform, base in observation.platforms.items()},
        "created": time_text(observation.created),
        "first_seen": time_text(observation.first_seen),
        "first_seen_by": observation.first_seen_by,
    }


def _platform_change(change: PlatformChange) -> Document:
    language = change.language
    return {
        "platform": str(change.platform),
        "identical": change.identical,
        "significance": str(change.significance),
        "packages": [
            {"name": package.name, "arch": package.arch, "old": package.old, "new": package.new}
            for package in change.packages
        ],
        "language": {"name": language.name, "old": language.old, "new": language.new} if language else None,
        "files": {"added": change.files.added, "removed": change.files.removed, "changed": change.files.changed},
        "groups": {
            str(group): {"added": files.added, "removed": files.removed, "changed": files.changed}
            for group, files in change.groups
        },
        "components": [{"name": each.name, "old": each.old, "new": each.new} for each in change.components],
        "metadata": list(change.metadata),
        "settings": [
            {"part": each.part, "name": each.name, "old": each.old, "new": each.new} for each in change.settings
        ],
        "unread": list(change.unread),
        "advisories": [_fix(fix) for fix in change.security.fixes],
        "advisories_unknown": change.unassessed or None,
        "uncovered": list(change.uncovered),
    }


def _fix(fix: Fix) -> Document:
    return {
        "id": fix.identifier,
        "severity": str(fix.severity),
        "cves": list(fix.cves),
        "packages": list(fix.packages),
        "page": fix.page,
    }


def _reason(reason: Reason) -> Document:
    severity = str(reason.severity) if reason.severity else None
    return {"significance": str(reason.significance), "severity": severity, "what": reason.what}


def decision_document(decision: Decision) -> Document:
    """One decision, as every document tells it."""
    use = decision.use.located
    document: Document = {
        "repository": decision.use.repository,
        "path": use.path,
        "line": use.use.line,
        "runtime": decision.use.runtime,
        "reference": _reference(decision.use),
        "decision": name_of(decision),
        "action": str(decision.action) if isinstance(decision, Update) else None,
        "reason": decision.reason,
        "from": _digest(decision.old if isinstance(decision, Update) else decision.use.pinned),
        "to": _digest(decision.new) if isinstance(decision, Update) else None,
        "tag": decision.tag if isinstance(decision, Update) else None,
    }
    if isinstance(decision, Waiting):
        document["until"] = time_text(decision.until)
    return document


def _reference(use: BaseUse) -> str:
    """The stream that a use names, which stays when its digest or date moves; as written where that is no stream."""
    image = use.located.use.lambda_image
    if image is None or image.tag is None:
        return use.located.use.raw
    return str(image.upstream.with_digest(None).with_tag(str(image.tag.with_stamp(None))))


def outcome_document(outcome: Outcome) -> Document:
    """One outcome, as every document tells it."""
    key = _SUBJECTS.get(outcome.step, "function")
    return {
        key: outcome.subject,
        "step": outcome.step,
        "result": str(outcome.result),
        "message": outcome.message,
        **outcome.details,
    }


def _row(count: RowCount) -> Document:
    """One row of the table; each function is counted once in it, by its worst duty."""
    states = {str(state): count.states.get(state, 0) for state in State}
    return {
        "row": str(count.row),
        "aws": count.row.aws,
        "customer": count.row.customer,
        "functions": count.functions,
        **states,
    }


def _finding(finding: Finding) -> Document:
    evidence = finding.evidence
    base = evidence.lineage.base if evidence.lineage else None
    region, account = place_of(evidence.function)
    return {
        "function": evidence.function,
        "account": account,
        "region": region,
        "repository": evidence.repository,
        "path": evidence.path,
        "row": str(finding.row),
        "runtime": evidence.runtime,
        "alias": evidence.alias,
        "version": evidence.version,
        "verdict": str(finding.verdict),
        "serves": [
            {
                "version": served.version,
                "weight": round(served.weight, 4),
                "verdict": str(served.verdict),
                "base": str(served.base.reference) if served.base else None,
            }
            for served in finding.serves
        ],
        "base": str(base.reference) if base else None,
        "base_age_days": finding.base_age_days,
        "mode": finding.mode,
        "duties": [_duty(duty) for duty in finding.duties],
        "reason": evidence.fault or None,
        "redeployed": time_text(evidence.redeployed),
        **(_of_image(evidence) if evidence.management is None else _of_runtime(evidence.management)),
    }


def place_of(function: str) -> tuple[str | None, str | None]:
    """Region and account out of an ARN; None where a name tells neither."""
    parts = function.split(":") if function.startswith("arn:") else []
    return (parts[3] or None, parts[4] or None) if len(parts) > 6 else (None, None)


def _of_image(evidence: Evidence) -> Document:
    return {
        "pull_request": evidence.pull_request,
        "missing": _missing(evidence.change) if evidence.change else None,
        "consistency": evidence.consistency or None,
    }


def _missing(change: BaseChange) -> Document:
    """What the base in use lacks against its stream's latest."""
    fixes = {fix.identifier for platform in change.platforms for fix in platform.security.fixes}
    severity = str(change.severity) if change.severity else None
    return {"significance": str(change.significance), "severity": severity, "advisories": sorted(fixes)}


def _of_runtime(management: Management) -> Document:
    version, newest, runtime = management.version, management.newest_seen, management.runtime
    return {
        "runtime_version": {
            "version": str(version) if version else None,
            "arn": management.arn,
            "from": str(management.source) if management.source else None,
            "newest_seen": str(newest) if newest else None,
            "reason": management.version_unread or None,
        },
        "runtime_management": management.offered,
        "deprecation": {
            "deprecated": _day(runtime.deprecation if runtime else None),
            "block_create": _day(runtime.block_create if runtime else None),
            "block_update": _day(runtime.block_update if runtime else None),
        },
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _duty(duty: Duty) -> Document:
    document: Document = {"duty": duty.duty, "state": str(duty.state), "days": duty.days}
    if duty.until:
        document["until"] = duty.until.isoformat()
    return {**document, "reason": duty.why} if duty.why else document


def _repository(survey: Survey, decisions: Sequence[Decision]) -> Document:
    return {
        "repository": survey.repository.name,
        "commit": survey.repository.commit,
        "uses": [decision_document(decision) for decision in decisions],
        "skipped": _unread(survey),
    }


def _unread(survey: Survey) -> list[Document]:
    name = survey.repository.name
    return [{"repository": name, "path": u.path, "line": u.line, "reason": u.reason} for u in survey.unread]


def _digest(digest: Digest | None) -> str | None:
    return str(digest) if digest else None

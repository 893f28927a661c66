"""The JSON documents of the audit and of rollouts (a contract: keys stay, more may be added)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from bot.core.change import BaseChange
from bot.core.decision import Decision
from bot.core.management import Management
from bot.core.responsibility import Duty, Evidence, Finding, RowCount, State, count_rows, slo_kept
from bot.core.rollout_report import RolloutReport
from bot.core.slo import Freshness, Rule, Sample
from bot.entrypoints.documents import Document, decision_document, stream_documents, time_text, unread_documents
from bot.steps.audit import Audit
from bot.steps.survey import Survey


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
            *stream_documents(audit.unwatched),
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
        "errors": [*({"repository": name, "reason": reason} for name, reason in faults), *stream_documents(streams)],
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
        "skipped": unread_documents(survey),
    }

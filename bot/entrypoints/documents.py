"""The JSON documents of the command line (a contract: keys stay, more may be added).

Each function turns values into one document that starts with its schema name.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.advisories import Fix
from bot.core.change import BaseChange, PlatformChange, Reason
from bot.core.decision import BaseUse, Current, Decision, Held, Skip, Update, Waiting
from bot.core.digest import Digest
from bot.core.lineage import Lineage
from bot.core.modes import UpdateMode
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome, Result
from bot.core.policy import Block, Hold
from bot.ports.engine import Again, Key
from bot.ports.examination import Check
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
        "waiting": stream_documents(waiting),
        "errors": stream_documents(errors),
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
        "errors": stream_documents(errors),
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
        "skipped": [entry for survey in report.surveys.values() for entry in unread_documents(survey)],
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


def stream_documents(errors: Iterable[tuple[str, str]]) -> list[Document]:
    """Streams that failed or wait, each with its reason."""
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


def unread_documents(survey: Survey) -> list[Document]:
    """What a survey could not read, each with its place and its reason."""
    name = survey.repository.name
    return [{"repository": name, "path": u.path, "line": u.line, "reason": u.reason} for u in survey.unread]


def _digest(digest: Digest | None) -> str | None:
    return str(digest) if digest else None

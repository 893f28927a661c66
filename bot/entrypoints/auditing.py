"""`refrom audit`: the report in each of its forms, what is new since a baseline, and evidence that can be checked."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from bot.core.errors import SettingsError
from bot.entrypoints import tables
from bot.entrypoints.baseline import read_baseline
from bot.entrypoints.console import ConfigOption, Session, session_of, write
from bot.entrypoints.documents import Document
from bot.entrypoints.evidence import keep_evidence
from bot.entrypoints.exits import ATTENTION, DONE
from bot.entrypoints.forms.findings import new_breaches
from bot.entrypoints.forms.markdown import markdown
from bot.entrypoints.forms.sarif import sarif
from bot.entrypoints.forms.spreadsheet import spreadsheet
from bot.entrypoints.html import audit_page
from bot.entrypoints.progress import shown_on
from bot.entrypoints.verification import show_verification, verification_document, verify
from bot.entrypoints.work import run_audit
from bot.wiring import files_of


class AuditFormat(StrEnum):
    """What an audit prints."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"
    CSV = "csv"
    MARKDOWN = "markdown"
    SARIF = "sarif"


BaselineOption = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="FILE", help="An earlier audit as JSON; only what is new gives exit code 1."),
]
EvidenceOption = Annotated[
    Path | None,
    typer.Option("--evidence", metavar="DIR", help="Keep the audit there as well, in all forms, with their digests."),
]
VerifyOption = Annotated[
    Path | None,
    typer.Option("--verify", metavar="DIR", help="Audit nothing: check offline that evidence there is as written."),
]


def audit(
    context: typer.Context,
    config: ConfigOption = None,
    output: Annotated[AuditFormat, typer.Option("--format", help="What to print.")] = AuditFormat.TABLE,
    baseline: BaselineOption = None,
    evidence: EvidenceOption = None,
    verify_in: VerifyOption = None,
) -> int:
    """Report which functions stand on which base, and who owes what; changes nothing."""
    session = session_of(context)
    if verify_in is not None:
        _refuse_beside_verify(config, baseline, evidence, output)
        return _verify(session, verify_in, output)
    now, earlier = session.clock.now(), read_baseline(baseline) if baseline else None
    told = run_audit(config, session.clock, shown_on(session.err))
    _print(session, output, told.document, now, earlier)
    if evidence is not None:
        kept = keep_evidence(evidence, files_of(config), forms_of(told.document, now), now)
        tables.say(session.err, f"evidence: {kept.folder}, MANIFEST sha256 {kept.digest}")
    return told.code if earlier is None else _compare(session, told.document, earlier)


def forms_of(document: Document, now: datetime) -> Mapping[str, str]:
    """The audit in each form that is kept, by the name of its file."""
    return {
        "audit.json": _json(document),
        "audit.csv": spreadsheet(document),
        "audit.sarif": _json(sarif(document, now)),
        "audit.html": audit_page(document, now),
    }


def _print(session: Session, output: AuditFormat, document: Document, now: datetime, earlier: Document | None) -> None:
    if output is AuditFormat.TABLE:
        tables.show_audit(session.out, document)
    elif output is AuditFormat.SARIF:
        write(session, _json(sarif(document, now, earlier)))
    else:
        write(session, _FORMS[output](document, now))


def _compare(session: Session, document: Document, earlier: Document) -> int:
    """Say what is new on standard error, and give the exit code of that alone."""
    fresh = new_breaches(document, earlier)
    for breach in fresh:
        tables.say(session.err, f"new since the baseline: {breach.text}", "bold red")
    return ATTENTION if fresh else DONE


def _verify(session: Session, folder: Path, output: AuditFormat) -> int:
    checked = verify(folder)
    if output is AuditFormat.JSON:
        write(session, _json(verification_document(checked)))
    else:
        show_verification(session.out, checked)
    return ATTENTION if checked.problems else DONE


def _refuse_beside_verify(
    config: Path | None, baseline: Path | None, evidence: Path | None, output: AuditFormat
) -> None:
    given = {"--config": config, "--baseline": baseline, "--evidence": evidence}
    faults = [
        f"{name} says nothing beside --verify, which audits nothing; leave it out" for name in given if given[name]
    ]
    if output not in (AuditFormat.TABLE, AuditFormat.JSON):
        faults.append(f"--format {output} is no form of what --verify finds; give table or json")
    if faults:
        raise SettingsError(faults)


def _json(document: Document) -> str:
    return json.dumps(document, indent=1) + "\n"


_FORMS: Final[Mapping[AuditFormat, Callable[[Document, datetime], str]]] = {
    AuditFormat.JSON: lambda document, _: _json(document),
    AuditFormat.CSV: lambda document, _: spreadsheet(document),
    AuditFormat.MARKDOWN: lambda document, _: markdown(document),
    AuditFormat.HTML: audit_page,
}

"""An audit as Markdown: for the page of a job, or to be kept with a pull request.

Everything that comes from an image, a repository or a server stands in code spans, as in a pull request.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bot.core.pull_request import code
from bot.entrypoints.documents import Document
from bot.entrypoints.forms.findings import label_of
from bot.entrypoints.tables import subject_of, versions_of

USES: Final = ("repository", "file", "line", "runtime", "decision", "why")
UNREAD: Final = ("repository", "file", "line", "why")
_LONGEST_MESSAGE: Final = 2000
_ROWS: Final = ("row", "functions", "met", "due", "overdue", "excepted", "unknown", "AWS", "the customer")
_DUTIES: Final = (
    *("function", "row", "runtime", "version", "verdict", "base age (days)"),
    *("duty", "state", "days", "why"),
)
_ROLLOUTS: Final = ("runtime", "base", "phase", "wave", "taken", "waiting", "next", "why")
_COUNTS: Final = ("functions", "met", "due", "overdue", "excepted", "unknown")


def markdown(document: Document) -> str:
    """Write `refrom.audit/1` as Markdown."""
    return "\n".join(sections(document)) + "\n"


def sections(document: Document) -> Iterable[str]:
    """Give the lines of an audit: the SLO, who owes what, every duty, and what could not be read."""
    repositories = document["repositories"]
    yield "## refrom: audit"
    yield f"\n{slo_text(document)}"
    yield from table("Who owes what", _ROWS, map(_row, document["responsibility"]))
    yield from table("Functions", _DUTIES, (_duty(f, d) for f in document["functions"] for d in f["duties"]))
    yield from table("Rollouts", _ROLLOUTS, map(_rollout, document["rollouts"]))
    errors = ((code(subject_of(error)), long(error["reason"])) for error in document["errors"])
    yield from table("Could not be read", ("what", "why"), errors)
    gaps = ((code(gap["function"]), code(gap["gap"]), long(gap["reason"])) for gap in document["gaps"])
    yield from table("Functions of no known source", ("function", "what is missing", "why"), gaps)
    yield from table("Base images", USES, (decision(use) for each in repositories for use in each["uses"]))
    yield from table("Not read", UNREAD, (skipped(entry) for each in repositories for entry in each["skipped"]))


def slo_text(document: Document) -> str:
    """Say how the SLO stands, and what it is."""
    slo = document["slo"]
    verdict = "kept" if slo["kept"] else f"broken by {slo['findings']}"
    freshness = slo["freshness"]
    return (
        f"SLO {verdict}: critical fixes within {_days(freshness['security_critical'])}, important ones within "
        f"{_days(freshness['security_important'])}, anything within {_days(freshness['any'])}."
    )


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Write a table whose cells are Markdown; without rows there is none."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if lines:
        yield from (f"\n### {title}\n", f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}", *lines)


def decision(use: Mapping[str, Any]) -> Sequence[str]:
    """The row of one use of a base."""
    action = f" ({use['action']})" if use["action"] else ""
    return (
        code(use["repository"]),
        code(use["path"]),
        str(use["line"]),
        code(use["runtime"] or ""),
        f"{use['decision']}{action}",
        long(use["reason"]),
    )


def skipped(entry: Mapping[str, Any]) -> Sequence[str]:
    """The row of one part of a source repository that was not read."""
    return code(entry["repository"]), code(entry["path"]), str(entry["line"] or ""), long(entry["reason"])


def long(text: str) -> str:
    """A sentence: the cure stands at its end, so that it is not cut like a name."""
    return code(text, _LONGEST_MESSAGE) if text else ""


def _row(row: Mapping[str, Any]) -> Sequence[str]:
    return row["row"], *(str(row[count]) for count in _COUNTS), row["aws"], row["customer"]


def _duty(function: Mapping[str, Any], duty: Mapping[str, Any]) -> Sequence[str]:
    return (
        code(label_of(function)),
        function["row"],
        code(function["runtime"] or ""),
        code(versions_of(function)),
        function["verdict"],
        _number(function["base_age_days"]),
        duty["duty"],
        duty["state"],
        _number(duty["days"]),
        long(duty.get("reason") or ""),
    )


def _rollout(rollout: Mapping[str, Any]) -> Sequence[str]:
    uses = rollout["uses"]
    return (
        code(rollout["runtime"]),
        code(rollout["base"]),
        rollout["phase"],
        f"{rollout['wave']} of {rollout['waves']}",
        str(uses["taken"]),
        str(uses["waiting"]),
        rollout["next"] or "",
        long(rollout["reason"] or ""),
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _days(days: float) -> str:
    return f"{days:g} {'day' if days == 1 else 'days'}"

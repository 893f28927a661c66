"""An audit as CSV (RFC 4180, UTF-8): one row for each duty of what serves, and one for each thing that is not known.

A spreadsheet takes a cell that begins like a formula for one, so such a cell begins with an apostrophe (OWASP, "CSV
Injection").
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.entrypoints.documents import Document
from bot.entrypoints.tables import subject_of, versions_of

COLUMNS: Final = (
    *("row", "account", "region", "function", "alias", "version", "runtime", "runtime_version", "verdict", "base"),
    *("base_age_days", "mode", "repository", "path", "pull_request", "redeployed", "significance", "severity"),
    *("advisories", "duty", "state", "days", "until", "reason"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")
"""The last two begin none by themselves, and do in old versions of what reads them (DDE)."""

Entry = Mapping[str, Any]


def spreadsheet(document: Document) -> str:
    """Write `refrom.audit/1` as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in _rows(document))
    return out.getvalue()


def cell(value: object) -> str:
    """One cell: on one line, and no formula, whoever wrote it."""
    text = "" if value is None else str(value)
    plain = "".join(c if c.isprintable() else " " for c in text).strip()
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _rows(document: Document) -> Iterator[dict[str, object]]:
    for function in document["functions"]:
        owed = [_duty(function, duty) for duty in function["duties"]] or [{"reason": function.get("reason")}]
        yield from ({**_function(function), **duty} for duty in owed)
    for gap in document["gaps"]:
        yield {"row": "unmapped", "function": gap["function"], "state": "unknown", "reason": gap["reason"]}
    for error in document["errors"]:
        kind = "repository" if "repository" in error else "runtime" if "runtime" in error else "function"
        yield {"row": "unread", kind: subject_of(error), "state": "unknown", "reason": error["reason"]}


def _function(function: Entry) -> dict[str, object]:
    missing, running = function.get("missing") or {}, function.get("runtime_version") or {}
    same = ("row", "account", "region", "function", "alias", "runtime", "verdict", "base", "base_age_days", "mode")
    more = ("repository", "path", "pull_request", "redeployed")
    return {
        **{name: function.get(name) for name in (*same, *more)},
        "version": versions_of(function),
        "runtime_version": running.get("version"),
        "significance": missing.get("significance"),
        "severity": missing.get("severity"),
        "advisories": " ".join(missing.get("advisories") or ()),
    }


def _duty(function: Entry, duty: Entry) -> dict[str, object]:
    reason = duty.get("reason") or function.get("reason")
    return {name: duty.get(name) for name in ("duty", "state", "days", "until")} | {"reason": reason}

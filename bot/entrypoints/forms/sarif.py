"""An audit as SARIF 2.1.0 (OASIS): what is owed, at the line of the Dockerfile that names the base.

There is one run for each source repository, with paths that are relative to it, so that each can be uploaded where it
belongs. What stands in no file of a repository, such as a managed runtime, is a notification of the last run.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from bot import __version__
from bot.core.responsibility import State
from bot.entrypoints.documents import Document, time_text
from bot.entrypoints.forms import findings
from bot.entrypoints.forms.findings import label_of
from bot.entrypoints.forms.rules import BEHIND, NOT_FOLLOWED, NOT_READ, Rule, every_rule, rule_of
from bot.entrypoints.tables import printable, subject_of

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_LEVELS: Final = {State.OVERDUE: "error", State.UNKNOWN: "warning", State.DUE: "note", State.EXCEPTED: "note"}
_DECIDED: Final = {"update": (BEHIND, "warning"), "waiting": (BEHIND, "note"), "held": (BEHIND, "note"),
                   "skip": (NOT_FOLLOWED, "note")}  # fmt: skip

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """One finding at a line; `excuse` is why a person let it be."""

    rule: Rule
    level: str
    text: str
    path: str
    line: int
    fingerprint: str
    excuse: str = ""


def sarif(document: Document, now: datetime, baseline: Document | None = None) -> Document:
    """Write `refrom.audit/1` as a SARIF log; with a baseline each result says whether it stands there, too."""
    known = sarif_fingerprints(baseline) if baseline is not None else None
    rules = every_rule(duty["duty"] for function in document["functions"] for duty in function["duties"])
    built = _built_from(document)
    runs = [_run(each, built[each["repository"]], rules, now, known) for each in document["repositories"]]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [*runs, _rest(document, rules, now)]}


def sarif_fingerprints(document: Document) -> frozenset[str]:
    """What tells all results of a document apart: their repository, fingerprint and number."""
    built = _built_from(document)
    return frozenset(
        f"{each['repository']} {name}:{number}"
        for each in document["repositories"]
        for name, number in findings.numbered(r.fingerprint for r in _results(each, built[each["repository"]]))
    )


def _built_from(document: Document) -> Mapping[str, Sequence[Entry]]:
    """The functions that are built from each source repository."""
    built: defaultdict[str, list[Entry]] = defaultdict(list)
    for function in document["functions"]:
        built[function["repository"] or ""].append(function)
    return built


def _run(
    repository: Entry, built: Sequence[Entry], rules: tuple[Rule, ...], now: datetime, known: frozenset[str] | None
) -> Document:
    name, results = repository["repository"], list(_results(repository, built))
    numbers = findings.numbered(result.fingerprint for result in results)
    shown = []
    for result, (fingerprint, number) in zip(results, numbers, strict=True):
        entry = _result(result, rules, f"{fingerprint}:{number}")
        if known is not None:
            entry["baselineState"] = "unchanged" if f"{name} {fingerprint}:{number}" in known else "new"
        shown.append(entry)
    return {
        **_head(rules, now, f"refrom/{name}/"),
        "originalUriBaseIds": {_ROOT: {"description": {"text": f"{name} at commit {repository['commit']}"}}},
        "results": shown,
        "properties": {"repository": name, "commit": repository["commit"]},
    }


def _rest(document: Document, rules: tuple[Rule, ...], now: datetime) -> Document:
    run = _head(rules, now, "refrom/")
    (invocation,) = run["invocations"]
    invocation["executionSuccessful"] = not document["errors"]
    invocation["toolExecutionNotifications"] = list(_notifications(document))
    return {**run, "results": []}


def _head(rules: tuple[Rule, ...], now: datetime, category: str) -> Document:
    return {
        "tool": {"driver": {"name": "refrom", "semanticVersion": __version__, "rules": [r.document for r in rules]}},
        "automationDetails": {"id": category},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": time_text(now)}],
    }


def _results(repository: Entry, built: Sequence[Entry]) -> Iterator[_Result]:
    for function in built:
        place = _place(function, repository)
        if place:
            yield from _owed(function, *place)
    for use in repository["uses"]:
        if use["decision"] in _DECIDED:
            rule, level = _DECIDED[use["decision"]]
            yield _Result(
                rule=rule,
                level=level,
                text=f"{use['reference']}: {use['decision']}: {use['reason']}",
                path=use["path"],
                line=use["line"],
                fingerprint=findings.of_use(use),
                excuse=use["reason"] if use["decision"] == "held" else "",
            )
    for entry in repository["skipped"]:
        yield _Result(
            rule=NOT_READ,
            level="warning",
            text=entry["reason"],
            path=entry["path"],
            line=entry["line"] or 1,
            fingerprint=findings.of_unread(entry),
        )


def _owed(function: Entry, path: str, line: int) -> Iterator[_Result]:
    for duty in function["duties"]:
        level = _LEVELS.get(duty["state"])
        if level:
            yield _Result(
                rule=rule_of(duty["duty"]),
                level=level,
                text=_duty_text(function, duty),
                path=path,
                line=line,
                fingerprint=findings.of_duty(function, duty),
                excuse=(duty.get("reason") or "excepted") if duty["state"] == State.EXCEPTED else "",
            )


def _place(function: Entry, repository: Entry) -> tuple[str, int] | None:
    """Where the base of a function stands in the repository that it is built from; None where it is not found."""
    path = function.get("path")
    uses = [use for use in repository["uses"] if path in (None, use["path"])]
    likeliest = sorted(uses, key=lambda use: use["runtime"] != function["runtime"])
    return next(((use["path"], use["line"]) for use in likeliest), None)


def _notifications(document: Document) -> Iterator[Document]:
    read = {repository["repository"]: repository for repository in document["repositories"]}
    for function in document["functions"]:
        repository = read.get(function["repository"])
        if repository is None or not _place(function, repository):
            for duty in function["duties"]:
                if duty["state"] in _LEVELS:
                    yield _notification(_LEVELS[duty["state"]], _duty_text(function, duty))
    for gap in document["gaps"]:
        yield _notification("note", f"{gap['function']}: {gap['reason']}")
    for error in document["errors"]:
        yield _notification("error", f"{subject_of(error)}: {error['reason']}")


def _notification(level: str, text: str) -> Document:
    return {"level": level, "message": {"text": printable(text)}}


def _duty_text(function: Entry, duty: Entry) -> str:
    days = duty["days"]
    when = "" if days is None else f" in {days} days" if duty["state"] == State.DUE else f" by {days} days"
    why = duty.get("reason") or function.get("reason") or ""
    base = f" (stands on {function['base']})" if function["base"] else ""
    return f"{label_of(function)}{base}: {duty['duty']}: {duty['state']}{when}{f': {why}' if why else ''}"


def _result(result: _Result, rules: Iterable[Rule], fingerprint: str) -> Document:
    """GitHub tells alerts apart by `primaryLocationLineHash`, which it would make of the line's text otherwise."""
    uri = {"uri": quote(result.path.encode(errors="replace"), safe="/"), "uriBaseId": _ROOT}
    entry: Document = {
        "ruleId": result.rule.identifier,
        "ruleIndex": [rule.identifier for rule in rules].index(result.rule.identifier),
        "level": result.level,
        "message": {"text": printable(result.text) or "no reason given"},
        "locations": [{"physicalLocation": {"artifactLocation": uri, "region": {"startLine": max(result.line, 1)}}}],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "refrom/v1": fingerprint},
    }
    if result.excuse:
        excuse = {"kind": "external", "status": "accepted", "justification": printable(result.excuse)}
        entry["suppressions"] = [excuse]
    return entry

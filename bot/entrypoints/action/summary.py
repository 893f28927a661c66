"""A document as Markdown for the page of a job, and as the few lines that are annotations.

Everything that comes from an image, a repository or a server stands in code spans, as in a pull request.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from bot.core.outcome import Result
from bot.core.pull_request import code
from bot.entrypoints.documents import Document
from bot.entrypoints.exits import Failure
from bot.entrypoints.forms.findings import BREAKING, label_of
from bot.entrypoints.forms.markdown import UNREAD, USES, decision, long, sections, skipped, table
from bot.entrypoints.tables import subject_of

LARGEST: Final = 1024 * 1024
"""In bytes of UTF-8; GitHub shows no summary of a step that is larger (docs.github.com, "Workflow commands")."""
_MOST_FAULTS: Final = 10
"""GitHub shows so many error annotations of one step."""
_CUT: Final = "\n\nThe rest is left out here, because a summary has its bounds; the output `document` holds it all.\n"
_WEB: Final = re.compile(r"https?://[A-Za-z0-9./:_-]+\Z")
_TROUBLE: Final = {str(Result.FAILED), str(Result.REFUSED), str(Result.ROLLED_BACK)}

Fault = tuple[str, str]
"""What is wrong, in two parts: with what, and what."""


def summarize(document: Document) -> str:
    """Write `refrom.run/1` or `refrom.audit/1` as Markdown."""
    return bounded("\n".join(_SECTIONS[document["schema"]](document)))


def summarize_failure(failed: Failure) -> str:
    """Say why there is no document."""
    lines = failed.message.strip().splitlines()
    return bounded("\n".join(["## refrom could not work", "", *(f"- {long(line)}" for line in lines if line)]) + "\n")


def faults(document: Document) -> list[Fault]:
    """What somebody should look at; of many, the last entry says how many more there are."""
    found = _FAULTS[document["schema"]](document)
    if len(found) <= _MOST_FAULTS:
        return found
    return [*found[: _MOST_FAULTS - 1], ("refrom", f"{len(found) - _MOST_FAULTS + 1} more; see the summary")]


def pull_requests(document: Document) -> list[str]:
    """The addresses of the pull requests that were opened or refreshed; a dry run has none."""
    mine = {str(Result.OPENED), str(Result.REFRESHED)}
    found = [o["pull_request"] for o in document.get("outcomes", ()) if o["result"] in mine]
    return [] if document.get("dry_run") else found


def bounded(text: str, largest: int = LARGEST) -> str:
    """Leave out the last lines where there is not room for all."""
    raw = text.encode(errors="replace")
    if len(raw) <= largest:
        return text
    return raw[: largest - len(_CUT)].rpartition(b"\n")[0].decode() + _CUT


def _run(document: Document) -> Iterable[str]:
    decided = Counter(decision["decision"] for decision in document["decisions"])
    counts = ", ".join(f"{count} {word}" for word, count in decided.items())
    yield "## refrom" + (": a dry run, nothing was changed" if document["dry_run"] else "")
    yield f"\nDecisions: {counts or 'none'}."
    yield from table("What was done", ("step", "for", "result", "what"), map(_outcome, document["outcomes"]))
    yield from table("Decisions", USES, map(decision, document["decisions"]))
    yield from table("Not read", UNREAD, map(skipped, document["skipped"]))
    waiting = ((code(w["key"]), long(w["reason"])) for w in document["waiting"])
    yield from table("Waiting; the next run goes on", ("for", "why"), waiting)


def _outcome(outcome: Mapping[str, Any]) -> Sequence[str]:
    """One outcome, with a link if it has one that is no more than an address."""
    link = outcome.get("pull_request") or ""
    what = long(outcome["message"]) + (f" <{link}>" if _WEB.match(link) else "")
    return code(outcome["step"]), code(subject_of(outcome)), code(outcome["result"]), what


def _faults_of_run(document: Document) -> list[Fault]:
    wrong = [outcome for outcome in document["outcomes"] if outcome["result"] in _TROUBLE]
    return [(f"{subject_of(outcome)}: {outcome['step']}", outcome["message"]) for outcome in wrong]


def _faults_of_audit(document: Document) -> list[Fault]:
    owed = [
        (label_of(f), f"{d['duty']}: {d['state']}" + (f"; {d['reason']}" if d.get("reason") else ""))
        for f in document["functions"]
        for d in f["duties"]
        if d["state"] in BREAKING
    ]
    return [*map(_error, document["errors"]), *owed]


def _error(error: Mapping[str, Any]) -> Fault:
    return subject_of(error), error["reason"]


_SECTIONS: Final[Mapping[str, Callable[[Document], Iterable[str]]]] = {
    "refrom.run/1": _run,
    "refrom.audit/1": sections,
}
_FAULTS: Final[Mapping[str, Callable[[Document], list[Fault]]]] = {
    "refrom.run/1": _faults_of_run,
    "refrom.audit/1": _faults_of_audit,
}

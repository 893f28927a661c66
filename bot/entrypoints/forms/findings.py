"""What is wrong in an audit, finding by finding, each with a fingerprint that stays while the finding does.

A fingerprint leaves out what moves by itself: days, versions, digests, dates, line numbers and reasons.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.core.responsibility import State
from bot.entrypoints.documents import Document
from bot.entrypoints.tables import name_of, subject_of

BREAKING: Final = {str(State.OVERDUE), str(State.UNKNOWN)}
"""The states of a duty that break the SLO."""
_SUBJECTS: Final = ("repository", "function", "runtime", "place")

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing for which an audit ends with exit code 1."""

    fingerprint: str
    text: str


def breaches(document: Document) -> tuple[Breach, ...]:
    """Everything for which an audit ends with exit code 1; without any it ends with 0."""
    owed = (
        Breach(of_duty(function, duty), f"{label_of(function)}: {duty['duty']}: {duty['state']}")
        for function in document["functions"]
        for duty in function["duties"]
        if duty["state"] in BREAKING
    )
    half_read = (
        Breach(_of_function(function), f"{label_of(function)}: {function['reason']}")
        for function in document["functions"]
        if function["reason"] and not _owes(function)
    )
    unread = (Breach(of_error(error), f"{subject_of(error)}: {error['reason']}") for error in document["errors"])
    return (*owed, *half_read, *unread)


def new_breaches(document: Document, baseline: Document) -> tuple[Breach, ...]:
    """The breaches of a document that do not stand in an earlier one; of equal ones as many as there are more."""
    known = Counter(breach.fingerprint for breach in breaches(baseline))
    fresh = []
    for breach in breaches(document):
        if not known[breach.fingerprint]:
            fresh.append(breach)
        known[breach.fingerprint] -= known[breach.fingerprint] > 0
    return tuple(fresh)


def of_duty(function: Entry, duty: Entry) -> str:
    """The fingerprint of a duty of what serves: its row, function, alias and duty."""
    return _fingerprint("duty", function["row"], function["function"], function["alias"] or "", duty["duty"])


def of_use(use: Entry) -> str:
    """The fingerprint of a use of a base: its repository, path and reference."""
    return _fingerprint("use", use["repository"], use["path"], use["reference"])


def of_unread(entry: Entry) -> str:
    """The fingerprint of a part of a source repository that could not be read."""
    return _fingerprint("unread", entry["repository"], entry["path"])


def of_error(error: Entry) -> str:
    """The fingerprint of what could not be read at all: what it is, and its name."""
    kind, *_ = (key for key in _SUBJECTS if key in error)
    return _fingerprint("error", kind, str(error[kind]))


def numbered(fingerprints: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Number equal fingerprints from 1, such as those of two stages of one file."""
    seen: Counter[str] = Counter()
    for fingerprint in fingerprints:
        seen[fingerprint] += 1
        yield fingerprint, seen[fingerprint]


def label_of(function: Entry) -> str:
    """What people call a function that an entry is about."""
    return name_of(function["function"], function["alias"])


def _owes(function: Entry) -> bool:
    return any(duty["state"] in BREAKING for duty in function["duties"])


def _of_function(function: Entry) -> str:
    return _fingerprint("function", function["row"], function["function"], function["alias"] or "")


def _fingerprint(*parts: str) -> str:
    """Hash the parts, each with its length, so that no two lists of parts are the same text."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]

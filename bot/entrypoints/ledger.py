"""`refrom ledger`: the observations as a document that another machine, or the next job, takes in (`refrom.ledger/1`).

Times keep their microseconds, so that what comes back is what went out.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bot.core.digest import Digest
from bot.core.errors import StoreError
from bot.core.observation import KnownBase, Observation
from bot.core.platforms import Platform
from bot.core.reference import Reference

SCHEMA: Final = "refrom.ledger/1"
_LARGEST: Final = 256 << 20
_MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)

Document = dict[str, Any]


def ledger_document(observations: Iterable[Observation]) -> Document:
    """`refrom.ledger/1`, ordered by stream and time."""
    ordered = sorted(observations, key=lambda seen: (seen.runtime, seen.first_seen, str(seen.digest)))
    return {"schema": SCHEMA, "observations": [_observation(seen) for seen in ordered]}


def read_ledger(path: Path, now: datetime) -> tuple[Observation, ...]:
    """Read a document back, whole or not at all; a moment that is yet to come counts as now.

    Raises `StoreError` with the path and the cure.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as fault:
        raise StoreError(f"{path} cannot be read ({fault.strerror}); name what refrom ledger export wrote") from fault
    if len(content) > _LARGEST:
        raise StoreError(f"{path} has more than {_LARGEST} bytes; begin a new ledger, losing it does no harm")
    try:
        document = json.loads(content)
        if document["schema"] != SCHEMA:
            raise ValueError(f"the schema is not {SCHEMA}")
        return tuple(_read_observation(entry, now) for entry in document["observations"])
    except _MALFORMED as fault:
        reason = repr(fault)[:200]
        cure = "leave it out, the ledger grows again by itself"
        raise StoreError(f"{path} is not what refrom ledger export writes ({reason}); {cure}") from fault


def _observation(seen: Observation) -> Document:
    return {
        "runtime": seen.runtime,
        "reference": str(seen.reference),
        "digest": str(seen.digest),
        "first_seen": _text(seen.first_seen),
        "first_seen_by": seen.first_seen_by,
        "last_seen": _text(seen.last_seen),
        "bases": [_base(base) for base in seen.bases],
    }


def _base(base: KnownBase) -> Document:
    return {
        "platform": str(base.platform),
        "digest": str(base.digest),
        "created": _text(base.created) if base.created else None,
        "layers": [str(digest) for digest in base.layers],
        "diff_ids": [str(digest) for digest in base.diff_ids],
    }


def _read_observation(entry: Mapping[str, Any], now: datetime) -> Observation:
    reference, digest = Reference.parse(entry["reference"]), Digest.parse(entry["digest"])
    runtime = entry["runtime"]
    if not isinstance(runtime, str) or not entry["bases"]:
        raise ValueError("an observation names no runtime or no base")
    named = reference.with_digest(digest)
    return Observation(
        runtime=runtime,
        reference=reference,
        digest=digest,
        bases=tuple(_read_base(runtime, named, base) for base in entry["bases"]),
        first_seen=min(_moment(entry["first_seen"]), now),
        last_seen=min(_moment(entry["last_seen"]), now),
    )


def _read_base(runtime: str, reference: Reference, entry: Mapping[str, Any]) -> KnownBase:
    layers = tuple(Digest.parse(text) for text in entry["layers"])
    diff_ids = tuple(Digest.parse(text) for text in entry["diff_ids"])
    if len(layers) != len(diff_ids):
        raise ValueError("a base has not as many diff IDs as layers")
    return KnownBase(
        runtime=runtime,
        reference=reference,
        platform=Platform.parse(entry["platform"]),
        digest=Digest.parse(entry["digest"]),
        layers=layers,
        diff_ids=diff_ids,
        created=_moment(entry["created"]) if entry["created"] is not None else None,
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time says not where on Earth it is")
    return moment.astimezone(UTC)

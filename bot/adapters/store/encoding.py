"""Values of the core as JSON texts, and back; knows nothing of SQL.

Everything is ASCII: names that came out of a layer may hold bytes that are no UTF-8, which Python keeps as lone
surrogates and JSON can escape. Times are UTC in one fixed width, so that their texts sort as they do.
Decoding what was not encoded here raises `ValueError`, `LookupError`, `TypeError`, `AttributeError` or `zlib.error`.
"""

import json
import zlib
from datetime import UTC, datetime
from typing import Any, Final

from bot.core.digest import Digest
from bot.core.layer import Component, Entry, Kind, Language, Layer, Package
from bot.core.observation import KnownBase
from bot.core.outcome import Outcome, Result
from bot.core.platforms import Platform
from bot.core.reference import Reference

_LAYER_FORM: Final = 2
"""Raised whenever more, or something else, is read off a layer, so that it is read again."""


def encode_time(moment: datetime) -> str:
    """Write a moment with microseconds, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def decode_time(text: str) -> datetime:
    """Read a moment."""
    return datetime.fromisoformat(text).astimezone(UTC)


def encode_base(base: KnownBase) -> str:
    """Write a base."""
    return _dump(_base_to_json(base))


def decode_base(text: str) -> KnownBase:
    """Read a base."""
    return _base_from_json(json.loads(text))


def encode_bases(bases: tuple[KnownBase, ...]) -> str:
    """Write the bases of an observation, in their order."""
    return _dump([_base_to_json(base) for base in bases])


def decode_bases(text: str) -> tuple[KnownBase, ...]:
    """Read the bases of an observation."""
    return tuple(_base_from_json(document) for document in json.loads(text))


def encode_outcome(outcome: Outcome) -> str:
    """Write an outcome."""
    return _dump(
        {
            "step": outcome.step,
            "subject": outcome.subject,
            "result": outcome.result.value,
            "message": outcome.message,
            "details": dict(outcome.details),
        }
    )


def decode_outcome(text: str) -> Outcome:
    """Read an outcome."""
    document = json.loads(text)
    return Outcome(**{**document, "result": Result(document["result"])})


def encode_layer(layer: Layer) -> bytes:
    """Write a layer, compressed: an entry is a short list, because a layer has tens of thousands."""
    return zlib.compress(_dump(_layer_to_json(layer)).encode("ascii"))


def decode_layer(content: bytes) -> Layer | None:
    """Read a layer; None if another release wrote it, which looked for other things in it."""
    document = json.loads(zlib.decompress(content))
    if document.get("form") != _LAYER_FORM:
        return None
    packages, language, diff_id = document["packages"], document["language"], document["diff_id"]
    return Layer(
        digest=Digest.parse(document["digest"]),
        entries={path: _entry_from_json(*fields) for path, fields in document["entries"].items()},
        whiteouts=frozenset(document["whiteouts"]),
        opaque=frozenset(document["opaque"]),
        packages=None if packages is None else tuple(Package(*fields) for fields in packages),
        language=None if language is None else Language(*language),
        unread=tuple(document["unread"]),
        components=tuple(Component(*fields) for fields in document["components"]),
        diff_id=None if diff_id is None else Digest.parse(diff_id),
    )


def _layer_to_json(layer: Layer) -> dict[str, Any]:
    return {
        "form": _LAYER_FORM,
        "digest": str(layer.digest),
        "entries": {
            path: [entry.kind.value, entry.mode, entry.uid, entry.gid, entry.size, entry.content]
            for path, entry in layer.entries.items()
        },
        "whiteouts": sorted(layer.whiteouts),
        "opaque": sorted(layer.opaque),
        "packages": None if layer.packages is None else [[p.name, p.arch, p.evr] for p in layer.packages],
        "language": None if layer.language is None else [layer.language.name, layer.language.version],
        "unread": list(layer.unread),
        "components": [[c.name, c.version, c.path] for c in layer.components],
        "diff_id": None if layer.diff_id is None else str(layer.diff_id),
    }


def _entry_from_json(kind: str, mode: int, uid: int, gid: int, size: int, content: str) -> Entry:
    return Entry(kind=Kind(kind), mode=mode, uid=uid, gid=gid, size=size, content=content)


def _base_to_json(base: KnownBase) -> dict[str, Any]:
    platform = base.platform
    return {
        "runtime": base.runtime,
        "reference": str(base.reference),
        "platform": [platform.os, platform.architecture, platform.variant],
        "digest": str(base.digest),
        "layers": [str(digest) for digest in base.layers],
        "diff_ids": [str(digest) for digest in base.diff_ids],
        "created": None if base.created is None else encode_time(base.created),
    }


def _base_from_json(document: dict[str, Any]) -> KnownBase:
    created = document["created"]
    return KnownBase(
        runtime=document["runtime"],
        reference=Reference.parse(document["reference"]),
        platform=Platform(*document["platform"]),
        digest=Digest.parse(document["digest"]),
        layers=tuple(Digest.parse(text) for text in document["layers"]),
        diff_ids=tuple(Digest.parse(text) for text in document["diff_ids"]),
        created=None if created is None else decode_time(created),
    )


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))

"""Values of the core and the ports as JSON texts, and back; knows nothing of SQL.

Everything is ASCII: names that came out of a layer may hold bytes that are no UTF-8, which Python keeps as lone
surrogates and JSON can escape. Times are UTC in one fixed width, so that their texts sort as they do.
Decoding what was not encoded here raises `ValueError`, `LookupError`, `TypeError`, `AttributeError` or `zlib.error`.
"""

import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from bot.core.advisories import Severity
from bot.core.digest import Digest
from bot.core.layer import Component, Entry, Kind, Language, Layer, Package
from bot.core.observation import KnownBase
from bot.core.outcome import Outcome, Result
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.rollout import Rollout
from bot.ports.forge import Sources
from bot.ports.store import Pause, Remembered

_BATCH: Final = 1000
_PIECE: Final = 1 << 16
_LAYER_FORM: Final = 3
"""Raised whenever more, or something else, is read off a layer, so that it is read again."""

_SOURCES_FORM: Final = 2
"""Raised whenever older code could not read what is kept of source repositories; they are read again then."""


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


def encode_pause(pause: Pause) -> str:
    """Write a pause."""
    return _dump([encode_time(pause.until), pause.why])


def decode_pause(text: str) -> Pause:
    """Read a pause."""
    until, why = json.loads(text)
    return Pause(decode_time(until), why)


def encode_rollout(rollout: Rollout) -> str:
    """Write a rollout."""
    return _dump(
        {
            "runtime": rollout.runtime,
            "base": str(rollout.base),
            "began": encode_time(rollout.began),
            "severity": rollout.severity.value if rollout.severity else None,
            "paused": rollout.paused.total_seconds(),
            "halted": encode_time(rollout.halted) if rollout.halted else None,
            "makeshift": rollout.makeshift,
        }
    )


def decode_rollout(text: str) -> Rollout:
    """Read a rollout."""
    document = json.loads(text)
    return Rollout(
        runtime=str(document["runtime"]),
        base=Digest.parse(document["base"]),
        began=decode_time(document["began"]),
        severity=None if document["severity"] is None else Severity(document["severity"]),
        paused=timedelta(seconds=document["paused"]),
        halted=None if document["halted"] is None else decode_time(document["halted"]),
        makeshift=bool(document["makeshift"]),
    )


def encode_layer(layer: Layer) -> bytes:
    """Write a layer, compressed: a line about the whole, then lines of a thousand entries each.

    An entry is a short list, because a layer has tens of thousands; lines, because all of them together are large.
    """
    packing, entries = zlib.compressobj(), iter(layer.entries.items())
    parts = [packing.compress(_line(_layer_to_json(layer)))]
    while batch := [_entry_to_json(path, entry) for path, entry in islice(entries, _BATCH)]:
        parts.append(packing.compress(_line(batch)))
    return b"".join((*parts, packing.flush()))


def decode_layer(content: bytes) -> Layer | None:
    """Read a layer; None if another release wrote it, which looked for other things in it."""
    lines = map(json.loads, _lines(content))
    document = next(lines)
    if document.get("form") != _LAYER_FORM:
        return None
    packages, language, diff_id = document["packages"], document["language"], document["diff_id"]
    return Layer(
        digest=Digest.parse(document["digest"]),
        entries={path: _entry_from_json(*fields) for batch in lines for path, *fields in batch},
        whiteouts=frozenset(document["whiteouts"]),
        opaque=frozenset(document["opaque"]),
        packages=None if packages is None else tuple(Package(*fields) for fields in packages),
        language=None if language is None else Language(*language),
        unread=tuple(document["unread"]),
        components=tuple(Component(*fields) for fields in document["components"]),
        diff_id=None if diff_id is None else Digest.parse(diff_id),
    )


def encode_sources(remembered: Remembered) -> bytes:
    """Write what was read of a source repository, compressed; a byte is the character of its number."""
    sources = remembered.sources
    document = {
        "form": _SOURCES_FORM,
        "commit": remembered.commit,
        "reading": remembered.reading,
        "files": {path: content.decode("latin-1") for path, content in sources.files.items()},
        "unread": dict(sources.unread),
        "changed": None if sources.changed is None else encode_time(sources.changed),
    }
    return zlib.compress(_dump(document).encode("ascii"))


def decode_sources(content: bytes) -> Remembered | None:
    """Read it; None if another release wrote it, in another form."""
    document = json.loads(zlib.decompress(content))
    if document.get("form") != _SOURCES_FORM:
        return None
    files = {path: text.encode("latin-1") for path, text in document["files"].items()}
    changed = document["changed"]
    sources = Sources(
        files=files, unread=dict(document["unread"]), changed=None if changed is None else decode_time(changed)
    )
    return Remembered(commit=str(document["commit"]), reading=str(document["reading"]), sources=sources)


def _layer_to_json(layer: Layer) -> dict[str, Any]:
    return {
        "form": _LAYER_FORM,
        "digest": str(layer.digest),
        "whiteouts": sorted(layer.whiteouts),
        "opaque": sorted(layer.opaque),
        "packages": None if layer.packages is None else [[p.name, p.arch, p.evr] for p in layer.packages],
        "language": None if layer.language is None else [layer.language.name, layer.language.version],
        "unread": list(layer.unread),
        "components": [[c.name, c.version, c.path] for c in layer.components],
        "diff_id": None if layer.diff_id is None else str(layer.diff_id),
    }


def _entry_to_json(path: str, entry: Entry) -> list[object]:
    fields = [path, entry.kind.value, entry.mode, entry.uid, entry.gid, entry.size, entry.content]
    return [*fields, *entry.xattrs]


def _entry_from_json(
    kind: str, mode: int, uid: int, gid: int, size: int, content: str, *xattrs: tuple[str, str]
) -> Entry:
    named = tuple((name, value) for name, value in xattrs)
    return Entry(kind=Kind(kind), mode=mode, uid=uid, gid=gid, size=size, content=content, xattrs=named)


def _line(value: object) -> bytes:
    return _dump(value).encode("ascii") + b"\n"


def _lines(content: bytes) -> Iterator[bytes]:
    """Unpack line by line."""
    unpacking, rest = zlib.decompressobj(), b""
    for start in range(0, len(content), _PIECE):
        *whole, rest = (rest + unpacking.decompress(content[start : start + _PIECE])).split(b"\n")
        yield from whole
    if not unpacking.eof:
        raise ValueError("the layer is cut off")
    if rest:
        yield rest


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

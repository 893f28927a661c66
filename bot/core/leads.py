"""Leads: what an image says of its own base. A lead says where to look and proves nothing; it may be hostile text.

Read are the labels of OCI's annotations.md, BuildKit's build information in the config (docs/buildinfo.md, v0.9 to
v0.12), the materials of an in-toto statement with SLSA provenance (v0.2 and v1), and the times of the history.
"""

import json
import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from bot.core.digest import Digest
from bot.core.errors import InvalidReference
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, ImageConfig, parse_time
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.runtimes import Catalogue, Runtime

Source = Literal["label", "buildinfo", "provenance", "date"]

BUILDINFO: Final = "moby.buildkit.buildinfo.v1"
FIRST_BASES: Final = datetime(2020, 12, 1, tzinfo=UTC)
"""Lambda has run container images since then: an earlier time, such as 1970 of a reproducible build, is no lead."""

_NEVER = datetime(9000, 1, 1, tzinfo=UTC)
_MOST_ENTRIES = 1000
_MOST_MOMENTS = 2
_LONGEST_TEXT = 300
_PURL = re.compile(r"pkg:docker/(?P<name>[^@?#]+)(?:@(?P<tag>[^?#]*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One lead that was followed: who gave it, what it says, and what came of it."""

    source: Source
    what: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBase:
    """An image that is named as the base; `reference` is None where the text is no reference."""

    source: Source
    text: str
    reference: Reference | None


def named_bases(config: ImageConfig) -> tuple[NamedBase, ...]:
    """List what labels and build information name as bases."""
    labels = config.labels
    name, digest = labels.get(BASE_NAME_LABEL, ""), labels.get(BASE_DIGEST_LABEL, "")
    labelled = [_named("label", name, digest)] if name else []
    return (*labelled, *_buildinfo(config.document.get(BUILDINFO)))


def materials(statement: bytes) -> tuple[NamedBase, ...]:
    """List the images that an in-toto statement names as materials of the build."""
    predicate = _dict(_dict(_json(statement)).get("predicate"))
    older = _list(predicate.get("materials"))
    newer = _list(_dict(predicate.get("buildDefinition")).get("resolvedDependencies"))
    return tuple(_materials(older or newer))


def moments(config: ImageConfig) -> tuple[datetime, ...]:
    """The hours in which the history's lowest entries were made, lowest first: a base's lie below all others."""
    return hours(_times(config))[:_MOST_MOMENTS]


def agrees(config: ImageConfig, created: datetime | None) -> bool:
    """Whether a base of that time may be what the history begins with; without times any may."""
    times = _times(config)
    return not times or created is None or created in times


def hours(moments: Iterable[datetime | None]) -> tuple[datetime, ...]:
    """The hours of these times, each once, without those in which no base can have been made."""
    found = (moment.replace(minute=0, second=0, microsecond=0) for moment in moments if moment)
    return tuple(dict.fromkeys(hour for hour in found if FIRST_BASES <= hour < _NEVER))


def streams(
    catalogue: Catalogue, platform: Platform, likely: Iterable[str] = (), moment: datetime | None = None
) -> tuple[tuple[Runtime, ...], ...]:
    """The streams that may hold a base of that platform, in groups of which the likeliest comes first.

    What `likely` names comes before all others, and what got no more bases at that moment after them.
    Within a group what may lie under others is last.
    """
    wanted = frozenset(likely)

    def group(runtime: Runtime) -> int:
        ended = bool(moment and runtime.deprecation and runtime.deprecation < moment.date())
        return 0 if runtime.identifier in wanted else 1 + ended

    fitting = [runtime for runtime in map(catalogue.get, catalogue) if platform in runtime.platforms]
    ordered = sorted(fitting, key=lambda runtime: may_lie_under_others(runtime.identifier))
    return tuple(tuple(runtime for runtime in ordered if group(runtime) == number) for number in range(3))


def may_lie_under_others(runtime: str) -> bool:
    """Whether bases of that stream hold no language, so that a language's base could be built on one."""
    return runtime.startswith("provided")


def _times(config: ImageConfig) -> Sequence[datetime]:
    entries = _list(config.document.get("history"))[:_MOST_ENTRIES]
    times = (parse_time(_dict(entry).get("created")) for entry in entries)
    return [time for time in times if time and time >= FIRST_BASES]


def _buildinfo(value: object) -> Iterator[NamedBase]:
    """`sources` of a base64 text that holds JSON: `ref` is the name, `pin` the digest."""
    try:
        content = a2b_base64(value if isinstance(value, str) else "", strict_mode=True)
    except (NotBase64, ValueError):
        return
    for each in map(_dict, _list(_dict(_json(content)).get("sources"))):
        if each.get("type") == "docker-image":
            yield _named("buildinfo", str(each.get("ref") or ""), str(each.get("pin") or ""))


def _materials(entries: Sequence[Any]) -> Iterator[NamedBase]:
    """Package URLs of type docker (purl-spec), each with the digest beside it."""
    for entry in map(_dict, entries):
        found = _PURL.match(_decoded(str(entry.get("uri") or "")))
        if found:
            name = f"{found['name']}:{found['tag']}" if found["tag"] else found["name"]
            sha256 = _dict(entry.get("digest")).get("sha256")
            yield _named("provenance", name, f"sha256:{sha256}" if sha256 else "")


def _named(source: Source, name: str, digest: str) -> NamedBase:
    try:
        reference = Reference.parse(name)
        reference = reference.with_digest(Digest.parse(digest)) if digest else reference
    except InvalidReference:
        return NamedBase(source=source, text=f"{name}@{digest}"[:_LONGEST_TEXT], reference=None)
    return NamedBase(source=source, text=str(reference), reference=reference)


def _decoded(text: str) -> str:
    return re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()

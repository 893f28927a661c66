"""OCI images as documents: manifests, indexes, image configs (OCI image-spec 1.1; Docker manifest v2, schema 2).

Parsing is strict where a wrong value would mislead (digests, sizes, layer counts), silent about what it does not know.
Nothing here fetches; the bytes come from a registry that has already compared them with their digest.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from bot.core.digest import Digest
from bot.core.errors import InvalidImage, InvalidReference
from bot.core.platforms import Platform

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_TYPES: Final = (OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST)
"""All four, in the order in which they stand in an Accept header; with fewer a registry may answer something else."""

BASE_NAME_LABEL: Final = "org.opencontainers.image.base.name"
BASE_DIGEST_LABEL: Final = "org.opencontainers.image.base.digest"
REVISION_LABEL: Final = "org.opencontainers.image.revision"
ORIGIN_LABELS: Final = "refrom."
"""What the labels begin with that say from which Dockerfile an image of ours is built (`bot.core.mapping`)."""
RECIPE_LABEL: Final = f"{ORIGIN_LABELS}recipe"
"""The label with a digest of what makes an image of ours beside the commit: Dockerfile, context, stage, arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A pointer to content: media type, digest, size in bytes."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One image for one platform; `raw` are the bytes that `digest` is the digest of."""

    digest: Digest
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A multi-platform image; `images` leaves out attestations and entries of unknown platform."""

    digest: Digest
    media_type: str
    entries: tuple[Descriptor, ...]
    raw: bytes = field(repr=False)

    @property
    def images(self) -> Mapping[Platform, Descriptor]:
        """The entries that are images, by platform; the first of a platform wins, as in containerd."""
        found: dict[Platform, Descriptor] = {}
        for entry in self.entries:
            if entry.platform is not None and entry.platform.os != "unknown":
                found.setdefault(entry.platform, entry)
        return found

    @property
    def attestations(self) -> tuple[Descriptor, ...]:
        """The entries that are BuildKit attestations."""
        return tuple(e for e in self.entries if e.annotations.get("vnd.docker.reference.type"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """The parts of an image config that refrom reads; `document` is the whole of it, for rewriting."""

    platform: Platform
    created: datetime | None
    env: tuple[str, ...]
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    working_dir: str
    labels: Mapping[str, str]
    diff_ids: tuple[Digest, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image for one platform, read whole: its manifest and its config."""

    manifest: Manifest
    config: ImageConfig

    @property
    def digest(self) -> Digest:
        """The digest of the platform's manifest."""
        return self.manifest.digest

    @property
    def platform(self) -> Platform:
        """The platform that the config states."""
        return self.config.platform

    @property
    def layer_digests(self) -> tuple[Digest, ...]:
        """The digests of the layers as they lie in the registry, lowest first."""
        return tuple(layer.digest for layer in self.manifest.layers)


def parse_manifest(raw: bytes, *, media_type: str | None = None) -> Manifest | Index:
    """Read a manifest or an index; the document's own `mediaType` wins over the one that a server named.

    Raises `InvalidImage` for schema 1, for other documents and for malformed fields, and for a document that could be
    read both as a manifest and as an index (CVE-2021-41190).
    """
    document, digest = _load(raw, "manifest"), Digest.of(raw)
    if "manifests" in document and ("layers" in document or "config" in document):
        raise InvalidImage(f"manifest {digest} is both a manifest and an index; build the image again")
    kind = _kind(document, media_type or "")
    try:
        if kind in (OCI_INDEX, DOCKER_INDEX):
            entries = tuple(_descriptor(entry) for entry in _list(document, "manifests"))
            return Index(digest=digest, media_type=kind, entries=entries, raw=raw)
        layers = tuple(_descriptor(layer) for layer in _list(document, "layers"))
        return Manifest(
            digest=digest, media_type=kind, config=_descriptor(document.get("config")), layers=layers, raw=raw
        )
    except (InvalidReference, TypeError, ValueError, AttributeError) as fault:
        raise InvalidImage(f"manifest {digest} is malformed: {fault}") from fault


def parse_config(raw: bytes) -> ImageConfig:
    """Read an image config; raises `InvalidImage` where platform or diff IDs cannot be read."""
    document = _load(raw, "image config")
    container, rootfs = document.get("config") or {}, document.get("rootfs") or {}
    try:
        return ImageConfig(
            platform=Platform.of(
                str(document.get("os") or "linux"),
                str(document["architecture"]),
                str(document.get("variant") or ""),
            ),
            created=parse_time(document.get("created")),
            env=_strings(container.get("Env")),
            entrypoint=_strings(container.get("Entrypoint")),
            cmd=_strings(container.get("Cmd")),
            working_dir=str(container.get("WorkingDir") or ""),
            labels={str(k): str(v) for k, v in (container.get("Labels") or {}).items()},
            diff_ids=tuple(Digest.parse(str(text)) for text in rootfs.get("diff_ids") or ()),
            document=document,
        )
    except (InvalidReference, KeyError, TypeError, AttributeError) as fault:
        raise InvalidImage(f"image config {Digest.of(raw)} is malformed: {fault!r}") from fault


def parse_time(value: object) -> datetime | None:
    """Read an RFC 3339 time as UTC; None for anything else (a time is a hint here, never a proof)."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # OverflowError: a year before 1 or after 9999 once it is in UTC
        return None


def to_json(document: Mapping[str, Any]) -> bytes:
    """Write a document as compact JSON, keys in the order given; ASCII, because JSON can hold what UTF-8 cannot."""
    return json.dumps(document, separators=(",", ":")).encode()


def _load(raw: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as fault:
        raise InvalidImage(f"{what} {Digest.of(raw)} is not JSON") from fault
    if not isinstance(document, dict):
        raise InvalidImage(f"{what} {Digest.of(raw)} is not a JSON object")
    return document


def _kind(document: Mapping[str, Any], served: str) -> str:
    """Say of which type a document is; one without mediaType, which OCI allows, is recognised by its fields."""
    stated = document.get("mediaType")
    kind = str(stated or served.partition(";")[0].strip())
    if kind in MANIFEST_TYPES:
        return kind
    if not stated and document.get("schemaVersion") == 2:
        if isinstance(document.get("manifests"), list):
            return OCI_INDEX
        if isinstance(document.get("layers"), list):
            return OCI_MANIFEST
    raise InvalidImage(f"media type {kind[:100]!r} is no image manifest or index that refrom reads")


def _list(document: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = document.get(name)
    if not isinstance(value, list):
        raise TypeError(f"{name} is not a list")
    return value


def _descriptor(value: object) -> Descriptor:
    if not isinstance(value, dict):
        raise TypeError("a descriptor is not an object")
    size, where = value.get("size"), value.get("platform")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError("a descriptor has no size")
    platform = None
    if isinstance(where, dict):
        platform = Platform.of(
            str(where.get("os") or ""), str(where.get("architecture") or ""), str(where.get("variant") or "")
        )
    return Descriptor(
        media_type=str(value.get("mediaType") or ""),
        digest=Digest.parse(str(value.get("digest"))),
        size=size,
        platform=platform,
        annotations={str(k): str(v) for k, v in (value.get("annotations") or {}).items()},
    )


def _strings(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise TypeError("a list of strings is expected")
    return tuple(str(item) for item in value)

"""Small true images: gzip layers, config, manifest, index, stored through a registry's own writing methods."""

import gzip
import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from bot.core.digest import Digest
from bot.core.image import OCI_INDEX, OCI_MANIFEST, Descriptor, to_json
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.registry import ImageWriter

CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
AMD64: Final = Platform.parse("linux/amd64")
ARM64: Final = Platform.parse("linux/arm64")
CREATED: Final = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)


def tar(files: Mapping[str, bytes]) -> bytes:
    """Make a tar of regular files, the same bytes each time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def put_image(
    writer: ImageWriter,
    target: Reference,
    layers: Sequence[Mapping[str, bytes]] = ({"etc/os-release": b"ID=lab\n"},),
    *,
    platform: Platform = AMD64,
    created: datetime = CREATED,
    labels: Mapping[str, str] | None = None,
    history: Sequence[datetime] | None = None,
    level: int = 9,
) -> Descriptor:
    """Store an image of these layers and return its descriptor, as an index lists it.

    `history` is when each of its steps was made, `level` how hard the layers are compressed.
    """
    tars = [tar(files) for files in layers]
    blobs = [writer.put_blob(target, LAYER_TYPE, gzip.compress(content, level, mtime=0)) for content in tars]
    config: dict[str, object] = {
        "created": created.isoformat(),
        "os": platform.os,
        "architecture": platform.architecture,
        "config": {
            "Entrypoint": ["/lambda-entrypoint.sh"],
            "WorkingDir": "/var/task",
            **({"Labels": dict(labels)} if labels else {}),
        },
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(content)) for content in tars]},
    }
    if history is not None:
        config["history"] = [{"created": moment.isoformat(), "created_by": "COPY"} for moment in history]
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _written(writer.put_blob(target, CONFIG_TYPE, to_json(config))),
        "layers": [_written(blob) for blob in blobs],
    }
    descriptor = put_document(writer, target, OCI_MANIFEST, manifest)
    return replace(descriptor, platform=platform)


def put_index(writer: ImageWriter, target: Reference, images: Sequence[Descriptor]) -> Descriptor:
    """Store an index of images that are already in the repository."""
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [_written(image) for image in images]}
    return put_document(writer, target, OCI_INDEX, index)


def put_attestation(writer: ImageWriter, target: Reference, image: Descriptor, statement: bytes) -> Descriptor:
    """Store provenance of an image as BuildKit does, and return its entry for the image's index."""
    blob = writer.put_blob(target, "application/vnd.in-toto+json", statement)
    predicate = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
    config = {"os": "unknown", "architecture": "unknown", "rootfs": {"type": "layers", "diff_ids": [str(blob.digest)]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _written(writer.put_blob(target, CONFIG_TYPE, to_json(config))),
        "layers": [_written(replace(blob, annotations=predicate))],
    }
    attests = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": str(image.digest)}
    stored = put_document(writer, target, OCI_MANIFEST, manifest)
    return replace(stored, platform=Platform("unknown", "unknown"), annotations=attests)


def put_document(writer: ImageWriter, target: Reference, media_type: str, document: Mapping[str, object]) -> Descriptor:
    """Store any manifest."""
    content = to_json(document)
    digest = writer.put_manifest(target, media_type, content)
    return Descriptor(media_type=media_type, digest=digest, size=len(content))


def _written(descriptor: Descriptor) -> dict[str, object]:
    document: dict[str, object] = {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }
    if descriptor.platform:
        document["platform"] = {"os": descriptor.platform.os, "architecture": descriptor.platform.architecture}
    if descriptor.annotations:
        document["annotations"] = dict(descriptor.annotations)
    return document

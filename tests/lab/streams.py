"""Streams as AWS publishes them: an index of two platforms or a single manifest, in OCI's or in Docker's types."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.core.digest import Digest
from bot.core.image import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.registry import ImageWriter
from tests.lab.images import CREATED, put_document, put_image

_DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
_DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_ATTESTED: Final = {"vnd.docker.reference.type": "attestation-manifest"}
_IN_TOTO: Final = "application/vnd.in-toto+json"


def put_stream(
    writer: ImageWriter,
    target: Reference,
    platforms: Sequence[Platform],
    contents: str,
    *,
    docker: bool = False,
    attested: bool = False,
    created: datetime = CREATED,
) -> Digest:
    """Publish one digest of a stream under its tag; one platform alone is a single manifest, as in older streams.

    Platforms differ in their contents. `attested` adds an attestation of each image, as BuildKit lists it.
    """
    single = len(platforms) == 1
    images = [
        _image(writer, target if single else target.with_tag(None), platform, f"{contents} {platform}", docker, created)
        for platform in platforms
    ]
    if single:
        return images[0].digest
    entries = [*images, *(_attestation(writer, target, image) for image in images if attested)]
    return put_set(writer, target, entries, docker=docker)


def put_set(writer: ImageWriter, target: Reference, entries: Sequence[Descriptor], *, docker: bool = False) -> Digest:
    """Publish an index of images that are there, under the target's tag."""
    kind = DOCKER_INDEX if docker else OCI_INDEX
    index = {"schemaVersion": 2, "mediaType": kind, "manifests": [_entry(entry) for entry in entries]}
    return put_document(writer, target, kind, index).digest


def _image(
    writer: ImageWriter, target: Reference, platform: Platform, text: str, docker: bool, created: datetime
) -> Descriptor:
    layers = ({"etc/os-release": b"ID=lab\n"}, {"var/runtime/bootstrap": text.encode()})
    if not docker:
        return put_image(writer, target, layers, platform=platform, created=created)
    image = put_image(writer, target.with_tag(None), layers, platform=platform, created=created)
    return replace(_in_docker_types(writer, target, image), platform=platform)


def _in_docker_types(writer: ImageWriter, target: Reference, image: Descriptor) -> Descriptor:
    """Publish an image again under a manifest of Docker's types."""
    manifest = writer.manifest(target.with_digest(image.digest))  # type: ignore[attr-defined]  # every writer of ours reads
    assert isinstance(manifest, Manifest)
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": _entry(replace(manifest.config, media_type=_DOCKER_CONFIG)),
        "layers": [_entry(replace(layer, media_type=_DOCKER_LAYER)) for layer in manifest.layers],
    }
    return put_document(writer, target, DOCKER_MANIFEST, document)


def _attestation(writer: ImageWriter, target: Reference, image: Descriptor) -> Descriptor:
    """Publish what BuildKit puts beside an image with provenance: a manifest for no platform."""
    statement = writer.put_blob(target, _IN_TOTO, f'{{"subject": "{image.digest}"}}'.encode())
    config = writer.put_blob(target, "application/vnd.oci.image.config.v1+json", b'{"rootfs": {"diff_ids": []}}')
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _entry(config),
        "layers": [_entry(statement)],
    }
    descriptor = put_document(writer, target.with_tag(None), OCI_MANIFEST, document)
    annotations = {**_ATTESTED, "vnd.docker.reference.digest": str(image.digest)}
    return replace(descriptor, platform=Platform("unknown", "unknown"), annotations=annotations)


def _entry(descriptor: Descriptor) -> dict[str, object]:
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

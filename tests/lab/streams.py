"""Streams as AWS publishes them: an index of two platforms or a single manifest, in OCI's or in Docker's types."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.adapters.registry import Store
from bot.core.digest import Digest
from bot.core.image import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, Descriptor, Manifest
from bot.core.platforms import Platform
from bot.core.reference import Reference
from tests.lab.images import CREATED, entry_of, put_attestation, put_document, put_image

_DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
_DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def put_stream(
    writer: Store,
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
    if attested:
        untagged = target.with_tag(None)
        images += [put_attestation(writer, untagged, image, str(image.digest).encode()) for image in images]
    return put_set(writer, target, images, docker=docker)


def put_set(writer: Store, target: Reference, entries: Sequence[Descriptor], *, docker: bool = False) -> Digest:
    """Publish an index of images that are there, under the target's tag."""
    kind = DOCKER_INDEX if docker else OCI_INDEX
    index = {"schemaVersion": 2, "mediaType": kind, "manifests": [entry_of(entry) for entry in entries]}
    return put_document(writer, target, kind, index).digest


def _image(
    writer: Store, target: Reference, platform: Platform, text: str, docker: bool, created: datetime
) -> Descriptor:
    layers = ({"etc/os-release": b"ID=lab\n"}, {"var/runtime/bootstrap": text.encode()})
    if not docker:
        return put_image(writer, target, layers, platform=platform, created=created)
    image = put_image(writer, target.with_tag(None), layers, platform=platform, created=created)
    return replace(_in_docker_types(writer, target, image), platform=platform)


def _in_docker_types(writer: Store, target: Reference, image: Descriptor) -> Descriptor:
    """Publish an image again under a manifest of Docker's types."""
    manifest = writer.manifest(target.with_digest(image.digest))
    assert isinstance(manifest, Manifest)
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": entry_of(replace(manifest.config, media_type=_DOCKER_CONFIG)),
        "layers": [entry_of(replace(layer, media_type=_DOCKER_LAYER)) for layer in manifest.layers],
    }
    return put_document(writer, target, DOCKER_MANIFEST, document)

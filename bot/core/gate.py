"""What Lambda takes as a function's image (AWS Lambda developer guide, "Create a function using a container image").

Lambda answers a wrong image late and tersely; here each fault is a sentence that says how to cure it.
The gate reads documents only: it cannot know whether the expanded image fits, nor whether the program starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.core.image import DOCKER_MANIFEST, OCI_MANIFEST, ImageConfig, Index, Manifest
from bot.core.platforms import Platform

ADVISED_MANIFEST_SIZE: Final = 25_400
"""Bytes; Lambda asks for less, and does not say what happens above."""
LARGEST_IMAGE: Final = 10 * 1024**3
"""Bytes of the expanded image; compressed layers that are larger cannot expand to less."""
MOST_LAYERS: Final = 127
"""What overlay file systems and the Docker Engine take."""

_CONFIG_TYPES: Final = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_LAYER_TYPES: Final = (
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
_ATTESTATION: Final = "application/vnd.in-toto"
"""What BuildKit's attestations have in the place of layers (BuildKit, attestation-storage.md)."""
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against an image, with its cure; `advice` is true where Lambda would take the image all the same."""

    message: str
    advice: bool = False

    def __str__(self) -> str:
        return self.message


def check_image(manifest: Manifest | Index, config: ImageConfig | None, platform: Platform) -> tuple[Refusal, ...]:
    """Say everything that speaks against an image for a function on this platform; nothing means Lambda takes it.

    Without `config` only the manifest is judged, which is all there is of an index.
    """
    if isinstance(manifest, Index):
        return (_refuse_index(manifest, platform),)
    return (*_check_types(manifest), *_check_sizes(manifest), *_check_config(config, platform))


def _refuse_index(index: Index, platform: Platform) -> Refusal:
    what = "an index with attestations" if index.attestations else "an index"
    child = index.images.get(platform)
    instead = f", or deploy its {platform} image {child.digest}" if child else ""
    return Refusal(
        f"{index.digest} is {what}, and Lambda takes only a single image; "
        f"build one platform with --provenance=false --sbom=false{instead}"
    )


def _check_types(manifest: Manifest) -> Iterator[Refusal]:
    if manifest.media_type not in (OCI_MANIFEST, DOCKER_MANIFEST):
        yield _refuse_type("manifest", manifest.media_type)
    if manifest.config.media_type not in _CONFIG_TYPES:
        yield _refuse_type("config", manifest.config.media_type)
    # One refusal for each type, however many layers have it.
    for kind in dict.fromkeys(layer.media_type for layer in manifest.layers):
        if kind.startswith(_ATTESTATION):
            yield Refusal("this is an attestation of an image; build with --provenance=false --sbom=false")
        elif kind.endswith(("+zstd", ".zstd")):
            yield Refusal(f"layer type {kind[:_SHOWN]!r} is not known to work on Lambda; compress layers with gzip")
        elif kind not in _LAYER_TYPES:
            yield _refuse_type("layer", kind)


def _refuse_type(what: str, kind: str) -> Refusal:
    return Refusal(f"{what} type {kind[:_SHOWN]!r} is none that Lambda takes; build a Docker schema 2 or OCI image")


def _check_sizes(manifest: Manifest) -> Iterator[Refusal]:
    layers, size = len(manifest.layers), len(manifest.raw)
    compressed = sum(layer.size for layer in manifest.layers)
    if compressed > LARGEST_IMAGE:
        yield Refusal(
            f"the layers have {compressed:,} compressed bytes, and Lambda takes {LARGEST_IMAGE:,} expanded ones; "
            "leave files out of the image"
        )
    if layers > MOST_LAYERS:
        yield Refusal(f"the image has {layers} layers, more than {MOST_LAYERS}; join instructions of the Dockerfile")
    if size > ADVISED_MANIFEST_SIZE:
        yield Refusal(
            f"the manifest has {size:,} bytes, and Lambda advises at most {ADVISED_MANIFEST_SIZE:,}; "
            "use fewer layers and annotations",
            advice=True,
        )


def _check_config(config: ImageConfig | None, platform: Platform) -> Iterator[Refusal]:
    if platform.lambda_architecture is None:
        yield Refusal(f"Lambda does not run {platform}; build for linux/amd64 or linux/arm64")
    if config is None:
        return
    if config.platform != platform:
        yield Refusal(
            f"the image is for {config.platform}, the function for {platform}; build with --platform {platform}"
        )
    if not config.entrypoint and not config.cmd:
        yield Refusal("the image has neither ENTRYPOINT nor CMD; end the Dockerfile with CMD and the handler's name")

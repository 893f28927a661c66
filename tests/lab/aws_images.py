"""What Lambda takes as an image and what it refuses, looked up in the real registry.

Texts are the service's own (collected from public reports), but for the one marked as the lab's.
"""

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from bot.core.errors import InvalidReference
from bot.core.image import DOCKER_MANIFEST, OCI_MANIFEST, Index, Manifest
from bot.core.platforms import Platform
from bot.core.reference import Reference
from tests.lab.aws_protocols import AwsError
from tests.lab.aws_registry import ImageSource

MAX_UNPACKED: Final = 10 * 2**30
_ECR: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com\Z")
_MANIFESTS: Final = (OCI_MANIFEST, DOCKER_MANIFEST)
_CONFIGS: Final = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_LAYERS: Final = (
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedImage:
    """An image that Lambda took: as given, and by digest; `flaw` is what it finds wrong only later."""

    uri: str
    resolved: str
    digest_hex: str
    flaw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaImages:
    """Lambda's checks of an image URI; URIs of the registry itself and of ECR both lead to the registry."""

    source: ImageSource
    max_unpacked: int = MAX_UNPACKED

    def resolve(self, uri: str, *, region: str, architecture: str) -> ResolvedImage:
        """Resolve an image URI to a digest as Lambda does at once; `AwsError` where it refuses at once."""
        reference = self._reference(uri, region)
        name = str(reference.digest or reference.tag)
        document = self.source.manifest(reference.repository, name)
        if document is None:
            _refuse(f"Source image {uri} does not exist. Provide a valid source image.")
        manifest = _supported(uri, document)
        self._check_platform(uri, reference.repository, manifest, architecture)
        size = self.source.unpacked_size(reference.repository, manifest, at_most=self.max_unpacked)
        too_large = "SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit"
        return ResolvedImage(
            uri=uri,
            resolved=f"{reference.name}@{manifest.digest}",
            digest_hex=manifest.digest.hex,
            flaw=too_large if size > self.max_unpacked else "",
        )

    def _reference(self, uri: str, region: str) -> Reference:
        """Read a URI as Lambda does: an ECR host of the function's Region, and either a tag or a digest."""
        try:
            reference = Reference.parse(uri)
        except InvalidReference:
            _invalid(uri)
        ecr = _ECR.match(reference.registry)
        is_here = reference.registry == self.source.host or (ecr is not None and ecr["region"] == region)
        if not is_here or (reference.tag is None) == (reference.digest is None):
            _invalid(uri)
        return reference

    def _check_platform(self, uri: str, repository: str, manifest: Manifest, architecture: str) -> None:
        """Refuse another platform.

        The lab is stricter than Lambda, which takes the image and then fails to start it (`exec format error`,
        Runtime.InvalidEntrypoint): nobody invokes anything here, so it would go unnoticed.
        """
        config = self.source.config(repository, manifest)
        platform = Platform.of(config.get("os", ""), config.get("architecture", ""), config.get("variant", ""))
        if platform != Platform.of_function(architecture):
            _refuse(f"[lab] Source image {uri} is for {platform}, the function for {architecture}.")


def _supported(uri: str, document: Manifest | Index) -> Manifest:
    """Refuse an index, attested or not, and every media type that Lambda does not read."""
    if (
        isinstance(document, Index)
        or document.media_type not in _MANIFESTS
        or document.config.media_type not in _CONFIGS
        or any(layer.media_type not in _LAYERS for layer in document.layers)
    ):
        _refuse(f"The image manifest, config or layer media type for the source image {uri} is not supported.")
    return document


def _invalid(uri: str) -> NoReturn:
    _refuse(f"Source image {uri} is not valid. Provide a valid source image.")


def _refuse(text: str) -> NoReturn:
    raise AwsError("InvalidParameterValueException", text)

"""Registries: where images are read and, by a few, written."""

from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from bot.core.digest import Digest
from bot.core.image import Descriptor, Image, Index, Manifest
from bot.core.platforms import Platform
from bot.core.reference import Reference


class Registry(Protocol):
    """Reads images; every byte that leaves it was compared with its digest.

    All methods raise `RegistryError` with the reference and the cure.
    """

    def manifest(self, reference: Reference) -> Manifest | Index:
        """Fetch what a tag or digest names, by digest where the reference has one (one request)."""
        ...

    def image(self, reference: Reference, platform: Platform | None = None) -> Image:
        """Fetch one platform's manifest and config; without platform the reference must be one image."""
        ...

    def blob(self, reference: Reference, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """Open a blob as a stream; reading to its end raises `RegistryError` if size or digest differ."""
        ...


class WatchedRegistry(Registry, Protocol):
    """A registry whose tags are watched for what they name next."""

    def moved(self, reference: Reference, known: Digest) -> Manifest | Index | None:
        """Fetch what a tag names, None if that is still `known` (one request; most registries then send no body)."""
        ...


class ImageWriter(Protocol):
    """Writes images; each call is safe to repeat."""

    def copy_blob(self, source: Reference, descriptor: Descriptor, target: Reference) -> int:
        """Make a blob of one repository available in another: nothing if there, else mounted, else copied.

        Return how many bytes were moved; what was once copied into a registry is mounted by its other repositories.
        """
        ...

    def put_blob(self, target: Reference, media_type: str, content: bytes) -> Descriptor:
        """Store a small blob, such as a config."""
        ...

    def put_manifest(self, target: Reference, media_type: str, content: bytes) -> Digest:
        """Store a manifest under the target's tag, or under its digest alone where it has no tag."""
        ...

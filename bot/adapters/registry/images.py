"""What every registry of ours does in the same way: check documents, stream blobs, put an image together."""

import hashlib
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO, Final, Protocol

from bot.adapters.registry.refusal import translated
from bot.core.digest import Digest
from bot.core.errors import InvalidReference, RegistryError
from bot.core.image import MANIFEST_TYPES, Descriptor, Image, ImageConfig, Index, Manifest, parse_config, parse_manifest
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.registry import ImageWriter, Registry, WatchedRegistry

LARGEST_DOCUMENT: Final = 4 << 20
"""Bytes of a manifest, an index or an image config; registries refuse larger manifests (distribution-spec)."""

Source = Callable[[], AbstractContextManager[BinaryIO]]


class Store(WatchedRegistry, ImageWriter, Protocol):
    """A registry that is read and written, and that takes blobs from other registries."""

    def add_blob(self, target: Reference, descriptor: Descriptor, source: Source) -> int:
        """Make a blob available from a stream, which is opened only if the blob is not there; return bytes moved."""
        ...


def read_image(registry: Registry, reference: Reference, platform: Platform | None) -> Image:
    """Fetch one platform's manifest and config, and check that they belong together."""
    manifest = _choose(registry, reference, platform)
    if manifest.config.size > LARGEST_DOCUMENT:
        raise RegistryError(f"{reference} has a config of {manifest.config.size} bytes; {LARGEST_DOCUMENT} are allowed")
    with registry.blob(reference, manifest.config) as stream:
        content = stream.read()
    with translated(reference):
        config = parse_config(content)
    _check(reference, manifest, config, platform)
    return Image(manifest=manifest, config=config)


def unless_known(document: Manifest | Index, known: Digest) -> Manifest | Index | None:
    """Return a document if it is another than the known one."""
    return None if document.digest == known else document


def checked_manifest(
    reference: Reference, content: bytes, *, media_type: str = "", stated: str | None = None
) -> Manifest | Index:
    """Parse a manifest whose bytes have the digest that was asked for, or that the registry stated for a tag."""
    try:
        expected = reference.digest or (Digest.parse(stated) if stated else None)
    except InvalidReference as fault:
        raise RegistryError(f"{reference}: the registry states a malformed digest: {fault}") from fault
    if expected and not expected.verifies(content):
        raise RegistryError(
            f"{reference} should be {expected}, but the bytes are {Digest.of(content)}; they are not used"
        )
    with translated(reference):
        return parse_manifest(content, media_type=media_type)


def checked_digest(target: Reference, media_type: str, content: bytes) -> Digest:
    """Return the digest of a manifest that is about to be stored, if it may be stored under that reference."""
    if media_type not in MANIFEST_TYPES:
        raise RegistryError(f"{target} cannot be stored as {media_type!r}; use one of {', '.join(MANIFEST_TYPES)}")
    if len(content) > LARGEST_DOCUMENT:
        raise RegistryError(f"{target} has a manifest of {len(content)} bytes; {LARGEST_DOCUMENT} are allowed")
    if target.digest and not target.digest.verifies(content):
        raise RegistryError(f"{target} cannot be stored: its manifest is {Digest.of(content)}")
    return target.digest or Digest.of(content)


def verified(reference: Reference, descriptor: Descriptor, read: Callable[[int], bytes]) -> BinaryIO:
    """Make a stream that ends well only if size and digest are the descriptor's."""
    return io.BufferedReader(_Verified(reference, descriptor, read), 1 << 16)


class _Verified(io.RawIOBase):
    """Compares while it is read; the last bytes are given out only after the digest has proved right."""

    def __init__(self, reference: Reference, descriptor: Descriptor, read: Callable[[int], bytes]) -> None:
        self._reference, self._descriptor, self._read = reference, descriptor, read
        self._hash = hashlib.new(descriptor.digest.algorithm)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # narrower than Buffer
        block = self._read(len(buffer))
        self._count += len(block)
        self._hash.update(block)
        size = self._descriptor.size
        if self._count > size or (not block and self._count < size):
            have = f"more than {size}" if self._count > size else f"only {self._count} of {size}"
            raise self._fault(f"has {have} bytes")
        if self._count == size and self._hash.hexdigest() != self._descriptor.digest.hex:
            raise self._fault("holds other bytes than its digest says")
        buffer[: len(block)] = block
        return len(block)

    def _fault(self, what: str) -> RegistryError:
        return RegistryError(f"{self._reference}: blob {self._descriptor.digest} {what}; it is not used")


def _choose(registry: Registry, reference: Reference, platform: Platform | None) -> Manifest:
    document = registry.manifest(reference)
    if isinstance(document, Manifest):
        return document
    offered = dict(document.images)
    chosen = platform or (next(iter(offered)) if len(offered) == 1 else None)
    if chosen is None or chosen not in offered:
        names = ", ".join(str(each) for each in sorted(offered)[:20]) or "none"
        wish = f"has no image for {platform}" if platform else "is an index; name a platform"
        raise RegistryError(f"{reference} {wish} (it offers: {names})")
    child = registry.manifest(reference.with_digest(offered[chosen].digest))
    if not isinstance(child, Manifest) or len(child.raw) != offered[chosen].size:
        raise RegistryError(f"{reference} offers {offered[chosen].digest} for {chosen}, which is not that manifest")
    return child


def _check(reference: Reference, manifest: Manifest, config: ImageConfig, platform: Platform | None) -> None:
    if len(config.diff_ids) != len(manifest.layers):
        raise RegistryError(
            f"{reference}: manifest {manifest.digest} has {len(manifest.layers)} layers, "
            f"its config {len(config.diff_ids)} diff IDs; it is not used"
        )
    if platform and (config.platform.os, config.platform.architecture) != (platform.os, platform.architecture):
        raise RegistryError(f"{reference} is for {config.platform}, not for {platform}")

"""Registries in a folder: OCI image layouts, for tests, demonstrations and air-gapped use (image-layout.md)."""

from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from bot.adapters.registry.images import Source, checked_digest, checked_manifest, read_image, unless_known
from bot.adapters.registry.layout_folder import REF_NAME, LayoutFolder
from bot.adapters.registry.refusal import translated
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import Descriptor, Image, Index, Manifest, parse_manifest
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.registry import WatchedRegistry


class LayoutRegistry:
    """A folder with one layout for each repository, `ROOT/REPOSITORY/`, whatever host the reference names.

    Keeps the promises of the ports `Registry` and `ImageWriter`; skopeo reads it as `oci:ROOT/REPOSITORY:TAG`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def manifest(self, reference: Reference) -> Manifest | Index:
        """Fetch what a tag or digest names."""
        if reference.digest is None and reference.tag is None:
            raise RegistryError(f"{reference} names neither a tag nor a digest; add one, such as :latest")
        return _manifest(self._folder(reference), reference, reference.tag)

    def moved(self, reference: Reference, known: Digest) -> Manifest | Index | None:
        """Read what a tag names unless that is still `known`."""
        return unless_known(self.manifest(reference), known)

    def image(self, reference: Reference, platform: Platform | None = None) -> Image:
        """Fetch one platform's manifest and config."""
        return read_image(self, reference, platform)

    def blob(self, reference: Reference, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """Open a blob as a stream that checks itself."""
        return self._folder(reference).blob(reference, descriptor)

    def copy_blob(self, source: Reference, descriptor: Descriptor, target: Reference) -> int:
        """Make a blob available in another repository of this folder; layouts share no files, so it is copied."""
        return self.add_blob(target, descriptor, lambda: self.blob(source, descriptor))

    def add_blob(self, target: Reference, descriptor: Descriptor, source: Source) -> int:
        """Make a blob available from a stream, which is opened only if the blob is not there."""
        folder = self._folder(target)
        if folder.holds(descriptor.digest):
            return 0
        folder.add(target, descriptor, source)
        return descriptor.size

    def put_blob(self, target: Reference, media_type: str, content: bytes) -> Descriptor:
        """Store a small blob."""
        descriptor = Descriptor(media_type=media_type, digest=Digest.of(content), size=len(content))
        self.add_blob(target, descriptor, lambda: BytesIO(content))
        return descriptor

    def put_manifest(self, target: Reference, media_type: str, content: bytes) -> Digest:
        """Store a manifest whose blobs are there, under the target's tag or under its digest alone."""
        digest, folder = checked_digest(target, media_type, content), self._folder(target)
        with translated(target):
            document = parse_manifest(content, media_type=media_type)
            parts = document.entries if isinstance(document, Index) else (document.config, *document.layers)
            missing = [str(part.digest) for part in parts if not folder.holds(part.digest)]
            if missing:
                raise RegistryError(f"{target} needs {missing[0]}, which is not in the layout; store it first")
            descriptor = Descriptor(media_type=media_type, digest=digest, size=len(content))
            folder.add(target, descriptor, lambda: BytesIO(content))
            if target.tag:
                folder.tag(target, descriptor, target.tag)
        return digest

    def _folder(self, reference: Reference) -> LayoutFolder:
        return LayoutFolder(self._root / reference.repository)


def single_layout(directory: Path, tag: str | None) -> WatchedRegistry:
    """Read one layout, `oci:DIR:TAG` or `oci:DIR` of its only image; a reference says no more than its digest."""
    return _SingleLayout(directory, tag)


class _SingleLayout:
    def __init__(self, directory: Path, tag: str | None) -> None:
        self._directory, self._folder, self._tag = directory, LayoutFolder(directory), tag

    def manifest(self, reference: Reference) -> Manifest | Index:
        if not (self._directory / "index.json").is_file():
            raise RegistryError(f"{self._directory} is no OCI image layout; it has no index.json", status=404)
        try:
            return _manifest(self._folder, reference, self._tag)
        except RegistryError as fault:  # the reference in it only stands for the folder that the user named
            raise RegistryError(f"oci:{self._directory}: {fault}", status=fault.status) from fault

    def moved(self, reference: Reference, known: Digest) -> Manifest | Index | None:
        return unless_known(self.manifest(reference), known)

    def image(self, reference: Reference, platform: Platform | None = None) -> Image:
        return read_image(self, reference, platform)

    def blob(self, reference: Reference, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        return self._folder.blob(reference, descriptor)


def _manifest(folder: LayoutFolder, reference: Reference, tag: str | None) -> Manifest | Index:
    """Read by digest where the reference has one, else what the index lists under the tag."""
    if reference.digest:
        return checked_manifest(reference, folder.document(reference, reference.digest))
    entry = _entry(folder, reference, tag)
    content = folder.document(reference, entry.digest)
    return checked_manifest(reference, content, media_type=entry.media_type, stated=str(entry.digest))


def _entry(folder: LayoutFolder, reference: Reference, tag: str | None) -> Descriptor:
    with translated(reference):
        entries = folder.entries(reference)
    named = [entry for entry in entries if tag is None or entry.annotations.get(REF_NAME) == tag]
    if len(named) == 1:
        return named[0]
    have = ", ".join(sorted(entry.annotations.get(REF_NAME, "(untagged)") for entry in entries)[:20]) or "nothing"
    wish = f"has no tag {tag}" if tag and not named else "does not name one image" if named else "is empty"
    raise RegistryError(f"{reference} {wish}; the layout holds {have}", status=404)

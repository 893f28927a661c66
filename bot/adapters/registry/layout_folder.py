"""One OCI image layout on disk (OCI image-spec, image-layout.md): blobs by digest, an index of tags.

Files appear whole or not at all; the index is rewritten under a lock, so that several processes may write.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import uuid4

from bot.adapters.registry.images import LARGEST_DOCUMENT, Source, verified
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import OCI_INDEX, Descriptor, Index, parse_manifest, to_json
from bot.core.reference import Reference

REF_NAME: Final = "org.opencontainers.image.ref.name"
_VERSION: Final = {"imageLayoutVersion": "1.0.0"}
_BLOCK = 1 << 20


class LayoutFolder:
    """The files of one layout; `reference` in the methods is only what messages are about."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def entries(self, reference: Reference) -> tuple[Descriptor, ...]:
        """Return what the index lists, tagged or not; nothing where there is no layout yet."""
        index = parse_manifest(to_json(self._index(reference)), media_type=OCI_INDEX)
        return index.entries if isinstance(index, Index) else ()

    def document(self, reference: Reference, digest: Digest) -> bytes:
        """Read a small blob; a status of 404 says that it is not there."""
        with _explained(reference), self._blob_path(digest).open("rb") as file:
            return _bounded(reference, file)

    @contextmanager
    def blob(self, reference: Reference, descriptor: Descriptor) -> Iterator[BinaryIO]:
        """Open a blob as a stream that checks itself."""
        with _explained(reference):
            file = self._blob_path(descriptor.digest).open("rb", buffering=0)
        with file:
            yield verified(reference, descriptor, lambda size: file.read(size) or b"")

    def holds(self, digest: Digest) -> bool:
        """Say whether a blob is there."""
        return self._blob_path(digest).is_file()

    def add(self, reference: Reference, descriptor: Descriptor, source: Source) -> None:
        """Store a blob from a stream, compared with its descriptor on the way; nothing if it is there."""
        if self.holds(descriptor.digest):
            return
        with _explained(reference):
            self._make()
            with source() as stream, _whole(self._blob_path(descriptor.digest)) as file:
                checking = verified(reference, descriptor, stream.read)
                while block := checking.read(_BLOCK):
                    file.write(block)

    def tag(self, reference: Reference, descriptor: Descriptor, tag: str) -> None:
        """Let a tag name a manifest, and no other one any longer."""
        entry = {
            "mediaType": descriptor.media_type,
            "digest": str(descriptor.digest),
            "size": descriptor.size,
            "annotations": {REF_NAME: tag},
        }
        with _explained(reference), self._locked():
            document = self._index(reference)
            kept = [other for other in document["manifests"] if (other.get("annotations") or {}).get(REF_NAME) != tag]
            with _whole(self._directory / "index.json") as file:
                file.write(to_json({**document, "manifests": [*kept, entry]}))

    def _index(self, reference: Reference) -> dict[str, Any]:
        """Read index.json, so far checked that its entries can be compared and kept."""
        path = self._directory / "index.json"
        with _explained(reference):
            if not path.exists():
                return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
            with path.open("rb") as file:
                content = _bounded(reference, file)
        parse_manifest(content, media_type=OCI_INDEX)
        document: dict[str, Any] = json.loads(content)
        return document

    def _blob_path(self, digest: Digest) -> Path:
        return self._directory / "blobs" / digest.algorithm / digest.hex

    def _make(self) -> None:
        """Make the folders and the marker file of a layout."""
        for algorithm in ("sha256", "sha512"):
            (self._directory / "blobs" / algorithm).mkdir(parents=True, exist_ok=True)
        marker = self._directory / "oci-layout"
        if not marker.exists():
            with _whole(marker) as file:
                file.write(to_json(_VERSION))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the layout's lock, which other processes and threads respect; the system frees it after a crash."""
        self._make()
        with (self._directory / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears under its name only when the block ends well."""
    draft = path.with_name(f".{path.name[:40]}.{uuid4().hex}")
    try:
        with draft.open("xb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _explained(reference: Reference) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as fault:
        raise RegistryError(f"{reference} is not there: no file {fault.filename}", status=404) from fault
    except OSError as fault:
        raise RegistryError(f"{reference}: {fault.filename}: {fault.strerror}; check the folder") from fault


def _bounded(reference: Reference, file: BinaryIO) -> bytes:
    content = file.read(LARGEST_DOCUMENT + 1)
    if len(content) > LARGEST_DOCUMENT:
        raise RegistryError(f"{reference}: a document has more than {LARGEST_DOCUMENT} bytes; it is not used")
    return content

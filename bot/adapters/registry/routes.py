"""Which registry a reference belongs to, where a process knows several kinds of them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import BinaryIO

from bot.adapters.registry.images import Source, Store
from bot.core.digest import Digest
from bot.core.image import Descriptor, Image, Index, Manifest
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.registry import WatchedRegistry


class Readers:
    """Sends each reading call to the registry of the reference's host, to `default` where no route is given.

    `mirrors` gives beginnings of names, which end at a slash, and what stands there instead when something is read.
    """

    def __init__(
        self, routes: Mapping[str, WatchedRegistry], default: WatchedRegistry, mirrors: Mapping[str, str] | None = None
    ) -> None:
        self._readers, self._default_reader, self._mirrors = dict(routes), default, dict(mirrors or {})

    def manifest(self, reference: Reference) -> Manifest | Index:
        """Fetch what a tag or digest names."""
        place = self._place(reference)
        return self._reader(place).manifest(place)

    def moved(self, reference: Reference, known: Digest) -> Manifest | Index | None:
        """Fetch what a tag names unless that is still `known`."""
        place = self._place(reference)
        return self._reader(place).moved(place, known)

    def image(self, reference: Reference, platform: Platform | None = None) -> Image:
        """Fetch one platform's manifest and config."""
        place = self._place(reference)
        return self._reader(place).image(place, platform)

    def blob(self, reference: Reference, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """Open a blob as a stream that checks itself."""
        place = self._place(reference)
        return self._reader(place).blob(place, descriptor)

    def _place(self, reference: Reference) -> Reference:
        """Where a reference is read: what is at a mirror has another name there, and the same digest."""
        for original, mirror in self._mirrors.items():
            if reference.name.startswith(original):
                registry, _, repository = f"{mirror}{reference.name.removeprefix(original)}".partition("/")
                return replace(reference, registry=registry, repository=repository)
        return reference

    def _reader(self, reference: Reference) -> WatchedRegistry:
        return self._readers.get(reference.registry, self._default_reader)


class Registries(Readers):
    """Readers that write as well: both ports, `Registry` and `ImageWriter`, across registries too."""

    def __init__(self, routes: Mapping[str, Store], default: Store, mirrors: Mapping[str, str] | None = None) -> None:
        super().__init__(routes, default, mirrors)
        self._routes, self._default = dict(routes), default

    def copy_blob(self, source: Reference, descriptor: Descriptor, target: Reference) -> int:
        """Make a blob available in another repository, streamed where the registries differ."""
        source = self._place(source)
        here, there = self._of(source), self._of(target)
        if here is there:
            return there.copy_blob(source, descriptor, target)
        return there.add_blob(target, descriptor, lambda: here.blob(source, descriptor))

    def add_blob(self, target: Reference, descriptor: Descriptor, source: Source) -> int:
        """Make a blob available from a stream, which is opened only if the blob is not there."""
        return self._of(target).add_blob(target, descriptor, source)

    def put_blob(self, target: Reference, media_type: str, content: bytes) -> Descriptor:
        """Store a small blob."""
        return self._of(target).put_blob(target, media_type, content)

    def put_manifest(self, target: Reference, media_type: str, content: bytes) -> Digest:
        """Store a manifest under the target's tag, or under its digest alone."""
        return self._of(target).put_manifest(target, media_type, content)

    def _of(self, reference: Reference) -> Store:
        return self._routes.get(reference.registry, self._default)

"""Registries over HTTP (OCI distribution-spec 1.1; Docker Registry HTTP API v2)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO, Final
from urllib.parse import urlencode

from bot.adapters.registry.calls import Calls
from bot.adapters.registry.endpoint import Endpoint
from bot.adapters.registry.images import (
    LARGEST_DOCUMENT,
    Source,
    checked_digest,
    checked_manifest,
    read_image,
    unless_known,
    verified,
)
from bot.adapters.transport import SMALL_BODY, Response, Transport, TransportError, Upload
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import MANIFEST_TYPES, Descriptor, Image, Index, Manifest
from bot.core.platforms import Platform
from bot.core.reference import Reference

_ACCEPT: Final = {"Accept": ", ".join(MANIFEST_TYPES)}
_NOT_FOUND: Final = 404
_IMMUTABLE: Final = (400, 409, 412)
"""How registries refuse to move a tag; the specification has no word for it."""
_BLOB: Final = {"Content-Type": "application/octet-stream"}


class HttpRegistry:
    """Any number of registries, told apart by the host in a reference; one without an `Endpoint` is read anonymously.

    Keeps the promises of the ports `Registry` and `ImageWriter`.
    """

    def __init__(self, transport: Transport, endpoints: Iterable[Endpoint] = ()) -> None:
        self._calls = Calls(transport, endpoints)
        self._brought: dict[tuple[str, Digest], Reference] = {}
        """Where in a registry a blob from elsewhere was brought, so that its other repositories mount it from there."""

    def manifest(self, reference: Reference) -> Manifest | Index:
        """Fetch what a tag or digest names, with one request once the registry knows us."""
        return _document(reference, self._get_manifest(reference, _ACCEPT))

    def moved(self, reference: Reference, known: Digest) -> Manifest | Index | None:
        """Fetch what a tag names unless that is still `known`.

        A manifest's entity tag is its digest wherever there is one (distribution's and Docker Hub's), so none is kept;
        a registry that has none sends the document, which is compared here.
        """
        answer = self._get_manifest(reference, {**_ACCEPT, "If-None-Match": f'"{known}"'}, expect=(200, 304))
        return None if answer.status == 304 else unless_known(_document(reference, answer), known)

    def image(self, reference: Reference, platform: Platform | None = None) -> Image:
        """Fetch one platform's manifest and config."""
        return read_image(self, reference, platform)

    @contextmanager
    def blob(self, reference: Reference, descriptor: Descriptor) -> Iterator[BinaryIO]:
        """Open a blob as a stream that checks itself."""
        with self._calls.stream(reference, f"blobs/{descriptor.digest}", scope=_pull(reference)) as read:
            yield verified(reference, descriptor, read)

    def copy_blob(self, source: Reference, descriptor: Descriptor, target: Reference) -> int:
        """Make a blob available in another repository: nothing if it is the same one, else mounted, else copied.

        A registry that mounts says so with one request, whether or not the blob was there.
        """
        if source.registry != target.registry:
            return self.add_blob(target, descriptor, lambda: self.blob(source, descriptor))
        if source.repository == target.repository or self._mounts(target, descriptor, source):
            return 0
        return self.add_blob(target, descriptor, lambda: self.blob(source, descriptor))

    def add_blob(self, target: Reference, descriptor: Descriptor, source: Source) -> int:
        """Make a blob available from a stream, opened only if neither the target nor a repository beside it has it."""
        place = (target.registry, descriptor.digest)
        beside = self._brought.get(place)
        if beside and self._mounts(target, descriptor, beside):
            return 0
        moved = 0
        if not self._holds(target, descriptor):
            self._upload(target, descriptor, source)
            moved = descriptor.size
        self._brought[place] = target
        return moved

    def put_blob(self, target: Reference, media_type: str, content: bytes) -> Descriptor:
        """Store a small blob; asking first whether it is there would cost as much."""
        descriptor = Descriptor(media_type=media_type, digest=Digest.of(content), size=len(content))
        self._upload(target, descriptor, lambda: BytesIO(content))
        return descriptor

    def put_manifest(self, target: Reference, media_type: str, content: bytes) -> Digest:
        """Store a manifest under the target's tag, or under its digest alone.

        A registry whose tags are immutable refuses this also where the tag names the very manifest; that is no fault.
        """
        digest = checked_digest(target, media_type, content)
        try:
            self._put_manifest(target, media_type, content, digest)
        except RegistryError as fault:
            there = self._named_by_tag(target) if fault.status in _IMMUTABLE else None
            if there is None:
                raise
            if there != digest:
                raise RegistryError(
                    f"{target} names {there} already and did not move to {digest} ({fault}); where tags are immutable, "
                    "delete this one, or give deploy.tag another form",
                    status=fault.status,
                ) from fault
        return digest

    def _named_by_tag(self, target: Reference) -> Digest | None:
        """Ask what a tag names; None where it names nothing, or where there is no tag to ask about."""
        if target.tag is None:
            return None
        try:
            return self.manifest(target.with_digest(None)).digest
        except RegistryError as fault:
            if fault.status == _NOT_FOUND:
                return None
            raise

    def _put_manifest(self, target: Reference, media_type: str, content: bytes, digest: Digest) -> None:
        answer = self._calls.request(
            "PUT",
            target,
            f"manifests/{target.tag or digest}",
            scope=_push(target),
            expect=(201,),
            headers={"Content-Type": media_type},
            body=content,
            limit=SMALL_BODY,
        )
        stated = answer.headers.get("Docker-Content-Digest")
        if stated and stated != str(digest):
            raise RegistryError(f"{target} was stored as {stated[:160]}, not as {digest}; do not use the tag")

    def _get_manifest(
        self, reference: Reference, headers: Mapping[str, str], expect: tuple[int, ...] = (200,)
    ) -> Response:
        name = reference.digest or reference.tag
        if name is None:
            raise RegistryError(f"{reference} names neither a tag nor a digest; add one, such as :latest")
        where, scope = f"manifests/{name}", _pull(reference)
        return self._calls.request(
            "GET", reference, where, scope=scope, headers=headers, expect=expect, limit=LARGEST_DOCUMENT
        )

    def _holds(self, target: Reference, descriptor: Descriptor) -> bool:
        where = f"blobs/{descriptor.digest}"
        answer = self._calls.request("HEAD", target, where, scope=_push(target), expect=(200, 404), limit=SMALL_BODY)
        return answer.status == 200

    def _mounts(self, target: Reference, descriptor: Descriptor, source: Reference) -> bool:
        """Ask for a blob of another repository; an upload that is begun instead is left to the registry's clean-up."""
        where = "blobs/uploads/?" + urlencode({"mount": str(descriptor.digest), "from": source.repository})
        scope = f"{_push(target)} {_pull(source)}"
        answer = self._calls.request("POST", target, where, scope=scope, expect=(201, 202), limit=SMALL_BODY)
        return answer.status == 201

    def _upload(self, target: Reference, descriptor: Descriptor, source: Source) -> None:
        """Upload from the first request on each time: an upload that broke off may have kept some of the bytes."""
        self._calls.repeat(target, lambda: self._upload_once(target, descriptor, source))

    def _upload_once(self, target: Reference, descriptor: Descriptor, source: Source) -> None:
        scope = _push(target)
        begun = self._calls.once("POST", target, "blobs/uploads/", scope=scope, expect=(202,)).whole()
        location = begun.headers.get("Location")
        if not location:
            raise TransportError(begun.method, begun.url, "began an upload without saying where", status=begun.status)
        where = f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': str(descriptor.digest)})}"
        body = Upload(size=descriptor.size, open=source)
        self._calls.once("PUT", target, where, scope=scope, expect=(201,), headers=_BLOB, body=body).whole()


def _document(reference: Reference, answer: Response) -> Manifest | Index:
    return checked_manifest(
        reference,
        answer.body,
        media_type=answer.headers.get("Content-Type", ""),
        stated=answer.headers.get("Docker-Content-Digest"),
    )


def _pull(reference: Reference) -> str:
    return f"repository:{reference.repository}:pull"


def _push(reference: Reference) -> str:
    return f"repository:{reference.repository}:pull,push"

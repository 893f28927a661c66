"""Layers as streams (OCI image-spec, layer.md): read once, never written to disk, never whole in memory."""

import gzip
import hashlib
import tarfile
import zlib
from dataclasses import dataclass, field
from typing import IO, BinaryIO, Final

from bot.adapters.contents.bounds import Bounds
from bot.adapters.contents.languages import LARGEST_PROBE, is_probe, read_language
from bot.adapters.contents.rpmdb import read_rpmdb
from bot.core.digest import Digest
from bot.core.errors import ContentsError
from bot.core.image import Descriptor
from bot.core.layer import Entry, Kind, Layer, Package
from bot.core.packages.dpkg import parse_status
from bot.core.reference import Reference
from bot.ports.registry import Registry
from bot.ports.store import LayerMemory

_RPM_FOLDERS: Final = ("var/lib/rpm/", "usr/lib/sysimage/rpm/")
_RPM_FILES: Final = ("rpmdb.sqlite", "Packages")
_RPM: Final = frozenset(folder + name for folder in _RPM_FOLDERS for name in _RPM_FILES)
_DPKG: Final = "var/lib/dpkg/status"
_DPKG_FOLDER: Final = "var/lib/dpkg/status.d/"
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_CHUNK = 1024 * 1024
_ZSTD = b"\x28\xb5\x2f\xfd"


class LayerReader:
    """Reads layers through a registry and remembers them; implements `Contents`."""

    def __init__(self, registry: Registry, memory: LayerMemory | None = None, bounds: Bounds | None = None) -> None:
        self._registry, self._memory, self._bounds = registry, memory, bounds or Bounds()

    def layer(self, reference: Reference, descriptor: Descriptor) -> Layer:
        """Stream one layer, or remember it; its bytes are compared with its digest before anything is kept."""
        known = self._memory.get(descriptor.digest) if self._memory else None
        if known:
            return known
        with self._registry.blob(reference, descriptor) as blob:
            layer = self._read(descriptor, blob)
        if self._memory:
            self._memory.put(layer)
        return layer

    def _read(self, descriptor: Descriptor, blob: BinaryIO) -> Layer:
        what = f"layer {descriptor.digest}"
        try:
            with _expanded(blob, descriptor, self._bounds) as stream:
                walk = _Walk(what=what, bounds=self._bounds)
                with tarfile.open(fileobj=stream, mode="r|") as archive:
                    for member in archive:
                        walk.add(archive, member)
                _drain(stream)
            _drain(blob)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError, ValueError) as fault:
            raise ContentsError(f"{what} is no tar archive that can be read: {fault}") from fault
        return walk.layer(descriptor.digest)


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What was seen of a layer so far."""

    what: str
    bounds: Bounds
    entries: dict[str, Entry] = field(default_factory=dict)
    whiteouts: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)
    packages: list[Package] | None = None
    probes: dict[str, bytes] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Take one member in."""
        path = self._path(member.name)
        if len(self.entries) + len(self.whiteouts) >= self.bounds.entries:
            raise ContentsError(f"{self.what} has more than {self.bounds.entries} entries; it is not read further")
        folder, _, name = path.rpartition("/")
        if name == _OPAQUE:
            self.opaque.add(folder)
        elif name.startswith(_WHITEOUT):
            self.whiteouts.add(f"{folder}/{name[len(_WHITEOUT) :]}".lstrip("/"))
        elif path:
            self.entries[path] = self._entry(archive, member, path)

    def layer(self, digest: Digest) -> Layer:
        """Close the walk."""
        return Layer(
            digest=digest,
            entries=self.entries,
            whiteouts=frozenset(self.whiteouts),
            opaque=frozenset(self.opaque),
            packages=None if self.packages is None else tuple(sorted(self.packages)),
            language=read_language(self.probes, self.entries),
            unread=tuple(self.unread),
        )

    def _path(self, name: str) -> str:
        parts = [part for part in name.split("/") if part not in ("", ".")]
        path = "/".join(parts)
        if ".." in parts or "\0" in name or len(path.encode("utf-8", "surrogateescape")) > self.bounds.path:
            raise ContentsError(f"{self.what} has the path {name[:100]!r}, which no honest layer has")
        return path

    def _entry(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> Entry:
        kind, content = _kind(member), ""
        if kind is Kind.FILE:
            content = self._file(archive, member, path)
        elif kind in (Kind.SYMLINK, Kind.HARDLINK):
            content = member.linkname
        elif kind is Kind.OTHER:
            content = f"{member.devmajor}:{member.devminor}"
        size = member.size if kind is Kind.FILE else 0
        return Entry(kind=kind, mode=member.mode, uid=member.uid, gid=member.gid, size=size, content=content)

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> str:
        source = archive.extractfile(member)
        if source is None:
            raise ContentsError(f"{self.what} has no content for {path[:100]!r}")
        wanted = path in _RPM or path == _DPKG or path.startswith(_DPKG_FOLDER) or is_probe(path)
        sha256, kept = hashlib.sha256(), bytearray()
        while chunk := source.read(_CHUNK):
            sha256.update(chunk)
            if wanted and len(kept) <= self.bounds.database:
                kept += chunk
        if wanted:
            self._keep(path, bytes(kept))
        return sha256.hexdigest()

    def _keep(self, path: str, content: bytes) -> None:
        """Read what a file of interest says; one that cannot be read is named, and the rest goes on."""
        if is_probe(path):
            self.probes[path] = content[:LARGEST_PROBE]
            return
        if len(content) > self.bounds.database:
            self.unread.append(f"{path}: larger than {self.bounds.database} bytes")
            return
        try:
            found = read_rpmdb(content) if path in _RPM else parse_status(content)
        except ContentsError as fault:
            self.unread.append(f"{path}: {fault}")
            return
        self.packages = [*(self.packages or ()), *found]


class _Counted:
    """A stream that ends with an error once it grew beyond its bounds; implements what tarfile reads from."""

    def __init__(self, stream: IO[bytes], what: str, limit: int) -> None:
        self._stream, self._what, self._left = stream, what, limit

    def read(self, size: int = -1) -> bytes:
        """Read on, at most `size` bytes."""
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise ContentsError(f"{self._what} expands to more than it may; it looks like a bomb")
        return chunk

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def _expanded(blob: BinaryIO, descriptor: Descriptor, bounds: Bounds) -> _Counted:
    """Undo the compression that the first bytes show, whatever the media type claims."""
    what = f"layer {descriptor.digest}"
    peeked = _Peeked(blob)
    if peeked.head.startswith(_ZSTD):
        raise ContentsError(f"{what} is compressed with zstd, which Lambda is not known to take; build with gzip")
    limit = min(bounds.expanded, descriptor.size * bounds.ratio + _CHUNK)
    stream: IO[bytes] = gzip.GzipFile(fileobj=peeked) if peeked.head.startswith(b"\x1f\x8b") else peeked  # type: ignore[assignment,arg-type]
    return _Counted(stream, what, limit)


class _Peeked:
    """A stream whose first bytes were looked at."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.head = stream.read(4)
        self._unread = self.head

    def read(self, size: int = -1) -> bytes:
        """Read on, from the first byte."""
        if not self._unread:
            return self._stream.read(size)
        if 0 <= size < len(self._unread):
            chunk, self._unread = self._unread[:size], self._unread[size:]
            return chunk
        chunk, self._unread = self._unread, b""
        return chunk + (self._stream.read() if size < 0 else self._stream.read(size - len(chunk)))

    def close(self) -> None:
        """Leave the stream to whoever opened it."""


def _drain(stream: "IO[bytes] | _Counted") -> None:
    while stream.read(_CHUNK):
        pass


def _kind(member: tarfile.TarInfo) -> Kind:
    if member.isreg():
        return Kind.FILE
    if member.isdir():
        return Kind.DIRECTORY
    if member.issym():
        return Kind.SYMLINK
    return Kind.HARDLINK if member.islnk() else Kind.OTHER

"""Layers as streams (OCI image-spec, layer.md): read once, never written to disk, never whole in memory."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from tarfile import TarInfo
from typing import BinaryIO, Final

from bot.adapters.contents.archive import Member, members
from bot.adapters.contents.bounds import Bounds
from bot.adapters.contents.components import read_components, tells_component
from bot.adapters.contents.databases import is_database, read_packages
from bot.adapters.contents.expansion import expanded
from bot.adapters.contents.languages import ProgramScan, is_witness, program_scan, read_language
from bot.adapters.contents.timeless import database_digests, is_index_of, timeless
from bot.core.digest import Digest
from bot.core.errors import ContentsError
from bot.core.image import Descriptor
from bot.core.layer import Entry, Kind, Layer
from bot.core.reference import Reference
from bot.ports.registry import Registry
from bot.ports.store import LayerMemory

_WHITEOUT, _OPAQUE, _META = ".wh.", ".wh..wh..opq", ".wh..wh."
_XATTR: Final = "SCHILY.xattr."
_PIECE: Final = 1 << 18
_PERMISSIONS: Final = 0o7777


class LayerReader:
    """Reads layers through a registry and remembers them; implements `Contents`."""

    def __init__(self, registry: Registry, memory: LayerMemory | None = None, bounds: Bounds | None = None) -> None:
        self._registry, self._memory, self._bounds = registry, memory, bounds or Bounds()

    def layer(self, reference: Reference, descriptor: Descriptor) -> Layer:
        """Stream one layer, or remember it; nothing is kept before all bytes were compared with the digest.

        Raises `RegistryError` if it cannot be fetched or its bytes are not its digest's,
        `ContentsError` with the layer if it is no tar archive that engines unpack, or beyond the bounds.
        """
        known = None if self._memory is None else self._memory.get(descriptor.digest)
        if known is not None:
            return known
        with self._registry.blob(reference, descriptor) as blob:
            layer = self._read(reference, descriptor.digest, blob)
        if self._memory is not None:
            self._memory.put(layer)
        return layer

    def _read(self, reference: Reference, digest: Digest, blob: BinaryIO) -> Layer:
        try:
            walk = _Walk(bounds=self._bounds)
            stream = expanded(blob, self._bounds)
            for member in members(stream, self._bounds):
                walk.add(member)
            _drain(stream)
            return replace(walk.layer(digest), diff_id=stream.diff_id)
        except ContentsError as fault:
            # Bytes that are not the digest's are the registry's fault; the stream says so at its end.
            _drain(blob)
            raise ContentsError(f"{reference}: layer {digest} {fault}") from fault


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What was seen of a layer so far."""

    bounds: Bounds
    entries: dict[str, Entry] = field(default_factory=dict)
    whiteouts: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)
    kept: dict[str, bytes] = field(default_factory=dict)
    scans: dict[str, ProgramScan] = field(default_factory=dict)
    members: int = 0
    names: int = 0
    """Bytes of all paths and link targets."""
    room: int = field(init=False)

    def __post_init__(self) -> None:
        self.room = self.bounds.database

    def add(self, member: Member) -> None:
        """Take one member in; a path that comes twice is what it is the second time."""
        self._count(member.info)
        path = _normal(member.info.name)
        folder, _, name = path.rpartition("/")
        if name == _OPAQUE:
            self.opaque.add(folder)
        elif name.startswith(_WHITEOUT):
            self._hide(folder, name)
        elif path:
            self._put(path, self._entry(path, member))

    def _put(self, path: str, entry: Entry) -> None:
        known = self.entries.get(path)
        if known is not None and known.kind is Kind.DIRECTORY and entry.kind is not Kind.DIRECTORY:
            raise ContentsError(f"has {path[:80]!r} first as a directory and then as something else; it is not read")
        self.entries[path] = entry

    def _count(self, info: TarInfo) -> None:
        """Keep to the bounds, by members: the same path over and over takes as long to read as any other."""
        self.members += 1
        self.names += len(info.name) + len(info.linkname)
        if self.members > self.bounds.entries:
            raise ContentsError(f"has more than {self.bounds.entries} entries; it is not read")
        if self.names > self.bounds.names:
            raise ContentsError(f"has more than {self.bounds.names} bytes of paths; it is not read")

    def layer(self, digest: Digest) -> Layer:
        """Say what the layer holds, once all members were taken in."""
        files = {path: content for path, content in self.kept.items() if self.entries[path].kind is Kind.FILE}
        self._check_folders()
        packages, unread = read_packages(files)
        self.entries |= self._settled(files)
        return Layer(
            digest=digest,
            entries=self.entries,
            whiteouts=frozenset(self.whiteouts),
            opaque=frozenset(self.opaque),
            packages=packages,
            language=read_language(files, self.scans.values(), self.entries),
            unread=unread,
            components=read_components(self.entries, files),
        )

    def _settled(self, files: Mapping[str, bytes]) -> dict[str, Entry]:
        """Give RPM databases, and what is derived from them, contents without times, and so without sizes."""
        digests = database_digests(files)
        derived = {
            path: f"index of {database}"
            for database in digests
            for path, entry in self.entries.items()
            if entry.kind is Kind.FILE and is_index_of(path, database)
        }
        return {path: replace(self.entries[path], size=0, content=text) for path, text in (digests | derived).items()}

    def _check_folders(self) -> None:
        """Refuse what lies below a file, as engines do; each folder is looked at once."""
        seen = {""}
        for path in self.entries:
            folder = path.rpartition("/")[0]
            while folder not in seen:
                seen.add(folder)
                entry = self.entries.get(folder)
                if entry is not None and entry.kind not in (Kind.DIRECTORY, Kind.SYMLINK):
                    raise ContentsError(f"has paths below {folder[:80]!r}, which is no directory; it is not read")
                folder = folder.rpartition("/")[0]

    def _hide(self, folder: str, name: str) -> None:
        hidden = name.removeprefix(_WHITEOUT)
        if hidden in ("", ".", ".."):
            raise ContentsError(f"has the whiteout {name!r} in {folder[:80]!r}, which hides nothing; it is not read")
        if not name.startswith(_META):  # other metadata of a union file system, which engines pass over
            self.whiteouts.add(f"{folder}/{hidden}" if folder else hidden)

    def _entry(self, path: str, member: Member) -> Entry:
        info = member.info
        kind = _kind(info)
        # Which of several names is the file and which are links to it depends on the order of the archive alone.
        if kind is Kind.HARDLINK and (target := self.entries.get(_normal(info.linkname))):
            return target
        content = self._digest(path, member.content) if kind is Kind.FILE else _target(info, kind)
        return Entry(
            kind=kind,
            # No file system keeps the mode of a symbolic link.
            mode=0o777 if kind is Kind.SYMLINK else info.mode & _PERMISSIONS,
            uid=info.uid,
            gid=info.gid,
            size=info.size if kind is Kind.FILE else 0,
            content=content,
            xattrs=_xattrs(info),
        )

    def _digest(self, path: str, content: Iterator[bytes]) -> str:
        sha256, kept = hashlib.sha256(), bytearray()
        keep, scan = is_database(path) or is_witness(path) or tells_component(path), program_scan(path)
        for piece in timeless(path, content):
            sha256.update(piece)
            if keep:
                self._make_room(len(piece))
                kept += piece
            if scan:
                scan.feed(piece)
        if keep:
            self.kept[path] = bytes(kept)
        if scan:
            self.scans[path] = scan
        return sha256.hexdigest()

    def _make_room(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            raise ContentsError(f"has package databases of more than {self.bounds.database} bytes; it is not read")


def _normal(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ContentsError(f"has the path {name[:80]!r}, which leaves the image; do not use this image")
    return "/".join(parts)


def _kind(info: TarInfo) -> Kind:
    if info.isreg():
        return Kind.FILE
    if info.isdir():
        return Kind.DIRECTORY
    if info.issym():
        return Kind.SYMLINK
    return Kind.HARDLINK if info.islnk() else Kind.OTHER


def _target(info: TarInfo, kind: Kind) -> str:
    match kind:
        case Kind.SYMLINK:
            return info.linkname
        case Kind.HARDLINK:
            return _normal(info.linkname)
        case Kind.OTHER:
            name = "fifo" if info.isfifo() else "character device" if info.ischr() else "block device"
            return f"{name} {info.devmajor}:{info.devminor}"
        case _:
            return ""


def _xattrs(info: TarInfo) -> tuple[tuple[str, str], ...]:
    """Read extended attributes as engines do, which know them by this prefix alone (Go's archive/tar)."""
    return tuple(
        (name.removeprefix(_XATTR), hashlib.sha256(value.encode()).hexdigest())
        for name, value in sorted(info.pax_headers.items())
        if name.startswith(_XATTR)
    )


def _drain(stream: BinaryIO) -> None:
    while stream.read(_PIECE):
        pass

"""Members of a tar stream (POSIX.1-2017 pax, with GNU's long names), each read once and in order.

`tarfile` decodes the header blocks; walking the stream is ours.
In stream mode tarfile takes a damaged header for the end of the archive, which container engines refuse (Go's
archive/tar), holds every member it has seen, and reads a long name or sparse map of any size into memory.
"""

import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from bot.adapters.contents.bounds import Bounds
from bot.core.errors import ContentsError

_BLOCK: Final = tarfile.BLOCKSIZE
_END: Final = bytes(_BLOCK)
_PIECE: Final = 1 << 18
_FILE_TYPES: Final = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_TAKEN: Final = (
    *_FILE_TYPES,
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
)
_EXTENSIONS: Final = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_LARGEST_EXTENSION: Final = 1 << 20
"""Bytes of a pax header; extended attributes may fill 64 KB each."""
_MOST_EXTENSIONS: Final = 8
"""Extension headers before one member; honest archives have at most one of each."""
_LENGTH: Final = re.compile(rb"([0-9]{1,7}) ")


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its decoded header and, for a regular file, its content, to be read before the next member."""

    info: tarfile.TarInfo
    content: Iterator[bytes]


def members(stream: BinaryIO, bounds: Bounds) -> Iterator[Member]:
    """Yield the members of a tar; anything that container engines refuse, or that is cut off, is a `ContentsError`."""
    extended: dict[str, str] = {}
    extensions = 0
    while info := _header(stream):
        if info.type in _EXTENSIONS:
            extensions += 1
            if extensions > _MOST_EXTENSIONS:
                raise ContentsError(f"has more than {_MOST_EXTENSIONS} extension headers in a row; it is not read")
            extended |= _extension(info, _whole(stream, info.size))
            continue
        _extend(info, extended)
        _check(info, bounds)
        rest = _Rest(stream, info.size if info.type in _FILE_TYPES else 0)
        yield Member(info, rest.pieces())
        rest.skip()
        extended, extensions = {}, 0


def _header(stream: BinaryIO) -> tarfile.TarInfo | None:
    """Read the next header; None at the end: two empty blocks, one, or, as engines allow, none."""
    block = stream.read(_BLOCK)
    if block == _END:
        block = stream.read(_BLOCK)
        if block not in (_END, b""):
            raise ContentsError("is no tar archive: an empty block is not its end; push the image again")
        return None
    if not block:
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "backslashreplace")
    except (tarfile.HeaderError, ValueError) as fault:
        raise ContentsError(f"is no tar archive: {fault}; push the image again") from fault
    if info.type not in (*_TAKEN, *_EXTENSIONS) or info.size < 0:
        raise ContentsError(f"has a tar member of type {info.type!r} and size {info.size}, which no engine unpacks")
    return info


def _extension(info: tarfile.TarInfo, content: bytes) -> Mapping[str, str]:
    match info.type:
        case tarfile.GNUTYPE_LONGNAME:
            return {"path": _text(content.partition(b"\0")[0])}
        case tarfile.GNUTYPE_LONGLINK:
            return {"linkpath": _text(content.partition(b"\0")[0])}
        case tarfile.XHDTYPE:
            return dict(_pax(content))
        case _:  # a global header, such as git's comment, says nothing about a file
            return {}


def _pax(content: bytes) -> Iterator[tuple[str, str]]:
    """Decode records: the length of the whole record, a space, `key=value`, a newline."""
    position = 0
    while position < len(content):
        found = _LENGTH.match(content, position)
        end = position + int(found[1]) if found else 0
        key, equals, value = content[found.end() if found else 0 : end - 1].partition(b"=")
        if not found or end <= found.end() or end > len(content) or not equals or content[end - 1] != ord("\n"):
            raise ContentsError("is no tar archive: a pax record is malformed; push the image again")
        yield _text(key), _text(value)
        position = end


def _extend(info: tarfile.TarInfo, extended: Mapping[str, str]) -> None:
    if any(key.startswith("GNU.sparse.") for key in extended):
        raise ContentsError("has a sparse file, which image builders do not write; it is not read")
    info.name = extended.get("path", info.name)
    info.linkname = extended.get("linkpath", info.linkname)
    info.pax_headers = dict(extended)
    try:
        info.size = int(extended.get("size", info.size))
        info.uid, info.gid = int(extended.get("uid", info.uid)), int(extended.get("gid", info.gid))
    except ValueError as fault:
        raise ContentsError(f"is no tar archive: a pax number is malformed: {fault}; push the image again") from fault


def _check(info: tarfile.TarInfo, bounds: Bounds) -> None:
    if info.size < 0:
        raise ContentsError(f"has a file of {info.size} bytes; push the image again")
    for text in (info.name, info.linkname):
        if len(text.encode()) > bounds.path or "\0" in text:
            raise ContentsError(f"has the path {text[:80]!r}..., longer than {bounds.path} bytes or with a NUL in it")


def _whole(stream: BinaryIO, size: int) -> bytes:
    if size > _LARGEST_EXTENSION:
        raise ContentsError(f"has an extension header of {size} bytes; {_LARGEST_EXTENSION} are read")
    rest = _Rest(stream, size)
    content = b"".join(rest.pieces())
    rest.skip()
    return content


class _Rest:
    """What of a member is still to be read, padding included."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._left, self._padding = stream, size, -size % _BLOCK

    def pieces(self) -> Iterator[bytes]:
        while self._left:
            piece = self._stream.read(min(self._left, _PIECE))
            if not piece:
                raise ContentsError(f"ends {self._left} bytes before its last file does; push the image again")
            self._left -= len(piece)
            yield piece

    def skip(self) -> None:
        for _ in self.pieces():
            pass
        self._stream.read(self._padding)
        self._padding = 0


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")

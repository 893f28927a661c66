"""The bytes of a layer's tar, whatever its compression, told by the first bytes: gzip (RFC 1952), zstd or none.

Reads and gives out in bounded pieces; nothing is held but one piece.
zstd (RFC 8878) is Python's own from 3.14 on, before that its backport, an extra; a layer that needs it says so.
"""

import hashlib
import io
import zlib
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO, Final

from bot.adapters.contents.bounds import Bounds
from bot.core.digest import Digest
from bot.core.errors import ContentsError

_PIECE: Final = 1 << 16
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WINDOW: Final = 27
"""Log2 of the largest window that the zstd command takes by itself: 128 MB; builders use 8 MB at most."""


class Expansion(io.BufferedReader):
    """The tar of a layer; once it is read to its end, `diff_id` is its digest."""

    raw: "_Bounded"

    @property
    def diff_id(self) -> Digest:
        """The digest of all that was read."""
        return Digest("sha256", self.raw.sha256.hexdigest())


def expanded(blob: BinaryIO, bounds: Bounds) -> Expansion:
    """Open the tar inside a layer's blob; reading raises `ContentsError` beyond the bounds or if gzip is damaged."""
    head = blob.read(_PIECE)
    return Expansion(_Bounded(_source(blob, head), bounds), _PIECE)


def _source(blob: BinaryIO, head: bytes) -> "_Plain":
    if head.startswith(_GZIP):
        return _Gzip(blob, head)
    return _Zstd(blob, head) if head.startswith(_ZSTD) else _Plain(blob, head)


class _Plain:
    """The blob as it is; `taken` counts the bytes read from it."""

    def __init__(self, blob: BinaryIO, head: bytes) -> None:
        self._blob, self._head = blob, head
        self.taken = len(head)

    def read(self, most: int) -> bytes:
        piece = self._head or self._take()
        self._head = piece[most:]
        return piece[:most]

    def _take(self) -> bytes:
        piece = self._blob.read(_PIECE)
        self.taken += len(piece)
        return piece


class _Gzip(_Plain):
    """The content of all gzip members, one after the other; checksums are compared by zlib."""

    def __init__(self, blob: BinaryIO, head: bytes) -> None:
        super().__init__(blob, head)
        self._member = _member()

    def read(self, most: int) -> bytes:
        while piece := self._input():
            try:
                content = self._member.decompress(piece, most)
            except zlib.error as fault:
                raise ContentsError(f"is no gzip stream: {fault}; push the image again") from fault
            self._head = self._member.unused_data or self._member.unconsumed_tail
            if content:
                return content
        if not self._member.eof:
            raise ContentsError("is a gzip stream that ends too early; push the image again")
        return b""

    def _input(self) -> bytes:
        piece = self._head or self._take()
        if piece and self._member.eof:
            self._member = _member()
        return piece


class _Zstd(_Plain):
    """The content of all zstd frames, one after the other."""

    def __init__(self, blob: BinaryIO, head: bytes) -> None:
        super().__init__(blob, head)
        self._zstd = _zstd()
        self._frame = self._new_frame()

    def read(self, most: int) -> bytes:
        while True:
            piece = b"" if self._holds_more() else self._head or self._take()
            self._head = b""
            if not piece and not self._holds_more():
                break
            if self._frame.eof:
                self._frame = self._new_frame()
            try:
                content: bytes = self._frame.decompress(piece, most)
            except self._zstd.ZstdError as fault:
                raise ContentsError(f"is no zstd stream: {fault}; push the image again") from fault
            if self._frame.eof:
                self._head = self._frame.unused_data
            if content:
                return content
        if not self._frame.eof:
            raise ContentsError("is a zstd stream that ends too early; push the image again")
        return b""

    def _holds_more(self) -> bool:
        return not (self._frame.eof or self._frame.needs_input)

    def _new_frame(self) -> Any:  # noqa: ANN401 - one of two modules makes it
        return self._zstd.ZstdDecompressor(options={self._zstd.DecompressionParameter.window_log_max: _WINDOW})


def _zstd() -> Any:  # noqa: ANN401 - the same module under one of two names
    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ModuleNotFoundError):
            return import_module(name)
    raise ContentsError("is compressed with zstd; install refrom with it: pip install 'refrom[zstd]'")


class _Bounded(io.RawIOBase):
    def __init__(self, source: _Plain, bounds: Bounds) -> None:
        self._source, self._bounds, self._given = source, bounds, 0
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # narrower than Buffer
        piece = self._source.read(len(buffer))
        self._given += len(piece)
        self._check()
        self.sha256.update(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def _check(self) -> None:
        bounds = self._bounds
        if self._given > bounds.expanded:
            raise ContentsError(f"expands to more than {bounds.expanded} bytes; it is not read")
        if self._given > bounds.slack and self._given > bounds.ratio * self._source.taken:
            raise ContentsError(f"expands to more than {bounds.ratio} times its size; it is not read")


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(zlib.MAX_WBITS | 16)

"""CBOR as AWS's protocol rpc-v2-cbor uses it (RFC 8949; smithy.io, "Smithy RPC v2 CBOR"): both ways, nothing beyond."""

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_BREAK = object()
_EPOCH = 1


def encode(value: object) -> bytes:
    """Write a value; a moment is tag 1 over seconds, as the protocol has it."""
    match value:
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case datetime():
            return _head(6, _EPOCH) + encode(value.timestamp())
        case Mapping():
            return _head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())
        case Sequence():
            return _head(4, len(value)) + b"".join(map(encode, value))
        case _:
            raise TypeError(f"{value!r} does not go into CBOR")


def decode(content: bytes) -> Any:
    """Read one value that takes all the bytes."""
    reader = _Reader(content)
    value = reader.item()
    assert reader.place == len(content), "there is more behind the value"
    return value


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for info, form in ((24, ">B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if number < 1 << 8 * struct.calcsize(form):
            return bytes([kind << 5 | info]) + struct.pack(form, number)
    raise OverflowError(f"{number} is too large")


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content, self.place = content, 0

    def item(self) -> Any:
        first = self._take(1)[0]
        kind, info = first >> 5, first & 31
        if kind == 7:
            return self._simple(info)
        number = None if info == 31 else self._number(info)
        match kind:
            case 0 | 1:
                assert number is not None
                return number if kind == 0 else -1 - number
            case 2 | 3:
                assert number is not None, "strings come in one piece"
                text = self._take(number)
                return text.decode() if kind == 3 else text
            case 4:
                return list(self._items(number))
            case 5:
                items = list(self._items(None if number is None else 2 * number))
                return dict(zip(items[::2], items[1::2], strict=True))
            case _:
                assert number == _EPOCH, f"tag {number}"
                return datetime.fromtimestamp(self.item(), UTC)

    def _items(self, count: int | None) -> Any:
        while count is None or count > 0:
            value = self.item()
            if value is _BREAK:
                return
            yield value
            count = None if count is None else count - 1

    def _simple(self, info: int) -> Any:
        if info in (26, 27):
            form = ">f" if info == 26 else ">d"
            return struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return {20: False, 21: True, 22: None, 31: _BREAK}[info]

    def _number(self, info: int) -> int:
        if info < 24:
            return info
        form = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}[info]
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def _take(self, count: int) -> bytes:
        taken = self._content[self.place : self.place + count]
        assert len(taken) == count, "the value ends too early"
        self.place += count
        return taken

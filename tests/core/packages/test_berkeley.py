"""Berkeley hash files: every value comes out, and no file makes the reader work for ever."""

from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import ContentsError
from bot.core.packages import berkeley_values
from tests.lab.rpm import berkeley

PAGE = 512
LARGE = bytes(range(256)) * 3
META, HASH, OVERFLOW = 8, 13, 7


def page(kind: int, body: bytes = b"", *, items: int = 0, following: int = 0, used: int = 0) -> bytes:
    """Write one page: header, what follows it, zeros."""
    head = pack("<QIIIHHBB", 0, 0, 0, following, items, used, 0, kind)
    return (head + body).ljust(PAGE, b"\0")


def meta(*, magic: int = 0x061561, size: int = PAGE) -> bytes:
    return (bytes(12) + pack("<III", magic, 9, size)).ljust(PAGE, b"\0")


def hash_page(*items: bytes, starts: list[int] | None = None) -> bytes:
    """Write a page of items, which lie from its end towards its start."""
    offsets, end = [], PAGE
    for item in items:
        end -= len(item)
        offsets.append(end)
    content = page(HASH, pack(f"<{len(items)}H", *(starts or offsets)), items=len(items))
    return content[:end] + b"".join(reversed(items))


def key(number: int) -> bytes:
    return b"\1" + pack("<I", number)


def off_page(first: int, length: int) -> bytes:
    return b"\3\0\0\0" + pack("<II", first, length)


def chain(content: bytes, first: int) -> list[bytes]:
    """Spread a value over overflow pages, the first of which has this number."""
    parts = [content[at : at + PAGE - 26] for at in range(0, len(content), PAGE - 26)]
    return [
        page(OVERFLOW, part, following=first + n + 1 if n + 1 < len(parts) else 0, used=len(part))
        for n, part in enumerate(parts)
    ]


GOOD = b"".join([meta(), hash_page(key(0), b"\1\2", key(1), b"\1small", key(2), off_page(2, 768)), *chain(LARGE, 2)])


def test_values_on_their_page_and_on_overflow_pages_come_out_and_the_counter_does_not() -> None:
    assert list(berkeley_values(GOOD)) == [b"small", LARGE]


@pytest.mark.parametrize("order", ["1234", "4321"], ids=["little-endian", "big-endian"])
@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_files_of_the_real_library_are_read(tmp_path: Path, order: str, page_size: int) -> None:
    values = [bytes([number]) * (number * 97) for number in range(1, 200)]

    read = list(berkeley_values(berkeley(tmp_path, values, order=order, page_size=page_size)))

    assert sorted(read) == sorted(values)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "no Berkeley DB hash file", id="empty"),
        pytest.param(meta(magic=0x053162), "no Berkeley DB hash file", id="a B-tree"),
        pytest.param(meta(size=0), "pages of 0 bytes", id="pages of no size"),
        pytest.param(meta(size=1000), "pages of 1000 bytes", id="pages of an odd size"),
        pytest.param(meta() + page(HASH, items=65535), "65535 items", id="huge item count"),
        pytest.param(meta() + hash_page(key(1)), "1 items", id="key without value"),
        pytest.param(
            meta() + hash_page(key(1), b"\1a", key(2), b"\1b", starts=[26, 511, 26, 511]),
            "out of order",
            id="items that overlap",
        ),
        pytest.param(meta() + hash_page(key(1), b"\4dup"), "neither on its page", id="duplicates off page"),
        pytest.param(meta() + hash_page(key(1), b"\3\0"), "neither on its page", id="pointer cut off"),
        pytest.param(meta() + hash_page(key(1), off_page(9, 5)), "no overflow page 9", id="page outside"),
        pytest.param(meta() + hash_page(key(1), off_page(1, 5)), "no overflow page 1", id="page of another kind"),
        pytest.param(
            meta() + hash_page(key(1), off_page(2, 2**32 - 1)) + page(OVERFLOW, b"a", following=2, used=1),
            "no overflow page 2",
            id="chain in a circle",
        ),
        pytest.param(
            meta()
            + hash_page(key(1), off_page(2, 1), key(2), off_page(2, 1))
            + page(OVERFLOW, b"a", following=0, used=1),
            "no overflow page 2",
            id="page claimed twice",
        ),
        pytest.param(GOOD[: -PAGE // 2], "no overflow page", id="cut off"),
    ],
)
def test_a_hostile_file_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(ContentsError, match=says):
        list(berkeley_values(content))


@given(edits=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_damaged_file_gives_no_more_bytes_than_it_has_or_is_refused(edits: list[tuple[int, int]]) -> None:
    damaged = bytearray(GOOD)
    for at, byte in edits:
        damaged[at] = byte

    try:
        values = list(berkeley_values(bytes(damaged)))
    except ContentsError:
        return

    assert sum(map(len, values)) <= len(GOOD)

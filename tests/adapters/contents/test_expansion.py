"""Layers as builders compress them, and streams that are damaged."""

import gzip
import io
import subprocess
import sys
from itertools import pairwise

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.contents.bounds import Bounds
from bot.adapters.contents.expansion import expanded
from bot.core.digest import Digest
from bot.core.errors import ContentsError
from tests.lab.need import need

TEXT = b"".join(b"line %d of a layer\n" % number for number in range(20_000))


def expand(blob: bytes, bounds: Bounds | None = None) -> bytes:
    return expanded(io.BytesIO(blob), bounds or Bounds()).read()


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param(TEXT, id="none"),
        pytest.param(gzip.compress(TEXT), id="gzip"),
        pytest.param(gzip.compress(TEXT, 0), id="gzip, stored"),
        pytest.param(gzip.compress(TEXT[:70_000]) + gzip.compress(TEXT[70_000:]), id="two members"),
        pytest.param(b"".join(gzip.compress(line) for line in TEXT.splitlines(keepends=True)), id="a member a line"),
        pytest.param(gzip.compress(b"") + gzip.compress(TEXT), id="an empty member first"),
        pytest.param(zstd.compress(TEXT), id="zstd"),
        pytest.param(zstd.compress(TEXT[:70_000]) + zstd.compress(TEXT[70_000:]), id="two frames"),
        pytest.param(zstd.compress(b"") + zstd.compress(TEXT), id="an empty frame first"),
        pytest.param(zstd.compress(TEXT) + b"\x50\x2a\x4d\x18\4\0\0\0skip", id="a frame to skip at the end"),
    ],
)
def test_the_content_comes_out_whole(blob: bytes) -> None:
    assert expand(blob) == TEXT


def test_a_layer_of_the_real_gzip_is_expanded() -> None:
    blob = subprocess.run([need("gzip", "apt-get install gzip"), "-c"], input=TEXT, check=True, capture_output=True)

    assert expand(blob.stdout) == TEXT


def test_an_empty_blob_is_empty() -> None:
    assert expand(b"") == b""


@given(content=st.binary(max_size=3000), cuts=st.lists(st.integers(0, 3000), max_size=4), read=st.integers(1, 999))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_neither_members_nor_the_size_of_reads_matter(content: bytes, cuts: list[int], read: int) -> None:
    bounds = [0, *sorted(cuts), len(content)]
    for compress in (gzip.compress, zstd.compress):
        blob = b"".join(compress(content[one:other]) for one, other in pairwise(bounds))
        stream = expanded(io.BytesIO(blob), Bounds())
        pieces = []
        while piece := stream.read(read):
            pieces.append(piece)

        assert b"".join(pieces) == content
        assert stream.diff_id == Digest.of(content)


@pytest.mark.parametrize(
    ("blob", "says"),
    [
        pytest.param(zstd.compress(TEXT)[:-9], "ends too early", id="zstd cut off"),
        pytest.param(zstd.compress(TEXT)[:4], "ends too early", id="zstd header cut off"),
        pytest.param(zstd.compress(TEXT) + b"more", "no zstd stream", id="something behind a frame"),
        pytest.param(b"\x28\xb5\x2f\xfd" + b"\xff" * 100, "no zstd stream", id="no frame"),
        pytest.param(gzip.compress(TEXT)[:-9], "ends too early", id="content cut off"),
        pytest.param(gzip.compress(TEXT)[:-4], "ends too early", id="checksum cut off"),
        pytest.param(gzip.compress(TEXT)[:5], "ends too early", id="header cut off"),
        pytest.param(gzip.compress(TEXT) + b"more", "no gzip stream", id="something behind the end"),
        pytest.param(gzip.compress(TEXT)[:-8] + bytes(8), "no gzip stream", id="wrong checksum"),
        pytest.param(b"\x1f\x8b\x08\0" + bytes(6) + b"\xff" * 100, "no gzip stream", id="no deflate stream"),
        pytest.param(b"\x1f\x8b\x07" + bytes(100), "no gzip stream", id="another method"),
    ],
)
def test_a_damaged_stream_is_refused(blob: bytes, says: str) -> None:
    with pytest.raises(ContentsError, match=says):
        expand(blob)


def test_a_stream_may_be_as_large_as_the_bound_and_no_larger() -> None:
    assert expand(gzip.compress(TEXT), Bounds(expanded=len(TEXT))) == TEXT

    with pytest.raises(ContentsError, match=f"more than {len(TEXT) - 1} bytes"):
        expand(gzip.compress(TEXT), Bounds(expanded=len(TEXT) - 1))


def test_the_bound_also_holds_for_what_is_not_compressed() -> None:
    with pytest.raises(ContentsError, match="more than 1000 bytes"):
        expand(TEXT, Bounds(expanded=1000))


def test_a_short_run_of_zeros_is_no_bomb_and_a_long_one_is() -> None:
    bounds = Bounds(slack=2_000_000)

    assert len(expand(gzip.compress(bytes(2_000_000)), bounds)) == 2_000_000
    for compress in (gzip.compress, zstd.compress):
        with pytest.raises(ContentsError, match="more than 200 times its size"):
            expand(compress(bytes(50_000_000)), bounds)


def test_a_layer_of_the_real_zstd_is_expanded() -> None:
    blob = subprocess.run([need("zstd", "apt-get install zstd"), "-c"], input=TEXT, check=True, capture_output=True)

    assert expand(blob.stdout) == TEXT


def test_without_zstd_the_error_says_what_to_install() -> None:
    script = (
        "import io, sys; sys.modules['compression.zstd'] = sys.modules['backports.zstd'] = None\n"
        "from bot.adapters.contents import Bounds; from bot.adapters.contents.expansion import expanded\n"
        "expanded(io.BytesIO(bytes.fromhex('28b52ffd')), Bounds())"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert "is compressed with zstd; install refrom with it: pip install 'refrom[zstd]'" in done.stderr

"""RPM headers: what they say is read, what they only claim is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import ContentsError
from bot.core.layer import Package
from bot.core.packages import parse_header
from bot.core.packages.rpm_header import ARCH, COUNTS, ENTRY, EPOCH, INT32, NAME, RELEASE, STRING, VERSION
from bot.entrypoints.demo.rpmdb import write_header

OPENSSL = Package("openssl-libs", "x86_64", "1:3.0.8-1.amzn2023.0.24")
WORDS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789._+~^%{}", min_size=1, max_size=40)


def header(texts: dict[int, bytes], *, kind: int = STRING) -> bytes:
    """Write a header of string tags, whatever they hold."""
    index, data = b"", b""
    for tag, text in texts.items():
        index += ENTRY.pack(tag, kind, len(data), 1)
        data += text + b"\0"
    return COUNTS.pack(len(texts), len(data)) + index + data


GOOD = {NAME: b"bash", VERSION: b"5.2.15", RELEASE: b"1", ARCH: b"aarch64"}


@given(name=WORDS, arch=WORDS, version=WORDS, release=WORDS, epoch=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_package_comes_back_as_it_was_written(name: str, arch: str, version: str, release: str, epoch: int) -> None:
    package = Package(name, arch, f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}")

    assert parse_header(write_header(package)) == package


def test_a_package_without_architecture_reads_as_rpm_prints_it() -> None:
    key = {tag: text for tag, text in GOOD.items() if tag != ARCH}

    assert parse_header(header(key)) == Package("bash", "(none)", "5.2.15-1")


@pytest.mark.parametrize(
    ("blob", "says"),
    [
        pytest.param(b"", "only 0 bytes", id="empty"),
        pytest.param(write_header(OPENSSL)[:-1], "claims", id="data cut off"),
        pytest.param(write_header(OPENSSL)[:60], "claims", id="index cut off"),
        pytest.param(COUNTS.pack(0xFFFFFFFF, 0) + bytes(100), "claims 4294967295 entries", id="huge entry count"),
        pytest.param(COUNTS.pack(0x10000, 0) + bytes(0x100000), "claims 65536 entries", id="more tags than rpm takes"),
        pytest.param(COUNTS.pack(1, 0xFFFFFFFF) + bytes(100), "4294967295 bytes of data", id="huge data"),
        pytest.param(header({**GOOD, NAME: b""}), "tag 1000", id="empty name"),
        pytest.param(header({**GOOD, NAME: b"a b"}), "tag 1000", id="space in name"),
        pytest.param(header({**GOOD, NAME: b"\xff\xfe"}), "tag 1000", id="name not ASCII"),
        pytest.param(header({**GOOD, NAME: b"n" * 256}), "tag 1000", id="name too long"),
        pytest.param(header({**GOOD, VERSION: b"\x1b[2J"}), "tag 1001", id="terminal escape in version"),
        pytest.param(header(GOOD, kind=INT32), "tag 1001", id="text of another type"),
        pytest.param(header({NAME: b"bash"}), "tag 1001", id="no version"),
        pytest.param(header({**GOOD, EPOCH: b"1"}), "tag 1003", id="epoch of another type"),
        pytest.param(
            COUNTS.pack(1, 4) + ENTRY.pack(VERSION, STRING, 0xFFFFFFF0, 1) + b"1.0\0", "tag 1001", id="offset outside"
        ),
        pytest.param(COUNTS.pack(1, 3) + ENTRY.pack(VERSION, STRING, 0, 1) + b"1.0", "tag 1001", id="text without end"),
    ],
)
def test_a_hostile_header_is_refused(blob: bytes, says: str) -> None:
    with pytest.raises(ContentsError, match=says):
        parse_header(blob)


@given(at=st.integers(0, len(write_header(OPENSSL)) - 1), byte=st.integers(0, 255))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_damaged_header_is_a_package_or_refused(at: int, byte: int) -> None:
    damaged = bytearray(write_header(OPENSSL))
    damaged[at] = byte

    try:
        package = parse_header(bytes(damaged))
    except ContentsError:
        return

    assert package.name.isprintable()
    assert package.evr.isprintable()

"""dpkg status files: installed packages, no others."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import ContentsError
from bot.core.layer import Package
from bot.core.packages import parse_status
from tests.lab.need import need

STATUS = b"""\
Package: libc6
Status: install ok installed
Architecture: arm64
Version: 2.36-9+deb12u8
Description: GNU C Library
 Version: 9 of a continued line is no field
 .
 More text.

Package: gone
Status: deinstall ok config-files
Architecture: arm64
Version: 1.0

Package: openssl
Architecture: arm64
Version: 1:3.0.15-1
Status: hold ok installed

Package: half
Status: install ok half-installed
Version: 1.0
"""


def test_only_installed_packages_are_listed() -> None:
    assert parse_status(STATUS) == (
        Package("libc6", "arm64", "2.36-9+deb12u8"),
        Package("openssl", "arm64", "1:3.0.15-1"),
    )


@pytest.mark.parametrize(
    ("content", "packages"),
    [
        pytest.param(b"", (), id="empty"),
        pytest.param(b"Package: base\nVersion: 1\n", (Package("base", "(none)", "1"),), id="no status, as in status.d"),
        pytest.param(b"Package: base\n\nVersion: 1\n", (), id="no version"),
        pytest.param(b"Package: a\r\nVersion: 1\r\n", (Package("a", "(none)", "1"),), id="CRLF"),
        pytest.param(b"Package: a\nVersion: 0:1\n", (Package("a", "(none)", "1"),), id="epoch 0"),
        pytest.param(b"\n\n\n\nPackage: a\nVersion: 1\n\n\n\n", (Package("a", "(none)", "1"),), id="empty lines"),
    ],
)
def test_odd_paragraphs(content: bytes, packages: tuple[Package, ...]) -> None:
    assert parse_status(content) == packages


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"Package: \xff\xfe\x00\nVersion: 1\n", id="control character"),
        pytest.param(b"Package: a b\nVersion: 1\n", id="two words"),
        pytest.param(b"Package: a\nVersion: " + b"1" * 256 + b"\n", id="too long"),
    ],
)
def test_what_is_no_word_is_refused(content: bytes) -> None:
    with pytest.raises(ContentsError, match="printable word"):
        parse_status(content)


@given(st.binary(max_size=400) | st.text("Package:VrsionStu \n1", max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_bytes_are_packages_or_refused(content: bytes) -> None:
    try:
        packages = parse_status(content)
    except ContentsError:
        return

    assert list(packages) == sorted(packages)


def test_the_list_of_a_real_system_is_dpkgs_own() -> None:
    shown = "${db:Status-Abbrev}|${Package}|${Architecture}|${Version}\n"
    query = [need("dpkg-query", "it comes with Debian"), "--show", "--showformat", shown]
    answer = subprocess.run(query, check=True, capture_output=True, text=True)
    rows = [line.split("|") for line in answer.stdout.splitlines()]
    expected = sorted(Package(*row[1:]) for row in rows if row[0][1] == "i")

    assert list(parse_status(Path("/var/lib/dpkg/status").read_bytes())) == expected

"""apk's database of installed packages."""

import pytest

from bot.core.errors import ContentsError
from bot.core.layer import Package
from bot.core.packages import parse_installed

INSTALLED = b"""\
C:Q1p78yvTLG094tHE1+dToJGbmYzQE=
P:musl
V:1.2.5-r9
A:x86_64
T:the musl c library (libc) implementation
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755

C:Q1p78yvTLG094tHE1+dToJGbmYzQE=
P:busybox
V:1.37.0-r12
A:x86_64

"""


def test_each_paragraph_is_a_package() -> None:
    assert parse_installed(INSTALLED) == (
        Package("busybox", "x86_64", "1.37.0-r12"),
        Package("musl", "x86_64", "1.2.5-r9"),
    )


@pytest.mark.parametrize(
    "content", [b"", b"\n\n\n", b"P:musl\n\n", b"V:1\n\n", b"p:musl\nv:1\n"], ids=["empty", "lines", "P", "V", "case"]
)
def test_what_has_no_name_or_no_version_is_no_package(content: bytes) -> None:
    assert parse_installed(content) == ()


def test_a_package_without_architecture_has_none() -> None:
    assert parse_installed(b"P:virtual\nV:0\n") == (Package("virtual", "(none)", "0"),)


def test_what_is_no_word_is_refused() -> None:
    with pytest.raises(ContentsError, match="an apk database has 'a b'"):
        parse_installed(b"P:a b\nV:1\n")

"""updateinfo: every field of the form that Amazon Linux publishes, and that half a document is none."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.adapters.advisories.updateinfo import read_updateinfo
from bot.core.advisories import Advisory, Severity
from bot.core.errors import AdvisoryError
from bot.core.layer import Package
from tests.lab.package_mirror import updateinfo

ADVISORY = Advisory(
    identifier="ALAS2023-2026-001",
    severity=Severity.IMPORTANT,
    packages=(Package("openssl-libs", "x86_64", "1:3.0.8-1.amzn2023.0.2"), Package("zlib", "noarch", "1.2.11-3")),
    cves=("CVE-2026-0001", "CVE-2026-10002"),
    issued=datetime(2026, 11, 20, 20, 41, tzinfo=UTC),
)


def update(inner: str, attributes: str = "") -> bytes:
    return gzip.compress(f"<updates><update {attributes}>{inner}</update></updates>".encode())


def test_what_is_published_is_read() -> None:
    several = [ADVISORY, replace(ADVISORY, identifier="ALAS2023-2026-002", packages=(), cves=(), issued=None)]

    assert list(read_updateinfo(updateinfo(several))) == several


def test_an_empty_feed_has_no_advisory() -> None:
    assert not list(read_updateinfo(updateinfo([])))


@pytest.mark.parametrize("kind", ["bugfix", "enhancement", "newpackage"])
def test_an_update_of_another_kind_is_no_advisory(kind: str) -> None:
    assert not list(read_updateinfo(updateinfo([ADVISORY], kind=kind)))


def test_what_is_no_cve_is_left_out_of_the_cves() -> None:
    references = "".join(
        f'<reference id="{name}" type="cve"/>' for name in ("CVE-2026-1234", "CVE-2026-1234", "CVE-26-1", "x@y", "")
    )

    (found,) = read_updateinfo(update(f"<id>ALAS-2026-1</id><references>{references}</references>"))

    assert found.cves == ("CVE-2026-1234",)


@pytest.mark.parametrize(
    ("date", "issued"),
    [
        ("2026-11-20 20:41", datetime(2026, 11, 20, 20, 41, tzinfo=UTC)),
        ("2026-11-20T22:41:00+02:00", datetime(2026, 11, 20, 20, 41, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_that_cannot_be_read_is_none(date: str, issued: datetime | None) -> None:
    (found,) = read_updateinfo(update(f'<id>ALAS-2026-1</id><issued date="{date}"/>'))

    assert found.issued == issued


@pytest.mark.parametrize(
    ("epoch", "evr"), [('epoch="0"', "1.0-2"), ('epoch="2"', "2:1.0-2"), ('epoch=""', "1.0-2"), ("", "1.0-2")]
)
def test_an_epoch_of_none_is_zero(epoch: str, evr: str) -> None:
    package = f'<package name="a" version="1.0" release="2" arch="noarch" {epoch}/>'

    (found,) = read_updateinfo(update(f"<id>ALAS-2026-1</id>{package}"))

    assert found.packages == (Package("a", "noarch", evr),)


LONG = "x" * 201


@pytest.mark.parametrize(
    ("content", "match"),
    [
        pytest.param(update("<severity>low</severity>"), "an update without id", id="no id"),
        pytest.param(update(f"<id>{LONG}</id>"), "an update without id", id="an id without end"),
        pytest.param(update('<id>A</id><package name="a"/>'), "a package without name, version", id="no version"),
        pytest.param(
            update('<id>A</id><package name="a" version="1-0" release="2" arch="b"/>'), "without", id="a dash"
        ),
        pytest.param(
            update('<id>A</id><package name="a" version="1" release="2" arch="b" epoch="-1"/>'), "without", id="epoch"
        ),
        pytest.param(
            update(f'<id>A</id><package name="{LONG}" version="1" release="2" arch="b"/>'), "more than 200", id="name"
        ),
        pytest.param(update(f"<id>{'y' * (1 << 21)}</id>"), "a text of more than 1048576", id="a text without end"),
        pytest.param(update("", f'a="{"z" * (1 << 22)}"'), "a tag of more than 1048576", id="a tag without end"),
        pytest.param(gzip.compress(b"<updates>" + b" " * 2_000_000), "expands to more than 1000000", id="a bomb"),
        pytest.param(gzip.compress(b"<updates/>")[:-1], "is no whole gzip file", id="cut short"),
        pytest.param(gzip.compress(b"<updates/>") + b"more", "is no whole gzip file", id="more behind it"),
        pytest.param(b"", "is no XML", id="empty"),
    ],
)
def test_what_is_malformed_or_without_bounds_is_refused_whole(content: bytes, match: str) -> None:
    most = 1_000_000 if "1000000" in match else 1 << 28

    with pytest.raises(AdvisoryError, match=match):
        list(read_updateinfo(content, most=most))


def test_a_damaged_byte_is_found() -> None:
    content = bytearray(updateinfo([ADVISORY]))
    content[len(content) // 2] ^= 1

    with pytest.raises(AdvisoryError):
        list(read_updateinfo(bytes(content)))

"""Feeds over HTTP: what is asked for, what is refused, and that nothing bad is kept."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.advisories import AmazonAdvisories
from bot.adapters.store.store import Store, open_store
from bot.adapters.transport import Transport
from bot.core.advisories import Advisory, Assessment, Severity
from bot.core.errors import AdvisoryError
from bot.core.layer import Package
from bot.core.platforms import Platform
from tests.conftest import Figure
from tests.lab.clock import WoundClock
from tests.lab.package_mirror import FEED, INDEX, LIST, PackageMirror, package_mirror, repomd, updateinfo
from tests.lab.web import Answer

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
OLD, FIXED = (Package("openssl-libs", "x86_64", f"1:3.0.8-1.amzn2023.0.{release}") for release in (1, 2))
ADVISORY = Advisory(
    identifier="ALAS2023-2026-001",
    severity=Severity.IMPORTANT,
    packages=(FIXED,),
    cves=("CVE-2026-0001",),
    issued=datetime(2026, 11, 20, 20, 41, tzinfo=UTC),
)
LATER = Advisory(identifier="ALAS2023-2026-002", severity=Severity.CRITICAL, packages=(FIXED,))


@dataclass(slots=True)
class Reader:
    """A mirror, and what reads it: each `read` is another process over the same store."""

    mirror: PackageMirror
    store: Store
    clock: WoundClock = field(default_factory=WoundClock)
    attempts: int = 2

    def read(self, platform: Platform = AMD64, system: str = "AL2023") -> Assessment:
        with closing(Transport(self.clock, attempts=self.attempts, timeouts=(5, 5))) as transport:
            room = AmazonAdvisories(self.mirror.feeds, transport, self.store.documents, self.clock)
            return room.bulletin(system, platform).assess([(OLD, FIXED)])

    def fixes(self) -> list[str]:
        return [fix.identifier for fix in self.read().fixes]

    def refused(self, match: str) -> AdvisoryError:
        with pytest.raises(AdvisoryError, match=match) as raised:
            self.read()
        return raised.value


@pytest.fixture
def reader() -> Iterator[Reader]:
    with ExitStack() as stack:
        mirror = stack.enter_context(package_mirror(ADVISORY))
        yield Reader(mirror, stack.enter_context(open_store(":memory:")))


def test_an_advisory_is_read_through_mirror_list_and_index(reader: Reader) -> None:
    (fix,) = reader.read().fixes

    assert (fix.identifier, fix.severity, fix.cves) == ("ALAS2023-2026-001", "important", ("CVE-2026-0001",))
    assert (fix.packages, fix.page) == (
        ("openssl-libs",),
        "https://alas.aws.amazon.com/AL2023/ALAS2023-2026-001.html",
    )
    assert [asked.path.rpartition("/")[0] for asked in reader.mirror.web.log] == [
        "/AL2023/latest/x86_64",
        "/AL2023/0123abcd/x86_64/repodata",
        "/AL2023/0123abcd/x86_64/repodata",
    ]


@pytest.mark.parametrize(
    ("platform", "system", "path"),
    [(ARM64, "AL2023", "/AL2023/latest/aarch64"), (AMD64, "AL2", "/AL2/latest/x86_64")],
    ids=["arm64", "Amazon Linux 2"],
)
def test_each_system_and_architecture_has_its_own_feed(
    reader: Reader, platform: Platform, system: str, path: str
) -> None:
    reader.read(platform, system)

    assert reader.mirror.web.log[0].path == f"{path}/{LIST}"


def test_a_feed_that_did_not_move_costs_two_requests_without_a_body(reader: Reader, figure: Figure) -> None:
    reader.fixes()
    first = reader.mirror.asked

    again = reader.fixes()

    assert (first, again) == ([LIST, INDEX, FEED], ["ALAS2023-2026-001"])
    asked = reader.mirror.asked
    figure("requests for a feed that did not move", asked, [f"{LIST} if changed", f"{INDEX} if changed"])


def test_a_feed_that_moved_is_read_again(reader: Reader) -> None:
    reader.fixes()
    reader.mirror.advisories.append(LATER)
    assert reader.mirror.asked

    assert reader.fixes() == ["ALAS2023-2026-002", "ALAS2023-2026-001"], "the worst first"
    assert reader.mirror.asked == [f"{LIST} if changed", f"{INDEX} if changed", FEED]


def test_losing_the_store_loses_nothing(reader: Reader) -> None:
    before = reader.read()
    reader.store = open_store(":memory:")

    assert reader.read() == before
    reader.store.close()


WHOLE = updateinfo([ADVISORY, LATER])
ENTITIES = '<!DOCTYPE updates [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE updates [<!ENTITY file SYSTEM "file:///etc/passwd">]>'
DEEP = gzip.compress(b"<updates>" + b"<a>" * 100 + b"</a>" * 100 + b"</updates>")


def pointed(feed: bytes, served: bytes | None = None, **index: str) -> dict[str, Answer]:
    """An index over a feed, and what the mirror serves in its place."""
    return {INDEX: Answer(body=repomd(feed, **index)), FEED: Answer(body=feed if served is None else served)}


BAD = [
    pytest.param(pointed(WHOLE, WHOLE[:-40]), "does not have the sha256 of its index", id="feed cut short"),
    pytest.param(pointed(WHOLE, updateinfo([LATER])), "does not have the sha256 of its index", id="another feed"),
    pytest.param(pointed(WHOLE[:-40]), "is no whole gzip file", id="cut short before it was indexed"),
    pytest.param(pointed(b"<updates/>"), "is no whole gzip file", id="not compressed"),
    pytest.param(pointed(gzip.compress(b"<updates><update>")), "is no XML: no element found", id="XML cut short"),
    pytest.param(pointed(updateinfo([LATER], head=ENTITIES)), "declares the entity 'a'", id="entity bomb"),
    pytest.param(pointed(updateinfo([LATER], head=EXTERNAL)), "declares the entity 'file'", id="external entity"),
    pytest.param(pointed(DEEP), "has elements deeper than 32", id="deep"),
    pytest.param(pointed(WHOLE, algorithm="sha1"), "a checksum of type 'sha1', which proves nothing", id="sha1"),
    pytest.param(pointed(WHOLE, algorithm=""), "a checksum of type '', which proves nothing", id="no checksum"),
    pytest.param(pointed(WHOLE, href="../../secret.gz"), "which is no path inside the repository", id="path outside"),
    pytest.param(pointed(WHOLE, href="https://evil.example/x"), "no path inside the repository", id="another host"),
    pytest.param({INDEX: Answer(body=b"<repomd></repomd>")}, "names no updateinfo", id="no updateinfo"),
    pytest.param({INDEX: Answer(body=repomd(WHOLE)[:200])}, "is no XML", id="index cut short"),
    pytest.param({INDEX: Answer(body=repomd(WHOLE)[:-4])}, "is no XML", id="index cut short at its end"),
    pytest.param({INDEX: Answer(body=b"<html>portal")}, "is no XML", id="a captive portal's page"),
    pytest.param({INDEX: Answer(status=403, body=b"no")}, r"repomd.xml answered 403: no; correct or empty", id="403"),
    pytest.param({FEED: Answer(status=404)}, "updateinfo.xml.gz answered 404", id="404"),  # a copy is as good as it
    pytest.param({LIST: Answer(status=404)}, "mirror.list answered 404", id="no list"),
    pytest.param({LIST: Answer(body=b"")}, "lists no mirror over https", id="empty list"),
    pytest.param({LIST: Answer(body=b"http://mirror.example/x\nftp://y\n[\xff\n")}, "no mirror over https", id="http"),
    pytest.param({LIST: Answer(body=b"x" * 100_000)}, "sends more than 65536 bytes", id="endless list"),
]


@pytest.mark.parametrize(("instead", "match"), BAD)
def test_what_is_not_whole_and_honest_is_refused_and_not_kept(
    reader: Reader, instead: dict[str, Answer], match: str
) -> None:
    reader.mirror.instead = instead

    fault = reader.refused(match)

    assert "127.0.0.1" in str(fault), "it names where it came from"
    reader.mirror.instead = {}
    assert reader.mirror.asked
    assert reader.fixes() == ["ALAS2023-2026-001"]
    assert not [asked for asked in reader.mirror.asked if asked == f"{INDEX} if changed"], "the bad one is forgotten"


@pytest.mark.parametrize(("instead", "match"), [case for case in BAD if case.id != "404"])
def test_for_two_days_the_last_copy_stands_in_for_a_feed(
    reader: Reader, instead: dict[str, Answer], match: str
) -> None:
    reader.fixes()
    reader.mirror.instead = instead
    reader.clock.wait_until(reader.clock.now() + timedelta(days=1))

    assert reader.fixes() == ["ALAS2023-2026-001"]
    reader.clock.wait_until(reader.clock.now() + timedelta(days=1, minutes=1))
    reader.refused(match)


def test_a_copy_that_somebody_damaged_is_fetched_again(reader: Reader) -> None:
    reader.fixes()
    name = "AL2023 x86_64 updateinfo"
    kept = reader.store.documents.get(name)
    assert kept
    reader.store.documents.put(name, replace(kept, content=kept.content[:-1]))
    assert reader.mirror.asked

    assert reader.fixes() == ["ALAS2023-2026-001"]
    assert FEED in reader.mirror.asked


def test_a_server_that_is_gone_is_told(reader: Reader) -> None:
    gone = PackageMirror()
    with package_mirror() as other:
        gone.web = other.web
    reader.mirror = gone

    assert reader.refused("failed: Connection refused; correct or empty advisories.feeds").retryable


def test_the_next_mirror_is_asked_where_the_first_is_bad(reader: Reader) -> None:
    good = f"{reader.mirror.web.url}/AL2023/0123abcd/x86_64"
    reader.mirror.instead = {
        LIST: Answer(body=f"{reader.mirror.web.url}/AL2023/gone/x86_64/nowhere/x\n{good}\n".encode())
    }

    assert reader.fixes() == ["ALAS2023-2026-001"]


@pytest.mark.parametrize(
    ("system", "platform"),
    [("AL1", AMD64), ("AL2023", Platform("linux", "s390x"))],
    ids=["system", "architecture"],
)
def test_where_there_is_no_feed_nothing_is_asked(reader: Reader, system: str, platform: Platform) -> None:
    with pytest.raises(AdvisoryError, match=f"no feed of advisories for {system} on {platform}; name one"):
        reader.read(platform, system)

    assert not reader.mirror.web.log

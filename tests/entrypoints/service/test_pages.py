"""The pages over real HTTP: what they show, that they believe nothing, and what no page does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.client import HTTPConnection

import pytest

from bot.core.errors import SettingsError
from bot.entrypoints.service.address import Address
from bot.entrypoints.service.health import STUCK
from bot.entrypoints.service.probe import probe
from bot.entrypoints.service.state import Audited, Board, Ended, Ending, Running, State
from bot.entrypoints.service.web import HEADERS, address_of, listening, pages, web_server
from bot.wiring import Limits, Traffic, VirtualClock
from tests.entrypoints.test_html import HOSTILE, Page, audit_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EMPTY = {"functions": [], "repositories": [], "errors": [], "slo": {"kept": True, "findings": 0}}


@dataclass(frozen=True, slots=True)
class Got:
    """One answer."""

    status: int
    headers: Message
    text: str


@dataclass(slots=True)
class Site:
    """The running pages."""

    address: Address
    board: Board
    clock: VirtualClock

    def get(self, path: str, method: str = "GET") -> Got:
        connection = HTTPConnection(*self.address.pair, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return Got(answer.status, answer.headers, text)


@pytest.fixture
def site() -> Iterator[Site]:
    board, clock = Board(), VirtualClock(NOON)
    with listening(Address("127.0.0.1", 0)) as listener:
        app = pages(board, lambda: {"public.ecr.aws": Traffic(requests=7)}, Limits, clock)
        with web_server(app, listener):
            yield Site(address_of(listener), board, clock)


def ended(text: str, ending: Ending = Ending.DONE) -> State:
    """A state in which every text that comes from outside is the given one."""
    last = Ended(started=NOON, ended=NOON, ending=ending, reason=text if ending is Ending.FAILED else "")
    audited = Audited(at=NOON, document=audit_of(text), decisions={"skip": 1})
    return State(last=last, audited=audited, next_start=NOON + timedelta(hours=1))


def test_health_is_a_status_and_a_document(site: Site) -> None:
    healthy = site.get("/healthz")
    site.board.state = State(running=Running(started=NOON, moved=NOON))
    site.clock.advance(STUCK + timedelta(seconds=1))
    stuck = site.get("/healthz")

    assert (healthy.status, healthy.headers["Content-Type"]) == (200, "application/json")
    assert '"schema":"refrom.health/1","healthy":true' in healthy.text
    assert stuck.status == 503
    assert "is stuck" in stuck.text


def test_the_probe_says_what_health_says(site: Site) -> None:
    healthy = probe(str(site.address))
    site.board.state = State(next_start=NOON - timedelta(hours=1))
    overdue = probe(str(site.address))

    assert healthy[0] is True
    assert overdue[0] is False
    assert "a cycle should have started at" in overdue[1]


def test_the_probe_is_not_healthy_where_nothing_answers() -> None:
    with listening(Address("127.0.0.1", 0)) as listener:
        address = str(address_of(listener))

    assert probe(address) == (False, f"{address} does not answer (ConnectionRefusedError)")


def test_metrics_are_prometheus_text(site: Site) -> None:
    got = site.get("/metrics")

    assert (got.status, got.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'refrom_http_requests_total{host="public.ecr.aws"} 7.0\n' in got.text


def test_before_the_first_cycle_has_ended_the_page_says_so(site: Site) -> None:
    site.board.state = State(running=Running(started=NOON, moved=NOON))

    page = Page(site.get("/").text)

    assert "No cycle has run to its end yet" in page.text
    assert "A cycle runs since2026-11-20T12:00:00Z" in page.text


def test_the_page_shows_the_audit_and_when_the_next_cycle_comes(site: Site) -> None:
    site.board.state = ended("acme/orders")

    got = site.get("/")

    page = Page(got.text)
    assert (got.status, got.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "acme/orders" in page.text
    assert "Next cycle2026-11-20T13:00:00Z" in page.text
    assert not {"script", "iframe", "link", "img", "form"} & set(page.tags)


def test_a_cycle_that_failed_is_told_beside_the_audit_before_it(site: Site) -> None:
    site.board.state = replace(ended("the forge does not answer", Ending.FAILED))

    page = Page(site.get("/").text)

    assert "The last cycle failed: the forge does not answer" in page.text
    assert "Source repositories" in page.text


def test_hostile_text_is_text(site: Site) -> None:
    site.board.state = ended("name", Ending.FAILED)
    harmless = Page(site.get("/").text)
    site.board.state = ended(HOSTILE, Ending.FAILED)
    hostile = Page(site.get("/").text)

    assert hostile.tags == harmless.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in harmless.attributes]
    assert hostile.text.count("onload=alert(1)") > 20


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/nowhere", "/docs", "/openapi.json", "/healthz/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_has_the_headers_and_nothing_else_is_served(site: Site, path: str, method: str) -> None:
    got = site.get(path, method)

    assert {name: got.headers.get_all(name) for name in HEADERS} == {name: [value] for name, value in HEADERS.items()}
    assert got.headers["Server"] is None
    served = path in ("/", "/healthz", "/metrics")
    assert got.status == ((200 if method == "GET" else 405) if served else 404)


def test_an_address_in_use_is_refused_with_the_cure() -> None:
    with listening(Address("127.0.0.1", 0)) as taken:
        address = address_of(taken)
        with (
            pytest.raises(SettingsError, match="Address already in use; name another address"),
            listening(address),
        ):
            pass

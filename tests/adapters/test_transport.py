"""Transport against real servers on loopback; only time is wound by hand."""

import io
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.transport import Transport, TransportError, Upload, host_of, is_loopback, redacted
from bot.adapters.transport.answers import excerpt, retry_after
from tests.lab.clock import WoundClock
from tests.lab.web import Answer, Asked, Certificate, self_signed, serve

NOW = WoundClock().now()


def script(*answers: Answer) -> Callable[[Asked], Answer]:
    """Give the answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def transport(clock: WoundClock) -> Iterator[Transport]:
    with closing(Transport(clock, timeouts=(5, 5))) as transport:
        yield transport


def test_an_answer_comes_whole_whatever_its_status(transport: Transport) -> None:
    with serve(script(Answer(status=404, headers={"X-Word": "no"}, body=b'{"a": 1}'))) as web:
        response = transport.request("GET", f"{web.url}/here")

    assert (response.status, response.headers["x-word"], response.json()) == (404, "no", {"a": 1})


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_refusals_are_tried_again_with_growing_pauses(
    transport: Transport, clock: WoundClock, status: int
) -> None:
    with serve(script(Answer(status=status), Answer(status=status), Answer(body=b"ok"))) as web:
        response = transport.request("GET", web.url)

    assert response.body == b"ok"
    assert clock.waits == [1, 2]


def test_attempts_are_bounded_and_the_error_says_what_happened(transport: Transport, clock: WoundClock) -> None:
    refusal = Answer(status=429, body=b'{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate\nexceeded"}]}')

    with serve(lambda _: refusal) as web, pytest.raises(TransportError) as raised:
        transport.request("GET", f"{web.url}/v2/?token=secret")

    assert len(web.log) == 5
    assert clock.waits == [1, 2, 4, 8]
    assert (raised.value.status, raised.value.retryable) == (429, True)
    assert f"GET {web.url}/v2/?... answered 429" in str(raised.value)
    assert "Rate exceeded" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "value", ["7", format_datetime(NOW + timedelta(seconds=7), usegmt=True)], ids=["seconds", "date"]
)
def test_retry_after_is_honoured(transport: Transport, clock: WoundClock, value: str) -> None:
    with serve(script(Answer(status=503, headers={"Retry-After": value}), Answer())) as web:
        transport.request("GET", web.url)

    assert clock.waits == [7]


def test_a_retry_after_beyond_the_bound_is_an_error_at_once(transport: Transport, clock: WoundClock) -> None:
    with (
        serve(lambda _: Answer(status=429, headers={"Retry-After": "3600"})) as web,
        pytest.raises(TransportError, match="asks to wait 1:00:00, more than the 0:02:00 allowed") as raised,
    ):
        transport.request("GET", web.url)

    assert raised.value.retryable
    assert (len(web.log), clock.waits) == (1, [])


def test_a_refused_connection_is_tried_again_and_then_explained(transport: Transport, clock: WoundClock) -> None:
    with serve(lambda _: Answer()) as web:
        gone = web.url

    with pytest.raises(TransportError, match="failed: Connection refused") as raised:
        transport.request("GET", gone)

    assert raised.value.retryable
    assert len(clock.waits) == 4


def test_a_body_cut_short_is_tried_again(transport: Transport) -> None:
    with serve(script(Answer(headers={"Content-Length": "10"}, body=b"half"), Answer(body=b"whole"))) as web:
        response = transport.request("GET", web.url)

    assert response.body == b"whole"


def test_a_body_beyond_the_limit_is_refused(transport: Transport) -> None:
    with serve(lambda _: Answer(body=b"x" * 101)) as web:
        assert transport.request("GET", web.url, limit=101).body == b"x" * 101
        with pytest.raises(TransportError, match="sends more than 100 bytes"):
            transport.request("GET", web.url, limit=100)


def test_a_compressed_answer_is_neither_asked_for_nor_unpacked(transport: Transport) -> None:
    with serve(lambda _: Answer(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8bnot really")) as web:
        response = transport.request("GET", web.url)

    assert response.body == b"\x1f\x8bnot really"
    assert web.log[0].headers["Accept-Encoding"] == "identity"


def test_an_answer_that_is_no_json_is_named(transport: Transport) -> None:
    with serve(lambda _: Answer(body=b"<html>maintenance</html>")) as web:
        response = transport.request("GET", web.url)

    with pytest.raises(TransportError, match="answered no JSON: <html>maintenance"):
        response.json()


def test_authorization_stays_on_its_origin(transport: Transport) -> None:
    with serve(lambda _: Answer(body=b"blob")) as store:
        moved = Answer(status=307, headers={"Location": f"{store.url}/signed"})
        with serve(script(Answer(status=301, headers={"Location": "/again"}), moved)) as web:
            response = transport.request("GET", web.url, headers={"authorization": "Bearer t", "Accept": "a/b"})

    assert response.body == b"blob"
    assert [asked.headers["Authorization"] for asked in web.log] == ["Bearer t", "Bearer t"]
    assert (store.log[0].headers["Authorization"], store.log[0].headers["Accept"]) == (None, "a/b")


def test_redirects_are_bounded(transport: Transport) -> None:
    with (
        serve(lambda _: Answer(status=302, headers={"Location": "/round"})) as web,
        pytest.raises(TransportError, match="redirects more than 5 times"),
    ):
        transport.request("GET", web.url)

    assert len(web.log) == 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://[", "gopher://x/"])
def test_a_redirect_to_something_else_than_http_is_refused(transport: Transport, location: str) -> None:
    with (
        serve(lambda _: Answer(status=302, headers={"Location": location})) as web,
        pytest.raises(TransportError, match="redirects to"),
    ):
        transport.request("GET", web.url)


@pytest.mark.parametrize(("status", "followed"), [(307, True), (308, True), (301, False), (302, False), (303, False)])
def test_a_write_follows_only_redirects_that_keep_its_method(
    transport: Transport, status: int, *, followed: bool
) -> None:
    moved = Answer(status=status, headers={"Location": "/there"})

    with serve(lambda asked: Answer(status=201) if asked.path == "/there" else moved) as web:
        response = transport.request("POST", f"{web.url}/here", body=b"data")

    assert response.status == (201 if followed else status)
    assert [asked.body for asked in web.log] == [b"data"] * (2 if followed else 1)


def test_an_upload_is_opened_anew_for_each_attempt_and_sent_with_its_length(transport: Transport) -> None:
    opened: list[int] = []

    @contextmanager
    def content() -> Iterator[io.BytesIO]:
        opened.append(1)
        yield io.BytesIO(b"layer" * 20_000)

    with serve(script(Answer(status=503), Answer(status=201))) as web:
        transport.request("PUT", web.url, body=Upload(size=100_000, open=content))

    assert len(opened) == 2
    assert [len(asked.body) for asked in web.log] == [100_000, 100_000]
    assert web.log[1].headers["Transfer-Encoding"] is None


def test_a_host_is_asked_no_faster_than_its_pace(clock: WoundClock) -> None:
    with (
        serve(lambda _: Answer()) as paced,
        serve(lambda _: Answer()) as free,
        closing(Transport(clock, paces={paced.host: 2})) as transport,
    ):
        for _ in range(3):
            transport.request("GET", paced.url)
            transport.request("GET", free.url)

    assert clock.waits == [0.5, 0.5]


def test_requests_and_bytes_are_counted_for_each_host(transport: Transport) -> None:
    with serve(lambda _: Answer(body=b"12345")) as one, serve(script(Answer(status=502), Answer())) as other:
        transport.request("GET", one.url)
        transport.request("HEAD", one.url)
        transport.request("GET", other.url)

    counts = transport.counts
    assert (counts[one.host].requests, counts[one.host].received) == (2, 5)
    assert (counts[other.host].requests, counts[other.host].received) == (2, 0)


def test_surroundings_give_proxies_but_neither_credentials_nor_authorities(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login mallory password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with serve(lambda _: Answer(body=b"by proxy")) as proxy, serve(lambda _: Answer(body=b"directly")) as near:
        monkeypatch.setenv("http_proxy", proxy.url)
        far_answer = transport.request("GET", "http://registry.example/v2/")
        near_answer = transport.request("GET", near.url)

    assert (far_answer.body, near_answer.body) == (b"by proxy", b"directly")
    assert proxy.asked() == ["GET http://registry.example/v2/"]
    assert [asked.headers["Authorization"] for asked in (*proxy.log, *near.log)] == [None, None]


def test_cookies_are_not_kept(transport: Transport) -> None:
    with serve(lambda _: Answer(headers={"Set-Cookie": "session=1; Path=/"})) as web:
        transport.request("GET", web.url)
        transport.request("GET", web.url)

    assert web.log[1].headers["Cookie"] is None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusting(certificate: Certificate, clock: WoundClock) -> Iterator[Transport]:
    with closing(Transport(clock, ca_bundle=certificate.authority)) as transport:
        yield transport


def test_a_certificate_is_believed_only_with_its_authority(
    certificate: Certificate, trusting: Transport, transport: Transport, clock: WoundClock
) -> None:
    with serve(lambda _: Answer(body=b"secure"), certificate=certificate) as web:
        assert trusting.request("GET", web.url).body == b"secure"
        with pytest.raises(TransportError, match="certificate is not trusted") as raised:
            transport.request("GET", web.url)

    assert not raised.value.retryable
    assert clock.waits == []


def test_https_is_never_left_for_http(certificate: Certificate, trusting: Transport) -> None:
    with serve(lambda _: Answer()) as plain:
        leading = Answer(status=302, headers={"Location": plain.url})
        with (
            serve(lambda _: leading, certificate=certificate) as web,
            pytest.raises(TransportError, match="redirects from https to http"),
        ):
            trusting.request("GET", web.url)

    assert plain.log == []


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("https://GHCR.io:443/", "ghcr.io"),
        ("http://localhost:5000/v2/", "localhost:5000"),
        ("https://ghcr.io@evil.example/", "evil.example"),
        ("https://[::1]:5000/", "[::1]:5000"),
        ("https://r.example:80/", "r.example:80"),
    ],
)
def test_the_host_of_a_url_is_the_one_that_is_connected_to(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("url", ["", "ghcr.io/v2", "ftp://x/", "https:///path", "https://x:99999/", "http://["])
def test_what_is_no_http_url_is_not_sent(transport: Transport, url: str) -> None:
    with pytest.raises(TransportError, match="cannot be sent"):
        transport.request("GET", url)


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:1/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]/", True),
        ("http://localhost:5000", True),
        ("http://127.0.0.1.example/", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_loopback_is_known_by_its_address(url: str, *, near: bool) -> None:
    assert is_loopback(url) is near


def test_a_url_is_shown_without_its_secrets() -> None:
    shown = redacted("https://user:pass@bucket.example:8443/blob?X-Amz-Signature=abc")

    assert shown == "https://bucket.example:8443/blob?..."


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("999999999999999999", 10**9),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30),
        ("soon", None),
        ("-5", None),
        ("²", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: int | None) -> None:
    assert retry_after(value, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=3000))
def test_an_excerpt_is_short_and_harmless_to_a_terminal(body: bytes) -> None:
    text = excerpt(body)

    assert len(text) <= 300
    assert text.isprintable()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_any_retry_after_is_a_wait_or_nothing(value: str) -> None:
    wait = retry_after(value, NOW)

    assert wait is None or wait >= timedelta()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_any_text_can_be_shown_as_a_url(url: str) -> None:
    assert redacted(url).isprintable()

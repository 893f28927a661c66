"""The local Runtime API as runtimes of other languages speak to it: streams, odd requests, an early end."""

import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

import pytest

from bot.adapters.builder.runtime_api import Event, Report, RuntimeApi, Step, runtime_api
from bot.core.errors import BuildError

ROOT = "/2018-06-01/runtime/"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with runtime_api("127.0.0.1") as api:
        yield api


def ask(api: RuntimeApi, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
    connection = HTTPConnection(api.address, timeout=10)
    try:
        connection.request(method, f"{ROOT}{path}", body, {name.replace("_", "-"): v for name, v in headers.items()})
        return connection.getresponse().status
    finally:
        connection.close()


def say(api: RuntimeApi, *parts: bytes) -> bytes:
    """Send bytes as they are, and return how the answer begins."""
    host, _, port = api.address.partition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(b"".join(parts))
        return connection.recv(65536).partition(b"\r\n")[0]


def test_an_event_comes_with_what_a_runtime_needs_of_it(api: RuntimeApi) -> None:
    api.events.put(Event(b'{"a": 1}', "arn:aws:lambda:::function:orders", 30))
    connection = HTTPConnection(api.address, timeout=10)
    connection.request("GET", f"{ROOT}invocation/next")
    answer = connection.getresponse()

    assert answer.read() == b'{"a": 1}'
    assert answer.headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:aws:lambda:::function:orders"
    assert int(answer.headers["Lambda-Runtime-Deadline-Ms"]) > 1_700_000_000_000
    assert len(answer.headers["Lambda-Runtime-Aws-Request-Id"]) == 36
    assert api.reports.get() == Report(Step.WAITS)
    connection.close()


@pytest.mark.parametrize(
    ("path", "body", "report"),
    [
        pytest.param("invocation/1f-2e/response", b"{}", Report(Step.ANSWERED), id="answer"),
        pytest.param("invocation/1/response", b"", Report(Step.ANSWERED), id="empty answer"),
        pytest.param(
            "invocation/1/error",
            b'{"errorType": "KeyError", "errorMessage": "a\\nb", "stackTrace": []}',
            Report(Step.FAILED, "KeyError: a b"),
            id="error",
        ),
        pytest.param("init/error", b"boom\xff", Report(Step.INIT_FAILED, "boom\ufffd"), id="an error that is no JSON"),
        pytest.param("init/error", b"[" * 100_000, Report(Step.INIT_FAILED, "[" * 300), id="nested"),
    ],
)
def test_what_a_runtime_says_is_reported_in_one_line(api: RuntimeApi, path: str, body: bytes, report: Report) -> None:
    assert ask(api, "POST", path, body) == 202

    assert api.reports.get() == report


@pytest.mark.parametrize(
    ("trailer", "report"),
    [
        pytest.param(b"", Report(Step.ANSWERED), id="whole"),
        pytest.param(b"X: y\r\n", Report(Step.ANSWERED), id="with a trailer"),
        pytest.param(
            b"Lambda-Runtime-Function-Error-Type: Broken\r\nLambda-Runtime-Function-Error-Body: e30=\r\n",
            Report(Step.FAILED, "Broken"),
            id="failed on its way",
        ),
    ],
)
def test_an_answer_may_be_streamed(api: RuntimeApi, trailer: bytes, report: Report) -> None:
    head = f"POST {ROOT}invocation/1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()

    answer = say(api, head, b"3\r\nabc\r\n", b"2;x=y\r\nde\r\n", b"0\r\n" + trailer + b"\r\n")

    assert answer == b"HTTP/1.1 202 Accepted"
    assert api.reports.get() == report


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 99999999",
        "Content-Length: -1",
        "Content-Length: x",
        "Transfer-Encoding: chunked\r\n\r\nfffffff",
    ],
)
def test_an_answer_beyond_bounds_is_refused(api: RuntimeApi, head: str) -> None:
    answer = say(api, f"POST {ROOT}invocation/1/response HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert api.reports.empty()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "init/error"), ("POST", "invocation/../response"), ("POST", "../../2020-01-01/extension/register")],
)
def test_what_is_not_spoken_is_not_there(api: RuntimeApi, method: str, path: str) -> None:
    assert ask(api, method, path) == 404
    assert api.reports.empty()


def test_a_runtime_that_waits_is_sent_home_at_the_end() -> None:
    ended = []

    def wait(address: RuntimeApi) -> None:
        with pytest.raises((HTTPException, OSError)):
            ask(address, "GET", "invocation/next")
        ended.append(True)

    with runtime_api("127.0.0.1") as api:
        waiting = [threading.Thread(target=wait, args=(api,)) for _ in range(2)]
        for thread in waiting:
            thread.start()
        assert [api.reports.get(timeout=10) for _ in waiting] == [Report(Step.WAITS)] * 2
    for thread in waiting:
        thread.join(10)

    assert ended == [True, True]


def test_an_address_that_is_not_ours_is_an_error_with_the_cure() -> None:
    with (
        pytest.raises(
            BuildError, match=r"cannot listen on 192\.0\.2\.1 .*; run refrom on the Docker Engine's own host"
        ),
        runtime_api("192.0.2.1"),
    ):
        pass

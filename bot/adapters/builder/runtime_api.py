"""A local Lambda Runtime API for one container (AWS Lambda developer guide, "Using the Lambda runtime API", 2018).

A runtime asks for the next event, and so says that its init is done; then it answers the event, or says what failed.
Extensions are not spoken to.
"""

import json
import queue
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from uuid import uuid4

from bot.core.errors import BuildError

_ROOT: Final = "/2018-06-01/runtime/"
_ANSWER: Final = re.compile(r"invocation/([0-9a-f-]{1,64})/(response|error)")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_LARGEST: Final = 8 << 20
"""Bytes of an answer; Lambda takes six million."""
_LARGEST_LINE: Final = 1024


class Step(StrEnum):
    """What a runtime just did."""

    WAITS = "waits"
    ANSWERED = "answered"
    FAILED = "failed"
    INIT_FAILED = "init failed"


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that the runtime did; `reason` is its own words where it failed."""

    step: Step
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, and how many seconds the function has for it, by the clock of this machine, as in its container."""

    content: bytes
    arn: str
    seconds: float


@dataclass(slots=True)
class RuntimeApi:
    """A running server: `address` as runtimes want it, what they did, and the events that are waiting for them."""

    address: str
    reports: "queue.Queue[Report]" = field(default_factory=queue.Queue)
    events: "queue.Queue[Event | None]" = field(default_factory=queue.Queue)


@contextmanager
def runtime_api(host: str) -> Iterator[RuntimeApi]:
    """Serve on a free port of an address until the block ends. Raises `BuildError` where the address is not ours."""
    try:
        server = _Server(host)
    except OSError as fault:
        raise BuildError(
            f"the Runtime API cannot listen on {host} ({fault.strerror}); run refrom on the Docker Engine's own host, "
            "in a container with the host's network"
        ) from fault
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.api
    finally:
        server.api.events.put(None)  # whoever still waits for an event goes home
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.api = RuntimeApi(f"{host}:{self.server_port}")


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        if self.path != f"{_ROOT}invocation/next":
            self._say(404)
            return
        self.server.api.reports.put(Report(Step.WAITS))
        event = self.server.api.events.get()
        if event is None:
            self.server.api.events.put(None)
            self.close_connection = True
            return
        self._give(event)

    def do_POST(self) -> None:
        body, path = _body(self), self.path.removeprefix(_ROOT)
        found = _ANSWER.fullmatch(path)
        if body is None:
            self.close_connection = True
            self._say(413)
        elif path == "init/error":
            self._report(Step.INIT_FAILED, _told(body.content))
        elif found and (found[2] == "error" or body.fault):
            self._report(Step.FAILED, body.fault or _told(body.content))
        elif found:
            self._report(Step.ANSWERED)
        else:
            self._say(404)

    def _report(self, step: Step, reason: str = "") -> None:
        self._say(202)
        self.server.api.reports.put(Report(step, reason))

    def _give(self, event: Event) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event.content)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid4()))
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + event.seconds) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", event.arn)
        self.end_headers()
        self.wfile.write(event.content)

    def _say(self, status: int) -> None:
        self.send_response(status)
        content = b'{"status":"OK"}' if status < 300 else b"{}"
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        """Keep quiet: what happened is in the reports."""


@dataclass(frozen=True, slots=True)
class _Body:
    """What was posted, and what a runtime says after the end of an answer that failed on its way."""

    content: bytes
    fault: str = ""


def _body(handler: BaseHTTPRequestHandler) -> _Body | None:
    """Read a body, in chunks where a runtime streams its answer (RFC 9112, section 7.1); None if it is too large."""
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        length = handler.headers.get("Content-Length", "0")
        fits = _NUMBER.fullmatch(length) and int(length) <= _LARGEST
        return _Body(handler.rfile.read(int(length))) if fits else None
    content = b""
    while size := _chunk_size(handler.rfile.readline(_LARGEST_LINE)):
        if len(content) + size > _LARGEST:
            return None
        content += handler.rfile.read(size)
        handler.rfile.readline(_LARGEST_LINE)
    return _Body(content, _trailing_fault(handler))


def _trailing_fault(handler: BaseHTTPRequestHandler) -> str:
    fault = ""
    while line := handler.rfile.readline(_LARGEST_LINE).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"lambda-runtime-function-error-type":
            fault = " ".join(value.decode(errors="replace").split())[:300]
    return fault


def _chunk_size(line: bytes) -> int:
    try:
        return max(int(line.partition(b";")[0], 16), 0)
    except ValueError:
        return 0


def _told(content: bytes) -> str:
    """Say in a line what a runtime gives as its error (`errorType`, `errorMessage`)."""
    try:
        document = json.loads(content)
        said = f"{document['errorType']}: {document['errorMessage']}"
    except (ValueError, RecursionError, LookupError, TypeError):
        said = content.decode(errors="replace")
    return " ".join(said.split())[:300]

"""The pages: health, metrics, and the audit. They read the board, so they answer while a cycle works."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response

from bot.core.errors import SettingsError
from bot.entrypoints.service.address import Address
from bot.entrypoints.service.health import health_document
from bot.entrypoints.service.metrics import CONTENT_TYPE, metrics
from bot.entrypoints.service.page import service_page
from bot.entrypoints.service.state import Board
from bot.ports.clock import Clock
from bot.wiring import Limits, Traffic

_GOODBYE: Final = 2
"""Seconds that requests have to end when the service ends."""
_BACKLOG: Final = 128

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer, whatever its status."""


def pages(
    board: Board, traffic: Callable[[], Mapping[str, Traffic]], limits: Callable[[], Limits], clock: Clock
) -> FastAPI:
    """Make the application: three pages, and nothing that changes anything."""
    app = FastAPI(title="refrom", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        document = health_document(board.state, clock.now())
        return JSONResponse(document, status_code=200 if document["healthy"] else 503)

    @app.get("/metrics")
    def scrape() -> Response:
        return Response(metrics(board.state, traffic(), limits()), media_type=CONTENT_TYPE)

    @app.get("/")
    def audit() -> HTMLResponse:
        return HTMLResponse(service_page(board.state, clock.now()))

    return app


@contextmanager
def listening(address: Address) -> Iterator[socket.socket]:
    """Take the address. Raises `SettingsError` where it cannot be had."""
    with socket.socket(address.family, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(address.pair)
            server.listen(_BACKLOG)
        except OSError as fault:
            raise SettingsError([f"--listen {address}: {fault.strerror}; name another address"]) from fault
        yield server


def address_of(listener: socket.socket) -> Address:
    """Where a socket listens, with the port that the system chose where none was named."""
    host, port = listener.getsockname()[:2]
    return Address(host, port)


@contextmanager
def web_server(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """Serve the pages in a thread of their own until the block ends."""
    config = uvicorn.Config(
        app,
        headers=list(HEADERS.items()),
        server_header=False,
        proxy_headers=False,
        access_log=False,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=_GOODBYE,
    )
    server = uvicorn.Server(config)

    def run() -> None:
        # A signal that the system gave to this thread, or to one that it starts, would not wake the main thread.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        server.run([listener])

    thread = threading.Thread(target=run, name="pages", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(2 * _GOODBYE)

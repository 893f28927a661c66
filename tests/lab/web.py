"""A web server on loopback that answers what a test tells it, and remembers what it was asked."""

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.lab.need import need


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived; `path` includes the query."""

    method: str
    path: str
    headers: Message
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; Content-Length is added unless the headers hold one."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class Web:
    """A running server: its address and all requests so far, in order of arrival."""

    url: str
    log: list[Asked] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Address and port, as they stand in an image reference."""
        return self.url.partition("//")[2]

    def asked(self, *methods: str) -> list[str]:
        """The requests as `METHOD path`, of some methods or of all."""
        return [f"{asked.method} {asked.path}" for asked in self.log if not methods or asked.method in methods]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """`identity` holds key and certificate, for a server; `authority` the certificate, for clients."""

    identity: Path
    authority: Path


@contextmanager
def serve(
    answer: Callable[[Asked], Answer | None],
    *,
    certificate: Certificate | None = None,
    place: tuple[str, int] = ("127.0.0.1", 0),
) -> Iterator[Web]:
    """Serve on a free loopback port until the block ends, or at another place, with TLS where a certificate is given.

    Where the function returns None, the connection ends without an answer.
    """
    server = ThreadingHTTPServer(place, BaseHTTPRequestHandler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.identity)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    web = Web(url=f"{scheme}://{place[0]}:{server.server_port}")
    server.RequestHandlerClass = _handler(web, answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def self_signed(folder: Path, subject: str = "IP:127.0.0.1") -> Certificate:
    """Make a certificate for a subject, as openssl writes alternative names, that nobody trusts unless told to."""
    openssl = need("openssl", "apt-get install openssl")
    key, authority, identity = (folder / name for name in ("key.pem", "authority.pem", "identity.pem"))
    kind, name = ["-newkey", "rsa:2048", "-nodes"], ["-subj", "/CN=lab", "-addext", f"subjectAltName={subject}"]
    command = [openssl, "req", "-x509", "-days", "2", *kind, *name, "-keyout", str(key), "-out", str(authority)]
    subprocess.run(command, check=True, capture_output=True)
    identity.write_bytes(key.read_bytes() + authority.read_bytes())
    return Certificate(identity=identity, authority=authority)


def _handler(web: Web, answer: Callable[[Asked], Answer | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (ConnectionError, ssl.SSLError):
                self.close_connection = True  # the client hung up, which some tests make it do

        def answer(self) -> None:
            asked = Asked(method=self.command, path=self.path, headers=self.headers, body=_body(self))
            web.log.append(asked)
            given = answer(asked)
            if given is None:
                self.close_connection = True
                return
            self.send_response(given.status)
            for name, value in {"Content-Length": str(len(given.body)), **given.headers}.items():
                self.send_header(name, value)
            if int(given.headers.get("Content-Length", len(given.body))) > len(given.body):
                self.close_connection = True  # a body cut short ends with the connection
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(given.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 (names of http.server)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (name of http.server)
            """Keep quiet: the tests read `log`."""

    return Handler


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    """Read the body of a request, in chunks where it comes so (RFC 9112, section 7.1; no trailers)."""
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    blocks = []
    while size := int(handler.rfile.readline().partition(b";")[0], 16):
        blocks.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(blocks)

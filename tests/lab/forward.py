"""Passes a request on to another server on loopback, and brings back what that answers."""

from collections.abc import Collection, Mapping
from http.client import HTTPConnection

from tests.lab.web import Answer, Asked

_PATIENCE_SECONDS = 30


def forward(host: str, asked: Asked, *, before: str = "", without: Collection[str] = ()) -> Answer:
    """Send a request as it came to `host`, its path after `before`, without some headers; the body comes back as is."""
    dropped = ("Connection", "Transfer-Encoding", *without)  # the body is whole by now
    kept = {name: value for name, value in asked.headers.items() if name not in dropped}
    return send(host, asked.method, before + asked.path, kept, asked.body)


def send(host: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send a request on a connection of its own."""
    connection = HTTPConnection(host, timeout=_PATIENCE_SECONDS)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    dropped = ("connection", "transfer-encoding", *(() if method == "HEAD" else ("content-length",)))
    given = {name: value for name, value in response.getheaders() if name.lower() not in dropped}
    return Answer(status=response.status, headers=given, body=content)

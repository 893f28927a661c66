"""Exchanges with GitHub that others recorded, out of the source distributions of PyGithub and github3.py.

They are fetched once by pip, compared with a digest, and stay in the lab's cache; nothing of them is in the repository.
"""

import ast
import base64
import gzip
import hashlib
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, Final

from requests.structures import CaseInsensitiveDict

from bot.adapters.transport import Response
from tests.lab.cache import cached
from tests.lab.need import lack, need

_DISTRIBUTIONS: Final = {
    ("PyGithub", "2.10.0"): "90ff24ef1cd1bd57124c2a3869cafee9d7b066909129ecdaba2c2d1903bc118d",
    ("github3.py", "4.0.1"): "30d571076753efc389edc7f9aaef338a4fcb24b54d8968d5f39b1342f45ddd36",
}
_LINES: Final = 11
"""A record of PyGithub: protocol, verb, host, port, path, headers, body, then status, headers, body, an empty line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One recorded exchange; `path` has the query, and no scheme and host."""

    source: str
    method: str
    path: str
    asked: str
    answer: Response


@cache
def recordings() -> tuple[Exchange, ...]:
    """Read all of them; without pip or its index skip the test (see `lack`)."""
    return tuple(exchange for name, version in _DISTRIBUTIONS for exchange in _read(_obtain(name, version)))


def _obtain(name: str, version: str) -> Path:
    return cached(f"{name}-{version}.tar.gz", partial(_fetch, name, version))


def _fetch(name: str, version: str, folder: Path) -> Path:
    command = [need("pip", "apt-get install python3-pip"), "download", "--quiet", "--no-deps", "--no-binary", name]
    done = subprocess.run(
        [*command, "--dest", str(folder), f"{name}=={version}"], capture_output=True, text=True, check=False
    )
    found = list(folder.glob("*.tar.gz"))
    if done.returncode or len(found) != 1:
        lack(f"pip does not bring the source of {name} {version}: {done.stderr[-300:]}")
    digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
    assert digest == _DISTRIBUTIONS[name, version], f"{name} {version} has sha256 {digest}; do not use it"
    return found[0]


def _read(path: Path) -> Iterator[Exchange]:
    with tarfile.open(path) as tar:
        for member in tar:
            name, content = member.name, tar.extractfile(member)
            if content is None:
                continue
            if "/tests/ReplayData/" in name and name.endswith(".txt"):
                yield from _of_pygithub(name, content)
            elif "/tests/cassettes/" in name and name.endswith(".json"):
                yield from _of_betamax(name, content)


def _of_pygithub(source: str, content: IO[bytes]) -> Iterator[Exchange]:
    lines = content.read().decode(errors="replace").split("\n")
    for start in range(0, len(lines) - _LINES + 1, _LINES):
        _, method, _, _, path, _, asked, status, headers, body, end = lines[start : start + _LINES]
        if end or not status.isdigit():
            return  # some files hold a record of another shape, after which nothing is in step
        yield _exchange(source, method, path, asked, int(status), dict(ast.literal_eval(headers)), body.encode())


def _of_betamax(source: str, content: IO[bytes]) -> Iterator[Exchange]:
    for one in json.load(content)["http_interactions"]:
        request, response = one["request"], one["response"]
        headers = {
            name: ", ".join(value) if isinstance(value, list) else value for name, value in response["headers"].items()
        }
        status = response["status"]["code"] if "status" in response else response["status_code"]
        path = "/" + request["uri"].partition("://")[2].partition("/")[2]
        yield _exchange(
            source, request["method"], path, str(_body(request["body"])), int(status), headers, _body(response["body"])
        )


def _body(body: Any) -> bytes:
    if not isinstance(body, dict):
        return str(body or "").encode()
    if "base64_string" in body:
        content = base64.b64decode(body["base64_string"])
        return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    return str(body.get("string") or "").encode()


def _exchange(
    source: str, method: str, path: str, asked: str, status: int, headers: Mapping[str, str], body: bytes
) -> Exchange:
    answer = Response(
        method=method,
        url=f"https://api.github.com{path}",
        status=status,
        headers=CaseInsensitiveDict(headers),
        body=body,
    )
    return Exchange(source=source, method=method, path=path, asked=asked, answer=answer)

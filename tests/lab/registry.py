"""Real registries on loopback: Debian's docker-registry (distribution), and before it a front like public.ecr.aws."""

import hashlib
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bot.core.image import MANIFEST_TYPES
from tests.lab.forward import forward, send
from tests.lab.need import need
from tests.lab.program import running
from tests.lab.web import Answer, Asked, Web, serve

LOGIN: Final = ("lab", "s3cret")
_HTPASSWD: Final = "lab:$2y$05$kUjfEdZfSI8rBsJx3wNqUejsVeaIsg98.dpE7kvKrUzkhUm.0/xNq\n"
_MOST_TAGS = 1000
_FOUND = 200
_ACCESS = re.compile(r'"([A-Z]+) (/v2/\S*) HTTP/1\.1" \d')
_GIVEN = re.compile(r'"GET /v2/\S*/blobs/(\S+) HTTP/1\.1" 200 (\d+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class LabRegistry:
    """A running registry; `host` is address and port as in a reference, `storage` its folder on disk, `log` its log."""

    host: str
    storage: Path
    log: Path

    def asked(self, *methods: str) -> list[str]:
        """The requests so far with one of the methods, as `METHOD path`, read off the server's own access log."""
        return [f"{m[1]} {m[2]}" for m in _ACCESS.finditer(self.log.read_text()) if m[1] in methods]

    def given(self) -> Mapping[str, int]:
        """The bytes of blobs that it sent so far, by digest, read off its access log."""
        found: Counter[str] = Counter()
        for digest, size in _GIVEN.findall(self.log.read_text()):
            found[digest] += int(size)
        return found

    @property
    def url(self) -> str:
        return f"http://{self.host}"


@contextmanager
def docker_registry(folder: Path, *, login: bool = False) -> Iterator[LabRegistry]:
    """Run `docker-registry serve` on a free loopback port; with `login` it wants `LOGIN` by Basic."""
    program = need("docker-registry", "apt-get install docker-registry")
    folder.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str]:
        return [program, "serve", str(_configure(folder, f"127.0.0.1:{port}", login=login))]

    with running(command, folder / "log") as server:
        yield LabRegistry(host=server.host, storage=folder / "storage", log=folder / "log")


class EcrPublicFront:
    """Behaves like public.ecr.aws before a real registry, and worse on demand.

    Bearer tokens come from `/token/`, with the slash, to anybody; a login that is not in `logins` gives a token with
    which the registry answers 403, as a stale `docker login` does.
    Tag lists end at 1,000 entries in no order.
    """

    def __init__(self, upstream: LabRegistry) -> None:
        self._upstream = upstream
        self._tokens: dict[str, bool] = {}
        self._refusals: list[Answer] = []
        self._tampered: str | None = None
        self._tampering: Callable[[Answer], Answer] = _bent
        self.logins: dict[str, str] = {}
        self.web = Web(url="")
        self.realm = ""
        """What leads to the tokens, if not the address that it runs at."""

    @property
    def host(self) -> str:
        """Address and port, as in a reference."""
        return self.web.host

    def asked(self, *methods: str) -> list[str]:
        """All requests so far as `METHOD path`, of some methods or of all."""
        return self.web.asked(*methods)

    def throttle(self, times: int, retry_after: str | None = None, status: int = 429) -> None:
        """Answer the next requests with 429 TOOMANYREQUESTS, or with 503 UNAVAILABLE."""
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        said = {429: ("TOOMANYREQUESTS", "Rate exceeded"), 503: ("UNAVAILABLE", "Try again later")}[status]
        self._refusals += [_error(status, *said, headers)] * times

    def expire_tokens(self) -> None:
        """Forget all tokens, so that each gets 401 once more."""
        self._tokens.clear()

    def tamper(self, part: str | None, how: Callable[[Answer], Answer] | None = None) -> None:
        """Change the answers to GETs whose path contains this text, by one byte if not told how; None ends it."""
        self._tampered, self._tampering = part, how or _bent

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path == "/token/":
            return self._token(asked)
        if self._refusals:
            return self._refusals.pop(0)
        token = (asked.headers["Authorization"] or "").removeprefix("Bearer ")
        if token not in self._tokens:
            realm = f'Bearer realm="{self.realm or self.web.url}/token/",service="public.ecr.aws",scope="aws"'
            return _error(401, "DENIED", "Not Authorized", {"WWW-Authenticate": realm})
        if not self._tokens[token]:
            return _error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
        given = forward(self._upstream.host, asked, without=["Authorization"])
        if path.endswith("/tags/list"):
            return _cut_tags(given)
        return self._tampering(given) if asked.method == "GET" and self._tampered and self._tampered in path else given

    def _token(self, asked: Asked) -> Answer:
        basic = asked.headers["Authorization"]
        good = [_basic(name, password) for name, password in self.logins.items()]
        token = f"lab-token-{len(self.web.log)}"
        self._tokens[token] = basic is None or basic in good
        return Answer(headers={"Content-Type": "application/json"}, body=json.dumps({"token": token}).encode())


@contextmanager
def ecr_public_front(upstream: LabRegistry) -> Iterator[EcrPublicFront]:
    """Run the front until the block ends."""
    front = EcrPublicFront(upstream)
    with serve(front.answer) as web:
        front.web = web
        yield front


@contextmanager
def immutable_tags(upstream: LabRegistry) -> Iterator[Web]:
    """Run a front that lets no tag move, nor be put again, as ECR does (TAG_INVALID)."""

    def answer(asked: Asked) -> Answer:
        name = asked.path.rpartition("/manifests/")[2]
        if asked.method == "PUT" and "/manifests/" in asked.path and not name.startswith("sha256:"):
            accept = {"Accept": ", ".join(MANIFEST_TYPES)}
            if send(upstream.host, "HEAD", asked.path, accept, b"").status == _FOUND:
                said = f"The image tag '{name}' already exists and cannot be overwritten because the tag is immutable."
                return _error(400, "TAG_INVALID", said)
        return forward(upstream.host, asked)

    with serve(answer) as web:
        yield web


def _configure(folder: Path, host: str, *, login: bool) -> Path:
    document: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": host},
    }
    if login:
        (folder / "htpasswd").write_text(_HTPASSWD)
        document["auth"] = {"htpasswd": {"realm": "lab", "path": str(folder / "htpasswd")}}
    config = folder / "config.yml"
    config.write_text(json.dumps(document))  # JSON is YAML
    return config


def _cut_tags(given: Answer) -> Answer:
    document = json.loads(given.body)
    tags = sorted(document.get("tags") or [], key=lambda tag: hashlib.sha256(tag.encode()).digest())
    return Answer(status=given.status, body=json.dumps({**document, "tags": tags[:_MOST_TAGS]}).encode())


def _bent(given: Answer) -> Answer:
    middle = len(given.body) // 2
    body = given.body[:middle] + bytes([given.body[middle] ^ 1]) + given.body[middle + 1 :]
    return Answer(status=given.status, headers=given.headers, body=body)


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Answer(status=status, headers={"Content-Type": "application/json", **(headers or {})}, body=body)


def _basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()

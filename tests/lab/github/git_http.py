"""Git's smart HTTP on the fake's own port: real `git http-backend`, after GitHub's checks of who may do what."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from tests.lab.github.accounts import Token
from tests.lab.github.bare_git import BRANCHES, environment
from tests.lab.github.hub import Hub
from tests.lab.github.ledger import Ledger
from tests.lab.github.refusals import Refusal
from tests.lab.github.repository import Repository
from tests.lab.web import Answer, Asked

_PATH: Final = re.compile(r"/(?P<name>[^/]+/[^/]+?)(\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)")
_PROBE: Final = b"0000"
"""What git sends before a large push, to see whether it may."""
_HOOK: Final = """#!/bin/sh
while read -r old new name; do
  case " $LAB_PROTECTED " in
    *" $name "*) echo "error: GH006: Protected branch update failed for $name." >&2; exit 1 ;;
  esac
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRequest:
    """A request of git's protocol."""

    name: str
    rest: str
    query: str

    @property
    def is_push(self) -> bool:
        return "git-receive-pack" in (self.rest, self.query.removeprefix("service="))

    @property
    def operation(self) -> str:
        return "git/receive-pack" if self.is_push else "git/upload-pack"

    @property
    def asks_references(self) -> bool:
        """Whether it is the first of the two requests that a fetch or a push makes, which changes nothing."""
        return self.rest == "info/refs"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitDoor:
    """Answers git's requests; git itself runs outside of the lock, as it is slow and keeps its own."""

    hub: Hub
    ledger: Ledger
    hooks: Path

    def answer(self, asked: Asked, request: GitRequest, site: str) -> Answer | None:
        """Answer one request; None ends the connection."""
        writes = request.is_push and not request.asks_references and asked.body != _PROBE
        with self.hub.lock:
            fault = self.ledger.faults.due(set() if request.asks_references else {request.operation}, writes=writes)
        given = None
        if fault is None or fault.after:
            given = self._carry_out(asked, request, site)
        with self.hub.lock:
            return self.ledger.finish(request.operation, asked, given, fault, writes=writes)

    def _carry_out(self, asked: Asked, request: GitRequest, site: str) -> Answer:
        try:
            with self.hub.lock:
                authorization = asked.headers.get("Authorization", "")
                repository, token = _authorize(self.hub, request, authorization, site)
            answer = _backend(asked, request, repository, token, self.hooks)
            with self.hub.lock:
                self.hub.settle(repository)
        except Refusal as refusal:
            headers = {"Content-Type": "text/plain", **refusal.headers}
            return Answer(status=refusal.status, headers=headers, body=refusal.message.encode())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it, and the client get an answer
            return self.ledger.defect(asked, error)
        return answer


def read(path: str) -> GitRequest | None:
    """Read a path with its query as a request of git, None where it is something else."""
    plain, _, query = path.partition("?")
    found = _PATH.fullmatch(unquote(plain))
    return GitRequest(name=found["name"], rest=found["rest"], query=query) if found else None


def install_hooks(folder: Path) -> Path:
    """Write the hook that refuses pushes to protected branches, and return its folder."""
    folder.mkdir()
    hook = folder / "pre-receive"
    hook.write_text(_HOOK)
    hook.chmod(0o755)
    return folder


def _authorize(hub: Hub, request: GitRequest, authorization: str, site: str) -> tuple[Repository, Token | None]:
    """Find the repository for a caller who may do this with it."""
    try:
        token = hub.accounts.token(authorization)
    except Refusal:
        raise _unauthorized() from None
    repository = hub.repository(request.name)
    moved = hub.renamed(request.name) if repository is None else None
    if moved and hub.may_see(token, moved):
        query = f"?{request.query}" if request.query else ""
        location = f"{site}/{moved.full_name}.git/{request.rest}{query}"
        raise Refusal(301, "Moved Permanently", headers={"Location": location})
    if repository is None or not hub.may_see(token, repository):
        raise _unauthorized() if token is None else Refusal(404, "Repository not found.")
    _require(hub, request, repository, token)
    return repository, token


def _require(hub: Hub, request: GitRequest, repository: Repository, token: Token | None) -> None:
    if not request.is_push and not repository.private:
        return
    if token is None:
        raise _unauthorized()
    wanted = "contents=write" if request.is_push else "contents=read"
    if not hub.reaches(token, repository) or not token.may(wanted):
        raise Refusal(403, f"Permission to {repository.full_name}.git denied to {token.account.login}.")
    if request.is_push and repository.archived:
        raise Refusal(403, "This repository was archived so it is read-only.")


def _unauthorized() -> Refusal:
    return Refusal(401, "Invalid username or token.", headers={"WWW-Authenticate": 'Basic realm="GitHub"'})


def _backend(asked: Asked, request: GitRequest, repository: Repository, token: Token | None, hooks: Path) -> Answer:
    """Run `git http-backend` once, as CGI (RFC 3875)."""
    settings = {
        "http.receivepack": "true",
        "uploadpack.allowAnySHA1InWant": "true",
        "receive.denyDeleteCurrent": "refuse",
        "core.hooksPath": str(hooks),
    }
    variables = {
        "GIT_PROJECT_ROOT": str(repository.git.path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.git.path.name}/{request.rest}",
        "QUERY_STRING": request.query,
        "REQUEST_METHOD": asked.method,
        "CONTENT_TYPE": asked.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(asked.body)),
        "HTTP_CONTENT_ENCODING": asked.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": asked.headers.get("Git-Protocol", ""),
        "REMOTE_USER": token.account.login if token else "",
        "REMOTE_ADDR": "127.0.0.1",
        "LAB_PROTECTED": " ".join(f"{BRANCHES}{name}" for name in repository.protected),
        **_configured(settings),
    }
    done = subprocess.run(
        ["git", "http-backend"],
        env={**environment(), **variables},
        input=asked.body,
        capture_output=True,
        check=False,
    )
    if not done.stdout:
        raise RuntimeError(f"git http-backend failed: {done.stderr.decode(errors='replace')}")
    return _read_cgi(done.stdout)


def _configured(settings: Mapping[str, str]) -> dict[str, str]:
    """Give git settings by the environment, so that the repositories need none."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for index, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return variables


def _read_cgi(output: bytes) -> Answer:
    head, _, body = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200").split()[0])
    return Answer(status=status, headers=headers, body=body)

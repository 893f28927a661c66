"""The `docker` command as a BuildKit client: finding one that can build, running it with bounds.

BuildKit builds go through the command because the SDK speaks only the classic builder.
A command without the buildx component refuses BuildKit, older ones have it built in; trying tells them apart.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from bot.core.errors import BuildError

LONGEST_BUILD: Final = 3600.0
"""Seconds after which a build is stopped."""

_LOG_END: Final = 64 * 1024
"""Bytes of output that are kept."""
_TRIAL: Final = 30.0
_PASSED_ON: Final = frozenset(
    {"PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"}
    | {name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())}
)
"""What a build client needs of our environment; the rest may hold secrets."""
_HUB: Final = {"docker.io": "https://index.docker.io/v1/"}
"""The one registry whose key in a Docker configuration is not its host."""


@contextmanager
def docker_environment(host: str | None) -> Iterator[dict[str, str]]:
    """Give the environment of a client whose configuration lies in a folder that only we can read.

    `host` is the daemon's address; without it DOCKER_HOST decides, else the usual socket.
    """
    environment = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
    with TemporaryDirectory(prefix="refrom-docker-") as folder:
        environment |= {
            "DOCKER_HOST": host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock",
            "DOCKER_CONFIG": folder,
            "DOCKER_BUILDKIT": "1",
            # Lambda takes no index, and clients before 0.10 do not know the flag for this.
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }
        log_in(environment, {})
        yield environment


def log_in(environment: Mapping[str, str], logins: Mapping[str, tuple[str, str]]) -> None:
    """Let the client know user names and passwords by registry host, and no others."""
    config = Path(environment["DOCKER_CONFIG"], "config.json")
    config.touch(mode=0o600)
    config.write_text(json.dumps({"auths": _auths(logins), "cliPluginsExtraDirs": _plugins()}))


def find_docker(environment: Mapping[str, str]) -> str:
    """Return the first `docker` on PATH that can build with BuildKit; `BuildError` tells of those that cannot."""
    tried: dict[str, str] = {}
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        command = shutil.which("docker", path=folder)
        if command is None or command in tried:
            continue
        fault = _try(command, environment)
        if fault is None:
            return command
        tried[command] = fault
    found = "; ".join(f"{command} says: {fault}" for command, fault in tried.items())
    raise BuildError(f"no docker command builds with BuildKit ({found or 'none is on PATH'}); install docker-buildx")


def run(
    command: Sequence[str], environment: Mapping[str, str], limit: float = LONGEST_BUILD, folder: Path | None = None
) -> tuple[int, str]:
    """Run a command to its end, in a folder; return its exit code and the end of its output.

    Raises `BuildError` if it does not start or runs longer than `limit` seconds; all that it started is stopped then.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 the command is a list, its program was found by find_docker
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as fault:
        raise BuildError(f"{command[0]} does not start ({fault.strerror}); install it anew") from fault
    with process, _stopped_after(limit, process) as expired:
        log = _read_end(process.stdout)
    if expired.is_set():
        raise BuildError(f"{command[0]} was stopped after {limit:.0f} s; make the build shorter", log=log)
    return process.returncode, log


@contextmanager
def _stopped_after(limit: float, process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """Kill the process and its children after a while, or when we are interrupted; the event says that time was up."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _kill(process)

    timer = threading.Timer(limit, expire)
    timer.start()
    try:
        yield expired
    except BaseException:
        _kill(process)
        raise
    finally:
        timer.cancel()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _try(command: str, environment: Mapping[str, str]) -> str | None:
    """Ask for the build command's help, which a client without BuildKit refuses; return what it says then."""
    try:
        code, output = run((command, "build", "--help"), environment, _TRIAL)
    except BuildError as fault:
        return str(fault)
    return None if code == 0 else " ".join(output.split())[:200]


def _read_end(output: IO[bytes] | None) -> str:
    end = b""
    while output is not None and (chunk := output.read(8192)):
        end = (end + chunk)[-_LOG_END:]
    return end.decode(errors="replace")


def _auths(logins: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
    return {
        _HUB.get(host, host): {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        for host, (user, password) in logins.items()
    }


def _plugins() -> list[str]:
    """A user's own buildx lies in the configuration folder that ours stands in for."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker", "cli-plugins")
    return [str(folder)] if folder.is_dir() else []

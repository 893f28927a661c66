"""Docker credential helpers: programs `docker-credential-NAME` (github.com/docker/docker-credential-helpers, README).

One is run by its full path, without a shell, for a while and with bounded output.
"""

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, Popen
from tempfile import TemporaryFile
from threading import Timer
from typing import Any, Final

from bot.adapters.transport import excerpt
from bot.core.errors import RegistryError

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z", re.ASCII)
_MOST: Final = 1 << 16
_PATIENCE: Final = 30.0
"""Seconds; a helper may have to ask a service itself."""


def ask_helper(name: str, server: str, patience: float = _PATIENCE) -> Mapping[str, Any]:
    """Ask a helper for the login of a server; an empty answer means that it has none. Raises `RegistryError`."""
    program = _program(name)
    output, code = _run(program, server.encode(), patience)
    if code and b"credentials not found" in output:
        return {}
    if code or len(output) > _MOST:
        # What a helper prints when it fails is for people; when it does not, it is a secret.
        reason = f"ended with {code}: {excerpt(output)}" if code > 0 else "did not end in time or printed too much"
        raise RegistryError(f"{program} gave no login for {server} ({reason}); ask it by hand", status=401)
    try:
        document = json.loads(output)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise RegistryError(f"{program} answered no JSON object for {server}; update it", status=401)
    return document


def _program(name: str) -> str:
    if not _NAME.match(name):
        raise RegistryError(f"credential helper {name[:80]!a} is no name of a program; correct docker's config.json")
    program = shutil.which(f"docker-credential-{name}")
    if program is None or not Path(program).is_absolute():
        raise RegistryError(f"docker-credential-{name} is not on the PATH; install it, or run docker login without it")
    return program


def _run(program: str, question: bytes, patience: float) -> tuple[bytes, int]:
    """Run `PROGRAM get` in a process group of its own, which ends when it is too slow or says too much."""
    out, into = os.pipe()
    with TemporaryFile() as asked, os.fdopen(out, "rb") as answer:
        asked.write(question)
        asked.seek(0)
        try:
            process = Popen([program, "get"], stdin=asked, stdout=into, stderr=DEVNULL, start_new_session=True)  # noqa: S603 - a full path, no shell
        except OSError as fault:
            raise RegistryError(f"{program} cannot be run ({fault.strerror}); install it anew") from fault
        finally:
            os.close(into)
        with process, _ended_after(patience, process.pid):
            output = answer.read(_MOST + 1)
            if len(output) > _MOST:
                _end(process.pid)
            return output, process.wait()


@contextmanager
def _ended_after(patience: float, group: int) -> Iterator[None]:
    timer = Timer(patience, _end, [group])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(group: int) -> None:
    """Kill a helper and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)

"""Servers that others wrote, run on loopback as processes of their own."""

import contextlib
import ipaddress
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STARTS: Final = 3
_PATIENCE_SECONDS: Final = 30
_LISTENING: Final = "0A"
"""The state of a socket in /proc/net/tcp (proc_pid_net(5), Linux's include/net/tcp_states.h)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A running server; `host` is its address and port."""

    host: str
    pid: int

    def listens_at(self) -> set[str]:
        """All addresses at which it takes connections, read off the kernel's tables."""
        files = _targets(Path(f"/proc/{self.pid}/fd"))
        sockets = {m[1] for file in files if (m := re.fullmatch(r"socket:\[(\d+)\]", file))}
        lines = [line.split() for name in ("tcp", "tcp6") for line in _table(name)]
        return {_address(line[1]) for line in lines if line[3] == _LISTENING and line[9] in sockets}


@contextmanager
def running(
    command: Callable[[int], Sequence[str]], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run a server until the block ends; `command` gets the port at which it is to listen."""
    process, host = _start(command, log, environment)
    try:
        yield Program(host=host, pid=process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(
    command: Callable[[int], Sequence[str]], log: Path, environment: Mapping[str, str] | None
) -> tuple[subprocess.Popen[bytes], str]:
    """Start on a free port, once more if somebody took it in between."""
    for _ in range(_STARTS):
        port = free_port()
        with log.open("ab") as out:
            process = subprocess.Popen(command(port), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        if _answers(process, port):
            return process, f"127.0.0.1:{port}"
        process.kill()
        process.wait()
    raise RuntimeError(f"{command(0)[0]} does not start; it says: {log.read_text()[-2000:]}")


def free_port() -> int:
    """A loopback port that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return True
    return False


def _targets(folder: Path) -> Iterator[str]:
    for link in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a file that was closed meanwhile
            yield str(link.readlink())


def _table(name: str) -> list[str]:
    path = Path("/proc/net", name)
    return path.read_text().splitlines()[1:] if path.exists() else []


def _address(field: str) -> str:
    """Read `0100007F:1F90`: words of four bytes as this machine holds them (the lab's are little-endian)."""
    digits = field.partition(":")[0]
    words = [bytes.fromhex(digits[start : start + 8])[::-1] for start in range(0, len(digits), 8)]
    return str(ipaddress.ip_address(b"".join(words)))

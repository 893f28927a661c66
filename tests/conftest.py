"""What all tests share: no way off this machine, and figures that a show can print beside their goals."""

import ipaddress
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("refrom", deadline=None, derandomize=True)
settings.load_profile("refrom")

Figure = Callable[[str, object, object], None]


def _refuse_other_hosts(event: str, arguments: tuple[object, ...]) -> None:
    """Let no socket connect beyond loopback (PEP 578); names are resolved before, so the address is an IP."""
    if event != "socket.connect":
        return
    address = arguments[1]
    host = address[0] if isinstance(address, tuple) else ""
    if (
        isinstance(host, str)
        and host not in ("", "localhost")
        and not ipaddress.ip_address(host.split("%")[0]).is_loopback
    ):
        raise PermissionError(f"a test tried to connect to {host}; tests talk to loopback only")


sys.addaudithook(_refuse_other_hosts)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Check a figure against its goal, and write it down where a show asks for figures."""

    def check(what: str, value: object, goal: object) -> None:
        out = os.environ.get("REFROM_FIGURES")
        if out:
            line = {
                "test": request.node.nodeid,
                "what": what,
                "figure": str(value),
                "goal": str(goal),
                "ok": value == goal,
            }
            with Path(out).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        assert value == goal, what

    return check

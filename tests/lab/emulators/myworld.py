"""`myworld` 0.2.1 (PyPI, no licence stated): GitHub's REST and GraphQL APIs as others have written them.

It is installed for the tests alone, into the lab's cache; nothing of it is in this repository or in what it ships.
Its proxy for real clients stays off, and with it all ways to other hosts; requests come in by a path of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.lab.cache import cached
from tests.lab.emulators.rest import BOT, OWNER, PERSON, Rest
from tests.lab.forward import send
from tests.lab.need import lack, need
from tests.lab.program import Program, running

GITHUB: Final = "/gw/api.github.com"
"""Where its GitHub is."""
_REQUIREMENTS: Final = Path(__file__).parent / "myworld.txt"
_NAME: Final = f"myworld-0.2.1-{sys.implementation.cache_tag}"

Fault = Mapping[str, object]
"""What it is made to do wrong: `tool` (an operation), `kind`, `on_call` and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One life of its world, apart from all others: the tokens by login, and what its faults go by."""

    id: str
    tokens: Mapping[str, str]
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MyWorld:
    """The running emulator, with its ways to prepare a world."""

    program: Program
    _turns: Iterator[int]

    def rest(self, token: str) -> Rest:
        """Speak to its GitHub with a token."""
        return Rest(host=self.program.host, authorization=f"Bearer {token}", before=GITHUB)

    def begin(self, repositories: Sequence[Mapping[str, object]], instead: Life | None = None) -> Life:
        """Begin a life with these repositories, instead of another one, which leaves its tokens to it."""
        if instead:
            self.end(instead)
        name = instead.id if instead else f"life-{next(self._turns)}"
        users = [{"login": login, "name": login.title(), "email": f"{login}@example.com"} for login in (BOT, PERSON)]
        seed = {"viewer": BOT, "users": [*users, {"login": OWNER, "type": "Organization"}], "repos": repositories}
        agents = {login: {"as": f"{login}@example.com", "task": "none"} for login in (BOT, PERSON)}
        spec = {"name": name, "agents": agents, "servers": {"github": {"seed": seed}}}
        given = self._control("POST", "/envs", {"spec": spec, "id": name})
        tokens = {login: given["credentials"][login]["github_token"] for login in (BOT, PERSON)}
        return Life(id=name, tokens=tokens, instance=given["servers"]["github"]["instance"])

    def end(self, life: Life) -> None:
        """End a life."""
        self._control("DELETE", f"/envs/{life.id}")

    def go_wrong(self, life: Life, *faults: Fault) -> None:
        """Let these things go wrong from now on, and no others."""
        self._control("PUT", f"/instances/{life.instance}/faults", [*faults])

    def _control(self, method: str, path: str, body: object = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        answer = send(self.program.host, method, path, {"Content-Type": "application/json"}, content)
        assert answer.status == 200, f"myworld, {method} {path}: {answer.status} {answer.body.decode()}"
        return json.loads(answer.body)


@contextmanager
def myworld(folder: Path) -> Iterator[MyWorld]:
    """Run it until the block ends, with a home of its own."""
    installed = cached(_NAME, _install)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL")}
    environment = {**kept, "HOME": str(folder), "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}

    def command(port: int) -> list[str]:
        serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--time", "virtual", "--log-level", "warning"]
        return [sys.executable, "-P", "-m", "myworld.cli", *serve]

    with running(command, folder / "log", environment) as program:
        yield MyWorld(program=program, _turns=count())


def _install(folder: Path) -> Path:
    """Install what the list names, each package compared with its digest, for the Python that runs the tests."""
    pip, target = need("pip", "apt-get install python3-pip"), folder / "installed"
    command = [pip, "--python", sys.executable, "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    pinned = [
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--target",
        str(target),
        "--requirement",
        str(_REQUIREMENTS),
    ]
    done = subprocess.run([*command, *pinned], capture_output=True, text=True, check=False)
    if done.returncode:
        lack(f"pip does not bring myworld 0.2.1: {done.stderr[-500:]}")
    return target

"""`emulate` 0.12.2 (npm, Apache-2.0): GitHub's REST API as others have written it.

It runs on the Node of an npm package, since it needs Node 24; nothing of either runs while they are installed.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from tests.lab.cache import cached
from tests.lab.emulators.rest import BOT, OWNER, PERSON, Rest
from tests.lab.need import lack, need
from tests.lab.program import Program, running

_LOCK: Final = Path(__file__).parent / "npm"
_NAME: Final = "emulate-0.12.2-node-24.21.0"
_NPM_SECONDS: Final = 300
_TOKENS: Final = 1000
"""It gives each token 5,000 calls, so each test takes new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulate:
    """The running emulator."""

    program: Program
    _turns: Iterator[int]

    def tokens(self) -> Mapping[str, str]:
        """Return a token for the bot and one for a person that nobody has used yet."""
        turn = next(self._turns)
        return {login: f"{login}-{turn}" for login in (BOT, PERSON)}

    def rest(self, token: str) -> Rest:
        """Speak to it with a token."""
        return Rest(host=self.program.host, authorization=f"Bearer {token}")


@contextmanager
def emulate(folder: Path) -> Iterator[Emulate]:
    """Run it until the block ends, with an organisation to which a bot and a person belong."""
    installed = cached(_NAME, _install) / "node_modules"
    seed = folder / "seed.json"
    seed.write_text(json.dumps(_seed()))
    script = str(installed / "emulate" / "dist" / "index.js")

    def command(port: int) -> list[str]:
        return [str(_node(installed)), script, "start", "--service", "github", "--port", str(port), "--seed", str(seed)]

    with running(command, folder / "log", {"HOME": str(folder)}) as program:
        yield Emulate(program=program, _turns=count())


def _install(folder: Path) -> Path:
    """Install what the lock file names, each package compared with its digest."""
    npm = need("npm", "apt-get install npm")
    project = shutil.copytree(_LOCK, folder / "project")
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False)
    if done.returncode:
        lack(f"npm does not bring emulate 0.12.2: {done.stderr[-500:]}")
    return project


def _node(installed: Path) -> Path:
    """The one Node that npm took, which is that of this machine."""
    nodes = [*installed.glob("node-*/bin/node")]
    if not nodes:
        lack("npm has no Node 24.21.0 for this machine, which emulate needs")
    return nodes[0]


def _seed() -> Mapping[str, object]:
    logins = (BOT, PERSON)
    users = [{"login": login, "name": login.title(), "email": f"{login}@example.com"} for login in logins]
    members = [{"login": login, "role": "admin"} for login in logins]
    scopes = ["repo", "user", "admin:org", "delete_repo"]
    tokens = {f"{login}-{turn}": {"login": login, "scopes": scopes} for login in logins for turn in range(_TOKENS)}
    return {"tokens": tokens, "github": {"users": users, "orgs": [{"login": OWNER, "members": members}], "repos": []}}

"""The peer to measure against: Renovate, where it is installed outside the repository.

REFROM_PEERS names the folder (`~/.cache/refrom-peers` if unset) in which these were run:
`npm install node@24` and `npm install renovate@44.121.2 --ignore-scripts`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_HARNESS = Path(__file__).with_name("renovate.mjs")


def folder() -> Path:
    """Where peers are installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("REFROM_PEERS") or cache / "refrom-peers") / "node_modules"


def renovate_is_there() -> bool:
    """Whether Renovate and its Node are installed."""
    return (folder() / "renovate/dist").is_dir() and (folder() / "node/bin/node").is_file()


def renovate(tree: Path, names: Sequence[str]) -> float:
    """CPU milliseconds a file that Renovate takes to read and extract, in a process of its own."""
    command = [folder() / "node/bin/node", _HARNESS, folder() / "renovate/dist", tree]
    environment = {**os.environ, "LOG_LEVEL": "debug", "LOG_FORMAT": "json"}
    done = subprocess.run(
        command, input="\n".join(names), env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    return float(json.loads(done.stderr.rpartition("\n")[2])["ms"])


def refrom(tree: Path, names: Sequence[str]) -> float:
    """CPU milliseconds a file that refrom takes for the same, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.first_pass", str(tree)]
    done = subprocess.run(command, input="\n".join(names), capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout)

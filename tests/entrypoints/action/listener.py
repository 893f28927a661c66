"""Reads a log as GitHub's runner does: which lines of it are commands (actions/runner, ActionCommandManager.cs)."""

import re
from typing import Final

_NEW: Final = re.compile(r"\s*::([^ :]+)(?: ([^\n]*?))?::(.*)\Z")
_OLD: Final = re.compile(r".*?##\[([^ \]]+)(?: ([^\]]*))?\](.*)\Z")
_ESCAPES: Final = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))


def heard(log: str) -> list[tuple[str, str, str]]:
    """Return name, properties and data of each command that the runner would obey."""
    commands, waiting_for = [], ""
    for line in log.split("\n"):
        match = _NEW.match(line) or _OLD.match(line)
        if not match:
            continue
        name, properties, data = match[1], match[2] or "", match[3]
        if waiting_for:
            waiting_for = "" if name == waiting_for else waiting_for
        elif name == "stop-commands":
            waiting_for = data
        else:
            commands.append((name, _plain(properties), _plain(data)))
    return commands


def _plain(text: str) -> str:
    for written, meant in _ESCAPES:
        text = text.replace(written, meant)
    return text

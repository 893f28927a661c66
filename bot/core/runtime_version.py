"""Versions of managed runtimes, as Lambda names them in logs: `python:3.13.v68`, `python:3.12.mainlinev2.v11`.

Two ARNs of one version differ by Region and architecture, so versions are compared by their number, and only within
one line: what stands before the number.
Where the name is told: INIT_START in the logs, as text or as JSON (developer guide, "Runtime version updates").
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from bot.core.errors import InvalidReference

_NAME: Final = re.compile(r"(?P<line>[a-z][a-z0-9]*(?:[:.][A-Za-z0-9_-]+)*)\.v(?P<number>\d{1,9})\Z", re.ASCII)
_ARN: Final = r"arn:aws[a-z-]*:lambda:[a-z0-9-]{1,40}:\d{0,12}:runtime[:/][A-Za-z0-9_.:/+-]{1,256}"
_RUNTIME_ARN: Final = re.compile(rf"{_ARN}\Z")
_TEXT: Final = re.compile(
    rf"INIT_START Runtime Version: (?P<version>\S{{1,200}})\s+Runtime Version ARN: (?P<arn>{_ARN})"
)
_LONGEST: Final = 4096
"""Characters of a line that are looked at; INIT_START is far shorter, and whatever a function prints may be longer."""


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """One version of a runtime: its line, such as `python:3.13`, and its number there."""

    line: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `python:3.13.v68`; raises `InvalidReference`."""
        found = _NAME.match(text)
        if found is None:
            raise InvalidReference(f"{text[:80]!r} is no runtime version; one is such as python:3.13.v68")
        return cls(found["line"], int(found["number"]))

    def __str__(self) -> str:
        return f"{self.line}.v{self.number}"


@dataclass(frozen=True, slots=True)
class InitStart:
    """What Lambda logs when it starts a function: the runtime's version, and its ARN in this Region."""

    version: RuntimeVersion
    arn: str


def read_init_start(line: str) -> InitStart | None:
    """Read one log line, text or JSON; None for any other line, whoever printed it."""
    line = line[:_LONGEST].strip()
    version, arn = _from_json(line) if line.startswith("{") else _from_text(line)
    if not _RUNTIME_ARN.match(arn):
        return None
    try:
        return InitStart(RuntimeVersion.parse(version), arn)
    except InvalidReference:
        return None


def newest_by_line(versions: Iterable[RuntimeVersion]) -> Mapping[str, RuntimeVersion]:
    """The highest number of each line."""
    newest: dict[str, RuntimeVersion] = {}
    for version in versions:
        if version.line not in newest or newest[version.line].number < version.number:
            newest[version.line] = version
    return newest


def _from_text(line: str) -> tuple[str, str]:
    found = _TEXT.match(line)
    return (found["version"], found["arn"]) if found else ("", "")


def _from_json(line: str) -> tuple[str, str]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return "", ""
    record = document.get("record")
    if document.get("type") != "platform.initStart" or not isinstance(record, dict):
        return "", ""
    return str(record.get("runtimeVersion", "")), str(record.get("runtimeVersionArn", ""))

"""What a step can tell the runner of its job: workflow commands on standard output, and files that it names.

The runner reads a command off every line of the log that begins with `::`, and off `##[` wherever it stands
(actions/runner, ActionCommand.cs), so nothing that others wrote is printed while it listens.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp
from typing import Final, Self, TextIO

from bot.core.errors import SettingsError

_DATA: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = {**_DATA, ":": "%3A", ",": "%2C"}
_FILES: Final = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP")


def command(name: str, data: str, **properties: str) -> str:
    """Write a workflow command, as one line."""
    given = ",".join(f"{key}={_escape(value, _PROPERTY)}" for key, value in properties.items())
    return f"::{name}{' ' if given else ''}{given}::{_escape(data, _DATA)}"


def assignment(name: str, value: str, delimiter: str) -> str:
    """Write an output, whose value may hold anything but the delimiter."""
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """The runner of this step's job: its log, the files that it reads when the step ends, a folder for the job."""

    log: TextIO
    outputs: Path
    summary_file: Path
    temporary: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], log: TextIO) -> Self:
        """Find what the runner offers. Raises `SettingsError` outside of a job."""
        missing = [name for name in _FILES if not environ.get(name)]
        if missing:
            raise SettingsError([f"{name} is not set; only action.yml in a job starts this" for name in missing])
        outputs, summary, temporary = (Path(environ[name]) for name in _FILES)
        return cls(log=log, outputs=outputs, summary_file=summary, temporary=temporary)

    def mask(self, secret: str) -> None:
        """Let the log never show a secret; one of several lines is masked line by line."""
        for line in filter(str.strip, secret.splitlines()):
            self._say(command("add-mask", line))

    def error(self, title: str, message: str) -> None:
        """Show an error at the job."""
        self._say(command("error", message, title=title))

    @contextmanager
    def unheard(self) -> Iterator[TextIO]:
        """Print to the log what others wrote: until the end the runner takes nothing for a command."""
        token = token_hex(16)
        self._say(command("stop-commands", token))
        try:
            yield self.log
        finally:
            self._say(f"\n{command(token, '')}")

    def output(self, name: str, value: str) -> None:
        """Set an output of the step."""
        with self.outputs.open("a", encoding="utf-8") as file:
            file.write(assignment(name, value, token_hex(16)))

    def summarize(self, markdown: str) -> None:
        """Show Markdown on the job's page."""
        with self.summary_file.open("a", encoding="utf-8", errors="replace") as file:
            file.write(markdown)

    def keep(self, name: str, text: str) -> Path:
        """Write a file that later steps of the job can read."""
        path = Path(mkdtemp(prefix="refrom-", dir=self.temporary)) / name
        path.write_text(text, encoding="utf-8")
        return path

    def _say(self, line: str) -> None:
        self.log.write(f"{line.encode(errors='replace').decode()}\n")
        self.log.flush()


def _escape(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)

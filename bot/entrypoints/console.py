"""What every command of the command line has: its clock and consoles, its common options, and how it prints."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot.core.errors import SettingsError
from bot.entrypoints.documents import Document
from bot.ports.clock import Clock
from bot.wiring import SystemClock


class Format(StrEnum):
    """What a reading command prints."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Session:
    """What one invocation has: its clock and the consoles; standard output carries results, the other the rest."""

    clock: Clock
    out: Console
    err: Console


ConfigOption = Annotated[Path | None, typer.Option("--config", help="The settings; refrom.yaml here if it exists.")]
FormatOption = Annotated[Format, typer.Option("--format", help="What to print.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Decide everything, change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for a confirmation.")]


def session_of(context: typer.Context) -> Session:
    """The session that an invocation was given; the machine's own clock and consoles if none."""
    session = context.find_root().obj
    return session if isinstance(session, Session) else Session(SystemClock(), Console(), Console(stderr=True))


def print_document(
    session: Session, output: Format, document: Document, show: Callable[[Console, dict[str, Any]], None]
) -> None:
    """Print a document as JSON, or as a person reads it."""
    if output is Format.JSON:
        write(session, json.dumps(document, indent=1) + "\n")
    else:
        show(session.out, document)


def parse_day(text: str | None, now: datetime) -> date | None:
    """Read the last day of something from --until, None where it is left out; raises `SettingsError`."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise SettingsError([f"--until {text} is no date; write year, month and day, such as 2027-01-31"]) from None
    if day < now.date():
        raise SettingsError([f"--until {text} is over; write a day to come"])
    return day


def parse_reason(text: str) -> str:
    """Read --reason; raises `SettingsError` where it says nothing."""
    if not text.strip():
        raise SettingsError(["--reason is empty; say why, for whoever finds it"])
    return text


def write(session: Session, text: str) -> None:
    """Write to standard output as it is."""
    session.out.file.write(text)


def confirm(question: str, *, yes: bool) -> None:
    """Go on if a person agrees, who is asked on standard error; end the command if not.

    Raises `SettingsError` where nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise SettingsError(["there is no terminal on which to confirm this; say --yes, or look first with --dry-run"])
    typer.confirm(question, abort=True, err=True)

"""`refrom rollout`: where each base stands on its way through the fleet; reads all and changes nothing."""

from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console

from bot.core.rollout import Phase
from bot.entrypoints.audit_documents import rollout_document
from bot.entrypoints.console import ConfigOption, Format, FormatOption, print_document, session_of
from bot.entrypoints.exits import ATTENTION, DONE
from bot.entrypoints.tables import say, short, show, subject_of
from bot.steps.cycle import Cycle
from bot.wiring import open_workshop


def rollout(context: typer.Context, config: ConfigOption = None, output: FormatOption = Format.TABLE) -> int:
    """Show where each base stands: its phase, who took it, what is next, and what halted it."""
    session = session_of(context)
    now = session.clock.now()
    with open_workshop(config, session.clock, dry_run=True, required=True) as workshop:
        inquiry = Cycle(workshop.world, workshop.mapped_rules()).inquiry
        if inquiry.rules.rollout is None:
            say(session.err, "the settings have no rollout, so every repository may take a base at once")
        faults = inquiry.read_all(now)
        reports = inquiry.rollouts
        document = rollout_document(reports, faults, inquiry.failed_streams)
    print_document(session, output, document, show_rollouts)
    halted = any(report.phase is Phase.HALTED for report in reports)
    return ATTENTION if halted or document["errors"] else DONE


def show_rollouts(console: Console, document: dict[str, Any]) -> None:
    """Show `refrom.rollout/1`."""
    rows: Sequence[Sequence[object]] = [
        (r["runtime"], short(r["base"]), r["began"], r["phase"], f"{r['wave']} of {r['waves']}", r["next"],
         r["uses"]["taken"], r["uses"]["waiting"], r["reason"])
        for r in document["rollouts"]
    ]  # fmt: skip
    columns = ("stream", "base", "since", "phase", "waves", "next opens", "taken", "waiting", "why halted")
    show(console, "Rollouts", columns, rows)
    for error in document["errors"]:
        say(console, f"{subject_of(error)}: {error['reason']}", "bold red")

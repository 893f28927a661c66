"""The command line. One boundary maps every error to an exit code (docs/reference/exit-codes.md)."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot import __version__
from bot.entrypoints import documents, tables
from bot.entrypoints.auditing import audit
from bot.entrypoints.byhand import redeploy, rollback
from bot.entrypoints.console import (
    ConfigOption,
    DryRunOption,
    Format,
    FormatOption,
    Session,
    print_document,
    session_of,
    write,
)
from bot.entrypoints.demo.story import tell
from bot.entrypoints.exits import ATTENTION, DEFECT, DONE, USAGE, failure
from bot.entrypoints.explaining import explain
from bot.entrypoints.holding import block, hold, release, unblock
from bot.entrypoints.init import write_starter
from bot.entrypoints.ledger import ledger_document, read_ledger
from bot.entrypoints.reading import diff, lineage, scan, watch
from bot.entrypoints.rollout import rollout
from bot.entrypoints.service.probe import LISTEN
from bot.entrypoints.work import run_cycle
from bot.ports.clock import Clock
from bot.steps.doctor import examine
from bot.wiring import SystemClock, open_patient, open_workshop

__all__ = ["ATTENTION", "DEFECT", "DONE", "USAGE", "app", "entry", "main"]


def _leave(code: int | None, **_options: object) -> None:
    """Make what a command returns the exit code."""
    raise typer.Exit(code or DONE)


app = typer.Typer(
    name="refrom",
    result_callback=_leave,
    help="Keeps AWS Lambda container images on a patched base: refrom re-points FROM.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


ledger = typer.Typer(
    help="Carry what was observed to another machine or to the next job.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(ledger, name="ledger")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Keep AWS Lambda container images on a patched base."""
    if version:
        session_of(context).out.print(f"refrom {__version__}", highlight=False)
        raise typer.Exit


app.command()(scan)
app.command()(watch)


@ledger.command("export")
def export_ledger(context: typer.Context, config: ConfigOption = None) -> None:
    """Write all observations to standard output, as JSON."""
    session = session_of(context)
    with open_workshop(config, session.clock, dry_run=True) as workshop:
        document = ledger_document(workshop.world.ledger.observations())
    write(session, json.dumps(document, indent=1) + "\n")


@ledger.command("import")
def import_ledger(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="What export wrote.")],
    config: ConfigOption = None,
) -> None:
    """Add observations to those of the store; each keeps the earliest and the latest time at which it was seen."""
    session = session_of(context)
    observations = read_ledger(path, session.clock.now())
    with open_workshop(config, session.clock) as workshop:
        for observation in observations:
            workshop.world.ledger.record(observation)
    tables.say(session.err, f"{len(observations)} observations imported")


app.command()(diff)
app.command()(lineage)


app.command()(audit)


@app.command()
def run(
    context: typer.Context,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
) -> int:
    """Run one cycle: watch, judge, propose, rebuild, redeploy, prove."""
    session = session_of(context)
    told = run_cycle(config, session.clock, dry_run=dry_run)
    print_document(session, output, told.document, tables.show_run)
    for defect in told.defects:
        tables.say(session.err, f"refrom: {defect}", "bold red")
    return told.code


app.command()(rollout)
app.command()(redeploy)
app.command()(rollback)
app.command()(hold)
app.command()(release)
app.command()(block)
app.command()(unblock)
app.command()(explain)


@app.command()
def serve(
    context: typer.Context,
    config: ConfigOption = None,
    listen: Annotated[
        str, typer.Option(envvar="REFROM_LISTEN", metavar="HOST:PORT", help="Where the pages are.")
    ] = LISTEN,
    every: Annotated[str, typer.Option(metavar="DURATION", help="From one cycle to the next; up to 10 % more.")] = "1h",
    grace: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="What runs when a stop is asked for has so long to end.")
    ] = 8.0,
) -> None:
    """Run cycles on a schedule; serve health, metrics and the audit."""
    from bot.entrypoints.service.serve import Options, serve_until_stopped  # noqa: PLC0415 - costs the others 0.4 s

    session = session_of(context)
    serve_until_stopped(config, Options.parse(listen, every, grace), session.clock, session.err.file)


@app.command()
def init(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Where to write refrom.yaml.")] = Path(),
) -> None:
    """Write settings for the repository here, which work as they are."""
    write_starter(session_of(context).out, path, os.environ)


@app.command()
def doctor(context: typer.Context, config: ConfigOption = None, output: FormatOption = Format.TABLE) -> int:
    """Check credentials, permissions and reach, and name each cure."""
    session = session_of(context)
    with open_patient(config, session.clock) as patient:
        checks = list(examine(patient))
    print_document(session, output, documents.doctor_document(checks), tables.show_doctor)
    return ATTENTION if any(check.is_failed for check in checks) else DONE


@app.command()
def demo(
    context: typer.Context,
    keep: Annotated[Path | None, typer.Option(help="Leave everything in this folder; else a temporary one.")] = None,
) -> int:
    """Show the whole loop, embedded and offline, in a temporary folder."""
    return DONE if tell(session_of(context).out, keep) else ATTENTION


def main(argv: Sequence[str] | None = None, *, clock: Clock | None = None) -> int:
    """Run one command and return its exit code; nothing is raised, whatever happens."""
    session = Session(clock or SystemClock(), Console(), Console(stderr=True))
    try:
        app(args=list(sys.argv[1:] if argv is None else argv), prog_name="refrom", obj=session)
    except SystemExit as end:  # typer has explained wrong usage by then (2); an interrupt ends it with 130
        return end.code if isinstance(end.code, int) else DONE
    except Exception as fault:  # noqa: BLE001 - the one boundary: what nobody foresaw is a defect of ours
        failed = failure(fault)
        tables.say(session.err, f"refrom: {failed.message}", "bold red")
        return failed.code
    return DONE


def entry() -> None:
    """Be the console script."""
    sys.exit(main())

"""The command line. One boundary maps every error to an exit code (docs/reference/exit-codes.md)."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot import __version__
from bot.core.advisories import Assessment
from bot.core.change import BaseChange
from bot.core.lineage import Lineage
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.tags import lambda_image
from bot.entrypoints import documents, tables
from bot.entrypoints.catalogue import catalogue_document, show_catalogue
from bot.entrypoints.demo.story import tell
from bot.entrypoints.exits import ATTENTION, DEFECT, DONE, USAGE, failure
from bot.entrypoints.html import audit_page
from bot.entrypoints.init import write_starter
from bot.entrypoints.ledger import ledger_document, read_ledger
from bot.entrypoints.scan import print_scan_table, scan_document
from bot.entrypoints.service.probe import LISTEN
from bot.entrypoints.work import run_audit, run_cycle
from bot.ports.clock import Clock
from bot.steps.assess import Assessor
from bot.steps.doctor import examine
from bot.steps.inquire import Inquiry
from bot.steps.judge import judge
from bot.steps.prove import attested
from bot.wiring import SystemClock, Workshop, has_settings, mirrors_of, open_patient, open_workshop, read_working_trees

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


class Format(StrEnum):
    """What a reading command prints."""

    TABLE = "table"
    JSON = "json"


class AuditFormat(StrEnum):
    """What an audit prints."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Session:
    """What one invocation has: its clock and the consoles; standard output carries results, the other the rest."""

    clock: Clock
    out: Console
    err: Console


ConfigOption = Annotated[Path | None, typer.Option("--config", help="The settings; refrom.yaml here if it exists.")]
FormatOption = Annotated[Format, typer.Option("--format", help="What to print.")]


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Keep AWS Lambda container images on a patched base."""
    if version:
        _session(context).out.print(f"refrom {__version__}", highlight=False)
        raise typer.Exit


@app.command()
def scan(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Working trees or files.")],
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings, for their mirrors; none if left out.")
    ] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List the base images that a working tree uses, offline."""
    document = scan_document(read_working_trees(paths), mirrors=mirrors_of(config))
    _print(_session(context), output, document, print_scan_table)


@app.command()
def watch(
    context: typer.Context,
    runtimes: Annotated[
        list[str] | None, typer.Argument(help="Runtime identifiers; those of the settings if none.")
    ] = None,
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="Show instead what is known of all runtimes, offline.")
    ] = False,
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> int:
    """Show the current digests of the streams."""
    session = _session(context)
    with open_workshop(config, session.clock, dry_run=True) as workshop:
        known, watched, now = workshop.rules.catalogue, workshop.watched(), session.clock.now()
        if catalogue:
            rows = [known.get(name) for name in runtimes or known]
            document = catalogue_document(rows, now.date(), watched=watched, mirrors=workshop.rules.mirrors)
            _print(session, output, document, show_catalogue)
            return DONE
        inquiry = Inquiry(workshop.world, workshop.rules)
        errors = inquiry.observe_all([known.get(name).identifier for name in runtimes or watched], now)
    waiting = inquiry.waiting
    errors = tuple((name, reason) for name, reason in errors if name not in waiting)
    document = documents.watch_document(inquiry.observations, errors, waiting.items())
    _print(session, output, document, tables.show_watch)
    return ATTENTION if errors else DONE


@ledger.command("export")
def export_ledger(context: typer.Context, config: ConfigOption = None) -> None:
    """Write all observations to standard output, as JSON."""
    session = _session(context)
    with open_workshop(config, session.clock, dry_run=True) as workshop:
        document = ledger_document(workshop.world.ledger.observations())
    _write(session, json.dumps(document, indent=1) + "\n")


@ledger.command("import")
def import_ledger(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="What export wrote.")],
    config: ConfigOption = None,
) -> None:
    """Add observations to those of the store; each keeps the earliest and the latest time at which it was seen."""
    session = _session(context)
    observations = read_ledger(path, session.clock.now())
    with open_workshop(config, session.clock) as workshop:
        for observation in observations:
            workshop.world.ledger.record(observation)
    tables.say(session.err, f"{len(observations)} observations imported")


@app.command()
def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="REFERENCE, docker://REFERENCE or oci:DIR[:TAG].")],
    new: Annotated[str, typer.Argument(help="The image to compare it with.")],
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what changed between two images, and how much that matters."""
    session = _session(context)
    with open_workshop(config, session.clock, dry_run=not has_settings(config)) as workshop:
        found = workshop.locate(old, new)
        before, after = found.references
        change = judge(before, after, found.registry, found.contents)
        change = _assess(workshop, change, before, after)
    _print(session, output, documents.diff_document(change), tables.show_diff)


@app.command()
def lineage(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="REFERENCE, docker://REFERENCE or oci:DIR[:TAG].")],
    platform: Annotated[str | None, typer.Option(help="Which of several images, such as linux/arm64.")] = None,
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> int:
    """Prove by layers which base an image stands on."""
    session = _session(context)
    with open_workshop(config, session.clock, dry_run=True) as workshop:
        proven, errors = _prove(workshop, image, platform)
    _print(session, output, documents.lineage_document(proven, errors), tables.show_lineage)
    return DONE if proven.base else ATTENTION


@app.command()
def audit(
    context: typer.Context,
    config: ConfigOption = None,
    output: Annotated[AuditFormat, typer.Option("--format", help="What to print.")] = AuditFormat.TABLE,
) -> int:
    """Report which functions stand on which base, and who owes what; changes nothing."""
    session = _session(context)
    now = session.clock.now()
    told = run_audit(config, session.clock)
    if output is AuditFormat.HTML:
        _write(session, audit_page(told.document, now))
    else:
        _print(session, Format(output.value), told.document, tables.show_audit)
    return told.code


@app.command()
def run(
    context: typer.Context,
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide everything, change nothing.")] = False,
    output: FormatOption = Format.TABLE,
) -> int:
    """Run one cycle: watch, judge, propose, rebuild, redeploy, prove."""
    session = _session(context)
    told = run_cycle(config, session.clock, dry_run=dry_run)
    _print(session, output, told.document, tables.show_run)
    for defect in told.defects:
        tables.say(session.err, f"refrom: {defect}", "bold red")
    return told.code


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

    session = _session(context)
    serve_until_stopped(config, Options.parse(listen, every, grace), session.clock, session.err.file)


@app.command()
def init(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Where to write refrom.yaml.")] = Path(),
) -> None:
    """Write settings for the repository here, which work as they are."""
    write_starter(_session(context).out, path, os.environ)


@app.command()
def doctor(context: typer.Context, config: ConfigOption = None, output: FormatOption = Format.TABLE) -> int:
    """Check credentials, permissions and reach, and name each cure."""
    session = _session(context)
    with open_patient(config, session.clock) as patient:
        checks = list(examine(patient))
    _print(session, output, documents.doctor_document(checks), tables.show_doctor)
    return ATTENTION if any(check.is_failed for check in checks) else DONE


@app.command()
def demo(
    context: typer.Context,
    keep: Annotated[Path | None, typer.Option(help="Leave everything in this folder; else a temporary one.")] = None,
) -> int:
    """Show the whole loop, embedded and offline, in a temporary folder."""
    return DONE if tell(_session(context).out, keep) else ATTENTION


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


def _prove(workshop: Workshop, name: str, platform: str | None) -> tuple[Lineage, tuple[tuple[str, str], ...]]:
    """Prove a base by ledger and hints; only where that fails, by watching all supported streams.

    The streams that could not be watched are returned with their reasons: the base may be one of theirs.
    """
    found = workshop.locate(name)
    image = found.registry.image(found.references[0], Platform.parse(platform) if platform else None)
    provenance = attested(found.references[0], image.digest, found.registry)
    inquiry = Inquiry(workshop.world, workshop.rules)
    proven = inquiry.lineage_of(image, provenance=provenance)
    if proven.base:
        return proven, ()
    errors = inquiry.observe_all(workshop.watched(), workshop.clock.now())
    return inquiry.lineage_of(image, provenance=provenance), errors


def _assess(workshop: Workshop, change: BaseChange, *references: Reference) -> BaseChange:
    """Say what advisories say: those of the operating system that the first name of a Lambda base stands for."""
    catalogue, mirrors = workshop.settings.catalogue, workshop.settings.mirrors
    images = (lambda_image(reference, mirrors=mirrors) for reference in references)
    runtime = next((image.runtime for image in images if image and image.runtime in catalogue), None)
    if runtime is None:
        nobody = Assessment(unknown="neither name says which runtime it is; name one of them by its tag")
        return change.assessed(lambda _: nobody)
    return Assessor(workshop.world.advisories).assess(change, catalogue.get(runtime).os)


def _session(context: typer.Context) -> Session:
    session = context.find_root().obj
    return session if isinstance(session, Session) else Session(SystemClock(), Console(), Console(stderr=True))


def _print(
    session: Session, output: Format, document: dict[str, Any], show: Callable[[Console, dict[str, Any]], None]
) -> None:
    if output is Format.JSON:
        _write(session, json.dumps(document, indent=1) + "\n")
    else:
        show(session.out, document)


def _write(session: Session, text: str) -> None:
    session.out.file.write(text)

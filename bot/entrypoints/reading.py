"""The commands that read images and working trees: `refrom scan`, `watch`, `diff` and `lineage`."""

from pathlib import Path
from typing import Annotated

import typer

from bot.core.advisories import Assessment
from bot.core.change import BaseChange
from bot.core.lineage import Lineage
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.tags import lambda_image
from bot.entrypoints import documents, tables
from bot.entrypoints.catalogue import catalogue_document, show_catalogue
from bot.entrypoints.console import ConfigOption, Format, FormatOption, print_document, session_of
from bot.entrypoints.exits import ATTENTION, DONE
from bot.entrypoints.scan import print_scan_table, scan_document
from bot.steps.assess import Assessor
from bot.steps.inquire import Inquiry
from bot.steps.judge import judge
from bot.steps.prove import attested
from bot.wiring import Workshop, has_settings, mirrors_of, open_workshop, read_working_trees


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
    print_document(session_of(context), output, document, print_scan_table)


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
    session = session_of(context)
    with open_workshop(config, session.clock, dry_run=True) as workshop:
        known, watched, now = workshop.rules.catalogue, workshop.watched(), session.clock.now()
        if catalogue:
            rows = [known.get(name) for name in runtimes or known]
            document = catalogue_document(rows, now.date(), watched=watched, mirrors=workshop.rules.mirrors)
            print_document(session, output, document, show_catalogue)
            return DONE
        inquiry = Inquiry(workshop.world, workshop.rules)
        errors = inquiry.observe_all([known.get(name).identifier for name in runtimes or watched], now)
    waiting = inquiry.waiting
    errors = tuple((name, reason) for name, reason in errors if name not in waiting)
    document = documents.watch_document(inquiry.observations, errors, waiting.items())
    print_document(session, output, document, tables.show_watch)
    return ATTENTION if errors else DONE


def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="REFERENCE, docker://REFERENCE or oci:DIR[:TAG].")],
    new: Annotated[str, typer.Argument(help="The image to compare it with.")],
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what changed between two images, and how much that matters."""
    session = session_of(context)
    with open_workshop(config, session.clock, dry_run=not has_settings(config)) as workshop:
        found = workshop.locate(old, new)
        before, after = found.references
        change = judge(before, after, found.registry, found.contents)
        change = _assess(workshop, change, before, after)
    print_document(session, output, documents.diff_document(change), tables.show_diff)


def lineage(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="REFERENCE, docker://REFERENCE or oci:DIR[:TAG].")],
    platform: Annotated[str | None, typer.Option(help="Which of several images, such as linux/arm64.")] = None,
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> int:
    """Prove by layers which base an image stands on."""
    session = session_of(context)
    with open_workshop(config, session.clock, dry_run=True) as workshop:
        proven, errors = _prove(workshop, image, platform)
    print_document(session, output, documents.lineage_document(proven, errors), tables.show_lineage)
    return DONE if proven.base else ATTENTION


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

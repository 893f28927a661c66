"""`refrom hold`, `release`, `block` and `unblock`: what a person declares in refrom.holds.yaml, journalled."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from bot.core.digest import Digest
from bot.core.errors import SettingsError
from bot.core.outcome import Outcome, Result
from bot.core.policy import Block, Declarations, Hold
from bot.entrypoints.console import (
    ConfigOption,
    DryRunOption,
    Format,
    FormatOption,
    Session,
    parse_day,
    parse_reason,
    print_document,
    session_of,
)
from bot.entrypoints.documents import declared_document
from bot.entrypoints.tables import show_declared
from bot.settings import holds_file as file
from bot.settings import load_declarations
from bot.steps.byhand import find_target
from bot.wiring import Workshop, open_workshop, read_user

RepositoryOption = Annotated[str | None, typer.Option(metavar="GLOB", help="Source repositories.")]
PathOption = Annotated[str | None, typer.Option(metavar="GLOB", help="Paths in them.")]
RuntimeOption = Annotated[str | None, typer.Option(metavar="ID", help="A runtime identifier.")]
FunctionOption = Annotated[str | None, typer.Option(metavar="FUNCTION", help="One function, instead of uses.")]
ReasonOption = Annotated[str, typer.Option(help="Why.")]
UntilOption = Annotated[str | None, typer.Option(metavar="DATE", help="The last day; none: until it is taken out.")]
ByOption = Annotated[str | None, typer.Option(metavar="WHO", help="Who says so; git's user.name, or $USER.")]
DigestArgument = Annotated[str, typer.Argument(metavar="DIGEST", help="The digest of a base image.")]

_TAKEN: Final = ("release", "unblock")
_WHAT: Final = "say what is meant: --repository, with --path and --runtime as it may be, or --function alone"


def hold(  # noqa: PLR0913, PLR0917 - typer takes each option as a parameter
    context: typer.Context,
    reason: ReasonOption,
    repository: RepositoryOption = None,
    path: PathOption = None,
    runtime: RuntimeOption = None,
    function: FunctionOption = None,
    until: UntilOption = None,
    by: ByOption = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
) -> int | None:
    """Stop some uses or one function, until they are released."""
    session = session_of(context)
    named = _named(repository, path, runtime, function)
    said = replace(named, reason=parse_reason(reason), until=parse_day(until, session.clock.now()))
    with open_workshop(config, session.clock, dry_run=dry_run, required=True) as workshop:
        if said.function:
            said = replace(said, function=find_target(workshop.mapped_rules(), said.function).function)
        said = replace(said, by=by or _who(workshop))
        _declare(session, workshop, output, "hold", said, file.hold(said), dry_run=dry_run)
    return None


def release(  # noqa: PLR0913, PLR0917 - typer takes each option as a parameter
    context: typer.Context,
    repository: RepositoryOption = None,
    path: PathOption = None,
    runtime: RuntimeOption = None,
    function: FunctionOption = None,
    by: ByOption = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
) -> int | None:
    """Take out the hold on exactly what is named."""
    session = session_of(context)
    named = _named(repository, path, runtime, function)
    with open_workshop(config, session.clock, dry_run=dry_run, required=True) as workshop:
        declared = load_declarations(workshop.settings.holds)
        named = replace(named, function=_known(named.function, declared))
        said = replace(_there(named, declared), by=by or _who(workshop))
        _declare(session, workshop, output, "release", said, file.release(named), dry_run=dry_run)
    return None


def block(
    context: typer.Context,
    digest: DigestArgument,
    reason: ReasonOption,
    until: UntilOption = None,
    by: ByOption = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
) -> int | None:
    """Stop one base image everywhere: pull requests, rollouts, and what runs on it."""
    session = session_of(context)
    said = Block(digest=Digest.parse(digest), reason=parse_reason(reason), until=parse_day(until, session.clock.now()))
    with open_workshop(config, session.clock, dry_run=dry_run, required=True) as workshop:
        said = replace(said, by=by or _who(workshop))
        _declare(session, workshop, output, "block", said, file.block(said), dry_run=dry_run)
    return None


def unblock(
    context: typer.Context,
    digest: DigestArgument,
    by: ByOption = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
) -> int | None:
    """Take out the block of a digest."""
    session, named = session_of(context), Digest.parse(digest)
    with open_workshop(config, session.clock, dry_run=dry_run, required=True) as workshop:
        blocks = load_declarations(workshop.settings.holds).blocks
        there = next((one for one in blocks if one.digest == named), Block(digest=named, reason=""))
        said = replace(there, by=by or _who(workshop))
        _declare(session, workshop, output, "unblock", said, file.unblock(named), dry_run=dry_run)
    return None


def _declare(
    session: Session,
    workshop: Workshop,
    output: Format,
    verb: str,
    said: Hold | Block,
    edit: file.Edit,
    *,
    dry_run: bool,
) -> None:
    """Write it, then journal it; what the file says already is no news."""
    holds = workshop.settings.holds
    changed = edit.changes(holds) if dry_run else edit.apply(holds)
    result = Result.UNCHANGED if not changed else Result.WITHDRAWN if verb in _TAKEN else Result.DECLARED
    details = {"reason": said.reason, "until": str(said.until or ""), "by": said.by or ""}
    outcome = Outcome(step=verb, subject=said.names, result=result, message=_sentence(verb, said), details=details)
    if changed:
        workshop.world.journal.append(outcome, session.clock.now())
    streams = _streams(workshop, said.digest) if isinstance(said, Block) else None
    document = declared_document(verb, said, result, holds, streams, dry_run=dry_run)
    print_document(session, output, document, show_declared)


def _sentence(verb: str, said: Hold | Block) -> str:
    until = f" until {said.until}" if said.until and verb not in _TAKEN else ""
    why = f": {said.reason}" if said.reason and verb not in _TAKEN else ""
    return f"{verb} {said.names}{until}{why}{f' (by {said.by})' if said.by else ''}"


def _streams(workshop: Workshop, digest: Digest) -> Sequence[str]:
    """The runtimes whose stream is known to have had a digest; none may mean that it was mistyped."""
    return sorted({seen.runtime for seen in workshop.world.ledger.observations() if digest in seen.digests})


def _named(repository: str | None, path: str | None, runtime: str | None, function: str | None) -> Hold:
    uses = any((repository, path, runtime))
    if bool(function) == uses or (uses and not repository):
        raise SettingsError([_WHAT])
    return Hold(repository=repository, path=path, runtime=runtime, function=function, reason="")


def _known(function: str | None, declared: Declarations) -> str | None:
    """The name under which a function is held: as it was given, or the ARN that ends so."""
    names = [one.function for one in declared.holds if one.function]
    alike = [name for name in names if name.rpartition(":")[2] == function]
    return alike[0] if function not in names and len(alike) == 1 else function


def _there(named: Hold, declared: Declarations) -> Hold:
    return next((one for one in declared.holds if one.names == named.names), named)


def _who(workshop: Workshop) -> str | None:
    return read_user(Path(workshop.settings.holds).parent) or os.environ.get("USER")

"""`refrom redeploy` and `refrom rollback`: by hand what the loop does, for one function, once a person agrees."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from bot.core.modes import Mode, UpdateMode
from bot.core.outcome import Result
from bot.core.policy import FunctionMode
from bot.entrypoints.console import (
    ConfigOption,
    DryRunOption,
    Format,
    FormatOption,
    Session,
    YesOption,
    confirm,
    parse_day,
    parse_reason,
    print_document,
    session_of,
)
from bot.entrypoints.documents import redeploy_document, rollback_document
from bot.entrypoints.exits import ATTENTION, DONE
from bot.entrypoints.tables import say, show_by_hand
from bot.settings.holds_file import declare_mode
from bot.settings.loading import DECLARED
from bot.steps.byhand import find_target, find_way_back, roll_back
from bot.steps.cycle import Cycle, Report
from bot.wiring import open_workshop

MITIGATION: Final = timedelta(days=14)
"""How long a function stays taken back where nobody says how long."""

FunctionArgument = Annotated[str, typer.Argument(help="Its name as in the settings, or its ARN.", metavar="FUNCTION")]


def redeploy(
    context: typer.Context,
    function: FunctionArgument,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: FormatOption = Format.TABLE,
) -> int:
    """Bring one function to the merged base now: rebuild, redeploy, prove."""
    session = session_of(context)
    name, report = _redeploy(session, config, function, dry_run=True)
    if not dry_run and (report.outcomes or report.waiting) and not report.needs_attention:
        show_by_hand(session.err, redeploy_document(name, report, dry_run=True))
        confirm(f"Redeploy {name}?", yes=yes)
        _, report = _redeploy(session, config, name, dry_run=False)
    print_document(session, output, redeploy_document(name, report, dry_run=dry_run), show_by_hand)
    return ATTENTION if report.needs_attention else DONE


def rollback(  # noqa: PLR0913, PLR0917 - typer takes each option as a parameter
    context: typer.Context,
    function: FunctionArgument,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION|DIGEST", help="What it shall run; else what it ran before.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the declaration.")] = "rolled back by hand",
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The last day on which refrom leaves it; 14 days.")
    ] = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: FormatOption = Format.TABLE,
) -> int:
    """Take one function back to what it ran before, and keep it there for a while."""
    session = session_of(context)
    last_day, why = _last_day(until, session.clock.now()), parse_reason(reason)
    with open_workshop(config, session.clock, dry_run=dry_run, required=True) as workshop:
        target = find_target(workshop.mapped_rules(), function)
        way = find_way_back(target, to, workshop.world.functions, workshop.registries)
        mode = UpdateMode(mode=Mode.MANUAL, said_by=DECLARED, reason=why, until=last_day)
        if not dry_run:
            say(session.err, str(way))
            say(session.err, f"{workshop.settings.holds}: {mode}")
            confirm(f"Roll {target.function} back?", yes=yes)
            declared = FunctionMode(function=target.function, mode=mode)
            declare_mode(workshop.settings.holds, declared)  # before the change, or the loop might undo it in between
        outcomes, waiting = roll_back(way, workshop.world, workshop.engine)
    document = rollback_document(way, mode, outcomes, () if dry_run else waiting, dry_run=dry_run)
    print_document(session, output, document, show_by_hand)
    return ATTENTION if any(outcome.result is Result.FAILED for outcome in outcomes) else DONE


def _redeploy(session: Session, config: Path | None, function: str, *, dry_run: bool) -> tuple[str, Report]:
    with open_workshop(config, session.clock, dry_run=dry_run, required=True) as workshop:
        rules = workshop.mapped_rules()
        name = find_target(rules, function).function
        return name, Cycle(workshop.world, rules).redeploy(workshop.engine, name)


def _last_day(until: str | None, now: datetime) -> date:
    return parse_day(until, now) or now.date() + MITIGATION

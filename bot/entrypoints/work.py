"""A cycle and an audit over the settings, as a document and an exit code: what every face does that ends."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.core.errors import SettingsError
from bot.entrypoints.documents import Document, audit_document, run_document
from bot.entrypoints.exits import ATTENTION, DONE, code_of, defects_of
from bot.ports.clock import Clock
from bot.steps.audit import audit
from bot.steps.cycle import Cycle
from bot.steps.inquire import Inquiry
from bot.wiring import open_workshop

_NOBODY_STAYS: Final = (
    "the strategy or bake needs somebody who watches it to its end, and a job of the Action ends before; "
    "hand it over with deploy.codedeploy, or write strategy: all-at-once and bake: 0m, or run refrom serve, which stays"
)


@dataclass(frozen=True, slots=True)
class Told:
    """What was found and done, the exit code that says whether somebody should look, and defects with tracebacks."""

    document: Document
    code: int
    defects: tuple[str, ...] = ()


def run_cycle(config: Path | None, clock: Clock, *, dry_run: bool, stays: bool = True) -> Told:
    """Run one cycle and tell it as `refrom.run/1`. Raises `RefromError` where it could not begin.

    Without `stays` nobody is there to watch a deployment, and settings that want one watched are refused.
    """
    with open_workshop(config, clock, dry_run=dry_run, required=True) as workshop:
        rules = workshop.mapped_rules()
        watched = () if stays else [target.function for target in rules.targets if target.strategy.lasts]
        if watched:
            raise SettingsError([f"{', '.join(watched)}: {_NOBODY_STAYS}"])
        report = Cycle(workshop.world, rules, stays).run(workshop.engine)
    return Told(run_document(report, dry_run=dry_run), code_of(report), defects_of(report))


def run_audit(config: Path | None, clock: Clock) -> Told:
    """Audit what the settings name, and tell it as `refrom.audit/1`; changes nothing. Raises `RefromError`."""
    now = clock.now()
    with open_workshop(config, clock, dry_run=True, required=True) as workshop:
        found = audit(Inquiry(workshop.world, workshop.mapped_rules()), now)
    return Told(audit_document(found), ATTENTION if found.needs_attention else DONE)

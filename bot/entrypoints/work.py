"""A cycle and an audit over the settings, as a document and an exit code: what every face does that ends."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bot.core.errors import SettingsError
from bot.entrypoints.audit_documents import audit_document
from bot.entrypoints.documents import Document, run_document
from bot.entrypoints.exits import ATTENTION, DONE, Failure, code_of, defects_of, failure
from bot.ports.clock import Clock
from bot.ports.fleet import Progress
from bot.steps.audit import audit, judge_after
from bot.steps.burn import burn, is_due, keep_sample
from bot.steps.cycle import Cycle
from bot.steps.discover import discover
from bot.steps.fleet import Recalled, no_progress, read_fleet
from bot.wiring import Workshop, open_fleet, open_workshop

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
        cycle = Cycle(workshop.world, rules, stays)
        report = cycle.run(workshop.engine)
        failed = None if dry_run else _sample(workshop, cycle)
    told = Told(run_document(report, dry_run=dry_run), code_of(report), defects_of(report))
    return replace(told, code=max(told.code, failed.code), defects=(*told.defects, failed.message)) if failed else told


def _sample(workshop: Workshop, cycle: Cycle) -> Failure | None:
    """Keep how the SLO stands after the first cycle of a day; the others read no function for it.

    A failure of it is returned, so that it takes nothing from what the cycle did and has to tell.
    """
    journal = workshop.world.journal
    try:
        if cycle.rules.targets and is_due(journal, workshop.clock.now()):
            judged = judge_after(cycle, workshop.engine)
            keep_sample(journal, [each.finding for each in judged], workshop.clock.now())
    except Exception as fault:  # noqa: BLE001 - what nobody foresaw is a defect, told with its traceback
        return failure(fault)
    return None


def run_audit(config: Path | None, clock: Clock, progress: Progress = no_progress) -> Told:
    """Audit what the settings name, and tell it as `refrom.audit/1`; changes nothing. Raises `RefromError`.

    `progress` hears how far it is where whole accounts are read; an audit that was interrupted goes on.
    """
    now = clock.now()
    with open_workshop(config, clock, dry_run=True, required=True) as workshop, open_fleet(workshop) as fleet:
        view = read_fleet(fleet, progress)
        world = replace(workshop.world, functions=Recalled(view, workshop.world.functions))
        rules = discover(workshop.rules, world.functions, world.registry)
        found = audit(Cycle(world, rules).inquiry, now, view, progress)
        samples = burn(world.journal, now)
    return Told(audit_document(found, samples), ATTENTION if found.needs_attention else DONE)

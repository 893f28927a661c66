"""What action.yml starts, under `python -I`: the Action's boundary. Exit codes are those of the command line.

One cycle ends with its job, so nothing may be promised here that needs somebody to stay.
A deployment that is to be watched is refused before the cycle, with the one named that is not; what else waits (a
build, an update of a function) is a later run's work.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Final, TextIO

from rich.console import Console

from bot.core.errors import SettingsError
from bot.entrypoints import tables
from bot.entrypoints.action.inputs import Command, Inputs, read_inputs
from bot.entrypoints.action.runner import Runner
from bot.entrypoints.action.summary import faults, pull_requests, summarize, summarize_failure
from bot.entrypoints.exits import USAGE, failure
from bot.entrypoints.work import Told, run_audit, run_cycle
from bot.ports.clock import Clock
from bot.wiring import SystemClock

_SHOW: Final = {Command.RUN: tables.show_run, Command.AUDIT: tables.show_audit}
_WIDTH: Final = 160
"""In columns; the log's page folds what is wider."""


def main(environ: Mapping[str, str], log: TextIO, clock: Clock) -> int:
    """Do what the inputs ask for, tell the runner, and return the exit code; nothing is raised."""
    try:
        runner = Runner.of(environ, log)
    except SettingsError as fault:
        log.write(f"refrom: {fault}\n")
        return USAGE
    runner.mask(environ.get("GITHUB_TOKEN", ""))
    try:
        inputs = read_inputs(environ)
        told = _work(inputs, clock)
        _tell(runner, inputs, told)
    except Exception as fault:  # noqa: BLE001 - the one boundary: what nobody foresaw is a defect of ours
        return _fail(runner, fault)
    return told.code


def _work(inputs: Inputs, clock: Clock) -> Told:
    if inputs.command is Command.AUDIT:
        return run_audit(inputs.config, clock)
    return run_cycle(inputs.config, clock, dry_run=inputs.dry_run, stays=False)


def _tell(runner: Runner, inputs: Inputs, told: Told) -> None:
    """Give the outputs first, which other steps need; then what people read."""
    kept = runner.keep(f"{inputs.command}.json", json.dumps(told.document, indent=1))
    runner.output("exit-code", str(told.code))
    runner.output("document", str(kept))
    runner.output("pull-requests", json.dumps(pull_requests(told.document)))
    runner.summarize(summarize(told.document))
    with runner.unheard() as log:
        console = Console(file=log, width=_WIDTH)
        _SHOW[inputs.command](console, told.document)
        for defect in told.defects:
            tables.say(console, defect)
    for title, message in faults(told.document):
        runner.error(title, message)


def _fail(runner: Runner, fault: Exception) -> int:
    failed = failure(fault)
    runner.output("exit-code", str(failed.code))
    runner.output("pull-requests", "[]")
    runner.summarize(summarize_failure(failed))
    runner.error("refrom", failed.message)
    return failed.code


if __name__ == "__main__":
    sys.exit(main(os.environ, sys.stdout, SystemClock()))

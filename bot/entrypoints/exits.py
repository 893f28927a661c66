"""The exit codes (docs/reference/exit-codes.md), and which of them an exception means: the same for every face."""

import traceback
from dataclasses import dataclass
from typing import Final

from bot.core.errors import InvalidReference, RefromError, SettingsError
from bot.steps.cycle import Report

DONE: Final = 0
ATTENTION: Final = 1
USAGE: Final = 2
DEFECT: Final = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended a command before its work was done: the exit code, and what a person is told."""

    code: int
    message: str


def failure(fault: Exception) -> Failure:
    """Say what an exception means; what nobody foresaw is a defect of ours, told with its traceback."""
    if isinstance(fault, SettingsError | InvalidReference):
        return Failure(USAGE, str(fault))
    if isinstance(fault, RefromError):
        return Failure(ATTENTION, str(fault))
    story = "".join(traceback.format_exception(fault))
    return Failure(DEFECT, f"{story}\nThis is a defect of refrom; please report it.")


def code_of(report: Report) -> int:
    """Say what a cycle's report means; a defect in one key is a defect, whatever the others did."""
    if report.defects:
        return DEFECT
    return ATTENTION if report.needs_attention else DONE


def defects_of(report: Report) -> tuple[str, ...]:
    """Tell each defect with its key and its traceback, for the log."""
    return tuple(f"{defect.key}: {failure(defect.fault).message}" for defect in report.defects)

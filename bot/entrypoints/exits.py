"""The exit codes (docs/reference/exit-codes.md), and which of them an exception means: the same for every face."""

import traceback
from dataclasses import dataclass
from typing import Final

from bot.core.errors import InvalidReference, RefromError, SettingsError

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

"""Update modes: how a new base reaches a source repository or a function, in the words of Lambda's managed runtimes.

`auto`: as soon as policy and rollout allow. `function-update`: together with the next change that somebody makes.
`manual`: not at all; as with AWS a mitigation, so it says why and until when, and lapses then (AWS Lambda Developer
Guide, "Understanding how Lambda manages runtime version updates").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Mode(StrEnum):
    """How a new base is taken; each one takes less by itself than the one before."""

    AUTO = "auto"
    FUNCTION_UPDATE = "function-update"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMode:
    """One mode as somebody declared it; `said_by` names the place, such as `the policy` or `tag refrom:mode`.

    `until` is the last day on which it holds, None for one that does not lapse.
    One that `narrows` counts only where it takes less by itself than what is said less specifically.
    """

    mode: Mode
    said_by: str
    reason: str = ""
    until: date | None = None
    narrows: bool = False

    def lasts(self, today: date) -> bool:
        """Say whether it holds today."""
        return self.until is None or today <= self.until

    def __str__(self) -> str:
        """Such as `manual until 2026-12-31: waits for the new glibc`."""
        until = f" until {self.until}" if self.until else ""
        return f"{self.mode}{until}: {self.reason}" if self.reason else f"{self.mode}{until}"


DEFAULT = UpdateMode(mode=Mode.AUTO, said_by="the default")


def effective(said: Sequence[UpdateMode], today: date) -> UpdateMode:
    """Return the mode that holds today: of all that was said, the least specific first, the last that lasts."""
    strictness, found = list(Mode), DEFAULT
    for each in said:
        narrower = strictness.index(each.mode) > strictness.index(found.mode)
        if each.lasts(today) and (narrower or not each.narrows):
            found = each
    return found


def lapsed(said: Sequence[UpdateMode], today: date) -> UpdateMode | None:
    """Return the mode `manual` that would hold had its end not come, so that somebody takes it out."""
    return next((each for each in reversed(said) if each.mode is Mode.MANUAL and not each.lasts(today)), None)

"""Update modes: how a new base reaches a source repository or a function, in the words of Lambda's managed runtimes.

`auto`: as soon as policy and rollout allow. `function-update`: together with the next change that somebody makes.
`manual`: not at all; as with AWS a mitigation, so it says why and until when, and lapses then (AWS Lambda Developer
Guide, "Understanding how Lambda manages runtime version updates").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

TAG: Final = "refrom:mode"
"""The tag of a function that says its mode; `refrom:reason` and `refrom:until` stand beside it."""
_REASON: Final = "refrom:reason"
_UNTIL: Final = "refrom:until"
_SHOWN: Final = 60
_HOLDS: Final = "holds"


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
    `fault` says why nobody can tell what was meant, and the cure; such a one is `manual`, so that nothing is changed.
    """

    mode: Mode
    said_by: str
    reason: str = ""
    until: date | None = None
    narrows: bool = False
    fault: str = ""

    def lasts(self, today: date) -> bool:
        """Say whether it holds today."""
        return self.until is None or today <= self.until

    def __str__(self) -> str:
        """Such as `manual until 2026-12-31: waits for the new glibc`."""
        if self.fault:
            return f"{self.said_by} {self.fault}"
        until = f" until {self.until}" if self.until else ""
        return f"{self.mode}{until}: {self.reason}" if self.reason else f"{self.mode}{until}"


DEFAULT = UpdateMode(mode=Mode.AUTO, said_by="the default")


def effective(said: Sequence[UpdateMode], today: date) -> UpdateMode:
    """Return the mode that holds today: of all that was said, the least specific first, the last that lasts."""
    return next(mode for mode, became in weigh(said, today) if became == _HOLDS)


def weigh(said: Sequence[UpdateMode], today: date) -> tuple[tuple[UpdateMode, str], ...]:
    """Return the default and all that was said, least specific first, each with what became of it.

    That is `holds` of the one that does, and of the others why they do not.
    """
    strictness, found = list(Mode), 0
    every = (DEFAULT, *said)
    became = [_HOLDS, *("" for _ in said)]
    for number, each in enumerate(every[1:], start=1):
        if not each.lasts(today):
            became[number] = f"over since {each.until}"
        elif each.narrows and strictness.index(each.mode) <= strictness.index(every[found].mode):
            became[number] = f"no stricter than {every[found].said_by}"
        else:
            became[found] = f"overruled by {each.said_by}"
            became[number], found = _HOLDS, number
    return tuple(zip(every, became, strict=True))


def manual_of(said: Sequence[UpdateMode], today: date) -> UpdateMode | None:
    """Return the mode `manual` that holds today, or that would had its end not come."""
    mode = effective(said, today)
    return mode if mode.mode is Mode.MANUAL else lapsed(said, today)


def lapsed(said: Sequence[UpdateMode], today: date) -> UpdateMode | None:
    """Return the mode `manual` that would hold had its end not come, so that somebody takes it out."""
    for number in reversed(range(len(said))):
        lasting = replace(said[number], until=None)
        if lasting.mode is Mode.MANUAL and not said[number].lasts(today):
            others = (*said[:number], lasting, *said[number + 1 :])
            if effective(others, today) is lasting:
                return said[number]
    return None


def rides(changed: datetime | None, seen: datetime) -> bool:
    """Say whether a base that was first `seen` then goes with a change: somebody made one since."""
    return changed is not None and changed >= seen


def of_tags(tags: Mapping[str, str]) -> UpdateMode | None:
    """Read the mode that a function's tags say, None if they say none; what is malformed is told as its `fault`."""
    said, reason, until = (tags.get(name) for name in (TAG, _REASON, _UNTIL))
    if said is None:
        beside = _REASON if reason is not None else _UNTIL
        return None if reason is until is None else _faulty(beside, f"stands without {TAG}; add that, or take it out")
    if said not in list(Mode):
        return _faulty(TAG, f"says {said[:_SHOWN]!r}; write {', '.join(Mode)}")
    if said == Mode.MANUAL and not (reason and until):
        return _faulty(TAG, f"says {said} without {_UNTIL if reason else _REASON}; add it")
    try:
        last = date.fromisoformat(until) if until is not None else None
    except ValueError:
        return _faulty(_UNTIL, f"says {str(until)[:_SHOWN]!r}, which is no date; write one such as 2027-01-31")
    return UpdateMode(mode=Mode(said), said_by=f"tag {TAG}", reason=reason or "", until=last)


def unread(why: str) -> UpdateMode:
    """What counts in place of tags that could not be read: they may say `manual`."""
    return UpdateMode(mode=Mode.MANUAL, said_by=f"tag {TAG}", fault=f"is not known: {why}")


def _faulty(tag: str, fault: str) -> UpdateMode:
    return UpdateMode(mode=Mode.MANUAL, said_by=f"tag {tag}", fault=fault)

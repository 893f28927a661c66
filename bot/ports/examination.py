"""Examinations: what adapters find out about their own reach, without changing anything anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from bot.core.errors import RefromError

ACCESS: Final = "access"
"""The check whether something lets us in at all; where it failed, nothing more is asked of that."""


class State(StrEnum):
    """How a check went; `skipped` is what cannot be known, or not before something else is right."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at: what it is, what of it, and the cure where it is not well."""

    subject: str
    name: str
    state: State
    message: str
    cure: str = ""

    @property
    def is_failed(self) -> bool:
        """Whether somebody has to do something."""
        return self.state is State.FAILED


class Examined(Protocol):
    """Something that can be examined; `subject` names it."""

    @property
    def subject(self) -> str:
        """Return its name, for people."""
        ...

    def examine(self) -> Iterator[Check]:
        """Look, by reading alone, and tell what was found, one thing after the other."""
        ...


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the settings do not name, and what that means."""

    subject: str
    why: str

    def examine(self) -> Iterator[Check]:
        """Say so."""
        yield skipped(self.subject, ACCESS, self.why)


def checked(subject: str, name: str, look: Callable[[], str]) -> Check:
    """Look, and tell what `look` returned, or the error with its cure."""
    try:
        return passed(subject, name, look())
    except RefromError as fault:
        return failed(subject, name, fault)


def passed(subject: str, name: str, message: str) -> Check:
    """Tell what is well."""
    return Check(subject=subject, name=name, state=State.OK, message=message)


def failed(subject: str, name: str, fault: RefromError) -> Check:
    """Tell an error: the cure stands behind its last semicolon."""
    what, _, cure = str(fault).rpartition("; ")
    return Check(subject=subject, name=name, state=State.FAILED, message=what or cure, cure=cure if what else "")


def skipped(subject: str, name: str, why: str) -> Check:
    """Tell why something was not looked at."""
    return Check(subject=subject, name=name, state=State.SKIPPED, message=why)

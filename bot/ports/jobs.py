"""Jobs elsewhere: builds that another service runs, found again by what they build."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.ports.builder import BuildOrder


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One build elsewhere: `where` names it for people, `log` is the end of what it wrote, if it can be read."""

    state: JobState
    where: str
    log: str = ""


class Jobs(Protocol):
    """Runs builds in another place; what was started is known there, and nowhere else.

    All methods raise `BuildError` or `ForgeError` with the place and the cure.
    """

    def find(self, order: BuildOrder) -> Job | None:
        """Find the latest job that was started for an order; None if none is known, or not yet."""
        ...

    def start(self, order: BuildOrder) -> str:
        """Start a job for an order, and say what was started."""
        ...

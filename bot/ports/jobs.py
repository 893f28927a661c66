"""Jobs elsewhere: builds and pipelines that another service runs, found again by what they were started for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.core.pipeline import Pipeline, PipelineOrder
from bot.ports.builder import BuildOrder


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run elsewhere: `where` names it for people, `log` is the end of what it wrote, if it can be read."""

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


class Pipelines(Protocol):
    """Runs the teams' own pipelines. Both methods raise a `RefromError` with the pipeline and the cure."""

    def find(self, pipeline: Pipeline, order: PipelineOrder) -> Job | None:
        """Find the latest run that was started for an order; None if none is known."""
        ...

    def start(self, pipeline: Pipeline, order: PipelineOrder) -> str:
        """Start a run for an order, and say what was started."""
        ...

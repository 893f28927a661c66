"""The teams' own pipelines, each where it runs; what was just started may not be listed there yet."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from bot.adapters.builder.elsewhere import UNLISTED
from bot.core.pipeline import Pipeline, PipelineOrder
from bot.ports.clock import Clock
from bot.ports.jobs import Job, JobState, Pipelines


class Runs(Protocol):
    """The runs of one pipeline."""

    def find(self, order: PipelineOrder) -> Job | None:
        """Find the latest run for an order."""
        ...

    def start(self, order: PipelineOrder) -> str:
        """Start one, and say what was started."""
        ...


class TeamPipelines:
    """Implements the port `Pipelines`; safe to share between threads. `runs_of` gives the runs of a pipeline."""

    def __init__(self, runs_of: Callable[[Pipeline], Runs], clock: Clock) -> None:
        self._runs_of, self._clock = runs_of, clock
        self._started: dict[str, tuple[datetime, str]] = {}
        self._lock = threading.Lock()

    def find(self, pipeline: Pipeline, order: PipelineOrder) -> Job | None:
        """Find the latest run for an order; one that was started within five minutes is there, listed or not."""
        job = self._runs_of(pipeline).find(order)
        with self._lock:
            begun = self._started.get(order.token)
        if job is None and begun and self._clock.now() < begun[0] + UNLISTED:
            return Job(state=JobState.RUNNING, where=begun[1])
        return job

    def start(self, pipeline: Pipeline, order: PipelineOrder) -> str:
        """Start a run."""
        where = self._runs_of(pipeline).start(order)
        with self._lock:
            self._started[order.token] = (self._clock.now(), where)
        return where


class RecordingPipelines:
    """The pipelines of a dry run: runs are looked for, and none is started."""

    def __init__(self, inner: Pipelines) -> None:
        self._inner = inner

    def find(self, pipeline: Pipeline, order: PipelineOrder) -> Job | None:
        """Find the latest run for an order."""
        return self._inner.find(pipeline, order)

    def start(self, pipeline: Pipeline, order: PipelineOrder) -> str:
        """Answer as if one were started."""
        del order
        return f"{pipeline} (dry run)"

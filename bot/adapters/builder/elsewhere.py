"""Builds that run elsewhere: started once, followed, and believed only where the registry has the image.

Nothing is kept here but for a while what was just started, which the other service may not list yet: a process that
was killed finds the image under the order's tag, or the job, or starts another job that pushes the same tag.
"""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.adapters.builder.pushed import already_pushed
from bot.core.errors import BuildError
from bot.core.reference import Reference
from bot.ports.builder import Building, BuildOrder, Built
from bot.ports.clock import Clock
from bot.ports.jobs import Job, Jobs, JobState
from bot.ports.registry import Registry

LOOK: Final = timedelta(seconds=15)
"""How often a job is looked at; builds take minutes."""
UNLISTED: Final = timedelta(minutes=5)
"""How long a job that was started may be missing where jobs are listed."""


class ElsewhereBuilder:
    """Builds with jobs; keeps the promise of the port `Builder`; safe to share between threads."""

    def __init__(self, jobs: Jobs, registry: Registry, clock: Clock) -> None:
        self._jobs, self._registry, self._clock = jobs, registry, clock
        self._started: dict[Reference, datetime] = {}
        self._lock = threading.Lock()

    def build(self, order: BuildOrder) -> Built | Building:
        """Start the order's job, or say what became of it.

        A job that failed is not started again: it fails every time until it is run again where it ran, or until
        something else is ordered.
        """
        done = already_pushed(self._registry, order)
        if done:
            return Built(digest=done, log=f"{order.destination} is already there")
        job = self._jobs.find(order)
        if job is None:
            return self._start(order)
        match job.state:
            case JobState.RUNNING:
                return Building(why=f"{job.where} builds {order.destination}", look=LOOK)
            case JobState.FAILED:
                raise BuildError(
                    f"{job.where} failed to build {order.destination}; see its log, and run it again", log=job.log
                )
            case JobState.SUCCEEDED:
                return self._pushed(order, job)

    def _start(self, order: BuildOrder) -> Building:
        """Start a job, unless it was started a moment ago."""
        now, what = self._clock.now(), order.destination
        with self._lock:
            recently = self._started.get(what, now - UNLISTED) + UNLISTED > now
            self._started[what] = self._started[what] if recently else now
        if recently:
            return Building(why=f"the job that builds {what} is not listed yet", look=LOOK)
        try:
            return Building(why=f"{self._jobs.start(order)} is to build {what}", look=LOOK)
        except Exception:
            with self._lock:
                del self._started[what]
            raise

    def _pushed(self, order: BuildOrder, job: Job) -> Built:
        """Look once more: the job may have pushed and ended since the registry was asked."""
        done = already_pushed(self._registry, order)
        if done is None:
            raise BuildError(
                f"{job.where} succeeded, but {order.destination} is not there for {order.platform} with the labels "
                "of the order; let the job push that tag with all the labels that it is given",
                log=job.log,
            )
        return Built(digest=done, log=job.log)


def by_name(order: BuildOrder) -> Mapping[str, str]:
    """The facts of an order as environment variables: REFROM_IMAGE and so on."""
    return {f"REFROM_{name.upper()}": value for name, value in order.facts.items()}

"""Smoke tests: an image is started before a function is pointed at it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.core.platforms import Platform
from bot.core.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One image, by digest, and the events that it has to answer: paths in a commit of its source repository.

    `timeout` is for the init and for each event.
    """

    image: Reference
    platform: Platform
    repository: str
    commit: str
    events: tuple[str, ...]
    timeout: timedelta


class Smoke(Protocol):
    """Starts images."""

    def run(self, trial: Trial) -> None:
        """Start the image as Lambda does, and remove all of it again.

        Raises `BuildError`, with the end of the output, if it does not start or does not answer an event; an error of
        the forge passes through.
        """
        ...

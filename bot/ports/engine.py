"""The engine that runs ticks: one short, repeatable piece of work for one key at a time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a tick is about; `kind` says what `name` names, such as a `repository` or a `function`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to do for this key in this cycle."""


@dataclass(frozen=True, slots=True)
class Again:
    """The key is due again at `at`, to go on with what it waits for."""

    at: datetime
    why: str = ""


Tick = Callable[[Key, datetime], Done | Again]


class Stop(Protocol):
    """A wish to end that may come at any moment; whoever works looks at it between two pieces of work."""

    @property
    def asked(self) -> bool:
        """Whether the wish has come."""
        ...

    def wait_until(self, moment: datetime) -> None:
        """Return once the moment has come, or the wish, whichever is first."""
        ...


class Engine(Protocol):
    """Runs ticks until every key is done or waits for longer than the engine stays, or until it is to stop."""

    def drain(self, keys: Iterable[Key], tick: Tick) -> tuple[tuple[Key, Again], ...]:
        """Tick every key, again when it is due, never two ticks of one key at once; return what still waits.

        After a stop was asked for no further tick starts; what was due then is returned too.
        """
        ...

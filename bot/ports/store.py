"""The store: a ledger of observations, a journal of outcomes, a memory of layers. Losing it loses no correctness."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.digest import Digest
from bot.core.layer import Layer
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome


class Ledger(Protocol):
    """Remembers which digests the streams had."""

    def record(self, observation: Observation) -> Observation:
        """Keep an observation; one already known keeps its `first_seen` and gets the new `last_seen`."""
        ...

    def history(self, runtime: str) -> Sequence[Observation]:
        """Return all observations of a stream, the one first seen last coming first."""
        ...

    def base(self, digest: Digest) -> KnownBase | None:
        """Return what is known of a platform's manifest, so that it need not be fetched again."""
        ...


class Journal(Protocol):
    """Remembers what was done."""

    def append(self, outcome: Outcome, at: datetime) -> None:
        """Keep one outcome, after it happened."""
        ...

    def entries(self, limit: int = 100) -> Sequence[tuple[datetime, Outcome]]:
        """Return the latest outcomes, newest first."""
        ...


class LayerMemory(Protocol):
    """Remembers what layers hold; a layer never changes, so neither does an entry."""

    def get(self, digest: Digest) -> Layer | None:
        """Return the layer if it was read before."""
        ...

    def put(self, layer: Layer) -> None:
        """Keep a layer."""
        ...

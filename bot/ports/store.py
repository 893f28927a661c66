"""The store: a ledger of observations, a journal of outcomes, and memories. Losing it loses no correctness."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.digest import Digest
from bot.core.layer import Layer
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome
from bot.core.rollout import Rollout
from bot.ports.forge import Sources


class Ledger(Protocol):
    """Remembers which digests the streams had."""

    def record(self, observation: Observation) -> Observation:
        """Keep an observation; of one already known the earlier `first_seen` and the later `last_seen` stay."""
        ...

    def history(self, runtime: str) -> Sequence[Observation]:
        """Return all observations of a stream, the one first seen last coming first."""
        ...

    def observations(self) -> Sequence[Observation]:
        """Return all observations of all streams."""
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

    def since(self, moment: datetime) -> Sequence[tuple[datetime, Outcome]]:
        """Return all outcomes from a moment on, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which a server is to be left alone, and why."""

    until: datetime
    why: str


class Pauses(Protocol):
    """Remembers pauses, so that neither a restart nor another process asks a server that said to wait.

    A name says which server and whose limits, such as `github:api.github.com:app 7 at acme`; it never holds a secret.
    """

    def get(self, name: str) -> Pause | None:
        """Return what was last kept under a name, which may be over."""
        ...

    def put(self, name: str, pause: Pause) -> None:
        """Keep a pause instead of the one that was kept under this name."""
        ...


class Rollouts(Protocol):
    """Remembers which base each stream goes to and since when; losing it begins again with phase one."""

    def get(self, runtime: str) -> Rollout | None:
        """Return what was last kept of a stream."""
        ...

    def put(self, rollout: Rollout) -> None:
        """Keep a rollout instead of the one before it of the same stream."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What was read of a source repository: at which commit, and `reading`, which names what was looked for."""

    commit: str
    reading: str
    sources: Sources


class SourceMemory(Protocol):
    """Remembers the files of the last commit of each source repository, so that one that stands still costs nothing."""

    def get(self, repository: str) -> Remembered | None:
        """Return what was last kept of a repository."""
        ...

    def put(self, repository: str, remembered: Remembered) -> None:
        """Keep a reading instead of the one before."""
        ...


class LayerMemory(Protocol):
    """Remembers what layers hold; a layer never changes, so neither does an entry."""

    def get(self, digest: Digest) -> Layer | None:
        """Return the layer if it was read before."""
        ...

    def put(self, layer: Layer) -> None:
        """Keep a layer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One document as a server sent it: from where, under which ETag, and when it was last known to be current."""

    source: str
    etag: str
    confirmed: datetime
    content: bytes = field(repr=False)


class DocumentMemory(Protocol):
    """Remembers documents by what they are, so that a server need not send again what did not change."""

    def get(self, name: str) -> Kept | None:
        """Return what was last kept under a name."""
        ...

    def put(self, name: str, document: Kept) -> None:
        """Keep a document instead of the one that was kept under this name."""
        ...

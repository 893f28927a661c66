"""The store: ledger, journal, and memories of pauses, rollouts, layers and documents over one database.

Losing it loses history and time, never correctness; so a store that cannot be read is an error with a cure, not a
reason to guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Row, Table, func, select
from sqlalchemy.dialects.sqlite import Insert, insert

from bot.adapters.store import encoding, tables
from bot.adapters.store.database import Database
from bot.adapters.store.opening import MEMORY, open_copy, open_file, open_memory
from bot.core.digest import Digest
from bot.core.layer import Layer
from bot.core.observation import KnownBase, Observation
from bot.core.outcome import Outcome
from bot.core.reference import Reference
from bot.core.rollout import Rollout
from bot.ports.store import Kept, Pause, Remembered


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """Which digests the streams had; implements `Ledger`."""

    database: Database

    def record(self, observation: Observation) -> Observation:
        """Keep an observation and its bases; of one already known the widest span of time stays."""
        table = tables.observations
        statement = insert(table).values(_observation_to_row(observation))
        new = statement.excluded
        renewed = {
            "reference": new.reference,
            "document": new.document,
            "first_seen": func.min(table.c.first_seen, new.first_seen),
            "last_seen": func.max(table.c.last_seen, new.last_seen),
        }
        kept = statement.on_conflict_do_update(index_elements=["runtime", "digest"], set_=renewed)
        with self.database.transaction() as connection:
            times = connection.execute(kept.returning(table.c.first_seen, table.c.last_seen)).one()
            for base in observation.bases:
                row = {"digest": str(base.digest), "document": encoding.encode_base(base)}
                connection.execute(_upsert(tables.bases, row))
        first, last = (self.database.decode(encoding.decode_time, text) for text in times)
        return replace(observation, first_seen=first, last_seen=last)

    def history(self, runtime: str) -> Sequence[Observation]:
        """Return all observations of a stream, the one first seen last coming first."""
        table = tables.observations
        query = select(table).where(table.c.runtime == runtime).order_by(table.c.first_seen.desc(), table.c.digest)
        with self.database.transaction() as connection:
            rows = connection.execute(query).all()
        return [self.database.decode(_observation_from_row, row) for row in rows]

    def observations(self) -> Sequence[Observation]:
        """Return all observations of all streams."""
        with self.database.transaction() as connection:
            rows = connection.execute(select(tables.observations)).all()
        return [self.database.decode(_observation_from_row, row) for row in rows]

    def base(self, digest: Digest) -> KnownBase | None:
        """Return what was last recorded of a platform's manifest."""
        document = _find(self.database, tables.bases, digest)
        return None if document is None else self.database.decode(encoding.decode_base, document)


@dataclass(frozen=True, slots=True)
class SqlJournal:
    """What was done; implements `Journal`."""

    database: Database

    def append(self, outcome: Outcome, at: datetime) -> None:
        """Keep one outcome."""
        row = {"at": encoding.encode_time(at), "document": encoding.encode_outcome(outcome)}
        with self.database.transaction() as connection:
            connection.execute(insert(tables.outcomes).values(row))

    def entries(self, limit: int = 100) -> Sequence[tuple[datetime, Outcome]]:
        """Return the latest outcomes, the one appended last coming first."""
        table = tables.outcomes
        with self.database.transaction() as connection:
            rows = connection.execute(select(table).order_by(table.c.id.desc()).limit(limit)).all()
        return [self.database.decode(_entry_from_row, row) for row in rows]

    def since(self, moment: datetime) -> Sequence[tuple[datetime, Outcome]]:
        """Return all outcomes from a moment on, the one appended first coming first."""
        table, start = tables.outcomes, encoding.encode_time(moment)
        with self.database.transaction() as connection:
            rows = connection.execute(select(table).where(table.c.at >= start).order_by(table.c.id)).all()
        return [self.database.decode(_entry_from_row, row) for row in rows]


@dataclass(frozen=True, slots=True)
class SqlPauses:
    """When servers are to be left alone; implements `Pauses`."""

    database: Database

    def get(self, name: str) -> Pause | None:
        """Return what was last kept under a name."""
        table = tables.pauses
        with self.database.transaction() as connection:
            document = connection.scalars(select(table.c.document).where(table.c.name == name)).one_or_none()
        return None if document is None else self.database.decode(encoding.decode_pause, document)

    def put(self, name: str, pause: Pause) -> None:
        """Keep a pause under its name."""
        row = {"name": name, "document": encoding.encode_pause(pause)}
        with self.database.transaction() as connection:
            connection.execute(_upsert(tables.pauses, row))


@dataclass(frozen=True, slots=True)
class SqlRollouts:
    """Which base each stream goes to; implements `Rollouts`."""

    database: Database

    def get(self, runtime: str) -> Rollout | None:
        """Return what was last kept of a stream."""
        table = tables.rollouts
        with self.database.transaction() as connection:
            document = connection.scalars(select(table.c.document).where(table.c.runtime == runtime)).one_or_none()
        return None if document is None else self.database.decode(encoding.decode_rollout, document)

    def put(self, rollout: Rollout) -> None:
        """Keep a rollout in the place of the stream's last one."""
        row = {"runtime": rollout.runtime, "document": encoding.encode_rollout(rollout)}
        with self.database.transaction() as connection:
            connection.execute(_upsert(tables.rollouts, row))


@dataclass(frozen=True, slots=True)
class SqlLayers:
    """What layers hold; implements `LayerMemory`."""

    database: Database

    def get(self, digest: Digest) -> Layer | None:
        """Return the layer if it was kept by a release that read the same off layers."""
        document = _find(self.database, tables.layers, digest)
        return None if document is None else self.database.decode(encoding.decode_layer, document)

    def put(self, layer: Layer) -> None:
        """Keep a layer, in the place of what an older release kept."""
        row: dict[str, str | bytes] = {"digest": str(layer.digest), "document": encoding.encode_layer(layer)}
        with self.database.transaction() as connection:
            connection.execute(_upsert(tables.layers, row))


@dataclass(frozen=True, slots=True)
class SqlSources:
    """What was read of source repositories; implements `SourceMemory`."""

    database: Database

    def get(self, repository: str) -> Remembered | None:
        """Return what was kept of a repository by a release that kept it in the same form."""
        table = tables.sources
        with self.database.transaction() as connection:
            query = select(table.c.document).where(table.c.repository == repository)
            document = connection.scalars(query).one_or_none()
        return None if document is None else self.database.decode(encoding.decode_sources, document)

    def put(self, repository: str, remembered: Remembered) -> None:
        """Keep a reading in the place of the last one."""
        row: dict[str, str | bytes] = {"repository": repository, "document": encoding.encode_sources(remembered)}
        with self.database.transaction() as connection:
            connection.execute(_upsert(tables.sources, row))


@dataclass(frozen=True, slots=True)
class SqlDocuments:
    """Documents as servers sent them; implements `DocumentMemory`."""

    database: Database

    def get(self, name: str) -> Kept | None:
        """Return what was last kept under a name."""
        table = tables.documents
        with self.database.transaction() as connection:
            row = connection.execute(select(table).where(table.c.name == name)).one_or_none()
        return None if row is None else self.database.decode(_kept_from_row, row)

    def put(self, name: str, document: Kept) -> None:
        """Keep a document under its name."""
        row: dict[str, str | bytes] = {
            "name": name,
            "source": document.source,
            "etag": document.etag,
            "confirmed": encoding.encode_time(document.confirmed),
            "content": document.content,
        }
        with self.database.transaction() as connection:
            connection.execute(_upsert(tables.documents, row))


@dataclass(frozen=True, slots=True)
class Store:
    """All memories of one database. Close it, or use it as a context manager."""

    database: Database

    @property
    def ledger(self) -> SqlLedger:
        """The ledger of observations."""
        return SqlLedger(self.database)

    @property
    def journal(self) -> SqlJournal:
        """The journal of outcomes."""
        return SqlJournal(self.database)

    @property
    def pauses(self) -> SqlPauses:
        """When servers are to be left alone."""
        return SqlPauses(self.database)

    @property
    def rollouts(self) -> SqlRollouts:
        """The memory of rollouts."""
        return SqlRollouts(self.database)

    @property
    def sources(self) -> SqlSources:
        """The memory of source repositories."""
        return SqlSources(self.database)

    @property
    def layers(self) -> SqlLayers:
        """The memory of layers."""
        return SqlLayers(self.database)

    @property
    def documents(self) -> SqlDocuments:
        """The memory of documents."""
        return SqlDocuments(self.database)

    def close(self) -> None:
        """Give the file free."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(path: Path | str) -> Store:
    """Open the store in a file, made if it is not there; `":memory:"` is one that ends with the process.

    Raises `StoreError` with the path and the cure if the file is damaged, not writable or of another version.
    """
    if str(path) == MEMORY:
        return Store(open_memory())
    return Store(open_file(Path(path)))


def snapshot(path: Path | str) -> Store:
    """Copy a store into memory, for a dry run: what is written to it stays there, and the file is left as it is.

    A file that is not there gives an empty store. Raises `StoreError` as `open_store` does.
    """
    return Store(open_copy(Path(path)))


def _find(database: Database, table: Table, digest: Digest) -> Any:  # noqa: ANN401 - a document is text or bytes
    with database.transaction() as connection:
        return connection.scalars(select(table.c.document).where(table.c.digest == str(digest))).one_or_none()


def _upsert(table: Table, row: Mapping[str, str | bytes]) -> Insert:
    """Insert a row, or write over the one with its key."""
    statement = insert(table).values(row)
    key = table.primary_key.columns.keys()
    renewed = {name: statement.excluded[name] for name in row if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=renewed)


def _observation_to_row(observation: Observation) -> Mapping[str, str | bytes]:
    return {
        "runtime": observation.runtime,
        "digest": str(observation.digest),
        "reference": str(observation.reference),
        "first_seen": encoding.encode_time(observation.first_seen),
        "last_seen": encoding.encode_time(observation.last_seen),
        "document": encoding.encode_bases(observation.bases),
    }


def _observation_from_row(row: Row[Any]) -> Observation:
    return Observation(
        runtime=row.runtime,
        reference=Reference.parse(row.reference),
        digest=Digest.parse(row.digest),
        bases=encoding.decode_bases(row.document),
        first_seen=encoding.decode_time(row.first_seen),
        last_seen=encoding.decode_time(row.last_seen),
    )


def _kept_from_row(row: Row[Any]) -> Kept:
    confirmed = encoding.decode_time(row.confirmed)
    return Kept(source=row.source, etag=row.etag, confirmed=confirmed, content=bytes(row.content))


def _entry_from_row(row: Row[Any]) -> tuple[datetime, Outcome]:
    return encoding.decode_time(row.at), encoding.decode_outcome(row.document)

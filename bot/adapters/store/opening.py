"""Opening a database with its tables in their version: in a file, in memory, or as a copy in memory.

A file is in WAL mode (sqlite.org/wal.html), so that a command can read while the service writes.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, QueuePool, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateTable

from bot.adapters.store.database import MOVE_ASIDE, Database
from bot.adapters.store.tables import VERSION, metadata, schema
from bot.core.errors import StoreError

MEMORY: Final = ":memory:"
_PATIENCE: Final = 30.0
"""Seconds to wait for another process that writes."""


def open_file(path: Path) -> Database:
    """Open or create the file, and the folder that it lies in; raises `StoreError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        cure = "name a path in a writable folder in the settings"
        raise StoreError(f"store {path} cannot be created ({fault.strerror}); {cure}") from fault
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": _PATIENCE})
    event.listen(engine, "connect", _use_wal)
    return _with_tables(Database(engine, str(path)))


def open_memory() -> Database:
    """Make an empty database that ends with the process."""
    return _with_tables(Database(_memory_engine(), MEMORY))


def open_copy(path: Path) -> Database:
    """Copy a file into memory; a file that is not there gives an empty database. Raises `StoreError`.

    A reader of a database in WAL mode makes files beside it, unless it reads it as immutable; so that is done where no
    other process has made them, and where one has, what it wrote last is read too.
    """
    database = Database(_memory_engine(), str(path))
    in_use = path.with_name(f"{path.name}-shm").exists()
    with _closed_on_failure(database):
        if path.exists():
            _fill(database, f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}")
        _make_tables(database)
    return database


def _memory_engine() -> Engine:
    """Keep one connection for ever, lent to one thread at a time: each further one would be a new database."""
    return create_engine(
        "sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
    )


def _use_wal(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy hands over the driver's connection
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")


def _fill(database: Database, uri: str) -> None:
    with (
        database.translated(),
        closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE)) as source,
        closing(database.engine.raw_connection()) as target,
    ):
        source.backup(target.driver_connection)  # type: ignore[arg-type]  # sqlite3's own connection


def _with_tables(database: Database) -> Database:
    with _closed_on_failure(database):
        _make_tables(database)
    return database


@contextmanager
def _closed_on_failure(database: Database) -> Iterator[None]:
    try:
        yield
    except StoreError:
        database.close()
        raise


def _make_tables(database: Database) -> None:
    """Make the tables that lack; the version goes first, so that two processes at once agree on it."""
    with database.transaction() as connection:
        connection.execute(CreateTable(schema, if_not_exists=True))
        connection.execute(insert(schema).values(id=1, version=VERSION).on_conflict_do_nothing())
        version = connection.scalars(select(schema.c.version)).one()
        _require_version(version, database.place)
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))


def _require_version(version: int, place: str) -> None:
    if version != VERSION:
        known = f"this refrom reads version {VERSION}"
        raise StoreError(f"store {place} has version {version}, {known}; upgrade refrom, or {MOVE_ASIDE}")

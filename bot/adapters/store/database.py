"""One open SQLite database, with its errors in our words."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar
from zlib import error as zlib_error

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.core.errors import StoreError

MOVE_ASIDE: Final = "move the file aside, it is only a cache and is built again"
_CURES: Final = {
    sqlite3.SQLITE_BUSY: "another process writes to it, try again later",
    sqlite3.SQLITE_LOCKED: "another process writes to it, try again later",
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_CANTOPEN: "make its folder writable, or name another path in the settings",
    sqlite3.SQLITE_READONLY: f"make file and folder writable, or {MOVE_ASIDE}",
}
"""By primary result code (sqlite.org/rescode.html)."""
_MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError, zlib_error)
"""What decoding raises where a document is not what was encoded."""

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Database:
    """An open database; `place` is its path, for messages."""

    engine: Engine
    place: str

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Do several things or none; raises `StoreError`."""
        with self.translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn an error of the database into a `StoreError` with the path and the cure."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as fault:
            origin = fault.orig if isinstance(fault, DBAPIError) else fault
            code = getattr(origin, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            retryable = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            cure = _CURES.get(code, MOVE_ASIDE)
            raise StoreError(f"store {self.place} cannot be used ({origin}); {cure}", retryable=retryable) from fault

    def decode(self, decoder: Callable[[S], T], document: S) -> T:
        """Read a document back; raises `StoreError` if it is not what was written."""
        try:
            return decoder(document)
        except _MALFORMED as fault:
            raise StoreError(f"store {self.place} is damaged ({repr(fault)[:200]}); {MOVE_ASIDE}") from fault

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

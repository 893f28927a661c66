"""RPM databases in SQLite form, `rpmdb.sqlite` (rpm 4.16 and newer, lib/backend/sqlite.c)."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from bot.core.errors import ContentsError

_LARGEST_HEADER: Final = 16 << 20
_MOST_PACKAGES: Final = 50_000
_MOST_STEPS: Final = 1000
"""Times 10,000 steps of SQLite's machine: a thousandfold of what an honest database needs."""


def sqlite_values(content: bytes) -> Iterator[bytes]:
    """Yield the header of every package; a file that is damaged or a trap is a `ContentsError`.

    The file is hostile: the schema in it could make a query run for ever, so steps, rows and sizes are bounded.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            _load(connection, content)
            rows = connection.execute("SELECT blob FROM Packages").fetchmany(_MOST_PACKAGES + 1)
        except sqlite3.Error as fault:
            raise ContentsError(f"the database cannot be read: {fault}") from fault
    if len(rows) > _MOST_PACKAGES:
        raise ContentsError(f"the database has more than {_MOST_PACKAGES} packages")
    for (blob,) in rows:
        if not isinstance(blob, bytes):
            raise ContentsError("the database has a package whose header is no blob")
        yield blob


def _load(connection: sqlite3.Connection, content: bytes) -> None:
    steps = iter(range(_MOST_STEPS))
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_HEADER)
    connection.set_progress_handler(lambda: next(steps, None) is None, 10_000)
    connection.execute("PRAGMA trusted_schema = OFF")
    # Bytes 18 and 19 say "write-ahead log" (2), which a database in memory cannot have: "rollback journal" is 1.
    connection.deserialize(content[:18] + b"\x01\x01" + content[20:])

"""RPM databases in SQLite form, `rpmdb.sqlite` (rpm 4.16 and newer, lib/backend/sqlite.c)."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from bot.core.errors import ContentsError

_LARGEST_HEADER: Final = 16 << 20
_MOST_STEPS: Final = 1000
"""Times 10,000 steps of SQLite's machine: a thousandfold of what an honest database needs."""


def sqlite_values(content: bytes) -> Iterator[bytes]:
    """Yield the header of every package; a file that is damaged or a trap is a `ContentsError`.

    The file is hostile: a view in it can make a query run or grow for ever, so steps and bytes are bounded.
    """
    left = len(content)
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            _load(connection, content)
            for (blob,) in connection.execute("SELECT blob FROM Packages"):
                if not isinstance(blob, bytes):
                    raise ContentsError("the database has a package whose header is no blob")
                left -= len(blob)
                if left < 0:
                    raise ContentsError(f"the database gives more than the {len(content)} bytes that it has")
                yield blob
        except sqlite3.Error as fault:
            raise ContentsError(f"the database cannot be read: {fault}") from fault


def _load(connection: sqlite3.Connection, content: bytes) -> None:
    steps = iter(range(_MOST_STEPS))
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_HEADER)
    connection.set_progress_handler(lambda: next(steps, None) is None, 10_000)
    connection.execute("PRAGMA trusted_schema = OFF")
    # Bytes 18 and 19 say "write-ahead log" (2), which a database in memory cannot have: "rollback journal" is 1.
    connection.deserialize(content[:18] + b"\x01\x01" + content[20:])

"""Writes an `rpmdb.sqlite` that the rpm tool reads (rpm 4.16 and newer, lib/backend/sqlite.c and lib/header.c).

The counterpart of `bot.core.packages.rpm_header`; holds what `rpm -qa` and `rpm -q NAME` ask for, and nothing else.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from struct import pack
from typing import Final

from bot.core.layer import Package
from bot.core.packages.rpm_header import ARCH, COUNTS, ENTRY, EPOCH, INT32, NAME, RELEASE, STRING, VERSION

_SOURCE: Final = 1044
"""The tag of the source package's file name; rpm takes a package without it for a source package."""
_INDEXES: Final = (
    "Name",
    "Basenames",
    "Group",
    "Requirename",
    "Providename",
    "Conflictname",
    "Obsoletename",
    "Triggername",
    "Dirnames",
    "Installtid",
    "Sigmd5",
    "Sha1header",
    "Filetriggername",
    "Transfiletriggername",
    "Recommendname",
    "Suggestname",
    "Supplementname",
    "Enhancename",
)
"""The tables without which rpm does not open a database that it may not write; only the first is filled."""


def write_rpmdb(packages: Iterable[Package]) -> bytes:
    """Write a database of these packages, in write-ahead mode as rpm leaves it; the same packages, the same bytes."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        for index in _INDEXES:
            connection.execute(
                f"CREATE TABLE '{index}' (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)"
            )
        for number, package in enumerate(sorted(packages), start=1):
            connection.execute("INSERT INTO Packages VALUES (?, ?)", (number, write_header(package)))
            connection.execute("INSERT INTO Name VALUES (?, ?, 0)", (package.name, number))
        connection.commit()
        content = connection.serialize()
    # A database in memory cannot be switched to write-ahead mode; these two bytes are all that differs in the file.
    return content[:18] + b"\x02\x02" + content[20:]


def write_header(package: Package) -> bytes:
    """Write the header of one package, as the database holds it."""
    epoch, _, rest = package.evr.rpartition(":")
    version, _, release = rest.rpartition("-")
    source = f"{package.name}-{version}-{release}.src.rpm"
    texts = {NAME: package.name, VERSION: version, RELEASE: release, ARCH: package.arch, _SOURCE: source}
    values = {tag: (STRING, text.encode("ascii") + b"\0") for tag, text in texts.items()}
    if epoch:
        values[EPOCH] = (INT32, pack(">I", int(epoch)))
    index, data = b"", b""
    for tag, (kind, value) in sorted(values.items()):
        data += bytes(-len(data) % 4 if kind == INT32 else 0)
        index += ENTRY.pack(tag, kind, len(data), 1)
        data += value
    return COUNTS.pack(len(values), len(data)) + index + data

"""Two builds of the same contents at different times are the same layer; anything else that differs shows."""

import gzip
import os
import py_compile
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.layer import Entry, Package
from bot.core.packages.rpm_header import COUNTS, ENTRY
from tests.adapters.contents.tars import Item, Shelf
from tests.lab.rpm import berkeley, build, install_built

PACKAGES = (Package("bash", "x86_64", "5.2.15-1.amzn2023.0.2"), Package("tzdata", "noarch", "2026b-1.amzn2023"))
INSTALLTIME, INSTALLTID, BUILDTIME = 1008, 1128, 1006
DATABASE = "var/lib/rpm/rpmdb.sqlite"


def entries(shelf: Shelf, *items: Item) -> dict[str, Entry]:
    return dict(shelf.layer(*items).entries)


def compiled(folder: Path, mtime: int, source: str = "a = 1\n") -> bytes:
    file = folder / "module.py"
    file.write_text(source)
    os.utime(file, (mtime, mtime))
    target = folder / "module.pyc"
    py_compile.compile(str(file), cfile=str(target), doraise=True)
    return target.read_bytes()


def test_compiled_python_does_not_differ_by_its_sources_mtime(shelf: Shelf, tmp_path: Path) -> None:
    one, later = compiled(tmp_path, 1_000_000), compiled(tmp_path, 2_000_000)
    other = compiled(tmp_path, 1_000_000, "a = 2\n")

    seen = [entries(shelf, Item("a.pyc", content)) for content in (one, later, other)]

    assert one != later
    assert seen[0] == seen[1] != seen[2]


def test_compiled_python_that_is_checked_by_hash_is_compared_whole(shelf: Shelf) -> None:
    one, other = (b"\xa7\r\r\n\x01\0\0\0" + digest + b"code" for digest in (b"12345678", b"87654321"))

    assert entries(shelf, Item("a.pyc", one)) != entries(shelf, Item("a.pyc", other))


def test_a_gzip_file_does_not_differ_by_the_mtime_in_its_header(shelf: Shelf) -> None:
    one, later, other = (
        gzip.compress(b"page", mtime=1),
        gzip.compress(b"page", mtime=2),
        gzip.compress(b"text", mtime=1),
    )

    seen = [entries(shelf, Item("man.1.gz", content)) for content in (one, later, other)]

    assert one != later
    assert seen[0] == seen[1] != seen[2]


def test_only_what_is_of_the_format_that_its_name_says_has_times(shelf: Shelf) -> None:
    for name in ("a.gz", "a.pyc", "a"):
        one, other = (b"text" + part * 8 for part in (b"1", b"2"))
        assert entries(shelf, Item(name, one)) != entries(shelf, Item(name, other))
    assert entries(shelf, Item("a.gz", b"\x1f\x8b\x08"), Item("a.pyc", b"")).keys() == {"a.gz", "a.pyc"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database that rpm wrote."""
    folder = tmp_path_factory.mktemp("rpm")
    return (install_built(folder, build(folder, PACKAGES)) / "rpmdb.sqlite").read_bytes()


def changed(header: bytes, *tags: int) -> bytes:
    """Add one to the numbers under some tags."""
    count, _ = COUNTS.unpack_from(header)
    start = COUNTS.size + count * ENTRY.size
    content = bytearray(header)
    for tag, _, offset, _ in ENTRY.iter_unpack(header[COUNTS.size : start]):
        if tag in tags:
            content[start + offset + 3] ^= 1
    return bytes(content)


def headers(database: bytes) -> list[bytes]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(database[:18] + b"\1\1" + database[20:])
        return [row[0] for row in connection.execute("SELECT blob FROM Packages")]


def rewritten(database: bytes, *tags: int) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(database[:18] + b"\1\1" + database[20:])
        connection.create_function("changed", 1, lambda header: changed(header, *tags))
        connection.execute("UPDATE Packages SET blob = changed(blob)")
        connection.commit()
        return connection.serialize()


def test_a_database_that_rpm_wrote_does_not_differ_by_install_times(shelf: Shelf, database: bytes) -> None:
    later, rebuilt = rewritten(database, INSTALLTIME, INSTALLTID), rewritten(database, BUILDTIME)

    seen = [entries(shelf, Item(DATABASE, content)) for content in (database, later, rebuilt)]

    assert len({database, later, rebuilt}) == 3
    assert seen[0] == seen[1] != seen[2]


def test_a_berkeley_database_does_not_differ_by_install_times_or_order(
    shelf: Shelf, database: bytes, tmp_path: Path
) -> None:
    installed = headers(database)
    one = berkeley(tmp_path, installed)
    later = berkeley(tmp_path, [changed(header, INSTALLTIME, INSTALLTID) for header in reversed(installed)])
    rebuilt = berkeley(tmp_path, [changed(header, BUILDTIME) for header in installed])

    seen = [entries(shelf, Item("var/lib/rpm/Packages", content)) for content in (one, later, rebuilt)]

    assert seen[0] == seen[1] != seen[2]


def test_what_librpm_derives_from_a_database_is_not_compared(shelf: Shelf, database: bytes) -> None:
    names = ("rpmdb.sqlite-shm", ".rpm.lock", "Installtid", "__db.001", "Providename")

    one, other = (
        entries(shelf, Item(DATABASE, database), *(Item(f"var/lib/rpm/{name}", part) for name in names))
        for part in (b"1", b"22")
    )

    assert one == other


@pytest.mark.parametrize(
    ("first", "path"),
    [
        pytest.param(Item(DATABASE, b"damaged"), "var/lib/rpm/Installtid", id="of a database that is not read"),
        pytest.param(Item("a"), "var/lib/rpm/Installtid", id="of no database"),
        pytest.param(None, "usr/lib/sysimage/rpm/Name", id="of another folder"),
        pytest.param(None, "var/lib/rpm/macros", id="of no such name"),
    ],
)
def test_other_files_beside_a_database_are_compared(
    shelf: Shelf, database: bytes, first: Item | None, path: str
) -> None:
    one, other = (entries(shelf, first or Item(DATABASE, database), Item(path, part)) for part in (b"1", b"2"))

    assert one != other
    assert re.fullmatch("[0-9a-f]{64}", one[path].content)

"""Package databases: what rpm lists of its own databases is what we list, and no database harms us."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.contents.databases import is_database, read_packages
from bot.core.layer import Package
from bot.entrypoints.demo.rpmdb import write_header, write_rpmdb
from tests.lab.rpm import berkeley, install, query

SQLITE, BERKELEY, STATUS = "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages", "var/lib/dpkg/status"
PACKAGES = (
    Package("bash", "x86_64", "5.2.15-1.amzn2023.0.2"),
    Package("glibc", "i686", "2.34-196.amzn2023.0.1"),
    Package("glibc", "x86_64", "2.34-196.amzn2023.0.1"),
    Package("openssl-libs", "x86_64", "1:3.0.8-1.amzn2023.0.24"),
    Package("tzdata", "noarch", "2026b~rc1^20261101-1.amzn2023"),
)


@pytest.mark.parametrize("dbpath", ["/var/lib/rpm", "/usr/lib/sysimage/rpm"])
def test_a_database_that_rpm_wrote_is_read_as_rpm_reads_it(tmp_path: Path, dbpath: str) -> None:
    database = install(tmp_path, PACKAGES, dbpath=dbpath) / "rpmdb.sqlite"

    packages, unread = read_packages({f"{dbpath[1:]}/rpmdb.sqlite": database.read_bytes()})

    assert (packages, unread) == (PACKAGES, ())
    assert packages == query(tmp_path, dbpath=dbpath)


def test_the_headers_that_rpm_wrote_are_read_from_a_berkeley_file_too(tmp_path: Path) -> None:
    database = install(tmp_path, PACKAGES) / "rpmdb.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        headers = [row[0] for row in connection.execute("SELECT blob FROM Packages")]

    packages, unread = read_packages({BERKELEY: berkeley(tmp_path, headers)})

    assert (packages, unread) == (PACKAGES, ())


def test_a_database_that_we_wrote_is_read_by_rpm(tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/rpm"
    folder.mkdir(parents=True)
    (folder / "rpmdb.sqlite").write_bytes(write_rpmdb(PACKAGES))

    assert query(tmp_path) == PACKAGES
    assert query(tmp_path, name="openssl-libs") == PACKAGES[3:4]


@pytest.mark.parametrize(
    ("path", "database"),
    [
        (SQLITE, True),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", True),
        ("usr/lib/sysimage/rpm/Packages", True),
        ("var/lib/dpkg/status.d/base", True),
        ("lib/apk/db/installed", True),
        ("usr/lib/apk/db/installed", True),
        ("lib/apk/db/scripts.tar", False),
        ("var/lib/dpkg/status.d/base.md5sums", False),
        ("var/lib/dpkg/status-old", False),
        ("var/lib/rpm/Name", False),
        ("home/var/lib/rpm/Packages", False),
    ],
)
def test_databases_are_known_by_their_path(path: str, database: bool) -> None:
    assert is_database(path) is database


def test_files_that_are_no_database_have_no_packages() -> None:
    assert read_packages({"etc/passwd": b"root"}) == (None, ())


def test_the_packages_of_several_databases_are_one_list() -> None:
    status = {
        "var/lib/dpkg/status.d/tzdata": b"Package: tzdata\nVersion: 1\nArchitecture: all\n",
        "var/lib/dpkg/status.d/base": b"Package: base\nVersion: 2\nArchitecture: all\n",
    }

    assert read_packages(status) == ((Package("base", "all", "2"), Package("tzdata", "all", "1")), ())


def test_the_packages_of_apk_are_read() -> None:
    installed = {"lib/apk/db/installed": b"P:musl\nV:1.2.5-r9\nA:x86_64\n\n"}

    assert read_packages(installed) == ((Package("musl", "x86_64", "1.2.5-r9"),), ())


def test_an_empty_database_has_no_packages_which_is_not_unknown() -> None:
    assert read_packages({SQLITE: write_rpmdb(())}) == ((), ())


def test_an_empty_write_ahead_log_is_no_matter() -> None:
    assert read_packages({SQLITE: write_rpmdb(PACKAGES), f"{SQLITE}-wal": b""}) == (PACKAGES, ())
    assert read_packages({f"{SQLITE}-wal": b""}) == (None, ())


def hostile(script: str) -> bytes:
    """Make a database by a script."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        return connection.serialize()


FOR_EVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        pytest.param(SQLITE, b"", "not a database", id="empty"),
        pytest.param(SQLITE, b"text" * 500, "not a database", id="no database"),
        pytest.param(SQLITE, write_rpmdb(PACKAGES)[:5000], "cannot be read", id="cut off"),
        pytest.param(SQLITE, hostile("CREATE TABLE other (blob)"), "no such table", id="no packages table"),
        pytest.param(SQLITE, hostile("CREATE TABLE Packages (hnum)"), "no such column", id="no blob column"),
        pytest.param(
            SQLITE, hostile("CREATE TABLE Packages (blob); INSERT INTO Packages VALUES (5)"), "no blob", id="number"
        ),
        pytest.param(
            SQLITE, hostile("CREATE TABLE Packages (blob); INSERT INTO Packages VALUES (x'00')"), "1 bytes", id="header"
        ),
        pytest.param(
            SQLITE,
            hostile(f"CREATE VIEW Packages AS {FOR_EVER} x'{write_header(PACKAGES[0]).hex()}' AS blob FROM n"),
            "more than",
            id="endless rows",
        ),
        pytest.param(
            SQLITE,
            hostile(f"CREATE VIEW Packages AS {FOR_EVER} count(*) AS blob FROM n"),
            "interrupted",
            id="endless query",
        ),
        pytest.param(
            SQLITE, hostile("CREATE VIEW Packages AS SELECT zeroblob(99999999) AS blob"), "too big", id="huge header"
        ),
        pytest.param(f"{SQLITE}-wal", b"frames", "not in the database yet", id="write-ahead log"),
        pytest.param(BERKELEY, b"text" * 500, "no Berkeley DB", id="no Berkeley file"),
        pytest.param("usr/lib/sysimage/rpm/Packages.db", b"RpmP", "ndb", id="ndb"),
        pytest.param(STATUS, b"Package: a b\nVersion: 1\n", "printable word", id="dpkg"),
    ],
)
def test_a_database_that_cannot_be_read_is_named_with_its_reason(path: str, content: bytes, says: str) -> None:
    packages, unread = read_packages({path: content})

    assert packages is None
    (reason,) = unread
    assert reason.startswith(f"{path}: ")
    assert says in reason


def test_what_could_be_read_is_kept_beside_what_could_not() -> None:
    packages, unread = read_packages({SQLITE: write_rpmdb(PACKAGES), STATUS: b"Package: a b\nVersion: 1\n"})

    assert packages == PACKAGES
    assert len(unread) == 1


def test_a_damaged_header_spoils_its_database(tmp_path: Path) -> None:
    content = berkeley(tmp_path, [write_header(PACKAGES[0]), write_header(PACKAGES[1])[:-3]])

    packages, unread = read_packages({BERKELEY: content})

    assert packages is None
    assert len(unread) == 1

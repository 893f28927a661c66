"""Package lists of databases that rpm wrote, as large as those of base images, held against rpm and pyrpmdb."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyrpmdb
import pytest

from bot.adapters.contents.databases import read_packages
from bot.core.layer import Package
from tests.conftest import Figure
from tests.lab.rpm import berkeley, build_at_once, install_built, query

COUNT = 150
"""Packages of a Lambda base image are about as many."""


def generated(count: int, system: str) -> list[Package]:
    """Names and versions as Amazon Linux has them, the same in every run."""
    dice = random.Random(system)  # noqa: S311 -- the same packages in every run
    return [_package(dice, number, system) for number in range(count)]


def _package(dice: random.Random, number: int, system: str) -> Package:
    arch = "noarch" if number % 9 == 0 else "x86_64"
    name = (
        f"{dice.choice(('lib', 'python3-', 'perl-', 'amazon-', ''))}p{number}{dice.choice(('', '-libs', '++', '.so'))}"
    )
    version = ".".join(str(dice.randrange(30)) for _ in range(dice.randrange(1, 5))) + dice.choice(
        ("", "~rc1", "^git1")
    )
    epoch = dice.choice(("", "", "", "1:", "14:"))
    return Package(name, arch, f"{epoch}{version}-{dice.randrange(1, 300)}.{system}.0.{dice.randrange(1, 30)}")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with AL2023's form of the database."""
    root, packages = tmp_path_factory.mktemp("root"), generated(COUNT, "amzn2023")
    architectures = [[p for p in packages if p.arch == arch] for arch in ("x86_64", "noarch")]
    rpms = [rpm for group in architectures for rpm in build_at_once(root, group)]
    install_built(root, rpms)
    return root


@pytest.fixture(scope="module", params=["rpmdb.sqlite", "Packages"])
def database(request: pytest.FixtureRequest, installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root's database in either form; the Berkeley one holds the headers that rpm wrote."""
    written = installed / "var/lib/rpm/rpmdb.sqlite"
    if request.param == "rpmdb.sqlite":
        return written
    root = tmp_path_factory.mktemp("berkeley")
    file = root / "var/lib/rpm/Packages"
    file.parent.mkdir(parents=True)
    file.write_bytes(berkeley(root, list(_headers(written))))
    return file


def _headers(database: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(database)) as connection:
        yield from (row[0] for row in connection.execute("SELECT blob FROM Packages"))


def test_a_list_is_the_one_of_rpm_and_of_pyrpmdb(database: Path, figure: Figure) -> None:
    form = {"rpmdb.sqlite": "sqlite", "Packages": "bdb_ro"}[database.name]
    packages, unread = read_packages({f"var/lib/rpm/{database.name}": database.read_bytes()})
    ours = set(packages or ())

    assert unread == ()
    rpms = set(query(database.parents[3], backend=form))
    theirs = {_of(document) for document in pyrpmdb.get_rpm_db_info(str(database))}
    for program, listed in (("rpm -qa", rpms), ("pyrpmdb", theirs)):
        what = f"{database.name}: packages that {program} lists, that we list, and alike"
        figure(what, (len(listed), len(ours), len(listed & ours)), (COUNT, COUNT, COUNT))


def _of(document: dict[str, str | int]) -> Package:
    epoch = f"{document['Epoch']}:" if document["Epoch"] else ""
    return Package(str(document["Name"]), str(document["Arch"]), f"{epoch}{document['Version']}-{document['Release']}")

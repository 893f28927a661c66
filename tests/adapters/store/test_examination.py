"""The store is looked at without being made or changed."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.adapters.store.examination import StoreExamination
from bot.adapters.store.store import open_store
from bot.ports.examination import State
from tests.lab.rights import as_nobody


def states(path: Path) -> list[State]:
    return [check.state for check in StoreExamination(path).examine()]


def test_a_store_that_is_not_there_is_fine_and_stays_away(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "refrom.db"

    checks = list(StoreExamination(path).examine())

    assert [check.message for check in checks] == [
        f"{path} is not there yet, the first run makes it",
        f"{tmp_path} can be written",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_there_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "refrom.db"
    open_store(path).close()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    assert states(path) == [State.OK, State.OK]
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_damaged_store_is_told_with_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "refrom.db"
    path.write_bytes(b"no database, and long enough to be none for certain" * 100)

    access, write = StoreExamination(path).examine()

    assert (access.state, write.state) == (State.FAILED, State.OK)
    assert access.cure == "move the file aside, it is only a cache and is built again"


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_cannot_be_written_is_told_with_the_cure(what: str) -> None:
    with TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "refrom.db"
        open_store(path).close()
        place = path if what == "file" else folder
        folder.chmod(0o777 if what == "file" else 0o555)
        path.chmod(0o444 if what == "file" else 0o666)

        with as_nobody():
            access, write = StoreExamination(path).examine()

    assert (access.state, write.state) == (State.OK, State.FAILED)
    assert write.message == f"store {path}: {place} cannot be written"
    assert write.cure == "make it writable, or name another"

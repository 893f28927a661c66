"""Opening a store: what stays, what is refused with which cure, and that a snapshot leaves the file alone."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.adapters.store.store import Store, open_store, snapshot
from bot.core.errors import StoreError
from bot.core.rollout import Rollout
from bot.ports.store import Pause
from tests.adapters.store.values import NOON, digest, layer, observation, outcome
from tests.lab.rights import as_nobody

BOTH = pytest.mark.parametrize("open_it", [open_store, snapshot], ids=["open", "snapshot"])
Opener = Callable[[Path], Store]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "refrom.sqlite"


def written(path: Path, *messages: str) -> None:
    with open_store(path) as store:
        for message in messages:
            store.journal.append(outcome(message), NOON)


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def messages(store: Store) -> list[str]:
    return [entry.message for _, entry in store.journal.entries()]


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_what_was_written_is_there_when_opened_again(path: Path) -> None:
    with open_store(path) as store:
        store.journal.append(outcome("one"), NOON)
        store.ledger.record(observation("one"))
        store.layers.put(layer("one"))

    with open_store(path) as store:
        assert messages(store) == ["one"]
        assert store.ledger.history("python3.13") == [observation("one")]
        assert store.layers.get(layer("one").digest) == layer("one")


def test_the_folder_of_a_new_store_is_made(tmp_path: Path) -> None:
    path = tmp_path / "state" / "bot" / "refrom.sqlite"

    written(path, "one")

    assert path.is_file()


def test_a_text_in_memory_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with open_store(":memory:") as store:
        store.journal.append(outcome("one"), NOON)

    assert files(tmp_path) == {}


def test_two_open_stores_see_each_other(path: Path) -> None:
    with open_store(path) as one, open_store(path) as other:
        one.journal.append(outcome("one"), NOON)
        other.journal.append(outcome("two"), NOON)

        assert messages(one) == messages(other) == ["two", "one"]


def test_processes_that_create_a_store_at_once_agree_on_it(path: Path) -> None:
    context = get_context("fork")
    workers = [context.Process(target=written, args=(path, str(n))) for n in range(4)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    with open_store(path) as store:
        assert sorted(messages(store)) == ["0", "1", "2", "3"]


def test_what_a_killed_process_wrote_is_there(path: Path) -> None:
    killed = get_context("fork").Process(target=_write_and_die, args=(path,))

    killed.start()
    killed.join()

    assert killed.exitcode == -signal.SIGKILL
    with snapshot(path) as copy:
        assert messages(copy) == ["one"]
    with open_store(path) as store:
        assert messages(store) == ["one"]


def _write_and_die(path: Path) -> None:
    store = open_store(path)
    store.journal.append(outcome("one"), NOON)
    os.kill(os.getpid(), signal.SIGKILL)


@BOTH
def test_a_newer_store_is_refused(path: Path, open_it: Opener) -> None:
    written(path, "one")
    execute(path, "UPDATE schema SET version = 2")
    before = files(path.parent)

    with pytest.raises(
        StoreError, match=r"refrom\.sqlite has version 2, this refrom reads version 1; upgrade refrom, or"
    ):
        open_it(path)

    assert files(path.parent) == before


@BOTH
def test_a_file_that_is_no_database_is_refused(path: Path, open_it: Opener) -> None:
    path.write_bytes(b"not a database, but long enough to have a header of one hundred bytes" * 30)

    with pytest.raises(
        StoreError, match=r"refrom\.sqlite cannot be used \(file is not a database\); move the file aside"
    ):
        open_it(path)


@BOTH
def test_a_file_cut_short_is_refused(path: Path, open_it: Opener) -> None:
    written(path, "one")
    path.write_bytes(path.read_bytes()[:6000])

    with pytest.raises(StoreError, match="move the file aside, it is only a cache"), open_it(path) as store:
        store.journal.entries()


@BOTH
def test_an_empty_file_is_an_empty_store(path: Path, open_it: Opener) -> None:
    path.touch()

    with open_it(path) as store:
        assert messages(store) == []


@BOTH
def test_a_folder_in_place_of_the_file_is_refused(path: Path, open_it: Opener) -> None:
    path.mkdir()

    with pytest.raises(
        StoreError, match=r"refrom\.sqlite cannot be used .*; (make its folder writable|move the file aside)"
    ):
        open_it(path)


def test_a_folder_that_cannot_be_made_is_refused(path: Path) -> None:
    path.touch()

    with pytest.raises(StoreError, match=r"state\.sqlite cannot be created \(.*\); name a path in a writable folder"):
        open_store(path / "state.sqlite")


@pytest.mark.usefixtures("_as_nobody")
def test_a_file_that_cannot_be_written_is_refused(foreign_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"refrom\.sqlite cannot be used .*; make (its folder|file and folder) writable, or"
    ):
        open_store(foreign_path)


@pytest.mark.usefixtures("_as_nobody")
def test_a_snapshot_needs_no_right_to_write(foreign_path: Path) -> None:
    with snapshot(foreign_path) as copy:
        assert messages(copy) == ["one"]


@pytest.fixture
def foreign_path() -> Iterator[Path]:
    """A store that may be read by everybody and written by nobody, in a folder of the same kind."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "refrom.sqlite"
        written(path, "one")
        path.chmod(0o444)
        path.parent.chmod(0o555)
        yield path
        path.parent.chmod(0o755)


@pytest.fixture
def _as_nobody(foreign_path: Path) -> Iterator[None]:  # noqa: ARG001 - the store is made with all rights
    with as_nobody():
        yield


@pytest.mark.parametrize(
    ("damage", "read"),
    [
        ("UPDATE outcomes SET document = '{}'", lambda store: store.journal.entries()),
        ("UPDATE outcomes SET at = 'noon'", lambda store: store.journal.entries()),
        ("UPDATE observations SET document = '[1]'", lambda store: store.ledger.history("python3.13")),
        ("UPDATE observations SET reference = 'A B'", lambda store: store.ledger.history("python3.13")),
        ("UPDATE layers SET document = x'00'", lambda store: store.layers.get(layer("one").digest)),
        ("UPDATE pauses SET document = '[1]'", lambda store: store.pauses.get("github:acme")),
        ("UPDATE rollouts SET document = '{}'", lambda store: store.rollouts.get("python3.13")),
    ],
    ids=["outcome", "time", "bases", "reference", "layer", "pause", "rollout"],
)
def test_a_damaged_document_is_an_error_with_the_cure(path: Path, damage: str, read: Callable[[Store], object]) -> None:
    with open_store(path) as store:
        store.journal.append(outcome("one"), NOON)
        store.ledger.record(observation("one"))
        store.layers.put(layer("one"))
        store.pauses.put("github:acme", Pause(NOON, "too quick"))
        store.rollouts.put(Rollout(runtime="python3.13", base=digest("one"), began=NOON))
    execute(path, damage)

    with (
        open_store(path) as store,
        pytest.raises(StoreError, match=r"refrom\.sqlite is damaged .*; move the file aside"),
    ):
        read(store)


def test_a_store_that_another_process_locks_may_be_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.store.opening._PATIENCE", 0.01)
    written(path, "one")

    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process writes to it, try again later") as caught:
            open_store(path)

    assert caught.value.retryable


def test_a_snapshot_holds_what_the_file_holds_and_leaves_it_alone(path: Path) -> None:
    written(path, "one")
    before = files(path.parent)

    with snapshot(path) as copy:
        copy.journal.append(outcome("two"), NOON)

        assert messages(copy) == ["two", "one"]
    assert files(path.parent) == before


def test_a_snapshot_of_nothing_makes_nothing(path: Path) -> None:
    with snapshot(path.parent / "missing" / "refrom.sqlite") as copy:
        copy.journal.append(outcome("one"), NOON)

        assert messages(copy) == ["one"]
    assert files(path.parent) == {}


def test_a_snapshot_sees_what_an_open_store_wrote_last(path: Path) -> None:
    with open_store(path) as store:
        store.journal.append(outcome("one"), NOON)

        with snapshot(path) as copy:
            store.journal.append(outcome("two"), NOON)

            assert messages(copy) == ["one"]


@pytest.mark.parametrize("name", ["with space.sqlite", "question?.sqlite", "per%20cent#.sqlite"])
def test_a_path_is_taken_literally(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, "one")

    with snapshot(tmp_path / name) as copy:
        assert messages(copy) == ["one"]
    assert list(files(tmp_path)) == [name]

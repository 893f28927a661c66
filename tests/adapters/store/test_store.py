"""The contract of the store: a file, one in memory and a snapshot keep the same promises."""

import json
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.store import tables
from bot.adapters.store.store import Store, open_store, snapshot
from bot.core.errors import StoreError
from bot.core.rollout import Rollout
from bot.ports.forge import Sources
from bot.ports.store import Kept, Pause, Remembered
from tests.adapters.store.values import HOUR, NOON, base, digest, layer, observation, outcome


@pytest.fixture(params=["file", "memory", "snapshot"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "refrom.sqlite"
    opened = {
        "file": lambda: open_store(path),
        "memory": lambda: open_store(":memory:"),
        "snapshot": lambda: snapshot(path),
    }[request.param]()
    with opened:
        yield opened


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.ledger.history("python3.13") == []
    assert store.ledger.base(digest("any")) is None
    assert store.journal.entries() == []
    assert store.layers.get(digest("any")) is None


def test_an_observation_comes_back_as_it_was_recorded(store: Store) -> None:
    recorded = store.ledger.record(observation("one"))

    assert recorded == observation("one")
    assert store.ledger.history("python3.13") == [observation("one")]


def test_a_known_observation_keeps_when_it_was_first_seen(store: Store) -> None:
    store.ledger.record(observation("one"))

    again = store.ledger.record(observation("one", seen=NOON + HOUR))

    assert again == replace(observation("one"), last_seen=NOON + HOUR)
    assert store.ledger.history("python3.13") == [again]


def test_history_begins_with_what_was_first_seen_last(store: Store) -> None:
    """A digest that comes back after another one stays where it was first seen."""
    for hours, of in enumerate(["one", "two", "three", "one"]):
        store.ledger.record(observation(of, seen=NOON + hours * HOUR))

    history = store.ledger.history("python3.13")

    assert [seen.digest for seen in history] == [digest("index three"), digest("index two"), digest("index one")]


def test_streams_have_histories_of_their_own(store: Store) -> None:
    store.ledger.record(observation("one", runtime="python3.13"))
    store.ledger.record(observation("one", runtime="python3.14"))

    assert [seen.runtime for seen in store.ledger.history("python3.13")] == ["python3.13"]
    assert [seen.runtime for seen in store.ledger.history("python3.14")] == ["python3.14"]


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_each_base_of_an_observation_is_found_by_its_digest(store: Store, platform: str) -> None:
    expected = base("one", platform=platform)

    store.ledger.record(observation("one"))

    assert store.ledger.base(expected.digest) == expected


def test_an_index_is_no_base(store: Store) -> None:
    store.ledger.record(observation("one"))

    assert store.ledger.base(digest("index one")) is None


def test_the_journal_tells_the_newest_first(store: Store) -> None:
    for hours, message in enumerate(["one", "two", "three"]):
        store.journal.append(outcome(message), NOON + hours * HOUR)

    assert store.journal.entries() == [
        (NOON + 2 * HOUR, outcome("three")),
        (NOON + HOUR, outcome("two")),
        (NOON, outcome("one")),
    ]


def test_the_journal_tells_no_more_than_asked(store: Store) -> None:
    for message in ["one", "two", "three"]:
        store.journal.append(outcome(message), NOON)

    assert [entry.message for _, entry in store.journal.entries(limit=2)] == ["three", "two"]


def test_the_journal_tells_all_from_a_moment_on(store: Store) -> None:
    for hours, message in enumerate(["one", "two", "three"]):
        store.journal.append(outcome(message), NOON + hours * HOUR)

    assert [entry.message for _, entry in store.journal.since(NOON + HOUR)] == ["two", "three"]
    assert store.journal.since(NOON + 3 * HOUR) == []


def test_the_journal_keeps_texts_that_are_no_unicode(store: Store) -> None:
    strange = outcome("\udc80 \x00 '; DROP TABLE outcomes; --")

    store.journal.append(strange, NOON)

    assert store.journal.entries() == [(NOON, strange)]


def test_a_layer_is_remembered(store: Store) -> None:
    store.layers.put(layer("one"))

    assert store.layers.get(layer("one").digest) == layer("one")
    assert store.layers.get(layer("two").digest) is None


def test_a_layer_of_another_release_is_not_known_and_is_replaced(store: Store) -> None:
    older = zlib.compress(json.dumps({"digest": str(digest("one")), "entries": {}}).encode())
    with store.database.transaction() as connection:
        connection.execute(tables.layers.insert().values(digest=str(digest("one")), document=older))

    assert store.layers.get(digest("one")) is None
    store.layers.put(layer("one"))
    assert store.layers.get(digest("one")) == layer("one")


def test_a_document_is_remembered_until_a_newer_one_comes(store: Store) -> None:
    first, second = (Kept(source=f"https://{n}.example", etag=n, confirmed=NOON, content=b"\0\xff") for n in "ab")
    assert store.documents.get("list") is None

    store.documents.put("list", first)
    assert store.documents.get("list") == first
    store.documents.put("list", second)

    assert store.documents.get("list") == second
    assert store.documents.get("index") is None


def test_what_was_read_of_a_repository_is_remembered_until_it_is_read_again(store: Store) -> None:
    files = {"Dockerfile": b"FROM x\n", "a/\N{SNOWMAN}": bytes(range(256))}
    first = Remembered(commit="1" * 40, reading="r", sources=Sources(files=files, unread={"b": "a link"}))
    second = replace(first, commit="2" * 40, sources=Sources(files={}, unread={}))
    assert store.sources.get("acme/orders") is None

    store.sources.put("acme/orders", first)
    assert store.sources.get("acme/orders") == first
    store.sources.put("acme/orders", second)

    assert store.sources.get("acme/orders") == second
    assert store.sources.get("acme/other") is None


def test_what_another_release_kept_of_a_repository_is_not_known_and_is_replaced(store: Store) -> None:
    kept = Remembered(commit="1" * 40, reading="r", sources=Sources(files={}, unread={}))
    store.sources.put("acme/orders", kept)
    other = zlib.compress(b'{"form": 0}')
    with store.database.transaction() as connection:
        connection.execute(tables.sources.update().values(document=other))

    assert store.sources.get("acme/orders") is None
    store.sources.put("acme/orders", kept)
    assert store.sources.get("acme/orders") == kept


def test_what_is_damaged_of_a_repository_is_an_error_with_the_cure(store: Store) -> None:
    store.sources.put("acme/orders", Remembered(commit="", reading="", sources=Sources(files={}, unread={})))
    with store.database.transaction() as connection:
        connection.execute(tables.sources.update().values(document=b"nothing"))

    with pytest.raises(StoreError, match=r"is damaged .*; move the file aside"):
        store.sources.get("acme/orders")


def test_a_pause_is_remembered_until_a_later_one_comes(store: Store) -> None:
    first, second = Pause(NOON, "too quick"), Pause(NOON + HOUR, "\udc80 quota")
    assert store.pauses.get("github:acme") is None

    store.pauses.put("github:acme", first)
    assert store.pauses.get("github:acme") == first
    store.pauses.put("github:acme", second)

    assert store.pauses.get("github:acme") == second
    assert store.pauses.get("github:other") is None


def test_a_pause_outlives_the_process_but_not_in_a_snapshot(tmp_path: Path) -> None:
    path, pause = tmp_path / "refrom.sqlite", Pause(NOON, "too quick")
    with open_store(path) as store:
        store.pauses.put("github:acme", pause)

    with snapshot(path) as rehearsal:
        assert rehearsal.pauses.get("github:acme") == pause
        rehearsal.pauses.put("github:other", pause)

    with open_store(path) as store:
        assert store.pauses.get("github:acme") == pause
        assert store.pauses.get("github:other") is None


def test_threads_share_a_store(store: Store) -> None:
    def work(number: int) -> None:
        store.journal.append(outcome(str(number)), NOON)
        store.ledger.record(observation("one"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(20)))

    assert {entry.message for _, entry in store.journal.entries()} == set(map(str, range(20)))
    assert store.ledger.history("python3.13") == [observation("one")]


def test_the_last_rollout_of_each_stream_is_remembered(store: Store) -> None:
    first = Rollout(runtime="python3.13", base=digest("one"), began=NOON)
    second = replace(first, base=digest("two"), halted=NOON + HOUR)
    store.rollouts.put(first)
    store.rollouts.put(second)

    assert store.rollouts.get("python3.13") == second
    assert store.rollouts.get("python3.14") is None


def test_a_rollout_that_a_dry_run_moves_on_is_not_kept(tmp_path: Path) -> None:
    path, rollout = tmp_path / "refrom.db", Rollout(runtime="python3.13", base=digest("one"), began=NOON)
    with open_store(path) as store:
        store.rollouts.put(rollout)
    with snapshot(path) as copy:
        copy.rollouts.put(replace(rollout, base=digest("two")))

    with open_store(path) as store:
        assert store.rollouts.get("python3.13") == rollout

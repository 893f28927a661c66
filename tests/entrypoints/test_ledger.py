"""The ledger travels: what is exported is imported whole, twice or in any order, and its loss is said, not felt."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.registry import LayoutRegistry
from bot.core.errors import StoreError
from bot.core.observation import Observation
from bot.core.reference import Reference
from bot.entrypoints.cli import ATTENTION, DONE
from bot.entrypoints.demo.fleet import MOVED, MOVES, START
from bot.entrypoints.demo.images import publish_base
from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.documents import time_text as text
from bot.entrypoints.ledger import ledger_document, read_ledger
from bot.wiring import VirtualClock
from tests.adapters.store.values import HOUR, NOON, observation
from tests.conftest import Figure
from tests.entrypoints.conftest import Ran, Refrom
from tests.entrypoints.schemas import LEDGER

RUNTIME = "python3.13"
PYTHON = Reference.parse("public.ecr.aws/lambda/python")
AFTER = next(move.after for move in MOVES if move.before.name == "python" and move.after)
DAY = timedelta(days=1)
SEEN = MOVED + timedelta(hours=5)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[object], Path]:
    def write(document: object) -> Path:
        path = tmp_path / "ledger.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


@pytest.fixture
def machine(fleet: Stage, tmp_path: Path) -> Callable[[str], Path]:
    """Settings of a machine that watches one stream of the fleet, with a store of its own."""

    def machine(name: str) -> Path:
        path = tmp_path / f"{name}.yaml"
        registries = f'{{public.ecr.aws: {{url: "oci:{fleet.folder}/registry"}}}}'
        path.write_text(
            f"version: 1\nregistries: {registries}\nruntimes: {{watch: [{RUNTIME}]}}\nstore: {name}/refrom.db\n"
        )
        return path

    return machine


def watched(ran: Ran) -> dict[str, Any]:
    (seen,) = ran.document["observations"]
    return {key: seen[key] for key in ("digest", "first_seen", "first_seen_by")}


def test_a_job_carries_its_ledger_to_the_next_and_may_lose_it(
    refrom: Refrom, fleet: Stage, machine: Callable[[str], Path], tmp_path: Path, figure: Figure
) -> None:
    first, second, third = (machine(name) for name in ("first", "second", "third"))
    carried = tmp_path / "carried.json"

    assert refrom("run", "--config", first, clock=VirtualClock(SEEN)).code == DONE
    publish_base(LayoutRegistry(fleet.folder / "registry"), PYTHON, replace(AFTER, created=SEEN))
    assert refrom("run", "--config", first, clock=VirtualClock(SEEN + DAY)).code == DONE
    exported = refrom("ledger", "export", "--config", first)
    carried.write_text(exported.out)
    imported = refrom("ledger", "import", carried, "--config", second, clock=VirtualClock(SEEN + 2 * DAY))
    kept = watched(refrom("watch", "--config", second, "--format", "json", clock=VirtualClock(SEEN + 9 * DAY)))
    lost = watched(refrom("watch", "--config", third, "--format", "json", clock=VirtualClock(SEEN + 9 * DAY)))

    assert (exported.code, exported.err, imported.out) == (DONE, "", "")
    jsonschema.validate(exported.document, LEDGER)
    assert (imported.code, imported.err) == (DONE, "2 observations imported\n")
    again = refrom("ledger", "export", "--config", second)
    figure("ledger after export and import: the same", again.out == exported.out, True)
    figure("ledger kept: first seen by", (kept["first_seen_by"], kept["first_seen"]), ("watch", text(SEEN + DAY)))
    figure("ledger lost: the digest is the same", lost["digest"], kept["digest"])
    figure("ledger lost: first seen by", (lost["first_seen_by"], lost["first_seen"]), ("created", text(SEEN)))


@given(
    st.lists(
        st.builds(
            lambda of, first, more: replace(observation(of, seen=first), last_seen=first + more),
            st.sampled_from("abc"),
            st.datetimes(START.replace(tzinfo=None), NOON.replace(tzinfo=None), timezones=st.just(UTC)),
            st.timedeltas(timedelta(), 9 * HOUR),
        )
    )
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, observations: list[Observation]
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.json"
    path.write_text(json.dumps(ledger_document(observations)))

    found = read_ledger(path, NOON + 99 * HOUR)

    assert sorted(found, key=repr) == sorted(observations, key=repr)


def test_an_import_widens_the_span_of_what_is_known_and_repeats_without_effect(
    refrom: Refrom, machine: Callable[[str], Path], write: Callable[[object], Path]
) -> None:
    config = machine("one")

    def take(first: datetime, last: datetime) -> None:
        path = write(ledger_document([replace(observation("a", seen=first), last_seen=last)]))
        assert refrom("ledger", "import", path, "--config", config, clock=VirtualClock(NOON + 99 * HOUR)).code == DONE

    take(NOON, NOON + HOUR)
    take(NOON - HOUR, NOON)
    take(NOON - HOUR, NOON)

    (seen,) = json.loads(refrom("ledger", "export", "--config", config).out)["observations"]
    assert datetime.fromisoformat(seen["first_seen"]) == NOON - HOUR
    assert datetime.fromisoformat(seen["last_seen"]) == NOON + HOUR


def test_a_time_that_is_yet_to_come_counts_as_now(write: Callable[[object], Path]) -> None:
    """A clock that was ahead would hold a base in soak for ever."""
    path = write(ledger_document([observation("a", seen=NOON + 9000 * HOUR)]))

    (seen,) = read_ledger(path, NOON)

    assert (seen.first_seen, seen.last_seen) == (NOON, NOON)


GOOD: dict[str, Any] = ledger_document([observation("good"), observation("other")])


def bent(change: Callable[[dict[str, Any]], object]) -> object:
    document = json.loads(json.dumps(GOOD))
    change(document)
    return document


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="a list"),
        pytest.param("[" * 100_000, id="nested"),
        pytest.param('{"schema": "refrom.ledger/2", "observations": []}', id="a newer schema"),
        pytest.param(bent(lambda d: d.update(observations={"a": 1})), id="no list"),
        pytest.param(bent(lambda d: d["observations"][1].update(digest="sha256:0")), id="digest"),
        pytest.param(bent(lambda d: d["observations"][1].update(runtime=7)), id="runtime"),
        pytest.param(bent(lambda d: d["observations"][1].update(bases=[])), id="no base"),
        pytest.param(bent(lambda d: d["observations"][1].update(first_seen="2026-11-20T12:00:00")), id="no zone"),
        pytest.param(bent(lambda d: d["observations"][1].update(last_seen="9999-12-31T23:59:59-09:00")), id="year"),
        pytest.param(bent(lambda d: d["observations"][1].pop("reference")), id="no reference"),
        pytest.param(bent(lambda d: d["observations"][1]["bases"][0]["layers"].pop()), id="a layer too few"),
        pytest.param(bent(lambda d: d["observations"][1]["bases"][0].update(platform="a/b/c/d")), id="platform"),
    ],
)
def test_a_damaged_ledger_is_refused_whole(
    refrom: Refrom, machine: Callable[[str], Path], write: Callable[[object], Path], document: object
) -> None:
    config, path = machine("one"), write(document)

    ran = refrom("ledger", "import", path, "--config", config)

    assert (ran.code, ran.out) == (ATTENTION, "")
    assert ran.err.startswith(f"refrom: {path} is not what refrom ledger export writes (")
    assert ran.err.endswith("; leave it out, the ledger grows again by itself\n")
    assert json.loads(refrom("ledger", "export", "--config", config).out)["observations"] == []


def test_a_ledger_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"cannot be read \(No such file or directory\); name what refrom ledger export"
    ):
        read_ledger(tmp_path / "nowhere.json", NOON)

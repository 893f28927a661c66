"""`refrom hold`, `release`, `block` and `unblock`: declared in the file, journalled, kept by the loop."""

from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from bot.core.digest import Digest
from bot.core.policy import Block, Hold
from bot.entrypoints.cli import DONE, USAGE
from bot.entrypoints.demo.fleet import MOVED
from bot.entrypoints.demo.stage import Stage
from bot.settings import load_declarations
from bot.wiring import VirtualClock, open_rehearsal
from tests.entrypoints import schemas
from tests.entrypoints.conftest import Ran, Refrom

DIGEST = Digest.of(b"bad")
UNTIL = (MOVED + timedelta(days=30)).date()
JSON = ("--format", "json")


def file(stage: Stage) -> Path:
    return stage.folder / "refrom.holds.yaml"


def journal(stage: Stage) -> list[tuple[str, str, str]]:
    with open_rehearsal(stage.settings, VirtualClock(MOVED + timedelta(hours=3))) as rehearsal:
        entries = rehearsal.workshop.world.journal.entries()
    return [(outcome.step, str(outcome.result), outcome.message) for _, outcome in entries]


def decided(ran: Ran, repository: str) -> list[tuple[str, str]]:
    rows = [row for row in ran.document["decisions"] if row["repository"] == repository]
    return [(row["decision"], row["reason"]) for row in rows]


def test_a_held_repository_is_left_alone_until_it_is_released(refrom: Refrom, fleet: Stage) -> None:
    named = ("--repository", "acme/orders", "--config", fleet.settings)

    held = refrom("hold", *named, "--reason", "freeze", "--until", UNTIL, "--by", "Jo", *JSON)
    while_held = refrom("run", "--dry-run", "--config", fleet.settings, *JSON)
    released = refrom("release", *named, "--by", "Ada", *JSON)
    after = refrom("run", "--dry-run", "--config", fleet.settings, *JSON)

    assert [held.code, released.code] == [DONE, DONE]
    jsonschema.validate(held.document, schemas.HOLD)
    jsonschema.validate(released.document, schemas.RELEASE)
    assert held.document["result"] == "declared"
    assert held.document["hold"]["by"] == "Jo"
    assert decided(while_held, "acme/orders") == [("held", f"held until {UNTIL}: freeze")]
    assert released.document["result"] == "withdrawn"
    assert released.document["hold"] == {**held.document["hold"], "by": "Ada"}
    assert [decision for decision, _ in decided(after, "acme/orders")] == ["update"]
    assert journal(fleet)[:2] == [
        ("release", "withdrawn", "release repository acme/orders (by Ada)"),
        ("hold", "declared", f"hold repository acme/orders until {UNTIL}: freeze (by Jo)"),
    ]


def test_a_function_is_held_under_the_name_of_the_settings(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("hold", "--function", "orders", "--reason", "x", "--by", "Jo", "--config", fleet.settings)

    assert ran.code == DONE
    assert load_declarations(file(fleet)).holds == (Hold(function="orders", reason="x", by="Jo"),)
    assert "declared in" in ran.out


def test_a_function_that_nobody_knows_is_not_held(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("hold", "--function", "odrers", "--reason", "x", "--config", fleet.settings)

    assert ran.code == USAGE
    assert "odrers is no function that the settings name or find" in ran.err
    assert not file(fleet).exists()


def test_a_block_closes_what_offers_the_base_and_says_what_it_is_of(refrom: Refrom, fleet: Stage) -> None:
    first = refrom("run", "--config", fleet.settings, *JSON)
    (offered,) = [d["to"] for d in first.document["decisions"] if d["repository"] == "acme/orders"]

    blocked = refrom("block", offered, "--reason", "breaks dnf", "--by", "Jo", "--config", fleet.settings, *JSON)
    after = refrom("run", "--config", fleet.settings, *JSON)

    assert blocked.code == DONE
    jsonschema.validate(blocked.document, schemas.BLOCK)
    assert blocked.document["runtimes"] == ["python3.13"]
    closed = [o for o in after.document["outcomes"] if o.get("repository") == "acme/orders"]
    assert [o["result"] for o in closed] == ["closed"]
    assert "blocked" in closed[0]["message"]


def test_a_digest_that_no_stream_had_is_told(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("block", DIGEST, "--reason", "x", "--config", fleet.settings)

    assert ran.code == DONE
    assert "no stream is known to have had this digest" in ran.out


def test_to_say_it_twice_is_to_say_it_once(refrom: Refrom, fleet: Stage) -> None:
    again = [
        refrom("block", DIGEST, "--reason", "x", "--by", "Jo", "--config", fleet.settings, *JSON) for _ in range(2)
    ]

    assert [(ran.code, ran.document["result"]) for ran in again] == [(DONE, "declared"), (DONE, "unchanged")]
    assert load_declarations(file(fleet)).blocks == (Block(digest=DIGEST, reason="x", by="Jo"),)
    assert [step for step, _, _ in journal(fleet)] == ["block"]


def test_an_unblock_takes_out_the_digest_alone(refrom: Refrom, fleet: Stage) -> None:
    other = Digest.of(b"other")
    for digest in (DIGEST, other):
        refrom("block", digest, "--reason", "x", "--by", "Jo", "--config", fleet.settings)

    ran = refrom("unblock", DIGEST, "--config", fleet.settings, *JSON)

    assert ran.code == DONE
    jsonschema.validate(ran.document, schemas.UNBLOCK)
    assert load_declarations(file(fleet)).blocks == (Block(digest=other, reason="x", by="Jo"),)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("hold", "--repository", "acme/*", "--reason", "x", "--dry-run", "--config", fleet.settings, *JSON)

    assert (ran.code, ran.document["result"], ran.document["dry_run"]) == (DONE, "declared", True)
    assert not file(fleet).exists()
    assert journal(fleet) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["hold", "--reason", "x"], "say what is meant: --repository, with --path", id="nothing named"),
        pytest.param(["hold", "--path", "app", "--reason", "x"], "say what is meant", id="a path of no repository"),
        pytest.param(
            ["hold", "--repository", "a/b", "--function", "f", "--reason", "x"], "--function alone", id="two things"
        ),
        pytest.param(["hold", "--repository", "a/b", "--reason", " "], "--reason is empty", id="an empty reason"),
        pytest.param(
            ["hold", "--repository", "a/b", "--reason", "x", "--until", "soon"], "soon is no date", id="no date"
        ),
        pytest.param(["block", str(DIGEST), "--reason", "x", "--until", "2020-01-31"], "2020-01-31 is over", id="over"),
        pytest.param(["block", "sha256:1", "--reason", "x"], "is malformed; write sha256:", id="no digest"),
        pytest.param(["release", "--repository", "a/b"], "repository a/b is not held; name what", id="not held"),
        pytest.param(["unblock", str(DIGEST)], f"{DIGEST} is not blocked; name what was declared", id="not blocked"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage_with_the_cure(
    refrom: Refrom, fleet: Stage, arguments: list[str], told: str
) -> None:
    ran = refrom(*arguments, "--config", fleet.settings)

    assert ran.code == USAGE
    assert told in " ".join(ran.err.split())
    assert not file(fleet).exists()


def test_who_says_it_is_whom_git_knows_or_the_user(
    refrom: Refrom, fleet: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known, unknown = tmp_path / "gitconfig", tmp_path / "empty"
    known.write_text("[user]\nname = Jo Doe\n")
    unknown.write_text("")
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    for config, name in ((known, "acme/a"), (unknown, "acme/b")):
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
        assert refrom("hold", "--repository", name, "--reason", "x", "--config", fleet.settings).code == DONE

    assert [one.by for one in load_declarations(file(fleet)).holds] == ["Jo Doe", "ada"]

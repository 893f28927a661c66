"""`refrom explain`: every mode that was said with what became of it, the decision, and what a function waits for."""

from pathlib import Path

import jsonschema
import pytest

from bot.entrypoints.cli import DONE, USAGE
from bot.entrypoints.demo.stage import Stage
from tests.entrypoints import schemas
from tests.entrypoints.conftest import Refrom

JSON = ("--format", "json")
POLICY = "policy:\n  update_on: packages\n"


def say(stage: Stage, text: str) -> None:
    """Write a policy into the settings, in place of the demo's own."""
    settings = stage.settings.read_text()
    assert settings.count(POLICY) == 1
    stage.settings.write_text(settings.replace(POLICY, text))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_path_is_explained_with_modes_policy_and_decision(refrom: Refrom, fleet: Stage) -> None:
    say(
        fleet,
        "policy:\n  mode: function-update\n  max_age: 36h\n  overrides:\n"
        "    - {match: {repository: 'acme/*'}, mode: manual, reason: look at it, until: '2099-01-31'}\n",
    )

    ran = refrom("explain", "acme/orders:Dockerfile", "--config", fleet.settings, *JSON)

    assert ran.code == DONE
    jsonschema.validate(ran.document, schemas.EXPLAIN)
    (use,) = ran.document["uses"]
    assert (use["decision"], use["reason"]) == ("held", "manual until 2099-01-31: look at it")
    assert use["mode"] == "manual"
    assert [(one["mode"], one["said_by"], one["state"]) for one in use["modes"]] == [
        ("auto", "the default", "overruled by policy"),
        ("function-update", "policy", "overruled by policy.overrides[0]"),
        ("manual", "policy.overrides[0]", "holds"),
    ]
    assert use["policy"]["max_age"] == "36h"
    assert ran.document["function"] is None


def test_a_path_may_be_named_beside_its_repository(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("explain", "Dockerfile", "--repository", "acme/orders", "--config", fleet.settings)

    assert ran.code == DONE
    assert "acme/orders:Dockerfile line 1, python3.13" in ran.out
    assert "update: " in ran.out
    assert "Update mode: auto" in ran.out


def test_a_function_is_explained_with_what_the_loop_would_do_and_nothing_is_done(refrom: Refrom, fleet: Stage) -> None:
    refrom("run", "--config", fleet.settings)
    (fleet.folder / "refrom.holds.yaml").write_text(
        "version: 1\nmodes: [{function: orders, mode: manual, reason: it hangs, until: 2099-01-31}]\n"
    )
    before = contents(fleet.folder)

    ran = refrom("explain", "orders", "--config", fleet.settings, *JSON)

    assert ran.code == DONE
    jsonschema.validate(ran.document, schemas.EXPLAIN)
    function = ran.document["function"]
    assert (function["mode"], function["held"], function["outcomes"]) == ("manual", None, [])
    assert function["modes"][-1] == {
        "mode": "manual",
        "said_by": "the holds file",
        "reason": "it hangs",
        "until": "2099-01-31",
        "state": "holds",
    }
    assert [use["path"] for use in ran.document["uses"]] == ["Dockerfile"]
    assert contents(fleet.folder) == before


def test_a_function_that_is_held_says_by_what(refrom: Refrom, fleet: Stage) -> None:
    refrom("hold", "--function", "orders", "--reason", "incident 4711", "--config", fleet.settings)

    ran = refrom("explain", "orders", "--config", fleet.settings)

    assert ran.code == DONE
    assert "it is held: incident 4711" in ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["acme/gone:Dockerfile"], "acme/gone is no source repository of the forges", id="no repository"),
        pytest.param(
            ["acme/orders:x/Dockerfile"],
            "x/Dockerfile of acme/orders uses no Lambda base; it does in Dockerfile",
            id="no use",
        ),
        pytest.param(["odrers"], "odrers is no function that the settings name or find", id="no function"),
    ],
)
def test_what_is_not_there_is_wrong_usage_with_the_cure(
    refrom: Refrom, fleet: Stage, arguments: list[str], told: str
) -> None:
    ran = refrom("explain", *arguments, "--config", fleet.settings)

    assert ran.code == USAGE
    assert told in " ".join(ran.err.split())

"""The published schema of the audit's document describes every key of every document, and no document breaks it."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.core.rows import Row
from bot.entrypoints.demo.stage import Stage
from tests.entrypoints.audits import whole
from tests.entrypoints.conftest import Refrom
from tests.lab.need import need

SCHEMA = json.loads((Path(__file__).parents[2] / "config/refrom.audit.schema.json").read_text())


def closed(schema: Any) -> Any:
    """The same, with every key refused that it does not describe; for others more keys may come."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: each if key in ("if", "then", "else") else closed(each) for key, each in schema.items()}
    return {**inner, "additionalProperties": False} if schema.get("type") == "object" else inner


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_an_audit_of_everything_keeps_the_schema() -> None:
    jsonschema.validate(whole(), closed(SCHEMA))


@pytest.mark.parametrize("moment", ["behind", "in progress", "broken"])
def test_what_refrom_writes_keeps_the_schema(refrom: Refrom, fleet: Stage, moment: str) -> None:
    if moment == "in progress":
        refrom("run", "--config", fleet.settings)
    if moment == "broken":
        (fleet.folder / "functions.json").unlink()

    ran = refrom("audit", "--config", fleet.settings, "--format", "json")

    jsonschema.validate(ran.document, closed(SCHEMA))
    assert ran.document["functions"]
    assert bool(ran.document["burn"]) == (moment == "in progress")


def places(schema: dict[str, Any], value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where objects stand in a document."""
    if isinstance(value, list):
        return [found for number, each in enumerate(value) for found in places(schema, each, (*path, number))]
    if not isinstance(value, dict):
        return []
    return [path, *(found for key, each in value.items() for found in places(schema, each, (*path, key)))]


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


@pytest.mark.parametrize("path", places(SCHEMA, whole()), ids=lambda path: ".".join(map(str, path)) or "document")
def test_a_key_that_the_schema_does_not_describe_is_refused_wherever_it_stands(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(whole())
    at(document, path)["surprise"] = 1

    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        jsonschema.validate(document, closed(SCHEMA))
    jsonschema.validate(document, SCHEMA)


def test_the_schema_knows_every_row() -> None:
    assert set(SCHEMA["$defs"]["row"]["properties"]["row"]["enum"]) == set(Row)


def test_another_program_reads_the_document(refrom: Refrom, fleet: Stage, tmp_path: Path) -> None:
    """Node's own parser, which takes nothing that is not JSON."""
    ran = refrom("audit", "--config", fleet.settings, "--format", "json")
    path = tmp_path / "audit.json"
    path.write_text(ran.out)
    script = (
        "const d = JSON.parse(require('fs').readFileSync(process.argv[1])); console.log(d.functions.length, d.schema)"
    )

    command = [need("node", "apt-get install nodejs"), "-e", script, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)

    assert told.stdout.split() == [str(len(ran.document["functions"])), "refrom.audit/1"]

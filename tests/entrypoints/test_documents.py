"""The documents hold what the contract promises, and the tables show it without believing it."""

import io
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from bot.entrypoints.cli import ATTENTION, DONE
from bot.entrypoints.demo.fleet import SERVICES
from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.tables import say, show
from tests.entrypoints import schemas
from tests.entrypoints.conftest import Refrom
from tests.entrypoints.schemas import Schema

HOSTILE = "[bold red]evil[/] [link=https://evil.example]here[/link]"
STEERING = "\x1b]0;title\x07 \x1b[2J \x9b31m \r \u202e"


@pytest.mark.parametrize(
    ("command", "schema"),
    [
        pytest.param(("scan", "work"), schemas.SCAN, id="scan"),
        pytest.param(("watch", "python3.13", "java21", "python3.12"), schemas.WATCH, id="watch"),
        pytest.param(("watch", "--catalogue"), schemas.CATALOGUE, id="catalogue"),
        pytest.param(("diff", "@3.13.2026.11.01.15", "@3.13"), schemas.DIFF, id="diff"),
        pytest.param(("lineage", "registry.example/orders:v1"), schemas.LINEAGE, id="lineage proven"),
        pytest.param(("run", "--dry-run"), schemas.RUN, id="run"),
        pytest.param(("run",), schemas.RUN, id="dry run"),
        pytest.param(("audit",), schemas.AUDIT, id="audit"),
    ],
)
def test_every_document_keeps_the_contract(
    refrom: Refrom, fleet: Stage, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], schema: Schema
) -> None:
    """One document on standard output, nothing on standard error."""
    monkeypatch.chdir(fleet.folder)
    arguments = [part.replace("@", "public.ecr.aws/lambda/python:") for part in command]

    ran = refrom(*arguments, "--format", "json")

    assert ran.code in (DONE, ATTENTION)
    assert ran.err == ""
    jsonschema.validate(ran.document, schema)
    assert next(iter(ran.document)) == "schema"


def test_an_unknown_lineage_is_a_document_too(refrom: Refrom, fleet: Stage) -> None:
    (fleet.folder / "other.yaml").write_text('version: 1\nregistries: {public.ecr.aws: {url: "oci:nothing"}}\n')
    image = f"oci:{fleet.folder}/registry/lambda/python:3.13"

    ran = refrom("lineage", image, "--platform", "arm64", "--config", fleet.folder / "other.yaml", "--format", "json")

    assert (ran.code, ran.err) == (ATTENTION, "")
    jsonschema.validate(ran.document, schemas.LINEAGE)
    assert (ran.document["verdict"], ran.document["base"]) == ("unknown", None)


def test_the_documents_say_what_happened(refrom: Refrom, fleet: Stage) -> None:
    ran = refrom("run", "--config", fleet.settings, "--format", "json")

    decisions = {(d["repository"], d["decision"], d["action"]) for d in ran.document["decisions"]}
    assert decisions == {
        ("acme/orders", "update", "pin"),
        ("acme/billing", "update", "bump"),
        ("acme/search", "update", "pin"),
        ("acme/thumbnails", "update", "bump"),
        ("acme/webhooks", "current", None),
        ("acme/mailer", "current", None),
    }
    opened = {o["repository"] for o in ran.document["outcomes"] if o["result"] == "opened"}
    assert opened == {"acme/orders", "acme/billing", "acme/search", "acme/thumbnails"}
    assert [(s["repository"], s["line"]) for s in ran.document["skipped"]] == [("acme/legacy", 2)]


@pytest.mark.parametrize(
    "command",
    [("scan", "work"), ("watch", "python3.13", "python3.12"), ("run", "--dry-run"), ("audit",)],
    ids=lambda command: str(command[0]),
)
def test_every_table_shows_the_fleet(
    refrom: Refrom, fleet: Stage, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(fleet.folder)
    monkeypatch.setenv("COLUMNS", "400")

    ran = refrom(*command)

    assert ran.err == ""
    assert "python3.13" in ran.out
    names = {service.name for service in SERVICES if service.base} if command[0] != "watch" else {"python3.12"}
    assert [name for name in names if name not in ran.out] == []


def test_markup_in_a_name_is_text() -> None:
    shown = terminal("show", HOSTILE)

    assert HOSTILE in shown
    assert "evil.example" not in shown.replace(HOSTILE, "")


@pytest.mark.parametrize("way", ["show", "say"])
def test_no_name_steers_the_terminal(way: str) -> None:
    shown = terminal(way, STEERING)

    assert "\x1b]0;" not in shown
    assert not set("\x07\x9b\r\u202e") & set(shown)
    assert "\x1b[2J" not in shown


def test_a_hostile_dockerfile_is_shown_as_it_is(refrom: Refrom, tmp_path: Path) -> None:
    folder = tmp_path / "[red]tree[bold]"
    folder.mkdir()
    (folder / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nFROM x\x1b[2Jy\n")

    ran = refrom("scan", tmp_path)

    assert ran.code == DONE
    assert "[red]tree[bold]/Dockerfile" in ran.out
    assert "\x1b" not in ran.out


def terminal(way: str, text: str) -> str:
    """What a terminal gets to see of a text, in a table or in a line."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=400)
    if way == "say":
        say(console, text)
    else:
        show(console, "Names", ("name",), [(text,)])
    return out.getvalue()

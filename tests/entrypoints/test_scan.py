"""`refrom.scan/1`: the contract's keys and values, in a stable order; a table that a hostile file cannot steer."""

import io
import json
from pathlib import Path

from jsonschema import validate
from rich.console import Console

from bot.adapters.forge.working_tree import read_working_trees
from bot.core.carriers import SourceFile
from bot.entrypoints.scan import print_scan_table, scan_document

SITE = {
    "type": "object",
    "required": ["site"],
    "properties": {"site": {"enum": ["literal", "arg-default", "unresolvable"]}, "line": {"type": "integer"}},
    "allOf": [
        {"if": {"properties": {"site": {"const": "unresolvable"}}}, "then": {"required": ["reason"]},
         "else": {"required": ["path", "line", "also"]}},
        {"if": {"properties": {"site": {"const": "arg-default"}}}, "then": {"required": ["arg"]}},
    ],
}  # fmt: skip
TEXT, MAYBE = {"type": "string"}, {"type": ["string", "null"]}
USE = {
    "type": "object",
    "required": [
        "path", "carrier", "kind", "line", "raw", "resolved", "stage", "final", "platform", "lambda", "runtime", "edit",
    ],
    "properties": {
        "path": TEXT, "carrier": TEXT, "kind": {"enum": ["from", "copy-from", "mount-from", "literal"]},
        "line": {"type": "integer", "minimum": 1}, "raw": TEXT, "resolved": MAYBE, "stage": MAYBE,
        "final": {"type": "boolean"}, "platform": MAYBE, "lambda": {"type": "boolean"}, "runtime": MAYBE, "edit": SITE,
        "contexts": {"type": "array", "items": {"required": ["source", "args", "target", "resolved", "final"]}},
    },
}  # fmt: skip
SCHEMA = {
    "required": ["schema", "uses", "skipped"],
    "properties": {
        "schema": {"const": "refrom.scan/1"},
        "uses": {"items": USE},
        "skipped": {"items": {"required": ["path", "line", "raw", "reason"]}},
    },
}


def file(path: str, text: str) -> SourceFile:
    return SourceFile(path=path, content=text.encode())


TREE = [
    file("x/Dockerfile", "ARG BASE\nFROM ${BASE}\n"),
    file(
        "app/Dockerfile",
        "ARG TAG=3.12\n\nFROM --platform=linux/amd64 public.ecr.aws/lambda/python:${TAG} AS base\n"
        "COPY --from=alpine a b\nFROM public.ecr.aws/lambda/go:$NONE\n",
    ),
    file("compose.yaml", "services: {a: {build: {context: app, args: {TAG: '3.13'}, target: base}}}"),
    file("bad/Dockerfile", "FROM a b\n"),
]


def test_the_document_follows_the_contract() -> None:
    document = json.loads(json.dumps(scan_document(TREE)))

    validate(document, SCHEMA)
    assert document["uses"][0] == {
        "path": "app/Dockerfile", "carrier": "dockerfile", "kind": "from", "line": 3,
        "raw": "public.ecr.aws/lambda/python:${TAG}", "resolved": "public.ecr.aws/lambda/python:3.12",
        "stage": "base", "final": False, "platform": "linux/amd64", "lambda": True, "runtime": "python3.12",
        "edit": {"site": "arg-default", "path": "app/Dockerfile", "line": 1, "arg": "TAG", "also": []},
        "contexts": [{"source": "compose.yaml", "args": {"TAG": "3.13"}, "target": "base",
                      "resolved": "public.ecr.aws/lambda/python:3.13", "final": True}],
    }  # fmt: skip
    assert document["uses"][1]["lambda"] is False
    assert document["uses"][2]["edit"] == {
        "site": "unresolvable",
        "reason": "NONE is not declared before the first FROM",
    }
    assert document["skipped"] == [
        {
            "path": "bad/Dockerfile",
            "line": 1,
            "raw": "FROM a b",
            "reason": "FROM requires either one or three arguments",
        },
        {"path": "x/Dockerfile", "line": 2, "raw": "${BASE}", "reason": "ARG BASE has no default"},
    ]


def test_the_order_of_the_files_does_not_matter() -> None:
    assert scan_document(TREE) == scan_document(reversed(TREE))


def test_an_obstacle_and_a_further_site_are_told() -> None:
    text = "ARG V=3.12\nARG D=sha256:" + "0" * 64 + "\nFROM public.ecr.aws/lambda/python:$V@$D\n"
    shared = "ARG V=3.12\nFROM public.ecr.aws/lambda/python:$V\nFROM python:$V\n"

    uses = scan_document([file("a/Dockerfile", text), file("b/Dockerfile", shared)])["uses"]

    assert uses[0]["edit"]["also"] == [
        {"site": "arg-default", "path": "a/Dockerfile", "line": 2, "arg": "D", "also": []}
    ]
    assert uses[1]["edit"]["reason"] == "ARG V also gives python:$V on line 3"


def test_a_tree_on_disk_gives_paths_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/Dockerfile").write_text("FROM public.ecr.aws/lambda/python:3.12\n")

    document = scan_document(read_working_trees([tmp_path]))

    assert [use["path"] for use in document["uses"]] == ["a/Dockerfile"]


def test_mirrors_count_as_lambda_bases() -> None:
    scan = scan_document([file("Dockerfile", "FROM r.example/b/go:1\n")], mirrors=["r.example/b"])

    assert [use["runtime"] for use in scan["uses"]] == ["go1.x"]


def test_the_table_shows_where_and_what_and_cannot_be_steered() -> None:
    out = io.StringIO()
    hostile = file("h/Dockerfile", "FROM a \x1b[2J[bold]b\n")

    print_scan_table(Console(file=out, width=200), scan_document([*TREE, hostile]))

    shown = out.getvalue()
    assert "app/Dockerfile:3" in shown
    assert "ARG TAG, line 1" in shown
    assert "not possible: NONE is not declared" in shown
    assert "not read: x/Dockerfile:2: ARG BASE has no default" in shown
    assert "\x1b" not in shown


def test_an_empty_tree_is_a_sentence() -> None:
    out = io.StringIO()

    print_scan_table(Console(file=out), scan_document([]))

    assert out.getvalue() == "Images: none\n"

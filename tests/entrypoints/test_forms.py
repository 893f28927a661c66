"""The forms of an audit: each holds the whole, believes nothing that others wrote, and is read by other programs."""

import csv
import io
import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.forms.markdown import markdown
from bot.entrypoints.forms.sarif import sarif
from bot.entrypoints.forms.spreadsheet import COLUMNS, cell, spreadsheet
from bot.entrypoints.tables import show_audit
from tests.conftest import Figure
from tests.entrypoints.audits import REDEPLOY, Document, duty, image, repository, use, whole
from tests.entrypoints.conftest import Refrom
from tests.lab.github.descriptions import Description, obtain
from tests.lab.need import need

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SARIF: Final = Description(
    package="@microsoft/jest-sarif@1.0.0-beta.0",
    integrity="sha512-A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIEcBbjpVnSmwWGBukASkiQ9A==",
    member="package/lib/schemas/sarif-2.1.0-rtm.5.json",
)
"""The schema of SARIF 2.1.0 as Microsoft's own SDK ships it."""
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "=cmd|'/c calc'!A0", "|x", "%x"]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def faults_of(log: Document) -> list[str]:
    schema = json.loads(obtain(SARIF).read_text())
    checker = jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)
    return [fault.message for fault in checker.iter_errors(log)]


def conforms(log: Document) -> None:
    assert faults_of(log) == []


def results(log: Document) -> list[Document]:
    return [result for run in log["runs"] for result in run["results"]]


def place(result: Document) -> tuple[str, int]:
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def audited(**parts: Any) -> Document:
    empty: Document = {key: [] for key in whole() if key not in ("schema", "slo")}
    return {"schema": "refrom.audit/1", "slo": whole()["slo"], **empty, **parts}


def test_a_spreadsheet_has_a_row_for_each_duty_and_for_each_thing_that_is_not_known() -> None:
    rows = rows_of(spreadsheet(whole()))

    assert list(rows[0]) == list(COLUMNS)
    assert [(row["function"].rpartition(":")[2], row["state"], row["days"]) for row in rows if row["duty"]] == [
        *(("orders", "overdue", "5"), ("billing", "due", "1"), ("search", "excepted", ""), ("lost", "unknown", "")),
        *(("mailer", "met", ""), ("tick", "met", ""), ("report", "due", "12")),
        *(("legacy", "overdue", "40"), ("legacy", "overdue", "9")),
    ]
    unknown = [
        (row["row"], row["repository"] or row["runtime"] or row["function"].rpartition(":")[2]) for row in rows[9:]
    ]
    assert unknown == [
        *(("unmapped", "stray"), ("unread", "acme/gone"), ("unread", "ruby3.4")),
        ("unread", "123456789012 us-east-1"),
    ]


def test_a_row_tells_all_that_is_known_of_a_function() -> None:
    by_name = {row["function"].rpartition(":")[2]: row for row in rows_of(spreadsheet(whole()))}

    orders, tick = by_name["orders"], by_name["tick"]
    assert (orders["significance"], orders["severity"], orders["advisories"]) == (
        *("security", "important"),
        "ALAS2023-2026-001",
    )
    assert (orders["account"], orders["region"], orders["path"]) == ("123456789012", "eu-west-1", "Dockerfile")
    assert by_name["billing"]["version"] == "41 (90% behind), 42 (10% current)"
    assert by_name["search"]["until"] == "2026-12-31"
    assert (tick["runtime_version"], tick["base"]) == ("python:3.13.v68", "")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula_whoever_wrote_it(text: str) -> None:
    hostile = image(text, duty(REDEPLOY, "overdue", 1, reason=text), function=text, version=text, path=text)

    cells = [value for row in rows_of(spreadsheet(audited(functions=[hostile]))) for value in row.values()]

    assert not [value for value in cells if value.startswith(("=", "+", "-", "@", "\t", "\r", "|", "%", "\uff1d"))]
    assert len([value for value in cells if value.startswith("'")]) >= 4


@given(st.text())
def test_a_cell_is_one_line_and_loses_nothing_that_can_be_seen(text: str) -> None:
    shown = cell(text)

    assert shown.isprintable()
    assert "".join(shown.removeprefix("'").split()) in (
        seen := "".join(c for c in text if c.isprintable() and not c.isspace()),
        seen.removeprefix("'"),
    )


def test_another_program_reads_the_spreadsheet(tmp_path: Path) -> None:
    """SQLite's own shell, cell by cell, with commas, quotes and line ends in them."""
    awkward = 'a "quoted", comma; and\r\na line'
    document = audited(functions=[image("orders", duty(REDEPLOY, "overdue", 5, reason=awkward)), *whole()["functions"]])
    path = tmp_path / "audit.csv"
    path.write_text(spreadsheet(document), newline="")
    query = "select function, state, reason from audit"
    command = [need("sqlite3", "apt-get install sqlite3"), ":memory:", "-json", f".import --csv {path} audit", query]

    told = subprocess.run(command, capture_output=True, text=True, check=True)

    mine = [{key: row[key] for key in ("function", "state", "reason")} for row in rows_of(path.read_text())]
    assert (json.loads(told.stdout), told.stderr) == (mine, "")
    assert mine[0]["reason"] == 'a "quoted", comma; and  a line'


def test_markdown_tells_the_rows_the_duties_and_what_is_not_known() -> None:
    text = markdown(whole())

    assert (
        "SLO broken by 3: critical fixes within 3 days, important ones within 7 days, anything within 30 days." in text
    )
    assert "| container-image | 5 | 1 | 1 | 1 | 1 | 1 | AWS's part of container-image |" in text
    assert f"| {REDEPLOY} | overdue | 5 | `something else was deployed: acme/search names another base` |" in text
    assert "| `ruby3.4` | `sha256:" in text
    assert "| `acme/gone` | `not found; check the token` |" in text
    assert "`unmapped` | `no rule names its source` |" in text


@pytest.mark.parametrize("document", [pytest.param(whole, id="everything"), pytest.param(audited, id="nothing")])
def test_a_sarif_log_keeps_the_official_schema(document: Callable[[], Document], figure: Figure) -> None:
    logs = [sarif(document(), NOW), sarif(document(), NOW, whole())]

    figure("faults that SARIF's own schema finds in a log", [fault for log in logs for fault in faults_of(log)], [])


def test_what_refrom_writes_as_sarif_keeps_the_official_schema(refrom: Refrom, fleet: Stage) -> None:
    log = refrom("audit", "--config", fleet.settings, "--format", "sarif").document

    conforms(log)
    assert {run["automationDetails"]["id"] for run in log["runs"]} >= {"refrom/acme/orders/", "refrom/"}
    files = {path.name: path for path in (fleet.folder / "work").rglob("Dockerfile")}
    assert files
    assert results(log)


def test_the_schema_would_refuse_something() -> None:
    log = sarif(whole(), NOW)
    log["runs"][0]["results"][0]["level"] = "grave"

    (fault,) = faults_of(log)
    assert "'grave' is not one of" in fault


def test_a_finding_stands_at_the_line_of_its_dockerfile_in_the_run_of_its_repository() -> None:
    log = sarif(whole(), NOW)

    orders = next(run for run in log["runs"] if run["automationDetails"]["id"] == "refrom/acme/orders/")
    assert [(r["ruleId"], r["level"], place(r)) for r in orders["results"]] == [
        ("redeploy-on-the-latest-base", "error", ("Dockerfile", 3)),
        ("base-image-behind", "warning", ("Dockerfile", 3)),
    ]
    assert orders["results"][0]["message"]["text"].startswith(
        "orders:live (stands on public.ecr.aws/lambda/python:3.13"
    )
    rules = orders["tool"]["driver"]["rules"]
    assert [rules[r["ruleIndex"]]["id"] for r in orders["results"]] == [r["ruleId"] for r in orders["results"]]
    assert all(rule["help"]["text"] for rule in rules)


def test_a_path_is_a_uri_relative_to_the_repository() -> None:
    strange = next(run for run in sarif(whole(), NOW)["runs"] if run["properties"].get("repository") == "acme/a b#c")

    assert [place(result) for result in strange["results"]] == [
        ("%C3%BCnder%20%2520/Dockerfile", 1),
        ("x/Dockerfile", 1),
        ("y/Dockerfile", 4),
    ]


def test_an_exception_is_a_suppression_with_its_reason() -> None:
    excused = [result for result in results(sarif(whole(), NOW)) if "suppressions" in result]

    assert [(r["ruleId"], r["level"], r["suppressions"][0]["justification"]) for r in excused] == [
        ("redeploy-on-the-latest-base", "note", "freeze"),
        ("base-image-behind", "note", "freeze"),
    ]


def test_what_stands_in_no_file_is_told_in_the_last_run() -> None:
    last = sarif(whole(), NOW)["runs"][-1]

    (invocation,) = last["invocations"]
    told = [
        (each["level"], each["message"]["text"].partition(":")[0]) for each in invocation["toolExecutionNotifications"]
    ]
    assert told == [
        *(("warning", "lost"), ("note", "report"), ("error", "legacy"), ("error", "legacy"), ("note", "arn")),
        *(("error", "acme/gone"), ("error", "ruby3.4"), ("error", "123456789012 us-east-1")),
    ]
    assert invocation["executionSuccessful"] is False


def test_a_fingerprint_stays_while_days_digests_and_lines_move() -> None:
    def prints(document: Document) -> list[str]:
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in results(sarif(document, NOW))]

    later = whole()
    for function in later["functions"]:
        function |= {"version": "99", "base": None, "base_age_days": 99, "reason": None}
        for owed in function["duties"]:
            owed |= {"days": 77}
    for each in later["repositories"]:
        each["commit"] = "1" * 40
        for found in (*each["uses"], *each["skipped"]):
            found |= {"line": 50, "reason": "another"}

    assert prints(later) == prints(whole())
    assert len(set(prints(whole()))) == len(prints(whole()))


def test_two_stages_of_one_file_are_two_findings() -> None:
    twice = repository("acme/orders", use("acme/orders", line=1), use("acme/orders", line=7))

    found = results(sarif(audited(repositories=[twice]), NOW))

    assert [result["partialFingerprints"]["refrom/v1"].rpartition(":")[2] for result in found] == ["1", "2"]


def test_with_a_baseline_each_result_says_whether_it_is_new() -> None:
    before = whole()
    before["functions"][0]["duties"][0]["state"] = "met"
    before["repositories"] = [each for each in before["repositories"] if each["repository"] != "acme/mailer"]

    states = [(result["baselineState"], result["ruleId"]) for result in results(sarif(whole(), NOW, before))]

    assert [rule for state, rule in states if state == "new"] == [
        "redeploy-on-the-latest-base",
        "base-image-not-followed",
    ]
    assert not [result for result in results(sarif(whole(), NOW)) if "baselineState" in result]


def test_a_table_tells_the_rows_where_aws_manages_runtimes() -> None:
    out = io.StringIO()

    show_audit(Console(file=out, width=200), whole())

    assert "Who owes what" in out.getvalue()
    assert re.search(r"legacy +│ managed-manual .* return to Auto or Function update +│ overdue +│ 40", out.getvalue())


def test_a_table_of_images_alone_is_about_their_duty() -> None:
    out = io.StringIO()

    show_audit(Console(file=out, width=200), audited(functions=whole()["functions"][:1]))

    assert "Functions: rebuild and redeploy on the latest base" in out.getvalue()
    assert "Who owes what" not in out.getvalue()

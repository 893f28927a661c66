"""The forms over AWS accounts: all four rows in each, by the published schemas, with the rights of the policy alone."""

import csv
import io
import json
from datetime import timedelta

import jsonschema

from bot.core.rows import Row
from bot.entrypoints.auditing import AuditFormat
from bot.entrypoints.cli import ATTENTION, DONE
from tests.adapters.deployer.test_policies import grants
from tests.conftest import Figure
from tests.e2e.audit_aws import Accounts
from tests.entrypoints.test_audit_schema import SCHEMA, closed
from tests.entrypoints.test_forms import conforms
from tests.entrypoints.test_html import Page

ROWS = [str(row) for row in Row if row is not Row.MANAGED_UNKNOWN]


def test_every_form_tells_all_four_rows(aws_accounts: Accounts, figure: Figure) -> None:
    told = {form: aws_accounts.audit("--format", form) for form in AuditFormat}

    assert {ran.code for ran in told.values()} == {ATTENTION}
    document = json.loads(told[AuditFormat.JSON].out)
    jsonschema.validate(document, closed(SCHEMA))
    assert {function["row"] for function in document["functions"]} == set(ROWS)
    cells = list(csv.DictReader(io.StringIO(told[AuditFormat.CSV].out, newline="")))
    assert {row["row"] for row in cells} == {*ROWS, "unmapped"}
    owed = sum(len(function["duties"]) for function in document["functions"])
    assert len(cells) == owed + len(document["gaps"])
    conforms(json.loads(told[AuditFormat.SARIF].out))
    page = Page(told[AuditFormat.HTML].out).text
    shown = {
        AuditFormat.HTML: page,
        AuditFormat.MARKDOWN: told[AuditFormat.MARKDOWN].out,
        AuditFormat.TABLE: told[AuditFormat.TABLE].out.partition("Functions")[0],
    }
    for form, text in shown.items():
        figure(f"rows of AWS's table that the form {form} leaves out", [row for row in ROWS if row not in text], [])


def test_an_audit_asks_for_no_more_than_its_policy_allows(aws_accounts: Accounts, figure: Figure) -> None:
    aws_accounts.audit()

    asked = {f"{request.service}:{request.operation}" for request in aws_accounts.aws.requests}
    allowed = grants("audit").keys() | grants("other-accounts").keys()
    figure("calls of an audit that its policy does not allow", sorted(asked - {"sts:GetCallerIdentity"} - allowed), [])
    assert {"lambda:ListFunctions", "lambda:GetRuntimeManagementConfig", "logs:FilterLogEvents"} <= asked


def test_a_baseline_of_a_whole_account_lets_known_findings_pass_as_days_go_by(aws_accounts: Accounts) -> None:
    before = aws_accounts.folder / "baseline.json"
    before.write_text(aws_accounts.audit("--format", "json").out)
    aws_accounts.clock.advance(timedelta(days=1))

    known = aws_accounts.audit("--baseline", str(before))
    aws_accounts.clock.advance(timedelta(days=40))
    later = aws_accounts.audit("--baseline", str(before))

    assert (known.code, later.code) == (DONE, ATTENTION)
    named = [line for line in later.err.splitlines() if line.startswith("new since the baseline: ")]
    assert "new since the baseline: orders:live: redeploy on the latest base: overdue" in named
    assert not [line for line in named if "late:" in line]

"""A baseline: known findings end no command with 1, new ones do, and a file that is none is told in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.entrypoints.cli import ATTENTION, DONE, USAGE
from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.forms.findings import breaches, new_breaches
from tests.entrypoints.audits import REDEPLOY, Document, duty, image, managed, whole
from tests.entrypoints.conftest import Refrom

STATES = ("met", "due", "overdue", "excepted", "unknown")


def test_an_audit_against_itself_has_nothing_new() -> None:
    assert breaches(whole())
    assert new_breaches(whole(), whole()) == ()


@pytest.mark.parametrize("state", STATES)
def test_a_duty_that_was_kept_before_and_is_not_now_is_new(state: str) -> None:
    before, now = whole(), whole()
    before["functions"][0]["duties"] = [duty(REDEPLOY, state)]

    fresh = new_breaches(now, before)

    assert [breach.text for breach in fresh] == (
        [] if state in ("overdue", "unknown") else [f"orders:live: {REDEPLOY}: overdue"]
    )


def test_another_function_another_alias_and_another_duty_are_new() -> None:
    before: Document = {**whole(), "functions": [image("orders", duty(REDEPLOY, "overdue", 1))], "errors": []}

    def fresh(*functions: Document) -> int:
        return len(new_breaches({**before, "functions": list(functions)}, before))

    assert fresh(image("orders", duty(REDEPLOY, "overdue", 99), version="7")) == 0
    assert fresh(image("billing", duty(REDEPLOY, "overdue", 1))) == 1
    assert fresh(image("orders", duty(REDEPLOY, "overdue", 1), alias="beta")) == 1
    assert fresh(image("orders", duty("move off a deprecated runtime", "overdue", 1))) == 1


def test_a_function_counts_where_something_of_it_could_not_be_read_and_not_for_an_unknown_version() -> None:
    """No duty hangs on the version of a managed runtime, which nobody can know of a function that never ran."""
    met = duty("roll back a runtime version that is incompatible", "met")

    def found(**parts: Any) -> list[str]:
        functions = [managed("tick", "managed-auto", met, **parts)]
        return [breach.text for breach in breaches({"functions": functions, "errors": []})]

    assert found(verdict="unknown") == []
    assert found(reason="denied") == ["tick: denied"]


def test_what_could_not_be_read_is_known_by_what_it_is_not_by_the_reason() -> None:
    now = whole()
    for error in now["errors"]:
        error["reason"] = "another"
    now["errors"].append({"repository": "ruby3.4", "reason": "a repository of that name"})

    assert [breach.text for breach in new_breaches(now, whole())] == ["ruby3.4: a repository of that name"]


@given(st.lists(st.sampled_from(STATES)), st.lists(st.sampled_from(STATES)))
def test_equal_findings_are_counted(before: list[str], now: list[str]) -> None:
    def document(states: list[str]) -> Document:
        return {"functions": [image("orders", duty(REDEPLOY, state)) for state in states], "errors": []}

    def broken(states: list[str]) -> int:
        return len([state for state in states if state in ("overdue", "unknown")])

    assert len(new_breaches(document(now), document(before))) == max(broken(now) - broken(before), 0)


def test_known_findings_are_no_failure_and_new_ones_are_named(refrom: Refrom, fleet: Stage) -> None:
    (fleet.folder / "functions.json").unlink()
    broken = refrom("audit", "--config", fleet.settings, "--format", "json")
    full, some = Path("full.json"), Path("some.json")
    full.write_text(broken.out)
    known = broken.document | {"functions": broken.document["functions"][1:]}
    some.write_text(json.dumps(known))

    again = refrom("audit", "--config", fleet.settings, "--baseline", full)
    more = refrom("audit", "--config", fleet.settings, "--baseline", some, "--format", "json")

    assert (broken.code, again.code, more.code) == (ATTENTION, DONE, ATTENTION)
    assert again.err == ""
    assert more.err.startswith("new since the baseline: orders:live: redeploy on the latest base: unknown")
    assert more.document == broken.document


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="not there"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"schema": "refrom.run/1"}', id="another document"),
        pytest.param(b'{"schema": "refrom.audit/1"}', id="no findings"),
        pytest.param(b'{"version": "2.1.0", "runs": []}', id="SARIF"),
        pytest.param(
            b'{"schema": "refrom.audit/1", "functions": [1], "errors": [], "repositories": []}', id="a number"
        ),
        pytest.param(
            b'{"schema": "refrom.audit/1", "functions": [], "errors": [{}], "repositories": []}', id="no name"
        ),
        pytest.param(b'{"schema": "refrom.audit/1", "functions": [], "errors": [], "repositories": [{}]}', id="half"),
    ],
)
def test_a_file_that_is_no_audit_is_one_clear_fault(refrom: Refrom, tmp_path: Path, content: bytes | None) -> None:
    """It is told before anything is audited: there are no settings here."""
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_bytes(content)

    ran = refrom("audit", "--baseline", path)

    assert (ran.code, ran.out, ran.err.count("\n")) == (USAGE, "", 1)
    assert ran.err.startswith(f"refrom: --baseline {path}: ")
    assert ran.err.endswith("; name what refrom audit --format json wrote\n")


def needs_attention(document: dict[str, Any]) -> bool:
    return bool(breaches(document))


@pytest.mark.parametrize("broken", [False, True])
def test_an_audit_needs_attention_just_where_it_has_a_breach(refrom: Refrom, fleet: Stage, broken: bool) -> None:
    if broken:
        (fleet.folder / "functions.json").unlink()

    ran = refrom("audit", "--config", fleet.settings, "--format", "json")

    assert (ran.code == ATTENTION) == needs_attention(ran.document) == broken

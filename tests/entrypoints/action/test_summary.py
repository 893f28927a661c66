"""Summaries and annotations as functions of a document, whatever stands in it."""

import re
from typing import Any

import pytest

from bot.entrypoints.action.summary import LARGEST, bounded, faults, pull_requests, summarize, summarize_failure
from bot.entrypoints.exits import Failure

URL = "https://github.example/acme/orders/pull/7"
HOSTILE = [
    pytest.param("a | b", id="ends a cell"),
    pytest.param("`x` **bold**", id="ends a code span"),
    pytest.param("a\n\n# b\n| c |", id="ends a line"),
    pytest.param("<script>x</script>", id="is HTML"),
    pytest.param("[click](https://evil.example) @everyone #1", id="is a link"),
    pytest.param("\u202ecod.x\u0000\u001b[31m", id="turns the text round"),
    pytest.param("x" * 100_000, id="is long"),
    pytest.param("", id="is empty"),
]
_SPAN = re.compile(r"`[^`\n]*`")


def run(**parts: Any) -> dict[str, Any]:
    empty: dict[str, list[Any]] = {"decisions": [], "skipped": [], "outcomes": [], "waiting": []}
    return {"schema": "refrom.run/1", "dry_run": False, **empty, **parts}


def outcome(result: str = "opened", step: str = "propose", message: str = "done", **details: str) -> dict[str, str]:
    return {"repository": "acme/orders", "step": step, "result": result, "message": message, **details}


def decision(**parts: Any) -> dict[str, Any]:
    known = {"repository": "acme/orders", "path": "Dockerfile", "line": 1, "runtime": "python3.13"}
    return {**known, "decision": "update", "action": "bump", "reason": "language", "from": None, "to": None, **parts}


def audit(**parts: Any) -> dict[str, Any]:
    lists = ("functions", "repositories", "errors", "gaps", "responsibility", "rollouts")
    empty: dict[str, list[Any]] = {key: [] for key in lists}
    freshness = {"security_critical": 3.0, "security_important": 7.0, "any": 30.0}
    return {"schema": "refrom.audit/1", **empty, "slo": {"kept": True, "findings": 0, "freshness": freshness}, **parts}


def function(state: str = "met", **parts: Any) -> dict[str, Any]:
    known = {"function": "arn:aws:lambda:eu-west-1:1:function:orders", "alias": "live", "version": "2", "runtime": "a"}
    duty = {"duty": "redeploy on the latest base", "state": state, "days": 3}
    more = {"row": "container-image", "serves": [], "verdict": "behind", "base_age_days": 12, "duties": [duty]}
    return {**known, **more, **parts}


def _skeleton(markdown: str) -> str:
    """Empty the code spans; a cell without one is as good as one with an empty one."""
    return _SPAN.sub("", markdown).replace("|  |", "| |")


def test_a_run_is_told_in_tables() -> None:
    text = summarize(
        run(
            decisions=[decision(), decision(decision="current", action=None, line=4)],
            outcomes=[outcome(pull_request=URL)],
            skipped=[{"repository": "acme/orders", "path": "x/Dockerfile", "line": None, "reason": "no default"}],
            waiting=[{"key": "function orders", "until": None, "reason": "the service works"}],
        )
    )

    assert "Decisions: 1 update, 1 current." in text
    assert f"| `propose` | `acme/orders` | `opened` | `done` <{URL}> |" in text
    assert "| `acme/orders` | `Dockerfile` | 1 | `python3.13` | update (bump) | `language` |" in text
    assert "| `acme/orders` | `Dockerfile` | 4 | `python3.13` | current | `language` |" in text
    assert "| `acme/orders` | `x/Dockerfile` |  | `no default` |" in text
    assert "| `function orders` | `the service works` |" in text


def test_an_audit_is_told_in_tables() -> None:
    repository = {"repository": "acme/orders", "commit": "0", "uses": [decision()], "skipped": []}
    errors = [{"repository": "acme/lost", "reason": "not there"}, {"runtime": "ruby3.4", "reason": "no answer"}]

    text = summarize(
        audit(
            functions=[function("overdue")],
            repositories=[repository],
            errors=errors,
            slo={**audit()["slo"], "kept": False, "findings": 1},
        )
    )

    assert "SLO broken by 1: critical fixes within 3 days" in text
    duty = "redeploy on the latest base | overdue | 3 |  |"
    assert f"| `orders:live` | container-image | `a` | `2` | behind | 12 | {duty}" in text
    assert "| `acme/lost` | `not there` |" in text
    assert "| `ruby3.4` | `no answer` |" in text
    assert "update (bump)" in text


def test_nothing_found_is_said_too() -> None:
    assert summarize(run()).strip().endswith("Decisions: none.")
    assert "SLO kept: " in summarize(audit())


@pytest.mark.parametrize("text", HOSTILE)
def test_what_others_wrote_stays_in_its_cell(text: str) -> None:
    """Without the code spans the summary of hostile names is that of plain ones: same lines, same cells."""
    documents = [
        (
            run(
                decisions=[decision(repository=t, path=t, runtime=t, reason=t)],
                outcomes=[outcome(message=t, step="propose", repository=t, pull_request=t)],
                skipped=[{"repository": t, "path": t, "line": 3, "reason": t}],
                waiting=[{"key": t, "until": None, "reason": t}],
            ),
            audit(
                functions=[function(function=t, alias=t, runtime=t, version=t)],
                errors=[{"repository": t or "x", "reason": t}],
                repositories=[{"repository": t, "commit": t, "uses": [decision(path=t)], "skipped": []}],
            ),
        )
        for t in (text, "plain")
    ]
    hostile, plain = ([_skeleton(summarize(document)) for document in made] for made in documents)

    assert hostile == plain


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://a.example/> <b>", "https://a.example/x y", "(dry run)", ""]
)
def test_only_an_address_is_a_link(link: str) -> None:
    assert "<" not in summarize(run(outcomes=[outcome(pull_request=link)]))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_failure_is_a_list_of_its_lines(text: str) -> None:
    lines = summarize_failure(Failure(2, f"one; do this\n{text}\nlast")).splitlines()

    assert lines[:3] == ["## refrom could not work", "", "- `one; do this`"]
    assert lines[-1] == "- `last`"
    assert all(_SPAN.sub("", line) == "- " for line in lines[2:])


def test_the_cure_of_a_message_is_not_cut() -> None:
    message = "acme/orders: " + "words " * 100 + "; run again later"

    assert "; run again later`" in summarize(run(outcomes=[outcome(message=message)]))


def test_a_summary_is_no_larger_than_github_takes() -> None:
    document = run(decisions=[decision(path=f"{'ä' * 150}{number}") for number in range(5000)])

    text = summarize(document)

    assert len(text.encode()) <= LARGEST
    assert text.endswith("the output `document` holds it all.\n")
    assert text.splitlines()[-3].endswith(" |")


@pytest.mark.parametrize("largest", [200, 201, 202, 203])
def test_a_cut_leaves_whole_lines_and_characters(largest: int) -> None:
    text = "\n".join(["ä" * 30] * 10)

    cut = bounded(text, largest)

    assert len(cut.encode()) <= largest
    assert set(cut.splitlines()[:-2]) == {"ä" * 30}


def test_the_page_and_the_log_are_told_the_same_faults() -> None:
    document = run(outcomes=[outcome("failed", "survey", "lost; find it"), outcome(), outcome("refused", message="no")])

    assert faults(document) == [("acme/orders: survey", "lost; find it"), ("acme/orders: propose", "no")]


def test_an_audit_points_at_what_is_overdue_unknown_or_unreadable() -> None:
    functions = [function(state) for state in ("met", "due", "excepted", "overdue", "unknown")]

    found = faults(audit(functions=functions, errors=[{"runtime": "ruby3.4", "reason": "no answer"}]))

    assert found == [
        ("ruby3.4", "no answer"),
        ("orders:live", "redeploy on the latest base: overdue"),
        ("orders:live", "redeploy on the latest base: unknown"),
    ]


@pytest.mark.parametrize(("count", "shown", "last"), [(10, 10, "no"), (11, 10, "2 more; see the summary")])
def test_of_many_faults_the_last_annotation_counts_the_rest(count: int, shown: int, last: str) -> None:
    found = faults(run(outcomes=[outcome("failed", message="no")] * count))

    assert len(found) == shown
    assert found[-1][1] == last


def test_pull_requests_are_those_that_were_opened_or_refreshed() -> None:
    made = [outcome(result, pull_request=f"{URL}{result}") for result in ("opened", "refreshed", "closed")]

    assert pull_requests(run(outcomes=[*made, outcome("unchanged")])) == [f"{URL}opened", f"{URL}refreshed"]
    assert pull_requests(run(outcomes=made, dry_run=True)) == []
    assert pull_requests(audit()) == []

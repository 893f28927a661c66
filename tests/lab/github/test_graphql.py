"""GraphQL requests are held to GitHub's schema before the fake carries them out."""

import json
from pathlib import Path

import pytest

from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub, github_fake
from tests.lab.github.graphql import Malformed, connection, read
from tests.lab.github.refusals import FieldRefusal

REPOSITORY = 'repository(owner: "acme", name: "orders")'
COMMIT = "mutation($i: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $i) { commit { oid } } }"


def sent(query: str, **variables: object) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


@pytest.mark.parametrize(
    ("query", "name", "fields"),
    [
        (f"{{ viewer {{ login }} {REPOSITORY} {{ id }} }}", "repository+viewer", {"viewer", "repository"}),
        ("query Pulls { viewer { login } }", "Pulls", {"viewer"}),
        ("query Q { ...F } fragment F on Query { viewer { login } }", "Q", {"viewer"}),
        (f"{{ a: {REPOSITORY} {{ id }} b: {REPOSITORY} {{ id }} }}", "repository", {"repository"}),
    ],
)
def test_a_request_is_called_by_its_name_or_by_its_fields(query: str, name: str, fields: set[str]) -> None:
    request = read(sent(query))

    assert (request.name, set(request.fields), request.is_mutation) == (name, fields, False)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"{", "must be a string"),
        (b"{}", "must be a string"),
        (sent("{"), "Syntax Error"),
        (sent("{ viewer { log } }"), "Cannot query field 'log' on type 'User'"),
        (
            sent(f"{{ {REPOSITORY} {{ pullRequests(states: [SHUT], first: 1) {{ totalCount }} }} }}"),
            "'SHUT' does not exist",
        ),
        (sent(f"{{ {REPOSITORY} }}"), "must have a selection of subfields"),
        (sent("query($n: String!) { user(login: $n) { id } }"), "Variable '$n'"),
        (sent("query($n: String!) { user(login: $n) { id } }", n=7), "String cannot represent a non string value"),
        (sent("{ viewer { login } }", n=7), "unknown variables ['n']"),
        (sent(COMMIT, i={"branch": {"branchName": "x"}, "message": {"headline": "y"}}), "expectedHeadOid"),
        (sent(COMMIT, i={"branch": {"name": "x"}, "expectedHeadOid": "1", "message": {"headline": "y"}}), "'name'"),
        (json.dumps({"query": "{ viewer { login } }", "variable": {}}).encode(), "unknown key 'variable'"),
    ],
)
def test_what_breaks_the_schema_is_malformed(body: bytes, wrong: str) -> None:
    with pytest.raises(Malformed) as malformed:
        read(body)

    assert wrong in str(malformed.value)


@pytest.mark.usefixtures("first")
def test_a_malformed_request_is_a_violation(fake: FakeGitHub, api: Caller) -> None:
    answer = api.ask("{ viewer { log } }")

    assert "Cannot query field 'log'" in answer["errors"][0]["message"]
    (violation,) = fake.violations
    assert "Cannot query field 'log'" in violation
    fake.violations.clear()


@pytest.mark.usefixtures("first")
def test_a_field_that_the_fake_has_not_is_a_violation_and_no_null(fake: FakeGitHub, api: Caller) -> None:
    answer = api.send("POST", "/graphql", {"query": f"{{ {REPOSITORY} {{ stargazerCount }} }}"})

    assert answer.status_code == 500
    assert fake.violations == ["POST /graphql: the fake does not resolve Repository.stargazerCount"]
    fake.violations.clear()


def test_leaving_with_a_violation_fails(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="Cannot query field 'log'"),
        github_fake(tmp_path) as fake,
        Caller(fake.url, fake.token()) as api,
    ):
        api.ask("{ viewer { log } }")


def test_a_test_that_fails_for_another_reason_hears_of_violations(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyError) as failed,
        github_fake(tmp_path) as fake,
        Caller(fake.url, fake.token()) as api,
    ):
        api.ask("{ viewer { log } }")["data"]

    assert "Cannot query field 'log'" in failed.value.__notes__[0]


NODES = [{"n": n} for n in range(5)]


@pytest.mark.parametrize(
    ("wanted", "shown", "has_next", "has_previous"),
    [
        ((2, None, None), [0, 1], True, False),
        ((2, "Y3Vyc29y000002", None), [2, 3], True, True),
        ((2, "Y3Vyc29y000004", None), [4], False, True),
        ((100, None, None), [0, 1, 2, 3, 4], False, False),
        ((None, None, 1), [4], False, True),
        ((2, "Y3Vyc29y000005", None), [], False, True),
    ],
)
def test_a_connection_is_paged_by_cursors(
    wanted: tuple[int | None, str | None, int | None], shown: list[int], has_next: bool, has_previous: bool
) -> None:
    found = connection(NODES, "pulls", *wanted)

    assert [node["n"] for node in found["nodes"]] == shown
    assert (found["pageInfo"]["hasNextPage"], found["pageInfo"]["hasPreviousPage"]) == (has_next, has_previous)
    assert found["totalCount"] == 5


@pytest.mark.parametrize(
    ("first", "after", "kind"),
    [
        (None, None, "MISSING_PAGINATION_BOUNDARIES"),
        (101, None, "EXCESSIVE_PAGINATION"),
        (1, "x", "INVALID_CURSOR_ARGUMENTS"),
    ],
)
def test_a_connection_wants_to_be_asked_properly(first: int | None, after: str | None, kind: str) -> None:
    with pytest.raises(FieldRefusal) as refused:
        connection(NODES, "pulls", first, after)

    assert refused.value.kind == kind

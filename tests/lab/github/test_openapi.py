"""The check against GitHub's description sees what is wrong with an exchange, and nothing in one that is right."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.lab.github.openapi import RestApi, Sent, rest_api

JSON = {"content-type": "application/json; charset=utf-8"}
PULL = {"title": "Update", "head": "refrom/x", "base": "main"}
RUN = {"name": "refrom", "head_sha": "1" * 40}


@pytest.fixture(scope="module")
def api() -> RestApi:
    return rest_api()


def request_findings(
    api: RestApi, asked: str, body: object = None, headers: Mapping[str, str] | None = None, raw: bytes | None = None
) -> list[str]:
    method, _, path = asked.partition(" ")
    path, _, query = path.partition("?")
    match = api.match(method, path)
    assert match is not None
    sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    return api.request_findings(match, query, Sent(headers={**(JSON if sent else {}), **(headers or {})}, body=sent))


@pytest.mark.parametrize(
    ("asked", "operation", "values"),
    [
        ("GET /repos/a/b", "repos/get", {"owner": "a", "repo": "b"}),
        ("GET /repos/a/b/git/ref/heads/x/y", "git/get-ref", {"ref": "heads/x/y"}),
        ("GET /repos/a/b/git/ref/heads%2Fx%20y", "git/get-ref", {"ref": "heads/x y"}),
        ("GET /repos/a/b/contents/c/d.txt", "repos/get-content", {"path": "c/d.txt"}),
        ("GET /repos/a/b/branches/x%2Fy", "repos/get-branch", {"branch": "x/y"}),
        ("GET /repos/a/b/commits/x/y/status", "repos/get-combined-status-for-ref", {"ref": "x/y"}),
        ("GET /repos/a/b/commits/x/check-runs", "checks/list-for-ref", {"ref": "x"}),
        ("GET /repos/a/b/compare/x...y/z", "repos/compare-commits", {"basehead": "x...y/z"}),
        ("GET /user", "users/get-authenticated", {}),
        ("GET /enterprises/e/teams/t", "enterprise-teams/get", {}),
    ],
)
def test_an_operation_is_found_by_method_and_path(
    api: RestApi, asked: str, operation: str, values: dict[str, str]
) -> None:
    match = api.match(*asked.split(" ", 1))

    assert match is not None
    assert match.operation.id.startswith(operation)
    assert values.items() <= match.values.items()


@pytest.mark.parametrize(
    "asked", ["PUT /repos/a/b", "GET /repos/a", "GET /nothing", "GET /api/v3/repos/a/b", "HEAD /user"]
)
def test_what_is_no_operation_is_none(api: RestApi, asked: str) -> None:
    assert api.match(*asked.split(" ", 1)) is None


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ("POST /repos/a/b/pulls", {**PULL, "body": "Why", "draft": False}),
        ("PATCH /repos/a/b/pulls/7", None),
        ("PATCH /repos/a/b/pulls/7", {"state": "closed"}),
        ("POST /repos/a/b/issues/7/labels", {"labels": ["a", {"name": "b"}]}),
        ("POST /repos/a/b/git/trees", {"tree": [{"path": "a", "mode": "100755", "type": "blob", "sha": None}]}),
        ("POST /repos/a/b/check-runs", RUN),
        ("POST /repos/a/b/check-runs", {**RUN, "status": "completed", "conclusion": "success"}),
        ("POST /repos/a/b/dispatches", {"event_type": "x", "client_payload": {"any": {"thing": 1}}}),
        ("GET /repos/a/b/pulls?state=all&head=a%3Ax&per_page=100", None),
        ("GET /user/repos?visibility=all&since=2026-11-23T00:00:00Z", None),
        ("GET /search/code?q=x", None),
        ("GET /notifications?all=true&participating=false", None),
        ("GET /orgs/a/personal-access-tokens?owner[]=x&owner[]=y", None),
        ("GET /agents/repos/a/b/tasks?creator_id=1&creator_id=2", None),
        ("GET /advisories?cwes=79", None),
    ],
)
def test_a_good_request_has_no_findings(api: RestApi, asked: str, body: object) -> None:
    assert request_findings(api, asked, body) == []


@pytest.mark.parametrize(
    ("asked", "body", "finding"),
    [
        ("POST /repos/a/b/pulls", None, "the body is required"),
        ("POST /repos/a/b/pulls", {"title": "x", "head": "y"}, "body: 'base' is a required property"),
        ("POST /repos/a/b/pulls", {**PULL, "draft": "yes"}, "body.draft: 'yes' is not of type 'boolean'"),
        ("POST /repos/a/b/pulls", {**PULL, "labels": []}, "body: unknown key 'labels'"),
        ("PATCH /repos/a/b/pulls/7", {"state": "merged"}, "body.state: 'merged' is not one of ['open', 'closed']"),
        ("PATCH /repos/a/b/pulls/x", {}, "path value pull_number: ['x'] is not of type integer"),
        ("POST /repos/a/b/issues/7/labels", {"labels": [{"name": "b", "hue": 1}]}, "body.labels[0]: unknown key 'hue'"),
        (
            "POST /repos/a/b/check-runs",
            {**RUN, "output": {"title": "x", "summary": "y", "tone": 1}},
            "body.output: unknown key 'tone'",
        ),
        (
            "POST /repos/a/b/check-runs",
            {**RUN, "started_at": "yesterday"},
            "body.started_at: 'yesterday' is not a 'date-time'",
        ),
        (
            "POST /repos/a/b/git/trees",
            {"tree": [{"path": "a", "mode": "644"}]},
            "body.tree[0].mode: '644' is not one of ['100644', '100755', '040000', '160000', '120000']",
        ),
        ("GET /repos/a/b/pulls?state=shut", None, "query state: 'shut' is not one of ['open', 'closed', 'all']"),
        ("GET /repos/a/b/pulls?per_page=many", None, "query per_page: ['many'] is not of type integer"),
        ("GET /repos/a/b/pulls?per_page=1&per_page=2", None, "query per_page: ['1', '2'] is not of type integer"),
        ("GET /repos/a/b/pulls?author=x", None, "unknown query 'author'"),
        ("GET /search/code?page=1", None, "query q is required"),
        ("GET /notifications?all=yes", None, "query all: ['yes'] is not of type boolean"),
        ("GET /notifications?since=yesterday", None, "query since: 'yesterday' is not a 'date-time'"),
        ("GET /agents/repos/a/b/tasks?creator_id=x", None, "query creator_id: ['x'] is not of type array integer"),
        (
            "GET /orgs/a/actions/hosted-runners/images/custom/7/versions/x",
            None,
            r"path value version: 'x' does not match '^\\d+\\.\\d+\\.\\d+$'",
        ),
        ("GET /repos/a/b", {}, "a body that the operation does not take"),
    ],
)
def test_a_bad_request_has_its_finding(api: RestApi, asked: str, body: object, finding: str) -> None:
    assert request_findings(api, asked, body) == [finding]


@pytest.mark.parametrize(
    ("asked", "headers", "raw", "finding"),
    [
        ("GET /user", {"accept": "text/html"}, b"", "header Accept: text/html is no media type of this operation"),
        (
            "GET /user",
            {"accept": "application/vnd.github.raw+json"},
            b"",
            "header Accept: application/vnd.github.raw+json is no media type of this operation",
        ),
        ("GET /user", {"x-github-api-version": "2019-01-01"}, b"", "header X-GitHub-Api-Version: 2019-01-01 is not"),
        (
            "PATCH /repos/a/b/pulls/7",
            {"content-type": "text/plain"},
            b"{}",
            "header Content-Type: text/plain is not application/json",
        ),
        ("PATCH /repos/a/b/pulls/7", {"content-type": ""}, b"{}", "header Content-Type: none is not application/json"),
        ("PATCH /repos/a/b/pulls/7", {}, b"{", "body: no JSON"),
        (
            "POST /markdown/raw",
            {"content-type": "application/json"},
            b"x",
            "header Content-Type: application/json is not text/plain or text/x-markdown",
        ),
    ],
)
def test_a_bad_header_or_body_has_its_finding(
    api: RestApi, asked: str, headers: dict[str, str], raw: bytes, finding: str
) -> None:
    (found,) = request_findings(api, asked, headers=headers, raw=raw)

    assert found.startswith(finding)


@pytest.mark.parametrize(
    ("asked", "headers"),
    [
        ("GET /repos/a/b/git/blobs/1", {"accept": "application/vnd.github.raw+json"}),
        ("GET /user", {"accept": "application/vnd.github+json, application/json;q=0.9"}),
        ("GET /user", {"accept": "*/*", "x-github-api-version": "2022-11-28"}),
    ],
)
def test_good_headers_have_no_findings(api: RestApi, asked: str, headers: dict[str, str]) -> None:
    assert request_findings(api, asked, headers=headers) == []


LABEL = {
    "id": 1,
    "node_id": "x",
    "url": "https://api.github.com/labels/a",
    "name": "a",
    "color": "ededed",
    "default": False,
    "description": None,
}
ERROR = {"message": "No", "documentation_url": "https://docs.github.com", "status": "422"}


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("POST /repos/a/b/issues/7/labels", 200, [LABEL]),
        ("POST /repos/a/b/pulls", 422, {**ERROR, "errors": [{"resource": "PullRequest", "code": "custom"}]}),
        ("POST /repos/a/b/dispatches", 204, None),
        ("GET /repos/a/b", 301, {"message": "Moved", "url": "https://api.github.com/repositories/1"}),
        ("GET /repos/a/b", 401, {"message": "Bad credentials"}),
        ("GET /repos/a/b", 304, None),
    ],
)
def test_a_good_answer_has_no_findings(api: RestApi, asked: str, status: int, body: object) -> None:
    assert answer_findings(api, asked, status, body) == []


@pytest.mark.parametrize(
    ("asked", "status", "body", "finding"),
    [
        ("GET /repos/a/b", 418, {}, "undocumented status 418"),
        ("GET /repos/a/b", 502, {}, "undocumented status 502"),
        ("POST /repos/a/b/dispatches", 204, {}, "a body with status 204"),
        ("GET /repos/a/b", 304, {}, "a body with status 304"),
        ("POST /repos/a/b/issues/7/labels", 200, [{**LABEL, "name": None}], "body[0].name: None is not of type"),
        ("POST /repos/a/b/issues/7/labels", 200, [{**LABEL, "hue": 1}], "body[0]: unknown key 'hue'"),
        ("POST /repos/a/b/issues/7/labels", 200, [{"id": 1}], "body[0]: 'color' is a required property"),
        ("POST /repos/a/b/pulls", 422, {"errors": "x"}, "body: 'documentation_url' is a required property"),
        ("GET /repos/a/b", 403, {"message": 1}, "body.message: 1 is not of type 'string'"),
        ("GET /repos/a/b", 200, None, "body: no JSON"),
    ],
)
def test_a_bad_answer_has_its_finding(api: RestApi, asked: str, status: int, body: object, finding: str) -> None:
    assert any(found.startswith(finding) for found in answer_findings(api, asked, status, body))


def test_an_address_is_checked_as_one(api: RestApi) -> None:
    comment = {"html_url": "not an address"}

    found = answer_findings(api, "POST /repos/a/b/issues/7/comments", 201, comment)

    assert "body.html_url: 'not an address' is not a 'uri'" in found


def test_a_raw_answer_is_left_alone_where_the_operation_has_one(api: RestApi) -> None:
    raw = Sent(headers={"content-type": "application/vnd.github.raw+json; charset=utf-8"}, body=b"FROM x\n")
    blob, commit = (api.match("GET", f"/repos/a/b/git/{kind}/1") for kind in ("blobs", "commits"))
    assert blob
    assert commit

    assert api.answer_findings(blob, 200, raw) == []
    assert any("Content-Type" in finding for finding in api.answer_findings(commit, 200, raw))


def answer_findings(api: RestApi, asked: str, status: int, body: Any) -> list[str]:
    match = api.match(*asked.split(" ", 1))
    assert match is not None
    sent = Sent(headers=JSON, body=b"" if body is None else json.dumps(body).encode())
    return api.answer_findings(match, status, sent)

"""Who may do what: tokens, permissions, what is private, and GitHub Apps."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import jwt
import pytest

from bot.ports.clock import Clock
from tests.lab.clock import WoundClock
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub

ORDERS = "/repos/acme/orders"
QUERY = '{ repository(owner: "acme", name: "orders") { id pullRequests(first: 1) { totalCount } } }'
COMMIT = """mutation { createCommitOnBranch(input: {
  branch: {repositoryNameWithOwner: "acme/orders", branchName: "main"}, expectedHeadOid: "%s",
  message: {headline: "x"}, fileChanges: {additions: [{path: "a", contents: ""}]}}) { commit { oid } } }"""
INTEGRATION = "Resource not accessible by integration"
PERSONAL = "Resource not accessible by personal access token"


@pytest.fixture
def private(fake: FakeGitHub) -> str:
    """The first commit of acme/orders, which is private."""
    return fake.create_repository("acme/orders", {"a": b"x"}, private=True)


# Tokens


@pytest.mark.parametrize("credential", ["unknown", "expired"])
@pytest.mark.usefixtures("first")
def test_a_bad_token_is_refused_everywhere(fake: FakeGitHub, credential: str) -> None:
    token = fake.token()
    if credential == "expired":
        fake.expire(token)
    with Caller(fake.url, token if credential == "expired" else "ghp_unknown") as api:
        for method, path in (("GET", ORDERS), ("POST", "/graphql"), ("POST", f"{ORDERS}/git/refs")):
            body = None if method == "GET" else {"query": "{ viewer { login } }", "ref": "refs/heads/x", "sha": "1"}
            assert api.refused(method, path, body) == (401, "Bad credentials")
    fake.violations.clear()  # the body above fits no single operation


@pytest.mark.usefixtures("first")
def test_without_a_token_public_things_are_read_and_nothing_else(fake: FakeGitHub) -> None:
    with Caller(fake.url) as api:
        assert api.get(ORDERS)["name"] == "orders"
        assert api.refused("POST", f"{ORDERS}/dispatches", {"event_type": "x"}) == (401, "Requires authentication")
        assert api.refused("GET", "/user") == (401, "Requires authentication")
        status, message = api.refused("POST", "/graphql", {"query": "{ viewer { login } }"})
        assert (status, "requires you to be authenticated" in message) == (401, True)


def test_a_caller_that_says_not_what_it_is_is_refused(fake: FakeGitHub, api: Caller) -> None:
    fake.create_repository("acme/orders", {"a": b""})

    for method, path in (("GET", ORDERS), ("POST", "/graphql")):
        answer = api.send(method, path, headers={"User-Agent": ""})
        assert (answer.status_code, "User-Agent header" in answer.json()["message"]) == (403, True)


def test_the_caller_is_who_the_token_is_for(fake: FakeGitHub, api: Caller) -> None:
    with Caller(fake.url, fake.token("ada")) as person:
        assert person.get("/user")["login"] == "ada"
        assert person.ask("{ viewer { login } }")["data"]["viewer"]["login"] == "ada"
    assert api.refused("GET", "/user") == (403, INTEGRATION)
    assert api.ask("{ viewer { login } }")["data"]["viewer"]["login"] == "refrom[bot]"


# Permissions

DISPATCH = {"event_type": "x"}
STATUS = {"state": "success"}


@pytest.mark.parametrize(
    ("method", "path", "body", "accepted"),
    [
        ("POST", "git/blobs", {"content": "x"}, "contents=write"),
        ("POST", "git/refs", {"ref": "refs/heads/x", "sha": "1"}, "contents=write"),
        ("POST", "pulls", {"title": "x", "head": "y", "base": "main"}, "pull_requests=write"),
        ("PATCH", "pulls/1", {}, "pull_requests=write"),
        ("POST", "issues/1/comments", {"body": "x"}, "issues=write; pull_requests=write"),
        ("POST", "issues/1/labels", {"labels": ["x"]}, "issues=write; pull_requests=write"),
        ("POST", "statuses/main", STATUS, "statuses=write"),
        ("POST", "check-runs", {"name": "x", "head_sha": "main"}, "checks=write"),
        ("POST", "actions/workflows/x.yml/dispatches", {"ref": "main"}, "actions=write"),
        ("POST", "dispatches", DISPATCH, "contents=write"),
    ],
)
@pytest.mark.parametrize(("login", "message"), [("refrom[bot]", INTEGRATION), ("ada", PERSONAL)])
@pytest.mark.usefixtures("first")
def test_a_write_without_its_permission_is_refused_and_says_which(
    fake: FakeGitHub, method: str, path: str, body: object, accepted: str, login: str, message: str
) -> None:
    reading = dict.fromkeys(("contents", "pull_requests", "statuses", "checks", "actions", "issues"), "read")
    with Caller(fake.url, fake.token(login, reading)) as api:
        answer = api.send(method, f"{ORDERS}/{path}", body)

    assert (answer.status_code, answer.json()["message"]) == (403, message)
    assert answer.headers["X-Accepted-GitHub-Permissions"] == accepted


def test_a_mutation_without_its_permission_is_forbidden(fake: FakeGitHub, first: str) -> None:
    with Caller(fake.url, fake.token(permissions={"contents": "read"})) as api:
        answer = api.ask(COMMIT % first)

    assert answer["data"] == {"createCommitOnBranch": None}
    (error,) = answer["errors"]
    assert (error["type"], error["message"]) == ("FORBIDDEN", INTEGRATION)


@pytest.mark.parametrize(("permissions", "is_done"), [({"contents": "write"}, True), ({}, False), (None, True)])
def test_a_permission_is_enough(
    fake: FakeGitHub, first: str, permissions: Mapping[str, str] | None, is_done: bool
) -> None:
    with Caller(fake.url, fake.token(permissions=permissions)) as api:
        assert ("errors" not in api.ask(COMMIT % first)) == is_done


# What is private


def test_a_private_repository_is_not_there_for_others(fake: FakeGitHub, private: str) -> None:
    elsewhere = fake.token(repositories=["acme/bills"])
    for token in (None, elsewhere):
        with Caller(fake.url, token) as api:
            assert api.refused("GET", ORDERS) == (404, "Not Found")
            assert api.refused("GET", f"{ORDERS}/git/trees/{private}") == (404, "Not Found")
            assert api.refused("POST", f"{ORDERS}/dispatches", DISPATCH) == (404, "Not Found")
    with Caller(fake.url, elsewhere) as api:
        assert api.ask(QUERY)["errors"][0]["type"] == "NOT_FOUND"
        listing = '{ repositoryOwner(login: "acme") { repositories(first: 9) { nodes { name } } } }'
        assert api.ask(listing)["data"]["repositoryOwner"]["repositories"]["nodes"] == []


def test_a_private_repository_is_there_for_its_token_by_any_name_it_had(fake: FakeGitHub, private: str) -> None:
    token = fake.token(repositories=["acme/orders"])
    fake.rename_repository("acme/orders", "acme/bills")

    with Caller(fake.url, token) as api:
        assert api.get(f"/repos/acme/bills/git/commits/{private}")["sha"] == private
        assert api.send("GET", ORDERS).status_code == 301
    with Caller(fake.url) as api:
        assert api.refused("GET", ORDERS) == (404, "Not Found")


@pytest.mark.usefixtures("private")
def test_reading_what_is_private_needs_its_permission(fake: FakeGitHub) -> None:
    with Caller(fake.url, fake.token(permissions={"metadata": "read"})) as api:
        assert api.get(ORDERS)["private"] is True
        answer = api.send("GET", f"{ORDERS}/pulls")
        assert (answer.status_code, answer.headers["X-Accepted-GitHub-Permissions"]) == (403, "pull_requests=read")
        assert api.ask(QUERY)["errors"][0]["type"] == "FORBIDDEN"


@pytest.mark.usefixtures("first")
def test_what_is_public_is_read_by_everybody_and_written_by_its_tokens_only(fake: FakeGitHub) -> None:
    with Caller(fake.url, fake.token(repositories=["acme/bills"])) as api:
        assert api.get(ORDERS)["private"] is False
        assert api.refused("POST", f"{ORDERS}/dispatches", DISPATCH) == (403, INTEGRATION)


# GitHub Apps

App = tuple[int, str]


@pytest.fixture
def app(fake: FakeGitHub) -> App:
    fake.user("ada")
    return fake.app("refrom", {"acme": {"contents": "write", "metadata": "read"}, "ada": None})


@pytest.fixture
def signed(fake: FakeGitHub, app: App, clock: WoundClock) -> Iterator[Caller]:
    with Caller(fake.url, sign(app, clock)) as caller:
        yield caller


def sign(app: App, clock: Clock, minutes: float = 9, **claims: Any) -> str:
    now = clock.now()
    times = {"iat": int(now.timestamp()) - 60, "exp": int((now + timedelta(minutes=minutes)).timestamp())}
    return jwt.encode({"iss": str(app[0]), **times, **claims}, app[1], algorithm="RS256")


def test_an_installation_is_found_by_its_account(signed: Caller, app: App) -> None:
    found = signed.get("/orgs/acme/installation")

    assert (found["app_id"], found["account"]["login"], found["target_type"]) == (app[0], "acme", "Organization")
    assert found["permissions"] == {"contents": "write", "metadata": "read"}
    assert signed.get("/users/ada/installation")["target_type"] == "User"
    assert signed.get("/users/acme/installation")["id"] == found["id"]


@pytest.mark.parametrize("path", ["/orgs/other/installation", "/orgs/ada/installation", "/users/other/installation"])
def test_where_an_app_is_not_installed_is_not_found(signed: Caller, path: str) -> None:
    assert signed.refused("GET", path) == (404, "Not Found")
    assert signed.refused("POST", "/app/installations/7/access_tokens") == (404, "Not Found")


def test_a_token_of_an_installation_works_for_an_hour(
    fake: FakeGitHub, signed: Caller, clock: WoundClock, private: str
) -> None:
    made = new_token(signed)
    assert made["expires_at"] == "2026-11-23T13:00:00Z"
    with Caller(fake.url, made["token"]) as api:
        assert "errors" not in api.ask(COMMIT % private)
        assert api.ask("{ viewer { login } }")["data"]["viewer"]["login"] == "refrom[bot]"

        clock.wait_until(clock.now() + timedelta(hours=1))

        assert api.refused("GET", ORDERS) == (401, "Bad credentials")


def test_a_token_of_an_installation_reaches_its_account_only(fake: FakeGitHub, signed: Caller) -> None:
    fake.create_repository("other/secret", {"a": b""}, private=True)

    with Caller(fake.url, new_token(signed)["token"]) as api:
        assert api.refused("GET", "/repos/other/secret") == (404, "Not Found")


def test_a_token_may_be_for_less(fake: FakeGitHub, signed: Caller, private: str) -> None:
    fake.create_repository("acme/bills", {"a": b""}, private=True)

    made = new_token(signed, {"repositories": ["bills"], "permissions": {"contents": "read"}})

    assert (made["permissions"], made["repository_selection"]) == ({"contents": "read"}, "selected")
    with Caller(fake.url, made["token"]) as api:
        assert api.refused("GET", f"{ORDERS}/git/commits/{private}") == (404, "Not Found")
        assert api.refused("POST", "/repos/acme/bills/git/blobs", {"content": ""}) == (403, INTEGRATION)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"permissions": {"contents": "write", "checks": "write"}}, "The permissions requested are not granted to"),
        ({"permissions": {"metadata": "write"}}, "The permissions requested are not granted to"),
        ({"repositories": ["missing"]}, "There is at least one repository that does not exist or is not accessible"),
        ({"repository_ids": [7]}, "There is at least one repository that does not exist or is not accessible"),
    ],
)
def test_a_token_for_more_is_refused(fake: FakeGitHub, signed: Caller, wanted: dict[str, Any], message: str) -> None:
    number = signed.get("/orgs/acme/installation")["id"]

    status, said = signed.refused("POST", f"/app/installations/{number}/access_tokens", wanted)

    assert (status, said.startswith(message)) == (422, True)
    fake.violations[:] = [one for one in fake.violations if "metadata" not in one]  # it has no such level


@pytest.mark.parametrize(
    ("minutes", "claims", "message"),
    [
        (-1, {}, "'Expiration time' claim ('exp') must be"),
        (60, {}, "'Expiration time' claim ('exp') is too far in the future"),
        (9, {"iat": 4_000_000_000}, "'Issued at' claim ('iat') must be"),
        (9, {"iss": "x"}, "A JSON web token could not be decoded"),
    ],
)
def test_a_bad_json_web_token_is_refused(
    fake: FakeGitHub, app: App, clock: WoundClock, minutes: float, claims: dict[str, Any], message: str
) -> None:
    with Caller(fake.url, sign(app, clock, minutes, **claims)) as api:
        status, said = api.refused("GET", "/orgs/acme/installation")

    assert (status, said.startswith(message)) == (401, True)


def test_a_key_of_another_app_is_refused(fake: FakeGitHub, app: App, clock: WoundClock) -> None:
    other = fake.app("other", {})

    with Caller(fake.url, sign((app[0], other[1]), clock)) as api:
        assert api.refused("GET", "/orgs/acme/installation") == (401, "A JSON web token could not be decoded")
    with Caller(fake.url, sign((7, app[1]), clock)) as api:
        assert api.refused("GET", "/orgs/acme/installation") == (404, "Integration not found")
    with Caller(fake.url, fake.token()) as api:
        assert api.refused("GET", "/orgs/acme/installation") == (401, "A JSON web token could not be decoded")


def new_token(signed: Caller, wanted: Mapping[str, Any] | None = None) -> Any:
    number = signed.get("/orgs/acme/installation")["id"]
    return signed.post(f"/app/installations/{number}/access_tokens", wanted or {})

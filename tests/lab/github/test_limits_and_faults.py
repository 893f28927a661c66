"""Quotas, versions of answers, and trouble that a test plans."""

from contextlib import closing
from datetime import timedelta

import pytest
import requests

from bot.adapters.forge.github import AppTokens, Sender, Site
from bot.adapters.transport import Transport
from tests.lab.clock import WoundClock
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub
from tests.lab.github.faults import WRITE, gateway_timeout
from tests.lab.github.limits import primary_graphql_limit, primary_limit, secondary_limit
from tests.lab.web import Answer

ORDERS = "/repos/acme/orders"
REF = {"ref": "refs/heads/x", "sha": ""}
VIEWER = {"query": "query Who { viewer { login } }"}

pytestmark = pytest.mark.usefixtures("first")


def quota(answer: requests.Response) -> tuple[str, int, int, int]:
    stated = answer.headers
    counts = (int(stated[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "used"))
    return (stated["x-ratelimit-resource"], *counts)  # type: ignore[return-value] # three counts


# Quotas


def test_every_answer_states_what_is_left(api: Caller, clock: WoundClock) -> None:
    answer = api.send("GET", ORDERS)

    assert quota(answer) == ("core", 5000, 4999, 1)
    assert int(answer.headers["x-ratelimit-reset"]) == int((clock.now() + timedelta(hours=1)).timestamp())
    assert quota(api.send("GET", "/repos/acme/missing")) == ("core", 5000, 4998, 2)
    assert quota(api.send("POST", "/graphql", VIEWER)) == ("graphql", 5000, 4999, 1)


def test_quotas_are_of_each_caller(fake: FakeGitHub, api: Caller) -> None:
    api.send("GET", ORDERS)

    with Caller(fake.url, fake.token("ada")) as other:
        assert quota(other.send("GET", ORDERS)) == ("core", 5000, 4999, 1)
    with Caller(fake.url) as nobody:
        assert quota(nobody.send("GET", ORDERS)) == ("core", 60, 59, 1)


def test_asking_for_the_quota_costs_nothing(api: Caller) -> None:
    api.send("GET", ORDERS)

    for _ in range(2):
        assert api.get("/rate_limit")["resources"]["core"]["used"] == 1


def test_a_used_up_quota_refuses_until_its_hour_is_over(fake: FakeGitHub, api: Caller, clock: WoundClock) -> None:
    fake.limit(1)
    api.get(ORDERS)

    answer = api.send("GET", ORDERS)

    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (403, "0")
    assert answer.json()["message"].startswith("API rate limit exceeded for user ID")
    clock.wait_until(clock.now() + timedelta(hours=1))
    assert api.send("GET", ORDERS).status_code == 200


def test_a_used_up_quota_of_graphql_is_an_error_in_a_good_answer(fake: FakeGitHub, api: Caller) -> None:
    fake.limit(1)
    api.ask(VIEWER["query"])

    answer = api.send("POST", "/graphql", VIEWER)

    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "0")
    assert answer.json()["errors"][0]["type"] == "RATE_LIMITED"


def test_a_workflow_has_a_smaller_quota_and_each_installation_one_of_its_own(fake: FakeGitHub) -> None:
    with Caller(fake.url, fake.token("github-actions[bot]")) as workflow:
        assert quota(workflow.send("GET", ORDERS)) == ("core", 1000, 999, 1)
    number, key = fake.app(installations={"acme": None, "other": None})
    for owner in ("acme", "other"):
        with Caller(fake.url, installation_token(fake, number, key, owner)) as installation:
            assert quota(installation.send("GET", ORDERS)) == ("core", 5000, 4999, 1)


def installation_token(fake: FakeGitHub, number: int, key: str, owner: str) -> str:
    clock = WoundClock()
    with closing(Transport(clock)) as transport:
        return AppTokens(Sender(transport, Site.of(fake.url), clock), number, key, clock).token(owner)


@pytest.mark.parametrize("wait", [timedelta(minutes=1), timedelta(hours=1)], ids=["a minute", "an hour"])
def test_too_much_content_is_refused_until_its_time_is_over(
    fake: FakeGitHub, api: Caller, clock: WoundClock, first: str, wait: timedelta
) -> None:
    is_minute = wait < timedelta(hours=1)
    fake.limit_creations(a_minute=2 if is_minute else 80, an_hour=500 if is_minute else 2)
    sent = [api.send("POST", f"{ORDERS}/git/refs", {"ref": f"refs/heads/x{n}", "sha": first}) for n in range(3)]
    mutation = 'mutation { updateRefs(input: {repositoryId: "x", refUpdates: []}) { clientMutationId } }'

    assert [answer.status_code for answer in sent] == [201, 201, 403]
    assert "secondary rate limit" in sent[2].json()["message"]
    assert "Retry-After" not in sent[2].headers
    assert api.send("POST", "/graphql", {"query": mutation}).status_code == 403
    assert api.send("GET", ORDERS).status_code == 200, "what is read is not counted"
    clock.wait_until(clock.now() + wait)
    assert api.send("POST", f"{ORDERS}/git/refs", {"ref": "refs/heads/x3", "sha": first}).status_code == 201


def test_every_other_refusal_says_how_long_to_wait_and_haste_is_counted(
    fake: FakeGitHub, api: Caller, clock: WoundClock, first: str
) -> None:
    fake.limit_creations(a_minute=1)
    sent = [api.send("POST", f"{ORDERS}/git/refs", {"ref": f"refs/heads/x{n}", "sha": first}) for n in range(3)]

    assert [answer.headers.get("Retry-After") for answer in sent] == [None, None, "60"]
    assert fake.refused_creations == (2, 1)
    clock.wait_until(clock.now() + timedelta(minutes=1))
    assert api.send("POST", f"{ORDERS}/git/refs", {"ref": "refs/heads/x", "sha": first}).status_code == 201
    assert fake.refused_creations == (2, 1)


# Versions


def test_what_has_not_changed_is_not_sent_again_and_costs_nothing(fake: FakeGitHub, api: Caller) -> None:
    tag = api.send("GET", ORDERS).headers["ETag"]

    same = api.send("GET", ORDERS, headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert quota(same) == ("core", 5000, 4999, 1)

    fake.archive("acme/orders")
    changed = api.send("GET", ORDERS, headers={"If-None-Match": f'"other", {tag}'})
    assert (changed.status_code, changed.json()["archived"]) == (200, True)


# Faults


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_what_is_planned_for_the_second_write_happens_whatever_it_is(
    fake: FakeGitHub, api: Caller, *, after: bool
) -> None:
    """Reads do not count; the act comes before the connection ends."""
    acted: list[int] = []
    head = api.get(f"{ORDERS}/git/ref/heads/main")["object"]["sha"]
    fake.faults.plan(WRITE, 2, after=after, act=lambda: acted.append(len(fake.branches("acme/orders"))))
    api.post(f"{ORDERS}/git/refs", {"ref": "refs/heads/one", "sha": head})
    api.get(ORDERS)

    with pytest.raises(requests.ConnectionError):
        api.post(f"{ORDERS}/git/refs", {"ref": "refs/heads/two", "sha": head})

    assert acted == [3 if after else 2]
    assert len(fake.branches("acme/orders")) == acted[0]


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("retry_after", "remaining", "primary"), [(None, "0", True), (None, "4290", False), ("60", "4290", False)]
)
def test_a_limit_is_planned_as_github_words_it(
    fake: FakeGitHub, api: Caller, status: int, retry_after: str | None, remaining: str, primary: bool
) -> None:
    seconds = int(retry_after) if retry_after else None
    planned = primary_limit(status, reset=1_900_000_000) if primary else secondary_limit(status, retry_after=seconds)
    fake.faults.plan("repos/get", answer=planned)

    limited = api.send("GET", ORDERS)

    assert (limited.status_code, limited.headers["X-RateLimit-Remaining"]) == (status, remaining)
    assert limited.headers.get("Retry-After") == retry_after
    assert ("secondary rate limit" in limited.json()["message"]) == (not primary)
    assert api.send("GET", ORDERS).status_code == 200


def test_the_nth_call_goes_wrong_and_as_many_more_as_planned(fake: FakeGitHub, api: Caller) -> None:
    fake.faults.plan("repos/get", on_call=2, times=2, answer=Answer(status=502))
    fake.faults.plan("git/get-ref", answer=Answer(status=500))

    assert [api.send("GET", ORDERS).status_code for _ in range(4)] == [200, 502, 502, 200]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("answer", [None, gateway_timeout()], ids=["drop", "504"])
def test_a_thing_is_done_or_not_before_the_connection_ends(
    fake: FakeGitHub, api: Caller, first: str, after: bool, answer: Answer | None
) -> None:
    fake.faults.plan("git/create-ref", answer=answer, after=after)

    if answer is None:
        with pytest.raises(requests.ConnectionError):
            api.send("POST", f"{ORDERS}/git/refs", {**REF, "sha": first})
    else:
        assert api.send("POST", f"{ORDERS}/git/refs", {**REF, "sha": first}).status_code == 504

    assert api.send("GET", f"{ORDERS}/git/ref/heads/x").status_code == (200 if after else 404)
    assert fake.log[0].status == (answer.status if answer else None)


@pytest.mark.parametrize("operation", ["Who", "viewer"])
def test_graphql_goes_wrong_by_the_name_of_operation_or_field(fake: FakeGitHub, api: Caller, operation: str) -> None:
    fake.faults.plan(operation, answer=primary_graphql_limit())

    assert api.send("POST", "/graphql", VIEWER).json()["errors"][0]["type"] == "RATE_LIMITED"
    assert "errors" not in api.send("POST", "/graphql", VIEWER).json()


# What happened


def test_exchanges_and_writes_are_counted(fake: FakeGitHub, api: Caller, first: str) -> None:
    api.send("GET", ORDERS)
    api.send("POST", f"{ORDERS}/git/refs", {**REF, "sha": first})
    api.send("POST", "/graphql", VIEWER)
    mutation = 'mutation { updateRefs(input: {repositoryId: "x", refUpdates: []}) { clientMutationId } }'
    api.ask(mutation)

    assert fake.exchanges == {"repos/get": 1, "git/create-ref": 1, "Who": 1, "updateRefs": 1}
    assert fake.writes == [f"POST {ORDERS}/git/refs (git/create-ref)", "POST /graphql (updateRefs)"]
    assert fake.requests("GET") == [f"GET {ORDERS}"]
    assert len(fake.requests()) == 4

"""What a request meets on its way to GitHub: limits, refusals, silence."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from bot.adapters.forge.github import Sender, Site
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.sender import Errand, Unanswered
from bot.adapters.transport import Transport
from bot.core.errors import ForgeError, Paused
from tests.lab.clock import WoundClock
from tests.lab.web import Answer, Asked, Web, serve

ERRAND = Errand("acme/orders", "list its files", "s3cret", "token 1a2b")
OK = Answer(body=b'{"data": {"viewer": {"login": "bot"}}}')
SECONDARY = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'
RATE_LIMITED = b'{"data": null, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}'
Send = Callable[[Sender], object]


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def connect(clock: WoundClock) -> Iterator[Callable[[Web], Sender]]:
    with closing(Transport(clock, timeouts=(5, 5))) as transport:
        yield lambda web: Sender(transport, Site.of(web.url), clock)


def read(sender: Sender) -> object:
    return sender.read("/repos/acme/orders", ERRAND)


def write(sender: Sender) -> object:
    return sender.write("POST", "/repos/acme/orders/pulls", ERRAND, {"title": "Ü"})


def query(sender: Sender) -> object:
    return sender.query("query { viewer { login } }", {}, ERRAND).whole(ERRAND)


def mutate(sender: Sender) -> object:
    return sender.mutate("mutation { x }", {"input": 1}, ERRAND)


EVERY = pytest.mark.parametrize("send", [read, write, query, mutate])


def script(*answers: Answer) -> Callable[[Asked], Answer]:
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@EVERY
def test_a_request_says_who_we_are_and_what_we_speak(connect: Callable[[Web], Sender], send: Send) -> None:
    with serve(lambda _: OK) as web:
        send(connect(web))

    (asked,) = web.log
    assert asked.headers["Authorization"] == "Bearer s3cret"
    assert asked.headers["X-GitHub-Api-Version"] == "2022-11-28"
    assert asked.headers["Accept"] == "application/vnd.github+json"
    assert asked.headers["User-Agent"].startswith("refrom/")


@EVERY
@pytest.mark.parametrize(
    ("refusal", "wait"),
    [
        pytest.param(Answer(status=403, body=SECONDARY), 60, id="403 secondary"),
        pytest.param(Answer(status=429, body=SECONDARY), 60, id="429 secondary"),
        pytest.param(Answer(status=403, headers={"Retry-After": "5"}, body=SECONDARY), 5, id="403 with a wait"),
        pytest.param(Answer(status=429, headers={"Retry-After": "5"}, body=SECONDARY), 5, id="429 with a wait"),
        pytest.param(Answer(status=403, headers={"X-RateLimit-Remaining": "0"}), 60, id="403 quota spent"),
    ],
)
def test_a_limit_is_waited_for_and_then_the_request_goes_again(
    connect: Callable[[Web], Sender], clock: WoundClock, send: Send, refusal: Answer, wait: int
) -> None:
    """A write too: a request that ran into a limit did not happen."""
    with serve(script(refusal, OK)) as web:
        send(connect(web))

    assert (len(web.log), clock.waits) == (2, [wait])


@pytest.mark.parametrize("send", [query, mutate])
def test_graphql_tells_of_its_limit_with_status_200(
    connect: Callable[[Web], Sender], clock: WoundClock, send: Send
) -> None:
    with serve(script(Answer(headers={"X-RateLimit-Remaining": "0"}, body=RATE_LIMITED), OK)) as web:
        send(connect(web))

    assert clock.waits == [60]


def test_data_that_speaks_of_limits_is_no_limit(connect: Callable[[Web], Sender], clock: WoundClock) -> None:
    body = json.dumps({"data": {"viewer": {"login": "secondary rate limit RATE_LIMITED"}}}).encode()

    with serve(lambda _: Answer(body=body)) as web:
        query(connect(web))

    assert clock.waits == []


@EVERY
def test_a_long_wait_closes_the_door_until_it_is_over(
    connect: Callable[[Web], Sender], clock: WoundClock, send: Send
) -> None:
    reset = int((clock.now() + timedelta(minutes=40)).timestamp())
    spent = Answer(status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)})

    with serve(script(spent, OK)) as web:
        sender = connect(web)
        for _ in range(2):
            with pytest.raises(Paused, match=r"acme/orders: .* hourly quota is used up; run again after") as raised:
                send(sender)
            assert raised.value.retryable
            assert raised.value.until.timestamp() == reset
        assert len(web.log) == 1, "the second try was not sent"
        clock.wait_until(clock.now() + timedelta(minutes=41))
        send(sender)

    assert len(web.log) == 2


@EVERY
@pytest.mark.parametrize(
    ("headers", "message", "minutes"),
    [
        pytest.param({"Retry-After": "600"}, SECONDARY, 10, id="secondary, asked for"),
        pytest.param({"Retry-After": "600", "X-RateLimit-Remaining": "4290"}, b"{}", 10, id="Retry-After alone"),
        pytest.param({"X-RateLimit-Remaining": "4290"}, SECONDARY, 4, id="secondary, guessed"),
    ],
)
@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_stays_is_a_pause(
    connect: Callable[[Web], Sender],
    clock: WoundClock,
    send: Send,
    status: int,
    headers: dict[str, str],
    message: bytes,
    minutes: int,
) -> None:
    """Where GitHub names no time, a minute is waited for, then two; four are left to whoever comes back."""
    answer = Answer(status=status, headers=headers, body=message)

    with serve(lambda _: answer) as web, pytest.raises(Paused) as raised:
        send(connect(web))

    assert raised.value.until == clock.now() + timedelta(minutes=minutes)
    assert len(web.log) == (3 if minutes == 4 else 1)


def test_short_limits_without_end_are_a_pause_too(connect: Callable[[Web], Sender], clock: WoundClock) -> None:
    with serve(lambda _: Answer(status=429, headers={"Retry-After": "5"})) as web, pytest.raises(Paused) as raised:
        read(connect(web))

    assert raised.value.until == clock.now() + timedelta(seconds=5)
    assert (len(web.log), clock.waits) == (5, [5, 5, 5, 5])


def test_a_limit_of_graphql_leaves_rest_open(connect: Callable[[Web], Sender], clock: WoundClock) -> None:
    reset = str(int((clock.now() + timedelta(minutes=40)).timestamp()))
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset, "X-RateLimit-Resource": "graphql"}

    with serve(lambda asked: Answer(headers=spent, body=RATE_LIMITED) if asked.path == "/graphql" else OK) as web:
        sender = connect(web)
        with pytest.raises(Paused):
            query(sender)
        read(sender)
        with pytest.raises(Paused):
            mutate(sender)

    assert [asked.path for asked in web.log] == ["/graphql", "/repos/acme/orders"]


def test_changes_keep_a_second_between_them(connect: Callable[[Web], Sender], clock: WoundClock) -> None:
    with serve(lambda _: OK) as web:
        sender = connect(web)
        for send in (write, read, mutate, query, write):
            send(sender)

    assert clock.waits == [1, 1]


@pytest.mark.parametrize("send", [read, query])
def test_a_read_is_repeated_until_it_is_answered(connect: Callable[[Web], Sender], send: Send) -> None:
    with serve(script(Answer(status=502), Answer(headers={"Content-Length": "100"}), OK)) as web:
        send(connect(web))

    assert len(web.log) == 3


@pytest.mark.parametrize("send", [write, mutate])
@pytest.mark.parametrize("silence", [Answer(status=504), Answer(headers={"Content-Length": "100"})])
def test_a_write_without_an_answer_is_not_sent_again(
    connect: Callable[[Web], Sender], send: Send, silence: Answer
) -> None:
    with serve(lambda _: silence) as web, pytest.raises(Unanswered, match="to see whether it happened"):
        send(connect(web))

    assert len(web.log) == 1


@pytest.mark.parametrize(
    ("answer", "cure"),
    [
        pytest.param(
            Answer(status=401, body=b'{"message": "Bad credentials"}'),
            "(401 Bad credentials); the token is expired, revoked or mistyped: put a new one where the settings",
            id="expired",
        ),
        pytest.param(
            Answer(
                status=403,
                headers={"X-Accepted-GitHub-Permissions": "contents=write"},
                body=b'{"message": "Resource not accessible by integration"}',
            ),
            "give the token the permission contents: write (in a workflow, under permissions)",
            id="permission",
        ),
        pytest.param(
            Answer(
                status=403,
                headers={"X-Accepted-GitHub-Permissions": "contents=write,workflows=write; pull_requests=read"},
                body=b'{"message": "Resource not accessible by personal access token"}',
            ),
            "give the token the permission contents: write and workflows: write or pull-requests: read (in a",
            id="several permissions",
        ),
        pytest.param(
            Answer(status=401, body=b'{"message": "A JSON web token could not be decoded"}'),
            "check the App's id and private key under forges, and this machine's clock",
            id="App",
        ),
        pytest.param(
            Answer(status=401, body=b"{\"message\": \"'Issued at' claim ('iat') must be an Integer\"}"),
            "check the App's id and private key under forges, and this machine's clock",
            id="App's clock",
        ),
        pytest.param(
            Answer(status=403, body=b'{"message": "This installation has been suspended"}'),
            "end the suspension where the App is installed",
            id="suspended",
        ),
        pytest.param(
            Answer(
                status=403, body=b'{"message": "GitHub Actions is not permitted to create or approve pull requests."}'
            ),
            "allow GitHub Actions to create pull requests under Settings, Actions, General",
            id="actions",
        ),
        pytest.param(
            Answer(status=403, body=b'{"message": "Repository was archived so is read-only."}'),
            "take it from include, or unarchive it",
            id="archived",
        ),
        pytest.param(
            Answer(status=404, body=b'{"message": "Not Found"}'),
            "check its name, and that the token may see it",
            id="missing",
        ),
        pytest.param(
            Answer(status=422, body=b'{"message": "Validation Failed", "errors": [{"field": "head", "code": "bad"}]}'),
            "(422 Validation Failed; head bad)",
            id="invalid",
        ),
        pytest.param(Answer(status=500, body=b"<html>\x1b[31moops"), "(500 <html> [31moops)", id="no JSON"),
        pytest.param(Answer(status=400, body=b'{"message": {"a": 1}, "errors": 7}'), "(400 ", id="other JSON"),
    ],
)
def test_a_refusal_names_the_repository_what_was_meant_and_the_cure(
    connect: Callable[[Web], Sender], answer: Answer, cure: str
) -> None:
    with serve(lambda _: answer) as web, pytest.raises(Refusal) as raised:
        read(connect(web))

    assert str(raised.value).startswith("acme/orders: GitHub does not let us list its files ")
    assert cure in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"data": [1]}', b'{"errors": {"a": 1}}', b'{"errors": [1]}', b"{" * 100_000, b"\xff"]
)
def test_an_answer_that_is_no_graphql_is_an_error(connect: Callable[[Web], Sender], body: bytes) -> None:
    with serve(lambda _: Answer(body=body)) as web, pytest.raises(ForgeError, match="check forges in the settings"):
        query(connect(web))

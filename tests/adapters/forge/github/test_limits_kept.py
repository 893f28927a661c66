"""What GitHub allows is kept, counted at the fake; and nothing is lost where it allows less than it says."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.forge.github import AppTokens, FixedToken, Gate, GitHub, Sender, Site, Tokens
from bot.adapters.store.store import open_store
from bot.adapters.transport import Transport
from bot.core.errors import Paused
from bot.ports.store import Pauses
from tests.lab.clock import WoundClock
from tests.lab.github.fake import FakeGitHub, github_fake
from tests.lab.github.limits import secondary_limit

REPOSITORY = "acme/orders"
Make = Callable[..., GitHub]


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def fake(tmp_path: Path, clock: WoundClock) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path / "github", clock=clock) as fake:
        for name in (REPOSITORY, "other/shop"):
            fake.create_repository(name, {"Dockerfile": b"FROM old\n"})
        yield fake


@pytest.fixture
def make(fake: FakeGitHub, clock: WoundClock) -> Iterator[Make]:
    """Make the calls of a process that just started; of an App if its id and key are given."""
    with ExitStack() as stack:

        def make(
            pauses: Pauses | None = None, *, reserve: float = 0, token: str = "", app: tuple[int, str] | None = None
        ) -> GitHub:
            transport = stack.enter_context(closing(Transport(clock)))
            sender = Sender(transport, Site.of(fake.url), clock, Gate(clock, pauses, reserve=reserve))
            tokens: Tokens = AppTokens(sender, *app, clock) if app else FixedToken(token or fake.token())
            return GitHub(sender, tokens)

        yield make


def send_all(count: int, send: Callable[[int], object], clock: WoundClock) -> int:
    """Do many things, one after the other, each again after its pause, as an engine does; return the pauses."""
    left, pauses = deque(range(count)), 0
    while left:
        number = left.popleft()
        try:
            send(number)
        except Paused as paused:
            pauses += 1
            left.appendleft(number)
            clock.wait_until(paused.until)
    return pauses


def look_until_paused(github: GitHub, repository: str = REPOSITORY) -> Paused:
    """Look at a repository again and again."""
    for _ in range(100):
        try:
            github.look(repository, "main")
        except Paused as paused:
            return paused
    raise AssertionError("nothing pauses it")


def statuses(fake: FakeGitHub) -> set[int | None]:
    return {exchange.status for exchange in fake.log}


def test_the_content_that_github_allows_in_an_hour_is_never_exceeded(
    fake: FakeGitHub, clock: WoundClock, make: Make
) -> None:
    """Eleven hundred events to a workflow: none is refused, though the fake counts minutes and hours."""
    fake.limit_creations()
    github, start = make(), clock.now()

    pauses = send_all(1100, lambda n: github.dispatch_repository(REPOSITORY, f"event {n}", {}), clock)

    assert statuses(fake) == {204}
    assert [event["event_type"] for event in fake.dispatches] == [f"event {n}" for n in range(1100)]
    assert pauses == 2
    assert timedelta(hours=2) < clock.now() - start < timedelta(hours=2, minutes=10)


def test_where_github_allows_less_than_it_says_nothing_is_lost_and_nothing_done_twice(
    fake: FakeGitHub, clock: WoundClock, make: Make
) -> None:
    """Some limits are not told: here five a minute. Each refusal names no time, and there is quota left."""
    fake.limit_creations(a_minute=5)
    github = make()

    send_all(60, lambda n: github.dispatch_repository(REPOSITORY, f"event {n}", {}), clock)

    assert [event["event_type"] for event in fake.dispatches] == [f"event {n}" for n in range(60)]
    assert statuses(fake) == {204, 403}
    refused = sum(exchange.status == 403 for exchange in fake.log)
    assert refused <= 60 / 5, "one refusal for each minute's five"


def test_a_share_of_the_hour_is_left_to_others(fake: FakeGitHub, clock: WoundClock, make: Make) -> None:
    """Of 20 requests 5 are left; the next is not sent, in no process with the store, and after the hour it is."""
    fake.limit(20)
    token = fake.token()
    with open_store(":memory:") as store:
        github = make(store.pauses, reserve=0.25, token=token)

        told = str(look_until_paused(github))
        assert (
            "4 of 20 of this hour's quota (graphql) are left, and kept for others by reserve; run again after" in told
        )
        assert len(fake.log) == 16
        with pytest.raises(Paused) as paused:
            make(store.pauses, reserve=0.25, token=token).look(REPOSITORY, "main")
        assert len(fake.log) == 16, "another process asks nothing"

        clock.wait_until(paused.value.until)
        github.look(REPOSITORY, "main")
        assert len(fake.log) == 17


def test_without_the_store_one_request_finds_out(fake: FakeGitHub, make: Make) -> None:
    fake.limit(20)
    token = fake.token()
    look_until_paused(make(reserve=0.25, token=token))
    before = len(fake.log)

    look_until_paused(make(reserve=0.25, token=token))

    assert len(fake.log) - before == 1


def test_a_workflow_s_own_token_keeps_to_its_thousand(fake: FakeGitHub, make: Make) -> None:
    github = make(reserve=0.98, token=fake.token("github-actions[bot]"))

    assert "979 of 1000 of this hour's quota" in str(look_until_paused(github))


def test_an_app_s_installations_have_limits_of_their_own(fake: FakeGitHub, clock: WoundClock, make: Make) -> None:
    """Though each is paused under its own name, which stays when its token is renewed."""
    fake.limit(4)
    number, key = fake.app(installations={"acme": None, "other": None})
    with open_store(":memory:") as store:
        github = make(store.pauses, reserve=0.5, app=(number, key))

        paused = look_until_paused(github, "Acme/orders")
        github.look("other/shop", "main")

        name = f"github:{fake.url.removeprefix('http://')}:app {number} at acme:graphql"
        kept = store.pauses.get(name)
        assert kept
        assert kept.until == paused.until
        clock.wait_until(clock.now() + timedelta(minutes=56))
        with pytest.raises(Paused):
            make(store.pauses, reserve=0.5, app=(number, key)).look(REPOSITORY, "main")


def test_no_token_is_asked_for_while_an_installation_is_paused(fake: FakeGitHub, make: Make) -> None:
    app = fake.app(installations={"acme": None, "other": None})
    fake.faults.plan("Look", answer=secondary_limit(retry_after=600))
    with open_store(":memory:") as store:
        with pytest.raises(Paused):
            make(store.pauses, app=app).look(REPOSITORY, "main")
        before = len(fake.log)

        with pytest.raises(Paused, match=r"acme: GitHub's secondary rate limit: .*; run again after"):
            make(store.pauses, app=app).look(REPOSITORY, "main")
        assert len(fake.log) == before
        make(store.pauses, app=app).look("other/shop", "main")


def test_no_token_is_kept(fake: FakeGitHub, make: Make, tmp_path: Path) -> None:
    fake.limit(2)
    token = fake.token()
    with open_store(tmp_path / "refrom.db") as store:
        look_until_paused(make(store.pauses, reserve=0.9, token=token))

    kept = b"".join(path.read_bytes() for path in tmp_path.glob("refrom.db*"))
    assert b":token " in kept
    assert token.encode() not in kept

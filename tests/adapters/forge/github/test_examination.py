"""What a token reaches and may is told as far as GitHub tells it, by reading alone."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.forge.github import (
    AppTokens,
    FixedToken,
    GitHub,
    GitHubExamination,
    GitHubForge,
    Sender,
    Site,
    Tokens,
)
from bot.adapters.transport import Transport
from bot.ports.clock import Clock
from bot.ports.examination import Check, State
from tests.lab.github.fake import FakeGitHub, github_fake
from tests.lab.web import Answer

Examine = Callable[..., list[Check]]
FILES = {"Dockerfile": b"FROM public.ecr.aws/lambda/python:3.13\n"}
UNKNOWN = "GitHub does not tell what this token may; it needs"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path) as fake:
        fake.create_repository("acme/orders", FILES)
        fake.create_repository("acme/billing", FILES)
        yield fake
        assert fake.writes == []


@pytest.fixture
def examine(fake: FakeGitHub) -> Iterator[Examine]:
    """Examine the fake: with a person's token for acme/orders, unless told otherwise."""
    with ExitStack() as stack:

        def examine(
            *include: str,
            token: str | None = None,
            app: tuple[int, str] | None = None,
            clock: Clock | None = None,
            reserve: float = 0,
            asks_teams: bool = False,
            built: Sequence[str] = (),
        ) -> list[Check]:
            now = clock or SystemClock()
            transport = stack.enter_context(closing(Transport(now, timeouts=(5, 30), attempts=1)))
            sender, names = Sender(transport, Site.of(fake.enterprise_url), now), include or ("acme/orders",)
            tokens: Tokens = AppTokens(sender, *app, now) if app else FixedToken(token or fake.token("ada"))
            forge = GitHubForge(GitHub(sender, tokens), names)
            made = GitHubExamination(
                forge=forge,
                sender=sender,
                tokens=tokens,
                include=names,
                clock=now,
                reserve=reserve,
                asks_teams=asks_teams,
                workflow="build.yml" if built else "",
                built=built,
            )
            return list(made.examine())

        yield examine


def named(checks: Sequence[Check], name: str) -> list[tuple[State, str]]:
    return [(check.state, check.message) for check in checks if check.name == name]


def only_failure(checks: Sequence[Check]) -> tuple[str, str, str]:
    (check,) = [check for check in checks if check.is_failed]
    return check.name, check.message, check.cure


def test_a_person_s_classic_token_is_known_whole(fake: FakeGitHub, examine: Examine) -> None:
    checks = examine()

    assert [(check.name, check.state) for check in checks] == [
        (name, State.OK) for name in ("access", "version", "clock", "rate limit", "write", "git")
    ]
    assert {check.subject for check in checks} == {f"GitHub {fake.enterprise_url}", "acme/orders"}
    assert named(checks, "access") == [(State.OK, "knows us as ada")]
    assert named(checks, "write") == [(State.OK, "the token and its user may write")]
    assert named(checks, "git") == [(State.OK, f"reads {fake.url}/acme/orders.git")]


def test_each_repository_of_a_pattern_is_asked_and_git_reads_one(examine: Examine) -> None:
    checks = examine("acme/*")

    assert [check.subject for check in checks if check.name == "write"] == ["acme/billing", "acme/orders"]
    assert [check.subject for check in checks if check.name == "git"] == ["acme/billing"]


def test_an_expired_token_is_told_once_and_nothing_more_is_asked(fake: FakeGitHub, examine: Examine) -> None:
    token = fake.token("ada")
    fake.expire(token)

    checks = examine("acme/orders", "other/*", token=token)

    assert len(checks) == 1
    assert only_failure(checks) == (
        "access",
        "acme: GitHub does not let us say who we are (401 Bad credentials)",
        "the token is expired, revoked or mistyped: put a new one where the settings name it under forges",
    )


@pytest.mark.parametrize("scopes", ["public_repo", "", "read:org, gist"])
def test_a_classic_token_without_the_scope_for_it_is_told(fake: FakeGitHub, examine: Examine, scopes: str) -> None:
    fake.create_repository("acme/secret", FILES, private=True)

    checks = examine("acme/secret", token=fake.token("ada", scopes=scopes))

    told = f"the token has the scopes {scopes or '(none)'}"
    assert only_failure(checks) == ("write", told, "make one with repo")


def test_a_public_repository_needs_a_smaller_scope(fake: FakeGitHub, examine: Examine) -> None:
    checks = examine(token=fake.token("ada", scopes="gist, public_repo"))

    assert named(checks, "write") == [(State.OK, "the token and its user may write")]


def test_a_user_who_may_only_read_is_told(fake: FakeGitHub, examine: Examine) -> None:
    checks = examine(token=fake.token("ada", repositories=["acme/billing"]))

    assert only_failure(checks) == (
        "write",
        "the user of the token may only read acme/orders",
        "give that user the role Write there",
    )


def test_of_a_workflow_s_token_it_is_said_what_cannot_be_known(fake: FakeGitHub, examine: Examine) -> None:
    """Its user is a bot, whose `permissions` are all false whatever the token may."""
    checks = examine(token=fake.token("github-actions[bot]"))

    needed = f"{UNKNOWN} contents: write and pull-requests: write, in a workflow under permissions"
    assert named(checks, "access") == [(State.OK, "knows us as github-actions[bot]")]
    ((state, told),) = named(checks, "workflow")
    assert state is State.SKIPPED
    for limit in ("1,000 requests an hour", "reaches no other", "starts no workflows", "may create pull requests"):
        assert limit in told
    assert named(checks, "write") == [(State.SKIPPED, needed)]


def test_of_a_fine_grained_token_it_is_said_what_cannot_be_known(fake: FakeGitHub, examine: Examine) -> None:
    """`permissions` are those of its user, and it has no scopes; GitHub may send an empty header all the same."""
    fine_grained = "github_pat_Lab1"
    accounts = fake._hub.accounts
    accounts._tokens[fine_grained] = accounts._tokens[fake.token("ada", scopes="")]

    checks = examine(token=fine_grained)

    needed = f"its user may write, but {UNKNOWN} Contents and Pull requests: read and write"
    assert named(checks, "write") == [(State.SKIPPED, needed)]


def test_an_app_is_known_by_what_each_owner_granted(fake: FakeGitHub, examine: Examine) -> None:
    fake.create_repository("other/shop", FILES)
    app = fake.app(installations={"acme": None, "other": {"contents": "read", "metadata": "read"}})

    checks = examine("acme/orders", "acme/billing", "other/*", app=app)

    assert named(checks, "access") == [
        (State.OK, "knows us as refrom[bot] for acme"),
        (State.OK, "knows us as refrom[bot] for other"),
    ]
    assert only_failure(checks) == (
        "write",
        "other does not grant the App contents: write and pull_requests: write",
        "let it ask for them in the App's settings, under Permissions, and accept them at the installation",
    )
    assert fake.exchanges["repos/get"] == 0


def test_an_app_that_asks_teams_must_see_them(fake: FakeGitHub, examine: Examine) -> None:
    writing = {"contents": "write", "metadata": "read", "pull_requests": "write"}
    app = fake.app(installations={"acme": writing, "other": {**writing, "members": "read"}})

    checks = examine("acme/orders", "other/*", app=app, asks_teams=True)

    assert only_failure(checks)[:2] == ("write", "acme does not grant the App members: read")
    assert (State.OK, "the App may write contents and pull requests, and see teams") in named(checks, "write")


def test_an_app_that_is_not_installed_is_told_for_that_owner_and_the_others_are_examined(
    fake: FakeGitHub, examine: Examine
) -> None:
    number, key = fake.app(installations={"acme": None})

    checks = examine("elsewhere/*", "acme/orders", app=(number, key))

    assert only_failure(checks) == (
        "access",
        f"elsewhere: the GitHub App {number} is not installed there",
        "install it, or take elsewhere out of include",
    )
    assert named(checks, "git") == [(State.OK, f"reads {fake.url}/acme/orders.git")]


def test_the_key_of_another_app_is_told(fake: FakeGitHub, examine: Examine) -> None:
    (number, _), (_, key) = fake.app("one", {"acme": None}), fake.app("two", {"acme": None})

    assert only_failure(examine(app=(number, key))) == (
        "access",
        "acme: GitHub does not let us act as the App (401 A JSON web token could not be decoded)",
        "check the App's id and private key under forges, and this machine's clock",
    )


@pytest.mark.parametrize(("minutes", "way"), [(-3, "behind it"), (3, "ahead of it")])
def test_a_clock_that_is_off_is_told(examine: Examine, minutes: int, way: str) -> None:
    now = SystemClock().now() + timedelta(minutes=minutes)

    name, message, cure = only_failure(examine(clock=VirtualClock(now)))

    assert (name, cure) == ("clock", "set the clock by NTP")
    assert message.startswith("this machine's clock is 1")
    assert message.endswith(f" s {way}, so that tokens and signatures are refused")


def test_a_quota_that_is_used_up_is_told(fake: FakeGitHub, examine: Examine) -> None:
    fake.limit(1)

    name, message, cure = only_failure(examine())

    assert (name, cure) == ("rate limit", "wait for that")
    told = "1 of 1 requests and 0 of 1 points of GraphQL are left for this hour: a run would wait until 20"
    assert message.startswith(told)


def test_what_is_left_is_told_with_the_share_for_others(fake: FakeGitHub, examine: Examine) -> None:
    """Of 20 an hour a tenth is 2: one request of GraphQL is made before it is asked."""
    fake.limit(20)

    ((state, told),) = named(examine(reserve=0.1), "rate limit")

    assert state is State.OK
    assert told == (
        "20 of 20 requests and 19 of 20 points of GraphQL are left for this hour, of which 10% is kept for others"
    )


def test_a_share_for_others_that_is_reached_is_told_and_the_rest_is_examined(
    fake: FakeGitHub, examine: Examine
) -> None:
    """What a person asks by hand leaves no share."""
    fake.limit(20)

    checks = examine(reserve=0.96)

    name, message, cure = only_failure(checks)
    assert (name, cure) == ("rate limit", "wait for that, or lower reserve under forges")
    assert "of which 96% is kept for others: a run would wait until 20" in message
    assert named(checks, "git") != []


def test_a_server_without_rate_limits_is_fine(fake: FakeGitHub, examine: Examine) -> None:
    """An Enterprise Server answers 404 then."""
    fake.faults.plan("rate-limit/get", answer=Answer(status=404, body=b'{"message": "Rate limiting is not enabled."}'))

    assert named(examine(), "rate limit") == [(State.OK, "has none")]


@pytest.mark.parametrize("lacking", [["updateRefs"], ["createCommitOnBranch", "updateRefs"]])
def test_a_server_that_is_too_old_is_told(fake: FakeGitHub, examine: Examine, lacking: list[str]) -> None:
    types = {name: None if name in lacking else {"name": "Type"} for name in ("createCommitOnBranch", "updateRefs")}
    body = json.dumps({"data": {"viewer": {"login": "ada"}, **types}}).encode()
    fake.faults.plan("Self", answer=Answer(headers={"Content-Type": "application/json"}, body=body))

    told = f"this server does not know {' and '.join(lacking)}, with which refrom commits"
    assert only_failure(examine()) == ("version", told, "upgrade it")


def test_a_repository_that_only_git_cannot_reach_is_told(fake: FakeGitHub, examine: Examine) -> None:
    fake.faults.plan("git/upload-pack", answer=Answer(status=500))

    name, message, _ = only_failure(examine())

    assert name == "git"
    assert message.startswith("acme/orders: git ls-remote failed")


def test_a_repository_that_cannot_be_listed_is_left_to_whoever_lists_it(fake: FakeGitHub, examine: Examine) -> None:
    fake.rename_repository("acme/orders", "acme/shop")

    checks = examine()

    assert not any(check.is_failed for check in checks)
    assert named(checks, "write") == named(checks, "git") == []


RUN_NAME = "run-name: ${{ inputs.image }}\n"
WORKFLOW = "name: Build\n{}on: {{workflow_dispatch: {{inputs: {{image: {{}}}}}}}}\njobs: {{}}\n"


def put_workflow(fake: FakeGitHub, run_name: str = RUN_NAME) -> None:
    text = WORKFLOW.format(run_name)
    fake.create_repository("acme/built", {**FILES, ".github/workflows/build.yml": text.encode()})


def test_a_workflow_that_builds_is_looked_for_in_each_source_repository(fake: FakeGitHub, examine: Examine) -> None:
    put_workflow(fake)

    checks = examine("acme/built", "acme/orders", built=["acme/built", "acme/orders"])

    assert named(checks, "workflow")[0] == (State.OK, "build.yml is there, and was started 0 times of late")
    name, message, cure = only_failure(checks)
    assert (name, "acme/orders" in message, "build.yml" in message) == ("workflow", True, True)
    assert cure


def test_an_app_that_starts_workflows_must_be_allowed_to(fake: FakeGitHub, examine: Examine) -> None:
    put_workflow(fake)
    writing = {"contents": "write", "metadata": "read", "pull_requests": "write"}
    app = fake.app(installations={"acme": {**writing, "actions": "read"}, "other": {**writing, "actions": "write"}})

    checks = examine("acme/built", "other/*", app=app, built=["acme/built"])

    assert only_failure(checks)[:2] == ("write", "acme does not grant the App actions: write")
    assert (State.OK, "the App may write contents and pull requests, and start workflows") in named(checks, "write")

"""Pull requests on GitHub: commits that git pushes, and what only GitHub has persons and others do meanwhile."""

import json
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.forge.github import GitHubForge
from bot.adapters.transport import Opened, Transport
from bot.core.errors import ForgeError
from bot.ports.clock import Clock
from bot.ports.forge import Finish, PullRequest
from tests.adapters.forge.contract import (
    BODY,
    BRANCH,
    FILES,
    MARK,
    NEW,
    NEWER,
    REPOSITORY,
    ForgeContract,
    open_pull_request,
    proposal,
)
from tests.adapters.forge.github.conftest import Make
from tests.adapters.forge.github_world import GithubWorld
from tests.adapters.forge.world import EXECUTABLE, Bot, File, World, git
from tests.lab.clock import WoundClock
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub
from tests.lab.web import Answer


@pytest.mark.soak
class TestPushedByGit(ForgeContract):
    """The whole contract with commits that git pushes."""

    @pytest.fixture
    def world(self, fake: FakeGitHub, world: GithubWorld, make: Make) -> World:
        return GithubWorld(fake, world.desk, lambda: make(commit_with="git"))


# What its checks say


@pytest.mark.parametrize(
    ("states", "fails"),
    [
        ((), False),
        (("success",), False),
        (("pending", "success"), False),
        (("failure", "success"), True),
        (("error",), True),
    ],
    ids=["none", "passed", "to come", "failed", "broke"],
)
def test_a_pull_request_says_that_its_checks_fail_where_that_is_asked_for(
    world: GithubWorld, make: Make, commit: str, states: tuple[str, ...], *, fails: bool
) -> None:
    forge = make(checks=True)
    opened = open_pull_request(forge, commit)
    for number, state in enumerate(states):
        status = {"state": state, "context": f"check {number}"}
        with Caller(world.fake.url, world.fake.token()) as caller:
            caller.post(f"/repos/{REPOSITORY}/statuses/{opened.head}", status)

    (found,) = forge.pull_requests(REPOSITORY, BRANCH)
    (unasked,) = make().pull_requests(REPOSITORY, BRANCH)

    assert (found.fails_checks, unasked.fails_checks) == (fails, False)


def test_a_token_that_may_not_read_checks_is_told_where_they_are_asked_for(world: GithubWorld, make: Make) -> None:
    commit = world.fake.create_repository("acme/private", {"app/Dockerfile": b"FROM old\n"}, private=True)
    wanted = proposal(commit, title="Update")
    make().create(repository="acme/private", branch=BRANCH, base="main", proposal=wanted)
    token = world.fake.token(permissions={"contents": "write", "metadata": "read", "pull_requests": "write"})

    with pytest.raises(ForgeError, match=r"acme/private: .* give the token the permission"):
        make(token=token, checks=True).pull_requests("acme/private", BRANCH)
    assert make(token=token).pull_requests("acme/private", BRANCH)


# What became of it


def test_a_name_of_a_file_in_its_text_does_not_say_that_we_closed_it(
    world: GithubWorld, make: Make, commit: str
) -> None:
    forge = make()
    text = replace(proposal(commit, title="Update"), body="| `<!-- refrom:closed -->/Dockerfile` | 1 |\n")
    opened = forge.create(repository=REPOSITORY, branch=BRANCH, base="main", proposal=text)
    world.fake.close(REPOSITORY, opened.number)

    (found,) = forge.pull_requests(REPOSITORY, BRANCH)

    assert not found.closed_by_us


def test_what_a_person_opens_again_is_told_until_it_is_refreshed(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.faults.plan("Move", answer=Answer(status=500, body=b"{}"))
    with suppress(ForgeError):
        forge.close(opened, comment="Closed.")  # and its branch stays
    forge._github.update_pull_request(REPOSITORY, opened.number, state="open")
    (again,) = forge.pull_requests(REPOSITORY, BRANCH)

    refreshed = forge.refresh(again, proposal(commit, NEWER, title="Again"))

    assert (again.closed_by_us, refreshed.closed_by_us) == (True, False)
    assert list(forge.pull_requests(REPOSITORY, BRANCH)) == [refreshed]


def test_when_it_was_merged_is_told(world: GithubWorld, make: Make, commit: str, clock: WoundClock) -> None:
    forge = make()
    world.fake.merge(REPOSITORY, open_pull_request(forge, commit).number, by="grace")

    (merged,) = forge.pull_requests(REPOSITORY, BRANCH)

    assert merged.merged == clock.now().replace(microsecond=0)


# What is written


def test_a_refresh_leaves_no_branch_beside_and_the_pull_request_open(
    world: GithubWorld, make: Make, commit: str
) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)

    refreshed = forge.refresh(opened, proposal(commit, NEWER, title="Again"))

    assert world.branches(REPOSITORY) == {"main": commit, BRANCH: refreshed.head}
    assert list(forge.pull_requests(REPOSITORY, BRANCH)) == [refreshed]


def test_commits_are_githubs_own_where_all_files_are_regular(world: GithubWorld, make: Make, commit: str) -> None:
    opened = open_pull_request(make(), commit)

    assert committer(world, opened.head) == "GitHub <noreply@github.com>"


def test_an_executable_file_stays_one_and_the_pull_request_ours(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit, {"app/run.sh": b"#!/bin/bash\n"})

    (found,) = forge.pull_requests(REPOSITORY, BRANCH)

    assert found == opened
    assert world.files(REPOSITORY, opened.head)["app/run.sh"] == File(b"#!/bin/bash\n", EXECUTABLE)
    assert world.fake.exchanges["Commit"] == 0


def test_a_pushed_commit_is_in_our_own_name_with_githubs_address(world: GithubWorld, make: Make, commit: str) -> None:
    opened = open_pull_request(make(commit_with="git"), commit)

    with_number = committer(world, opened.head)

    login, _, address = with_number.partition(" <")
    number, _, rest = address.partition("+")
    assert (login, rest) == ("refrom[bot]", "refrom[bot]@users.noreply.127.0.0.1>")
    assert number.isdecimal()
    assert world.fake.exchanges["Commit"] == world.fake.exchanges["Move"] == 0


def test_a_push_that_is_refused_tells_why_and_not_the_token(world: GithubWorld, make: Make, commit: str) -> None:
    token = world.fake.token()
    world.fake.protect(REPOSITORY, BRANCH)

    with pytest.raises(ForgeError, match=rf"acme/orders: git cannot push {BRANCH} to .*GH006.*; check what") as raised:
        open_pull_request(make(token=token, commit_with="git"), commit)

    assert token not in str(raised.value)
    assert world.branches(REPOSITORY) == {"main": commit}


def test_a_token_that_may_not_push_is_told(world: GithubWorld, make: Make, commit: str) -> None:
    token = world.fake.token(permissions={"contents": "read", "metadata": "read", "pull_requests": "write"})

    with pytest.raises(ForgeError, match=r"acme/orders: git cannot push .*403.*; check what the token may write"):
        open_pull_request(make(token=token, commit_with="git"), commit)


def test_the_token_stands_in_no_command_line(
    world: GithubWorld, make: Make, commit: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Git writes each command that it is given, and those that it starts itself, where GIT_TRACE says."""
    trace, token = tmp_path / "trace", world.fake.token()
    monkeypatch.setenv("GIT_TRACE", str(trace))

    open_pull_request(make(token=token, commit_with="git"), commit)

    traced = trace.read_text()
    assert "git push" in traced
    assert token not in traced


def test_a_pull_request_from_a_fork_is_none_of_ours(world: GithubWorld, make: Make, commit: str) -> None:
    """Anybody may call a branch of a fork like ours."""
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.faults.plan("Look", answer=looked(forge, "", "", shown(opened, isCrossRepository=True)))

    assert forge.pull_requests(REPOSITORY, BRANCH) == []
    assert forge.pull_requests(REPOSITORY, BRANCH) == [opened]


def test_drafts_that_a_repository_does_not_have_are_told(world: GithubWorld, make: Make, commit: str) -> None:
    world.fake.forbid(REPOSITORY, drafts=True)

    with pytest.raises(ForgeError, match=r"Draft pull requests are not supported .*; take draft out of pull_requests"):
        open_pull_request(make(), commit, draft=True)

    assert world.fake.pulls(REPOSITORY) == []


# Finishing


def test_reviewers_are_people_and_teams_of_the_owner(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    for login in ("ada", "grace"):
        world.fake.add_collaborator(REPOSITORY, login)
    world.fake.add_team(REPOSITORY, "platform")

    undone = forge.finish(opened, Finish(reviewers=("ada", "acme/platform", "grace")), "Finished\n")

    assert list(undone) == []
    assert world.fake.reviewers(REPOSITORY, 1) == ["ada", "grace", "acme/platform"]
    assert world.fake.exchanges["pulls/request-reviewers"] == 1


def test_a_reviewer_who_cannot_be_asked_is_told_and_the_others_are_asked(
    world: GithubWorld, make: Make, commit: str
) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.add_collaborator(REPOSITORY, "ada")
    reviewers = ("nobody", "refrom[bot]", "other/team", "acme/missing", "ada")

    foreign, nobody, ourselves, missing = forge.finish(opened, Finish(reviewers=reviewers), "Finished\n")

    assert foreign == "acme/orders: other/team is no team of acme; name one of its own"
    assert "ask nobody to review pull request 1 (422 Reviews may only be requested from collaborators" in nobody
    assert "(422 Review cannot be requested from pull request author.)" in ourselves
    assert "ask missing to review" in missing
    assert world.fake.reviewers(REPOSITORY, 1) == ["ada"]
    assert world.fake.pulls(REPOSITORY)[0].body == "Finished\n"


def test_a_team_needs_a_token_that_may_read_members(world: GithubWorld, make: Make, commit: str) -> None:
    world.fake.add_team(REPOSITORY, "platform")
    app = world.fake.app(installations={"acme": None})
    forge = make(app=app)
    opened = open_pull_request(forge, commit)

    (undone,) = forge.finish(opened, Finish(labels=("base",), reviewers=("acme/platform",)), "Finished\n")

    assert "ask platform to review pull request 1 (422 Could not resolve to a node" in undone
    assert world.fake.labels(REPOSITORY, 1) == ["base"]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_pull_request_merges_by_itself_where_that_is_allowed(
    world: GithubWorld, make: Make, commit: str, method: str
) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.allow_auto_merge(REPOSITORY)
    world.fake.protect(REPOSITORY, "main")

    undone = forge.finish(opened, Finish(auto_merge=method), "Finished\n")

    (pull,) = world.fake.pulls(REPOSITORY)
    assert list(undone) == []
    assert pull.auto_merge is not None
    assert (pull.auto_merge[1], pull.is_open) == (method.upper(), True)


def not_allowed(_: FakeGitHub) -> None:
    """Nobody ticked the box."""


def nothing_required(fake: FakeGitHub) -> None:
    fake.allow_auto_merge(REPOSITORY)


def all_passed(fake: FakeGitHub) -> None:
    fake.allow_auto_merge(REPOSITORY)
    fake.protect(REPOSITORY, "main")
    fake.require_nothing_more(REPOSITORY)


def other_method(fake: FakeGitHub) -> None:
    fake.allow_auto_merge(REPOSITORY)
    fake.protect(REPOSITORY, "main")
    fake.forbid(REPOSITORY, merge_method="SQUASH")


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (
            not_allowed,
            "Auto merge is not allowed for this repository); allow it under Settings, General, Pull Requests",
        ),
        (nothing_required, "rules not configured for this branch); nothing is required there"),
        (all_passed, "in clean status); nothing is left there that it could wait for"),
        (other_method, "squash merging is not allowed on this repository)"),
    ],
)
def test_what_github_does_not_merge_by_itself_is_never_merged_by_us(
    world: GithubWorld, make: Make, commit: str, prepare: Callable[[FakeGitHub], None], why: str
) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    prepare(world.fake)

    (undone,) = forge.finish(opened, Finish(auto_merge="squash"), "Finished\n")

    assert why in undone
    assert [(pull.is_open, pull.body) for pull in world.fake.pulls(REPOSITORY)] == [(True, "Finished\n")]
    assert world.branches(REPOSITORY)["main"] == commit


def test_what_a_person_pushed_meanwhile_is_not_merged_by_itself(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.allow_auto_merge(REPOSITORY)
    world.fake.protect(REPOSITORY, "main")
    world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})

    (undone,) = forge.finish(opened, Finish(auto_merge="squash"), "Finished\n")

    assert "Head branch was modified" in undone
    assert world.fake.pulls(REPOSITORY)[0].auto_merge is None


@pytest.mark.parametrize("operation", ["issues/add-labels", "pulls/request-reviewers", "AutoMerge"])
def test_a_failure_that_passes_is_no_refusal(world: GithubWorld, make: Make, commit: str, operation: str) -> None:
    """It is tried again at the next run, as the body does not say that it is finished."""
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.add_collaborator(REPOSITORY, "ada")
    wanted = Finish(labels=("base",), reviewers=("ada",), auto_merge="squash")
    world.fake.faults.plan(operation, answer=Answer(status=500, body=b"{}"))

    with pytest.raises(ForgeError, match="500") as raised:
        forge.finish(opened, wanted, "Finished\n")

    assert raised.value.retryable
    assert world.fake.pulls(REPOSITORY)[0].body == BODY
    forge.finish(opened, wanted, "Finished\n")
    assert (world.fake.labels(REPOSITORY, 1), world.fake.reviewers(REPOSITORY, 1)) == (["base"], ["ada"])


# Comments


def test_a_comment_of_a_person_with_our_mark_is_none_of_ours(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.comment(REPOSITORY, 1, f"I quote you:\n{MARK}")

    assert forge.comment_once(opened, mark=MARK, text="Left alone.")

    assert len(world.comments(REPOSITORY, 1)) == 2


def test_a_comment_of_ours_is_found_behind_many_others(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    for number in range(101):
        world.fake.comment(REPOSITORY, 1, f"Talk {number}")
    assert forge.comment_once(opened, mark=MARK, text="Left alone.")

    assert not forge.comment_once(opened, mark=MARK, text="Left alone.")

    assert len(world.comments(REPOSITORY, 1)) == 102


def test_a_comment_that_github_does_not_show_yet_is_not_made_again(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    nothing = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
    data = {"data": {"repository": {"pullRequest": {"comments": nothing}}}}
    world.fake.faults.plan("Comments", on_call=2, answer=Answer(body=json.dumps(data).encode()))

    assert forge.comment_once(opened, mark=MARK, text="Left alone.")

    assert len(world.comments(REPOSITORY, 1)) == 1


def test_a_comment_that_never_comes_about_is_an_error(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.faults.plan("issues/create-comment", times=9)

    with pytest.raises(ForgeError, match=r"acme/orders: no comment comes about on pull request 1 .*; run again later"):
        forge.comment_once(opened, mark=MARK, text="Left alone.")

    assert world.comments(REPOSITORY, 1) == []


# What others do meanwhile


def test_a_commit_of_another_bot_is_not_taken_for_that_of_a_person(world: GithubWorld, make: Make, commit: str) -> None:
    """The other one has made the branch when we look, and commits to it before we compare it with its base."""
    forge = make()
    opened = open_pull_request(make(), commit)
    world.fake.faults.plan("Look", answer=looked(forge, commit, commit))

    assert open_pull_request(forge, commit) == opened


def test_a_push_that_the_pull_request_does_not_show_yet_is_kept(world: GithubWorld, make: Make, commit: str) -> None:
    """GitHub updates pull requests some time after a push."""
    forge = make()
    opened = open_pull_request(forge, commit)
    pushed = world.push(REPOSITORY, BRANCH, {"README.md": File(b"Mine\n")})
    world.fake.faults.plan("Look", answer=looked(forge, pushed, commit, shown(opened)))

    with pytest.raises(ForgeError, match=r"pull request 1 changed since it was read"):
        forge.refresh(opened, proposal(commit, NEWER, title="Again"))

    assert world.branches(REPOSITORY)[BRANCH] == pushed


@pytest.mark.parametrize("commit_with", ["api", "git"])
def test_a_branch_that_goes_before_the_pull_request_comes_is_made_again(
    world: GithubWorld, make: Make, commit: str, commit_with: str
) -> None:
    """GitHub says that the head is invalid: somebody tidied branches up."""
    missing = {"resource": "PullRequest", "field": "head", "code": "invalid"}
    refusal = {"message": "Validation Failed", "errors": [missing]}
    world.fake.faults.plan("pulls/create", answer=Answer(status=422, body=json.dumps(refusal).encode()))

    opened = open_pull_request(make(commit_with=commit_with), commit)

    assert [pull.number for pull in world.fake.pulls(REPOSITORY)] == [opened.number]


def test_a_base_that_was_renamed_meanwhile_is_told(world: GithubWorld, make: Make, commit: str) -> None:
    forge = make()
    stale = looked(forge, "", commit)
    world.rename_default_branch(REPOSITORY, "trunk")
    world.fake.faults.plan("Look", answer=stale)

    with pytest.raises(ForgeError, match=r"acme/orders: the branch 'main' is not there; list the repositories again"):
        open_pull_request(forge, commit)

    assert world.fake.pulls(REPOSITORY) == []
    assert open_pull_request(forge, commit, base="trunk").base == "trunk"


def test_an_update_that_the_base_has_already_is_told(world: GithubWorld, make: Make, commit: str) -> None:
    """No commits between the two: the commit that we make stands in the base already."""
    forge = make()
    opened = open_pull_request(forge, commit)
    world.fake.close(REPOSITORY, opened.number)
    git(world.path(REPOSITORY), "update-ref", "refs/heads/main", opened.head)
    world.fake.faults.plan("pulls/create", on_call=2, answer=Answer(status=500, body=b"{}"))
    message = {"resource": "PullRequest", "code": "custom", "message": f"No commits between main and {BRANCH}"}
    refusal = {"message": "Validation Failed", "errors": [message]}
    world.fake.faults.plan("pulls/create", answer=Answer(status=422, body=json.dumps(refusal).encode()))

    with pytest.raises(ForgeError, match=rf"acme/orders: .*No commits between main and {BRANCH}"):
        open_pull_request(forge, opened.head, {"app/Dockerfile": NEW})

    assert len(world.fake.pulls(REPOSITORY)) == 1


def test_another_bot_that_refreshes_first_leaves_the_later_one_nothing_to_leave_behind(
    world: GithubWorld, make: Make
) -> None:
    for at in range(1, 20):
        name = f"acme/orders{at}"
        start = world.create_repository(name, FILES)
        opened = create(make(), name, start)
        first = partial(make().refresh, opened, proposal(start, NEWER, title="First"))
        with closing(Overtaken(WoundClock(), at=at, by=first)) as transport:
            later = make(transport=transport)

            fault = why_not(partial(later.refresh, opened, proposal(start, NEW, title="Later")))

        assert {*world.branches(name)} == {"main", BRANCH}, f"before request {at}"
        if transport.left > 0:
            assert at > 3, "so few requests cannot be a refresh"
            return
        assert fault
    pytest.fail("it never came to its end")


@pytest.mark.soak
@pytest.mark.parametrize("commit_with", ["api", "git"])
@pytest.mark.parametrize("new", ["acme/sales", "other/orders"], ids=["renamed", "transferred"])
def test_a_repository_that_moves_at_any_request_gets_one_pull_request(
    world: GithubWorld, make: Make, new: str, commit_with: str
) -> None:
    """A clear error, or the pull request at the new name; then one is there, and never two."""
    for at in range(1, 20):
        name, moved = f"acme/orders{at}", f"{new}{at}"
        start = world.create_repository(name, FILES)
        meddling = world.fake.faults.before(at, partial(world.fake.rename_repository, name, moved))
        fault = why_not(partial(create, make(commit_with=commit_with), name, start))
        assert not fault or (name in fault and meddling.is_done)
        world.fake.faults.forget(meddling)
        now = moved if meddling.is_done else name

        again = create(make(commit_with=commit_with), now, start)

        assert [pull.number for pull in world.fake.pulls(now)] == [again.number]
        assert {*world.branches(now)} == {"main", BRANCH}
        if not meddling.is_done:
            assert at > 3, "so few requests cannot be a creation"
            return
    pytest.fail("it never came to its end")


class Overtaken(Transport):
    """Lets somebody act just before its n-th request."""

    def __init__(self, clock: Clock, *, at: int, by: Callable[[], object]) -> None:
        super().__init__(clock, timeouts=(5, 30))
        self.left, self._act = at, by

    def open(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: Any = None) -> Opened:
        self.left -= 1
        if self.left == 0:
            self._act()
        return super().open(method, url, headers=headers, body=body)


def create(forge: Bot, name: str, start: str) -> PullRequest:
    return forge.create(repository=name, branch=BRANCH, base="main", proposal=proposal(start, title="Update"))


def why_not(act: Callable[[], object]) -> str:
    """Act; say why that failed, if it did."""
    try:
        act()
    except ForgeError as fault:
        return str(fault)
    return ""


def committer(world: GithubWorld, commit: str) -> str:
    return git(world.path(REPOSITORY), "show", "--no-patch", "--format=%cn <%ce>", commit).decode().strip()


def looked(forge: GitHubForge, branch: str, base: str, *pulls: dict[str, object]) -> Answer:
    """A look at the repository that is already of the past."""
    node = forge._github.look(REPOSITORY, BRANCH).id
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [*pulls]}
    tips = {"branch": {"target": {"oid": branch, "message": "A person's work"}}, "base": {"target": {"oid": base}}}
    there = {name: tip for name, tip in tips.items() if tip["target"]["oid"]}
    data = {"viewer": {"login": "refrom[bot]"}, "repository": {"id": node, **there, "pullRequests": page}}
    return Answer(body=json.dumps({"data": data}).encode())


def shown(opened: PullRequest, **other: object) -> dict[str, object]:
    """A pull request as GraphQL shows it."""
    return {
        "id": "PR_1",
        "number": opened.number,
        "title": opened.title,
        "body": opened.body,
        "url": opened.url,
        "state": "OPEN",
        "isCrossRepository": False,
        "headRefOid": opened.head,
        "baseRefName": "main",
        "mergeable": "UNKNOWN",
        **other,
    }

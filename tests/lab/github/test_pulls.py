"""Pull requests: what GitHub refuses, and what becomes of one, whoever did it and with what."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.forge.world import BareRepositories, File, git
from tests.lab.clock import WoundClock
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub

REPOSITORY = "acme/orders"
PULLS = f"/repos/{REPOSITORY}/pulls"
ISSUES = f"/repos/{REPOSITORY}/issues"
WANTED = {"title": "Update", "head": "refrom/x", "base": "main", "body": "Why"}
OF_BRANCH = """query($branch: String!) { repository(owner: "acme", name: "orders") {
  pullRequests(headRefName: $branch, first: 50, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { number state headRefOid headRef { id target { oid } } baseRefName
            commits(last: 1) { nodes { commit { oid } } } } } } }"""
AUTO_MERGE = """mutation($id: ID!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: SQUASH}) { pullRequest { number } } }"""


@pytest.fixture
def persons(fake: FakeGitHub, tmp_path: Path) -> BareRepositories:
    desk = tmp_path / "desk"
    desk.mkdir()
    return BareRepositories(fake.root, desk)


@pytest.fixture
def head(persons: BareRepositories, first: str) -> str:
    """The commit of the branch refrom/x, one ahead of main."""
    assert first
    return persons.push(REPOSITORY, "refrom/x", {"Dockerfile": File(b"FROM new\n")})


@pytest.fixture
def opened(api: Caller, head: str) -> Any:
    """A pull request from refrom/x."""
    assert head
    return api.post(PULLS, WANTED)


def of_branch(api: Caller) -> list[Any]:
    nodes: list[Any] = api.ask(OF_BRANCH, branch="refrom/x")["data"]["repository"]["pullRequests"]["nodes"]
    return nodes


def state(api: Caller, number: int = 1) -> str:
    """The state, after REST and GraphQL agree about it."""
    found = api.get(f"{PULLS}/{number}")
    (node,) = [node for node in of_branch(api) if node["number"] == number]
    assert (node["state"] == "OPEN", node["state"] == "MERGED") == (found["state"] == "open", found["merged"])
    return str(node["state"])


# Opening


def test_a_pull_request_tells_what_it_is(fake: FakeGitHub, api: Caller, first: str, head: str) -> None:
    opened = api.post(PULLS, WANTED)

    assert (opened["number"], opened["state"], opened["title"], opened["body"]) == (1, "open", "Update", "Why")
    assert (opened["head"]["label"], opened["head"]["sha"]) == ("acme:refrom/x", head)
    assert (opened["base"]["ref"], opened["base"]["sha"]) == ("main", first)
    assert (opened["commits"], opened["additions"], opened["deletions"], opened["changed_files"]) == (1, 1, 1, 1)
    assert opened["html_url"] == f"{fake.url}/acme/orders/pull/1"
    assert opened["user"]["login"] == "refrom[bot]"
    assert api.get(f"{PULLS}/1") == {**opened, "mergeable": True, "mergeable_state": "clean"}


def test_whether_it_can_be_merged_is_known_late(api: Caller, persons: BareRepositories, head: str) -> None:
    """Each push begins it anew, and the first who asks is told nothing yet."""
    query = '{ repository(owner: "acme", name: "orders") { pullRequest(number: 1) { mergeable } } }'

    def mergeable() -> list[str]:
        answers = [api.ask(query)["data"]["repository"]["pullRequest"]["mergeable"] for _ in range(2)]
        return [str(answer) for answer in answers]

    assert head
    assert api.post(PULLS, WANTED)["mergeable"] is None
    assert mergeable() == ["MERGEABLE", "MERGEABLE"]
    persons.push(REPOSITORY, "main", {"Dockerfile": File(b"FROM other\n")})
    assert mergeable() == ["UNKNOWN", "CONFLICTING"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"head": "missing"}, {"resource": "PullRequest", "field": "head", "code": "invalid"}),
        ({"head": "other:refrom/x"}, {"resource": "PullRequest", "field": "head", "code": "invalid"}),
        ({"base": "missing"}, {"resource": "PullRequest", "field": "base", "code": "invalid"}),
        (
            {"head": "main"},
            {"resource": "PullRequest", "code": "custom", "message": "No commits between main and main"},
        ),
        (
            {"head": "behind"},
            {"resource": "PullRequest", "code": "custom", "message": "No commits between main and behind"},
        ),
    ],
)
@pytest.mark.usefixtures("head")
def test_what_cannot_be_opened_is_refused(
    fake: FakeGitHub, api: Caller, change: dict[str, str], error: dict[str, str]
) -> None:
    git(fake.root / "acme/orders.git", "branch", "behind", "main")

    answer = api.send("POST", PULLS, {**WANTED, **change})

    assert (answer.status_code, answer.json()["message"]) == (422, "Validation Failed")
    assert answer.json()["errors"] == [error]
    assert fake.pulls(REPOSITORY) == []


@pytest.mark.parametrize("label", ["refrom/x", "acme:refrom/x", "ACME:refrom/x"])
@pytest.mark.usefixtures("opened")
def test_a_second_one_of_the_same_branch_is_refused(fake: FakeGitHub, api: Caller, label: str) -> None:
    answer = api.send("POST", PULLS, {**WANTED, "head": label})

    assert answer.status_code == 422
    message = "A pull request already exists for acme:refrom/x."
    assert answer.json()["errors"] == [{"resource": "PullRequest", "code": "custom", "message": message}]
    assert len(fake.pulls(REPOSITORY)) == 1


@pytest.mark.usefixtures("opened")
def test_one_into_another_base_is_another(fake: FakeGitHub, api: Caller) -> None:
    git(fake.root / "acme/orders.git", "branch", "release", "main")

    assert api.post(PULLS, {**WANTED, "base": "release"})["number"] == 2


@pytest.mark.usefixtures("head")
def test_a_workflow_may_be_kept_from_opening_pull_requests(fake: FakeGitHub, api: Caller) -> None:
    fake.let_actions_open_pulls(allowed=False)

    with Caller(fake.url, fake.token("github-actions[bot]")) as workflow:
        refused = workflow.refused("POST", PULLS, WANTED)

    assert refused == (403, "GitHub Actions is not permitted to create or approve pull requests.")
    assert api.post(PULLS, WANTED)["number"] == 1


# What becomes of one

Ending = Callable[[FakeGitHub, BareRepositories], object]


def merge_with_git(fake: FakeGitHub, persons: BareRepositories) -> None:
    assert fake.pulls(REPOSITORY)
    persons.merge_with_git(REPOSITORY, "refrom/x")


def merge_and_delete(fake: FakeGitHub, persons: BareRepositories) -> None:
    merge_with_git(fake, persons)
    persons.delete_branch(REPOSITORY, "refrom/x")


def push_and_merge(fake: FakeGitHub, persons: BareRepositories) -> None:
    persons.push(REPOSITORY, "refrom/x", {"README": File(b"Mine\n")})
    merge_with_git(fake, persons)


def force_to_base(_: FakeGitHub, persons: BareRepositories) -> None:
    git(persons.path(REPOSITORY), "update-ref", "refs/heads/refrom/x", "refs/heads/main")


def close_and_recreate(fake: FakeGitHub, persons: BareRepositories) -> None:
    fake.close(REPOSITORY, 1)
    git(persons.path(REPOSITORY), "update-ref", "refs/heads/refrom/x", child(persons, "main"))


def delete_base(_: FakeGitHub, persons: BareRepositories) -> None:
    git(persons.path(REPOSITORY), "update-ref", "-d", "refs/heads/main")


@pytest.mark.parametrize(
    ("end", "wanted"),
    [
        (lambda fake, _: fake.merge(REPOSITORY, 1), "MERGED"),
        (merge_with_git, "MERGED"),
        (merge_and_delete, "MERGED"),
        (push_and_merge, "MERGED"),
        (lambda fake, _: fake.close(REPOSITORY, 1), "CLOSED"),
        (lambda _, persons: persons.delete_branch(REPOSITORY, "refrom/x"), "CLOSED"),
        (force_to_base, "CLOSED"),
        (delete_base, "CLOSED"),
    ],
    ids=["button", "git", "git, deleted", "pushed, git", "closed", "deleted", "forced to base", "base deleted"],
)
@pytest.mark.usefixtures("opened")
def test_the_end_of_one_is_seen_and_final(
    fake: FakeGitHub, api: Caller, persons: BareRepositories, end: Ending, wanted: str
) -> None:
    end(fake, persons)
    assert state(api) == wanted

    for branch in ("main", "refrom/x"):
        persons.push(REPOSITORY, branch, {"later": File(b"")})

    assert state(api) == wanted


def test_the_button_merges_what_both_sides_have(
    fake: FakeGitHub, api: Caller, persons: BareRepositories, opened: Any, head: str
) -> None:
    pushed = persons.push(REPOSITORY, "main", {"README": File(b"More\n")})

    merged = fake.merge(REPOSITORY, opened["number"], by="grace")

    found = api.get(f"{PULLS}/1")
    assert (found["merge_commit_sha"], found["merged_by"]["login"]) == (merged, "grace")
    assert persons.parents(REPOSITORY, merged) == [pushed, head]
    assert {"README", "Dockerfile"} <= set(persons.files(REPOSITORY, merged))
    assert (found["commits"], found["changed_files"]) == (1, 1)


def test_what_was_pushed_before_a_merge_is_its_head(
    api: Caller, persons: BareRepositories, fake: FakeGitHub, opened: Any
) -> None:
    pushed = persons.push(REPOSITORY, "refrom/x", {"README": File(b"Mine\n")})
    persons.merge_with_git(REPOSITORY, "refrom/x")

    assert fake.pulls(REPOSITORY)[0].number == opened["number"]
    assert of_branch(api)[0]["headRefOid"] == pushed


@pytest.mark.parametrize(("states", "found"), [("OPEN", [2]), ("CLOSED", [1]), ("[OPEN, CLOSED]", [1, 2])])
@pytest.mark.usefixtures("opened")
def test_graphql_lists_by_state_oldest_first(fake: FakeGitHub, api: Caller, states: str, found: list[int]) -> None:
    fake.close(REPOSITORY, 1)
    api.post(PULLS, WANTED)

    wanted = f"pullRequests(states: {states}, first: 9) {{ nodes {{ number }} }}"
    answer = api.ask(f'{{ repository(owner: "acme", name: "orders") {{ {wanted} }} }}')

    nodes = answer["data"]["repository"]["pullRequests"]["nodes"]
    assert [node["number"] for node in nodes] == found


def test_a_push_is_seen(api: Caller, persons: BareRepositories, opened: Any) -> None:
    pushed = persons.push(REPOSITORY, "refrom/x", {"README": File(b"Mine\n")})

    (node,) = of_branch(api)

    assert node["headRefOid"] == pushed == node["commits"]["nodes"][0]["commit"]["oid"]
    assert api.get(f"{PULLS}/{opened['number']}")["commits"] == 2


@pytest.mark.usefixtures("opened")
def test_a_deleted_branch_is_no_reference_but_its_commit_stays_known(
    api: Caller, persons: BareRepositories, head: str
) -> None:
    persons.delete_branch(REPOSITORY, "refrom/x")

    (node,) = of_branch(api)

    assert (node["headRef"], node["headRefOid"]) == (None, head)
    assert node["commits"]["nodes"][0]["commit"]["oid"] == head


@pytest.mark.usefixtures("opened")
def test_a_renamed_base_takes_its_pull_requests_along(fake: FakeGitHub, api: Caller) -> None:
    fake.rename_branch(REPOSITORY, "main", "trunk")

    (node,) = of_branch(api)

    assert (node["state"], node["baseRefName"]) == ("OPEN", "trunk")
    assert api.get("/repos/acme/orders")["default_branch"] == "trunk"


def test_after_the_end_of_one_the_next_is_another(fake: FakeGitHub, api: Caller, opened: Any) -> None:
    fake.close(REPOSITORY, opened["number"])

    assert api.post(PULLS, WANTED)["number"] == 2
    assert [(node["number"], node["state"]) for node in of_branch(api)] == [(2, "OPEN"), (1, "CLOSED")]


def test_a_forgotten_pull_request_leaves_its_branch(fake: FakeGitHub, api: Caller, opened: Any, head: str) -> None:
    fake.forget_pull_request(REPOSITORY, opened["number"])

    assert of_branch(api) == []
    assert api.get("/repos/acme/orders/git/ref/heads/refrom/x")["object"]["sha"] == head


# Changing


def test_title_text_and_state_change_in_one_call(api: Caller, opened: Any) -> None:
    change = {"title": "Again", "body": "Better", "state": "closed"}

    changed = api.send("PATCH", f"{PULLS}/{opened['number']}", change).json()

    assert {key: changed[key] for key in change} == change
    assert changed["closed_at"] == "2026-11-23T12:00:00Z"
    assert state(api) == "CLOSED"


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (lambda fake, _: fake.merge(REPOSITORY, 1), "The pull request is merged."),
        (
            lambda _, persons: persons.delete_branch(REPOSITORY, "refrom/x"),
            "The refrom/x branch has been deleted.",
        ),
        (force_to_base, "There are no new commits on the refrom/x branch."),
        (close_and_recreate, "The refrom/x branch was force-pushed or recreated."),
    ],
    ids=["merged", "deleted", "forced to base", "recreated"],
)
def test_what_cannot_be_reopened_is_refused(
    fake: FakeGitHub, api: Caller, persons: BareRepositories, opened: Any, end: Ending, why: str
) -> None:
    end(fake, persons)
    assert state(api) != "OPEN"

    refused = api.refused("PATCH", f"{PULLS}/{opened['number']}", {"state": "open"})

    assert refused == (422, f"state cannot be changed. {why}")


def test_one_that_was_closed_is_reopened(fake: FakeGitHub, api: Caller, opened: Any) -> None:
    fake.close(REPOSITORY, opened["number"])

    assert api.send("PATCH", f"{PULLS}/1", {"state": "open"}).json()["state"] == "open"
    assert state(api) == "OPEN"


def test_another_base_must_be_there(fake: FakeGitHub, api: Caller, opened: Any) -> None:
    git(fake.root / "acme/orders.git", "branch", "release", "main")

    refused = api.send("PATCH", f"{PULLS}/{opened['number']}", {"base": "missing"})
    assert refused.json()["errors"] == [{"resource": "PullRequest", "field": "base", "code": "invalid"}]
    assert api.send("PATCH", f"{PULLS}/1", {"base": "release"}).json()["base"]["ref"] == "release"


@pytest.mark.parametrize(("method", "path"), [("GET", PULLS), ("PATCH", PULLS), ("GET", ISSUES), ("POST", ISSUES)])
@pytest.mark.usefixtures("first")
def test_a_pull_request_that_is_not_there_is_not_found(api: Caller, method: str, path: str) -> None:
    place = f"{path}/7" if path == PULLS else f"{path}/7/comments"

    assert api.refused(method, place, {"body": "x"} if method != "GET" else None) == (404, "Not Found")


# Listing


def test_pull_requests_are_listed_by_state_head_and_base(
    fake: FakeGitHub, api: Caller, persons: BareRepositories, first: str
) -> None:
    open_several(api, persons, 3, first)
    fake.close(REPOSITORY, 1)
    wanted = {
        "": [3, 2],
        "?state=closed": [1],
        "?state=all": [3, 2, 1],
        "?state=all&head=acme:b2": [2],
        "?state=all&head=acme%3Ab2": [2],
        "?head=acme:b1": [],
        "?head=other:b2": [],
        "?base=main": [3, 2],
        "?base=other": [],
    }

    assert {query: [pull["number"] for pull in api.get(f"{PULLS}{query}")] for query in wanted} == wanted


def test_a_long_list_is_linked_page_by_page(api: Caller, persons: BareRepositories, first: str) -> None:
    open_several(api, persons, 5, first)

    shown, place, relations = [], f"{PULLS}?state=all&per_page=2", []
    while place:
        answer = api.send("GET", place)
        shown.append([pull["number"] for pull in answer.json()])
        links = {name: url for url, name in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["Link"])}
        relations.append(sorted(links))
        place = links.get("next", "")

    assert shown == [[5, 4], [3, 2], [1]]
    assert relations == [["last", "next"], ["first", "last", "next", "prev"], ["first", "prev"]]
    assert "Link" not in api.send("GET", f"{PULLS}?state=all").headers
    assert api.get(f"{PULLS}?page=9") == []


def open_several(api: Caller, persons: BareRepositories, count: int, first: str) -> None:
    for n in range(1, count + 1):
        git(persons.path(REPOSITORY), "update-ref", f"refs/heads/b{n}", child(persons, first))
        api.post(PULLS, {**WANTED, "head": f"b{n}"})


def child(persons: BareRepositories, parent: str) -> str:
    made = git(persons.path(REPOSITORY), "commit-tree", f"{parent}^{{tree}}", "-p", parent, "-m", "Work")
    return made.decode().strip()


# Comments, labels, auto-merge


def test_comments_are_kept_in_their_order(fake: FakeGitHub, api: Caller, opened: Any, clock: WoundClock) -> None:
    for text in ("One", "Two"):
        made = api.post(f"{ISSUES}/{opened['number']}/comments", {"body": text})
        assert (made["body"], made["user"]["login"]) == (text, "refrom[bot]")

    listed = api.get(f"{ISSUES}/1/comments")

    assert [one["body"] for one in listed] == ["One", "Two"] == [one.body for one in fake.comments(REPOSITORY, 1)]
    assert fake.comments(REPOSITORY, 1)[0].created == clock.now()
    assert [one["body"] for one in api.get(f"{ISSUES}/1/comments?per_page=1&page=2")] == ["Two"]


def test_labels_are_made_on_the_fly_and_never_doubled(fake: FakeGitHub, api: Caller, opened: Any) -> None:
    place = f"{ISSUES}/{opened['number']}/labels"

    api.post(place, {"labels": ["refrom", "Security"]})
    labels = api.post(place, {"labels": ["security", {"name": "new"}]})

    assert [label["name"] for label in labels] == ["refrom", "Security", "new"] == fake.labels(REPOSITORY, 1)
    assert [label["name"] for label in api.get(f"{PULLS}/1")["labels"]] == ["refrom", "Security", "new"]


def test_reviewers_are_asked_all_or_none(fake: FakeGitHub, api: Caller, opened: Any) -> None:
    place = f"{PULLS}/{opened['number']}/requested_reviewers"
    fake.add_collaborator(REPOSITORY, "ada")
    fake.add_team(REPOSITORY, "platform")

    status, said = api.refused("POST", place, {"reviewers": ["ada", "nobody"]})
    assert (status, said.partition(".")[0]) == (422, "Reviews may only be requested from collaborators")
    refused = api.refused("POST", place, {"reviewers": ["refrom[bot]"]})
    assert refused == (422, "Review cannot be requested from pull request author.")
    assert fake.reviewers(REPOSITORY, 1) == []

    for _ in range(2):
        asked = api.post(place, {"reviewers": ["Ada"], "team_reviewers": ["platform"]})
        assert [one["login"] for one in asked["requested_reviewers"]] == ["ada"]
    assert fake.reviewers(REPOSITORY, 1) == ["ada", "acme/platform"]


def test_a_comment_is_deleted_by_its_author_alone(fake: FakeGitHub, api: Caller, opened: Any) -> None:
    made = api.post(f"{ISSUES}/{opened['number']}/comments", {"body": "Hello"})
    query = "mutation($id: ID!) { deleteIssueComment(input: {id: $id}) { clientMutationId } }"

    with Caller(fake.url, fake.token("ada")) as ada:
        assert ada.ask(query, id=made["node_id"])["errors"][0]["type"] == "NOT_FOUND"
    assert "errors" not in api.ask(query, id=made["node_id"])

    assert fake.comments(REPOSITORY, 1) == []
    assert api.ask(query, id=made["node_id"])["errors"][0]["type"] == "NOT_FOUND"


def test_auto_merge_needs_permission_and_a_protected_base(fake: FakeGitHub, api: Caller, opened: Any) -> None:
    def enable() -> str:
        answer = api.ask(AUTO_MERGE, id=opened["node_id"])
        return str(answer["errors"][0]["message"]) if "errors" in answer else "enabled"

    assert enable() == "Pull request Auto merge is not allowed for this repository"
    fake.allow_auto_merge(REPOSITORY)
    assert enable() == "Pull request Protected branch rules not configured for this branch"
    fake.protect(REPOSITORY, "main")
    assert enable() == "enabled"
    merging = api.get(f"{PULLS}/1")["auto_merge"]
    assert (merging["merge_method"], merging["enabled_by"]["login"]) == ("squash", "refrom[bot]")


@pytest.mark.usefixtures("opened")
def test_auto_merge_of_what_is_not_there_is_refused(api: Caller) -> None:
    assert api.ask(AUTO_MERGE, id="PR_x")["errors"][0]["type"] == "NOT_FOUND"


def test_a_commit_that_ends_a_pull_request_does_so_at_once(api: Caller, opened: Any, first: str) -> None:
    """A branch that our own mutation moves to the base's commit has nothing to merge any more."""
    repository = api.ask('{ repository(owner: "acme", name: "orders") { id } }')["data"]["repository"]["id"]
    update = {"name": "refs/heads/refrom/x", "beforeOid": opened["head"]["sha"], "afterOid": first, "force": True}
    query = "mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }"

    api.ask(query, i={"repositoryId": repository, "refUpdates": [update]})

    assert state(api) == "CLOSED"

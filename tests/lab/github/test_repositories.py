"""Reading repositories: lists, trees, blobs, commits; former names, archives and what is private."""

import base64

import pytest

from tests.adapters.forge.world import git
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub

TREE = "/repos/acme/orders/git/trees"
LIST = """query($owner: String!, $after: String) { repositoryOwner(login: $owner) {
  repositories(first: 2, after: $after, ownerAffiliations: OWNER, orderBy: {field: NAME, direction: ASC}) {
    pageInfo { hasNextPage endCursor }
    nodes { nameWithOwner isArchived isDisabled isEmpty isLocked defaultBranchRef { name target { oid } } } } } }"""
NAMED = """query($owner: String!, $name: String!, $follow: Boolean) {
  r0: repository(owner: $owner, name: $name, followRenames: $follow) { nameWithOwner } }"""
COMPARE = """query($head: String!) { repository(owner: "acme", name: "orders") {
  ref(qualifiedName: "refs/heads/main") { compare(headRef: $head) { aheadBy behindBy } } } }"""
RAW = {"Accept": "application/vnd.github.raw+json"}


def test_a_repository_tells_what_it_is(fake: FakeGitHub, api: Caller) -> None:
    fake.create_repository("acme/orders", {"a": b""}, branch="trunk", private=True, archived=True)

    found = api.get("/repos/acme/orders")

    assert (found["full_name"], found["default_branch"]) == ("acme/orders", "trunk")
    assert (found["private"], found["archived"], found["owner"]["type"]) == (True, True, "Organization")
    assert found["clone_url"] == f"{fake.url}/acme/orders.git"


@pytest.mark.usefixtures("first")
def test_an_enterprise_server_is_the_same_with_other_addresses(fake: FakeGitHub) -> None:
    with Caller(fake.enterprise_url, fake.token("ada")) as api:
        assert api.get("/repos/acme/orders")["url"] == f"{fake.url}/api/v3/repos/acme/orders"
        assert api.ask("{ viewer { login } }") == {"data": {"viewer": {"login": "ada"}}}


def test_repositories_are_listed_by_name_page_by_page(fake: FakeGitHub, api: Caller) -> None:
    commits = {name: fake.create_repository(f"acme/{name}", {"a": b""}) for name in ("zebra", "Bear", "ant")}
    fake.create_repository("acme/empty", {})
    fake.create_repository("other/one", {"a": b""})

    listed, after, more = [], None, True
    while more:
        page = api.ask(LIST, owner="ACME", after=after)["data"]["repositoryOwner"]["repositories"]
        listed += page["nodes"]
        more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]

    assert [one["nameWithOwner"] for one in listed] == ["acme/ant", "acme/Bear", "acme/empty", "acme/zebra"]
    assert listed[0]["defaultBranchRef"] == {"name": "main", "target": {"oid": commits["ant"]}}
    assert (listed[2]["isEmpty"], listed[2]["defaultBranchRef"]) == (True, None)


def test_an_unknown_owner_is_null_and_one_without_repositories_has_none(fake: FakeGitHub, api: Caller) -> None:
    fake.organization("acme")
    fake.user("ada")

    assert api.ask(LIST, owner="nobody")["data"]["repositoryOwner"] is None
    for owner in ("acme", "ada"):
        assert api.ask(LIST, owner=owner)["data"]["repositoryOwner"]["repositories"]["nodes"] == []


def test_a_repository_that_somebody_puts_there_is_found(fake: FakeGitHub, api: Caller, first: str) -> None:
    (fake.root / "acme" / "orders.git").rename(fake.root / "acme" / "bills.git")

    assert api.get("/repos/acme/bills")["full_name"] == "acme/bills"
    assert api.refused("GET", "/repos/acme/orders") == (404, "Not Found")
    assert api.get(f"/repos/acme/bills/git/commits/{first}")["sha"] == first


def test_a_former_name_leads_to_the_present_one(fake: FakeGitHub, api: Caller, first: str) -> None:
    number = api.get("/repos/acme/orders")["id"]
    fake.rename_repository("acme/orders", "emca/bills")

    moved = api.send("GET", f"{TREE}/{first}?recursive=1")

    location = f"{fake.url}/repositories/{number}/git/trees/{first}"
    assert (moved.status_code, moved.headers["Location"]) == (301, location)
    assert moved.json() == {
        "message": "Moved Permanently",
        "url": location,
        "documentation_url": moved.json()["documentation_url"],
    }
    assert api.get(location)["sha"]
    assert api.get(f"/repositories/{number}")["full_name"] == "emca/bills"
    assert api.send("POST", "/repos/acme/orders/git/blobs", {"content": ""}).status_code == 307


@pytest.mark.usefixtures("first")
def test_graphql_follows_a_former_name_unless_told_not_to(fake: FakeGitHub, api: Caller) -> None:
    fake.rename_repository("acme/orders", "acme/bills")

    followed, strict = (api.ask(NAMED, owner="acme", name="orders", follow=follow) for follow in (True, False))

    assert followed["data"]["r0"] == {"nameWithOwner": "acme/bills"}
    assert strict["data"]["r0"] is None
    assert strict["errors"][0]["type"] == "NOT_FOUND"


def test_a_name_that_is_taken_again_leads_nowhere_else(fake: FakeGitHub, api: Caller, first: str) -> None:
    fake.rename_repository("acme/orders", "acme/bills")
    fake.create_repository("acme/orders", {"new": b""})

    assert api.get("/repos/acme/orders")["full_name"] == "acme/orders"
    assert api.refused("GET", f"/repos/acme/orders/git/commits/{first}") == (404, "Not Found")


def test_an_unknown_repository_is_not_found(api: Caller) -> None:
    answer = api.ask(NAMED, owner="acme", name="missing", follow=True)

    assert api.refused("GET", "/repos/acme/missing") == (404, "Not Found")
    assert answer["data"] == {"r0": None}
    (error,) = answer["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["r0"])
    assert error["message"] == "Could not resolve to a Repository with the name 'acme/missing'."


def test_branches_are_compared(fake: FakeGitHub, api: Caller, first: str) -> None:
    path = fake.root / "acme/orders.git"
    git(path, "branch", "work", first)
    for branch in ("main", "work", "work"):
        made = git(path, "commit-tree", f"{first}^{{tree}}", "-p", branch, "-m", branch).decode().strip()
        git(path, "update-ref", f"refs/heads/{branch}", made)

    answers = {head: api.ask(COMPARE, head=head)["data"]["repository"]["ref"] for head in ("work", "main", "missing")}

    assert answers["work"] == {"compare": {"aheadBy": 2, "behindBy": 1}}
    assert answers["main"] == {"compare": {"aheadBy": 0, "behindBy": 0}}
    assert answers["missing"] == {"compare": None}


# Trees, blobs, commits


def test_a_tree_is_listed_with_its_folders_modes_and_sizes(api: Caller, first: str) -> None:
    whole, top = (api.get(f"{TREE}/{first}{query}") for query in ("?recursive=1", ""))

    assert [(e["path"], e["mode"], e["type"], e.get("size")) for e in whole["tree"]] == [
        ("Dockerfile", "100644", "blob", 9),
        ("app", "040000", "tree", None),
        ("app/run.sh", "100644", "blob", 10),
    ]
    assert [entry["path"] for entry in top["tree"]] == ["Dockerfile", "app"]
    assert (whole["truncated"], top["truncated"]) == (False, False)


def test_a_tree_is_found_by_branch_commit_and_tree(api: Caller, first: str) -> None:
    tree = api.get(f"/repos/acme/orders/git/commits/{first}")["tree"]["sha"]

    assert {api.get(f"{TREE}/{name}")["sha"] for name in ("main", first, tree)} == {tree}


def test_a_long_tree_is_truncated(fake: FakeGitHub, api: Caller, first: str) -> None:
    fake.truncate_trees(2)

    whole, top = (api.get(f"{TREE}/{first}{query}") for query in ("?recursive=1", ""))

    assert ([entry["path"] for entry in whole["tree"]], whole["truncated"]) == (["Dockerfile", "app"], True)
    assert not top["truncated"]


def test_a_blob_is_given_raw_or_in_base64(fake: FakeGitHub, api: Caller) -> None:
    content = bytes(range(256)) * 10
    commit = fake.create_repository("acme/orders", {"a": content})
    (entry,) = api.get(f"{TREE}/{commit}")["tree"]

    blob = api.get(f"/repos/acme/orders/git/blobs/{entry['sha']}")
    raw = api.send("GET", f"/repos/acme/orders/git/blobs/{entry['sha']}", headers=RAW)

    assert (blob["encoding"], base64.b64decode(blob["content"])) == ("base64", content)
    assert (raw.content, raw.headers["Content-Type"]) == (content, "application/vnd.github.raw+json; charset=utf-8")


def test_a_commit_tells_tree_parents_and_who(api: Caller, first: str) -> None:
    found = api.get(f"/repos/acme/orders/git/commits/{first}")

    assert (found["sha"], found["parents"], found["message"]) == (first, [], "Initial commit")
    assert found["committer"] == {"name": "GitHub", "email": "noreply@github.com", "date": "2026-11-23T12:00:00Z"}


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        (f"trees/{'1' * 40}", (404, "Not Found")),
        ("trees/missing", (404, "Not Found")),
        (f"blobs/{'1' * 40}", (404, "Not Found")),
        ("blobs/main", (422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].")),
        (f"commits/{'1' * 40}", (404, "Not Found")),
        ("commits/main", (404, "Not Found")),
        ("ref/heads/missing", (404, "Not Found")),
        ("ref/heads", (404, "Not Found")),
    ],
)
@pytest.mark.usefixtures("first")
def test_what_is_not_there_is_not_found(api: Caller, path: str, refusal: tuple[int, str]) -> None:
    assert api.refused("GET", f"/repos/acme/orders/git/{path}") == refusal


def test_an_empty_repository_has_no_git_database(fake: FakeGitHub, api: Caller) -> None:
    fake.create_repository("acme/orders", {})

    for path in ("trees/main", f"commits/{'1' * 40}", "ref/heads/main"):
        assert api.refused("GET", f"/repos/acme/orders/git/{path}") == (409, "Git Repository is empty.")


def test_an_operation_that_the_fake_has_not_is_a_violation(fake: FakeGitHub, api: Caller) -> None:
    assert api.send("GET", "/orgs/acme/repos").status_code == 404
    assert api.send("GET", "/nowhere").status_code == 404

    assert fake.violations == [
        "GET /orgs/acme/repos: the fake does not speak it (repos/list-for-org)",
        "GET /nowhere: the fake does not speak it (no operation of GitHub)",
    ]
    fake.violations.clear()

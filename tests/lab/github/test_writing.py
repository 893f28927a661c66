"""Writing commits and references: by GraphQL with what was expected, and by the git database."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from tests.adapters.forge.world import git
from tests.lab.github.caller import Caller
from tests.lab.github.fake import FakeGitHub

GIT = "/repos/acme/orders/git"
ZERO = "0" * 40
MISSING = "1" * 40
COMMIT = """mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) {
    commit { oid message author { email user { login } } committer { email } } } }"""
REFS = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"
BRANCH = "refs/heads/refrom/x"


def commit(api: Caller, tip: str, files: Mapping[str, bytes], branch: str = "main", body: str = "") -> Any:
    additions = [{"path": path, "contents": base64.b64encode(content).decode()} for path, content in files.items()]
    wanted = {
        "branch": {"repositoryNameWithOwner": "acme/orders", "branchName": branch},
        "expectedHeadOid": tip,
        "message": {"headline": "Update", "body": body},
        "fileChanges": {"additions": additions},
    }
    return api.ask(COMMIT, input=wanted)


def update_refs(api: Caller, *updates: Mapping[str, object]) -> Any:
    repository = api.ask('{ repository(owner: "acme", name: "orders") { id } }')["data"]["repository"]["id"]
    return api.ask(REFS, input={"repositoryId": repository, "refUpdates": list(updates)})


def tree_of(api: Caller, oid: str) -> str:
    return str(api.get(f"{GIT}/commits/{oid}")["tree"]["sha"])


def references(fake: FakeGitHub) -> dict[str, str]:
    lines = git(fake.root / "acme/orders.git", "for-each-ref", "--format=%(refname) %(objectname)").decode()
    return dict(line.split() for line in lines.splitlines())


# createCommitOnBranch


def test_a_commit_is_authored_by_the_caller_and_committed_by_github(fake: FakeGitHub, first: str) -> None:
    with Caller(fake.url, fake.token("ada")) as api:
        made = commit(api, first, {"Dockerfile": b"FROM new\n"}, body="Refrom-Branch: main")["data"]

    made = made["createCommitOnBranch"]["commit"]
    assert made["message"] == "Update\n\nRefrom-Branch: main"
    assert made["author"]["user"] == {"login": "ada"}
    assert made["author"]["email"].endswith("+ada@users.noreply.github.com")
    assert made["committer"] == {"email": "noreply@github.com"}
    assert references(fake) == {"refs/heads/main": made["oid"]}
    shown = git(fake.root / "acme/orders.git", "show", "--format=%P", made["oid"]).decode()
    assert shown.startswith(f"{first}\n")
    assert "+FROM new" in shown


def test_a_bot_is_no_user(api: Caller, first: str) -> None:
    made = commit(api, first, {"a": b""})["data"]["createCommitOnBranch"]["commit"]

    assert made["author"]["user"] is None
    assert made["author"]["email"].endswith("+refrom[bot]@users.noreply.github.com")


def test_every_file_of_a_commit_gets_the_plain_mode(fake: FakeGitHub, api: Caller, first: str) -> None:
    tree = api.post(
        f"{GIT}/trees",
        {"base_tree": tree_of(api, first), "tree": [{"path": "run", "mode": "100755", "type": "blob", "content": "x"}]},
    )
    assert [e["mode"] for e in tree["tree"] if e["path"] == "run"] == ["100755"]
    made = api.post(f"{GIT}/commits", {"message": "x", "tree": tree["sha"], "parents": [first]})
    update_refs(api, {"name": "refs/heads/main", "afterOid": made["sha"], "beforeOid": first})

    oid = commit(api, made["sha"], {"run": b"y", "ü\n*": b"z"})["data"]["createCommitOnBranch"]["commit"]["oid"]

    modes = {e["path"]: e["mode"] for e in api.get(f"{GIT}/trees/{oid}?recursive=1")["tree"] if e["type"] == "blob"}
    assert modes == dict.fromkeys(["Dockerfile", "app/run.sh", "run", "ü\n*"], "100644")
    assert references(fake) == {"refs/heads/main": oid}


def test_a_stale_head_is_refused(fake: FakeGitHub, api: Caller, first: str) -> None:
    now = commit(api, first, {"a": b""})["data"]["createCommitOnBranch"]["commit"]["oid"]

    answer = commit(api, first, {"b": b""})

    assert answer["data"] == {"createCommitOnBranch": None}
    (error,) = answer["errors"]
    assert (error["type"], error["path"]) == ("STALE_DATA", ["createCommitOnBranch"])
    assert error["message"] == f'Expected branch to point to "{first}" but it did not.  Pull and try again.'
    assert references(fake) == {"refs/heads/main": now}


@pytest.mark.parametrize("path", ["../x", ".git/config", "", "/x"])
def test_a_path_that_git_takes_not_is_refused(fake: FakeGitHub, api: Caller, first: str, path: str) -> None:
    assert commit(api, first, {path: b"x"})["errors"][0]["type"] == "UNPROCESSABLE"
    assert references(fake) == {"refs/heads/main": first}


def test_a_missing_branch_is_refused(api: Caller, first: str) -> None:
    assert commit(api, first, {"a": b""}, branch="missing")["errors"][0]["type"] == "NOT_FOUND"


def test_a_protected_branch_takes_no_commits_and_no_moves(fake: FakeGitHub, api: Caller, first: str) -> None:
    fake.protect("acme/orders", "main")

    refused = commit(api, first, {"a": b""})["errors"][0]

    assert refused["type"] == "UNPROCESSABLE"
    assert "protected branch 'main' check failed" in refused["message"]
    moved = update_refs(api, {"name": "refs/heads/main", "afterOid": first})
    assert "protected branch" in moved["errors"][0]["message"]
    assert references(fake) == {"refs/heads/main": first}


# updateRefs


def test_references_are_made_moved_and_deleted(fake: FakeGitHub, api: Caller, first: str) -> None:
    assert update_refs(api, {"name": BRANCH, "beforeOid": ZERO, "afterOid": first}) == {
        "data": {"updateRefs": {"clientMutationId": None}}
    }
    second = commit(api, first, {"a": b""})["data"]["createCommitOnBranch"]["commit"]["oid"]
    update_refs(api, {"name": BRANCH, "beforeOid": first, "afterOid": second})
    assert references(fake) == {"refs/heads/main": second, BRANCH: second}

    update_refs(api, {"name": BRANCH, "beforeOid": second, "afterOid": ZERO})

    assert references(fake) == {"refs/heads/main": second}


@pytest.mark.parametrize(
    "update",
    [
        {"name": BRANCH, "beforeOid": MISSING, "afterOid": ZERO},
        {"name": BRANCH, "beforeOid": ZERO, "afterOid": "FIRST"},
        {"name": BRANCH, "afterOid": "FIRST"},
        {"name": BRANCH, "afterOid": MISSING},
        {"name": "refs/heads/main", "afterOid": ZERO},
        {"name": "refs/heads/other", "beforeOid": "FIRST", "afterOid": "FIRST"},
        {"name": "refs/heads/refrom/x/y", "beforeOid": ZERO, "afterOid": "FIRST"},
        {"name": "main", "afterOid": "FIRST"},
    ],
    ids=[
        "was else",
        "was there",
        "no fast forward",
        "no object",
        "default",
        "was not there",
        "in the way",
        "unqualified",
    ],
)
def test_references_move_all_or_none(fake: FakeGitHub, api: Caller, first: str, update: Mapping[str, str]) -> None:
    api.post(f"{GIT}/refs", {"ref": BRANCH, "sha": first})
    commit(api, first, {"a": b""}, branch="refrom/x")
    before = references(fake)
    wanted = {key: first if value == "FIRST" else value for key, value in update.items()}

    answer = update_refs(api, {"name": "refs/heads/new", "afterOid": first}, wanted)

    assert answer["data"] == {"updateRefs": None}
    assert answer["errors"][0]["type"] == "UNPROCESSABLE"
    assert references(fake) == before


def test_force_moves_a_branch_back(fake: FakeGitHub, api: Caller, first: str) -> None:
    second = commit(api, first, {"a": b""})["data"]["createCommitOnBranch"]["commit"]["oid"]

    update_refs(api, {"name": "refs/heads/main", "beforeOid": second, "afterOid": first, "force": True})

    assert references(fake) == {"refs/heads/main": first}


# The git database


def test_blob_tree_commit_and_reference_make_a_branch(fake: FakeGitHub, api: Caller, first: str) -> None:
    blob = api.post(f"{GIT}/blobs", {"content": base64.b64encode(b"\0").decode(), "encoding": "base64"})
    lines = [
        {"path": "app/run.sh", "mode": "100755", "type": "blob", "sha": blob["sha"]},
        {"path": "Dockerfile", "mode": "100644", "type": "blob", "sha": None},
    ]
    tree = api.post(f"{GIT}/trees", {"base_tree": tree_of(api, first), "tree": lines})
    made = api.post(f"{GIT}/commits", {"message": "Up\n\nTo date", "tree": tree["sha"], "parents": [first]})
    reference = api.post(f"{GIT}/refs", {"ref": BRANCH, "sha": made["sha"]})

    assert reference["object"] == {"sha": made["sha"], "type": "commit", "url": reference["object"]["url"]}
    assert api.get(f"{GIT}/ref/heads/refrom/x") == reference
    assert references(fake)[BRANCH] == made["sha"]
    (file,) = [e for e in api.get(f"{GIT}/trees/{made['sha']}?recursive=1")["tree"] if e["type"] == "blob"]
    assert (file["path"], file["mode"], file["sha"]) == ("app/run.sh", "100755", blob["sha"])
    assert (made["message"], made["parents"][0]["sha"]) == ("Up\n\nTo date", first)
    assert made["author"] == made["committer"]
    assert made["author"]["name"] == "refrom[bot]"


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("refs", {"ref": "refs/heads/main", "sha": "FIRST"}, (422, "Reference already exists")),
        ("refs", {"ref": "refs/heads/x", "sha": MISSING}, (422, "Object does not exist")),
        ("refs", {"ref": "refs/heads/main/x", "sha": "FIRST"}, (422, "Reference update failed")),
        ("refs", {"ref": "heads/x", "sha": "FIRST"}, (422, "Reference name must start with 'refs/' and")),
        ("blobs", {"content": "%", "encoding": "base64"}, (422, "content is not valid Base64")),
        ("trees", {"tree": [{"path": "a", "sha": MISSING}]}, (422, f"tree.sha {MISSING} is not a valid blob")),
        ("trees", {"base_tree": MISSING, "tree": []}, (404, "Not Found")),
        ("trees", {"base_tree": "FIRST", "tree": []}, (422, "base_tree is not a valid tree oid")),
        ("trees", {"tree": [{"path": "../a", "content": "x"}]}, (422, "tree contains a path that is malformed")),
        ("commits", {"message": "x", "tree": MISSING}, (422, "Tree SHA does not exist")),
        ("commits", {"message": "x", "tree": "TREE", "parents": [MISSING]}, (422, "Parent SHA does not exist or")),
    ],
)
def test_what_cannot_be_made_is_refused(
    api: Caller, first: str, path: str, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    tree = api.get(f"{GIT}/trees/{first}")["sha"]
    known = {"FIRST": first, "TREE": tree}
    wanted = {key: known.get(value, value) if isinstance(value, str) else value for key, value in body.items()}

    status, message = api.refused("POST", f"{GIT}/{path}", wanted)

    assert status == refusal[0]
    assert message.startswith(refusal[1])


def test_an_archive_is_read_only(fake: FakeGitHub, api: Caller, first: str) -> None:
    fake.archive("acme/orders")

    read_only = "Repository was archived so is read-only."
    assert api.refused("POST", f"{GIT}/refs", {"ref": BRANCH, "sha": first}) == (403, read_only)
    assert commit(api, first, {"a": b""})["errors"][0]["message"] == read_only
    assert api.get(f"{GIT}/ref/heads/main")["object"]["sha"] == first


def test_a_request_that_breaks_the_description_is_a_violation_and_refused(fake: FakeGitHub, api: Caller) -> None:
    fake.create_repository("acme/orders", {"a": b""})

    status, message = api.refused("POST", f"{GIT}/refs", {"ref": BRANCH, "oid": MISSING})

    assert (status, "'sha' is a required property" in message) == (422, True)
    assert fake.violations == [
        f"POST {GIT}/refs (git/create-ref): body: 'sha' is a required property",
        f"POST {GIT}/refs (git/create-ref): body: unknown key 'oid'",
    ]
    fake.violations.clear()

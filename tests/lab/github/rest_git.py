"""REST: repositories, and their git database."""

import base64
import binascii
from typing import Any

from tests.lab.github.bare_git import BRANCHES, SHA, ZERO, Entry, GitRefused, Move
from tests.lab.github.calls import Call, Reply, endpoint
from tests.lab.github.refusals import Gap, Refusal
from tests.lab.github.repository import Repository

_RAW = "application/vnd.github.raw+json"
_READ, _WRITE = "contents=read", "contents=write"


@endpoint("repos/get")
def get_repository(call: Call) -> Reply:
    """A repository with what the caller may as a user, which no bot is; a former name leads to it."""
    repository, token = call.repository("metadata=read"), call.token
    may = token is not None and not token.is_integration and call.hub.reaches(token, repository)
    levels = {"admin": False, "maintain": False, "push": may, "triage": may, "pull": may}
    return Reply(body={**call.shapes.full_repository(repository), "permissions": levels})


@endpoint("git/get-tree")
def get_tree(call: Call) -> Reply:
    """A tree, of a commit or a branch too; a recursive one is cut where it grows too long."""
    repository = _with_commits(call, _READ)
    name = call.values["tree_sha"]
    kind = repository.git.kind(name)
    commit = None if kind == "tree" else call.hub.commit_of(repository, name)
    if kind != "tree" and commit is None:
        raise Refusal(404, "Not Found")
    tree, recursive = (commit.tree if commit else name), "recursive" in call.query
    entries = repository.git.entries(tree, recursive=recursive)
    most = call.hub.largest_tree if recursive else len(entries)
    return Reply(body=call.shapes.tree(repository, tree, entries[:most], truncated=len(entries) > most))


@endpoint("git/get-blob")
def get_blob(call: Call) -> Reply:
    """A blob, raw where the caller accepts that."""
    repository = _with_commits(call, _READ)
    oid = call.values["file_sha"]
    if not SHA.fullmatch(oid):
        raise Refusal(422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    if repository.git.kind(oid) != "blob":
        raise Refusal(404, "Not Found")
    content = repository.git.blob(oid)
    if _RAW in call.headers.get("accept", ""):
        return Reply(body=content, headers={"Content-Type": f"{_RAW}; charset=utf-8"})
    return Reply(body=call.shapes.blob(repository, oid, content))


@endpoint("git/get-commit")
def get_commit(call: Call) -> Reply:
    """A commit."""
    repository = _with_commits(call, _READ)
    oid = call.values["commit_sha"]
    if repository.git.kind(oid) != "commit":
        raise Refusal(404, "Not Found")
    return Reply(body=call.shapes.commit(repository, repository.git.commit(oid)))


@endpoint("git/get-ref")
def get_reference(call: Call) -> Reply:
    """A reference, named without its `refs/`."""
    repository = _with_commits(call, _READ)
    name = f"refs/{call.values['ref']}"
    oid = repository.git.references(name).get(name)
    if oid is None:
        raise Refusal(404, "Not Found")
    return Reply(body=call.shapes.reference(repository, name, oid, str(repository.git.kind(oid))))


@endpoint("git/create-ref")
def create_reference(call: Call) -> Reply:
    """A new reference to an object that is there."""
    repository = _with_commits(call, _WRITE)
    name, oid = call.body["ref"], call.body["sha"]
    if not name.startswith("refs/") or name.count("/") < 2:
        raise Refusal(422, "Reference name must start with 'refs/' and contain at least two slashes.")
    if name in repository.git.references(name):
        raise Refusal(422, "Reference already exists")
    kind = repository.git.kind(oid)
    if kind is None or (name.startswith(BRANCHES) and kind != "commit"):
        raise Refusal(422, "Object does not exist")
    if name.removeprefix(BRANCHES) in repository.protected:
        raise Refusal(422, "Reference update failed")
    try:
        repository.git.move([Move(name=name, old=ZERO, new=oid)])
    except GitRefused:
        raise Refusal(422, "Reference update failed") from None
    shape = call.shapes.reference(repository, name, oid, kind)
    return Reply(status=201, body=shape, headers={"Location": shape["url"]})


@endpoint("git/create-blob")
def create_blob(call: Call) -> Reply:
    """A new blob."""
    repository = _with_commits(call, _WRITE)
    oid = repository.git.write_blob(_content(call.body))
    url = f"{call.shapes.url(repository)}/git/blobs/{oid}"
    return Reply(status=201, body={"url": url, "sha": oid}, headers={"Location": url})


@endpoint("git/create-tree")
def create_tree(call: Call) -> Reply:
    """A new tree: another one with files set, or taken away by a null sha."""
    repository = _with_commits(call, _WRITE)
    base = call.body.get("base_tree")
    if base is not None and repository.git.kind(base) != "tree":
        raise Refusal(422, "base_tree is not a valid tree oid")
    entries = [_entry(repository, line) for line in call.body["tree"]]
    try:
        oid = repository.git.write_tree(base, entries)
    except GitRefused:
        raise Refusal(422, "tree contains a path that is malformed") from None
    shape = call.shapes.tree(repository, oid, repository.git.entries(oid, recursive=False), truncated=False)
    return Reply(status=201, body=shape, headers={"Location": shape["url"]})


@endpoint("git/create-commit")
def create_commit(call: Call) -> Reply:
    """A new commit; author and committer are the caller, who may not name others here."""
    repository = _with_commits(call, _WRITE)
    body = call.body
    if {"author", "committer", "signature"} & set(body):
        raise Gap("the fake makes commits of the caller only; git/create-commit named somebody")
    if repository.git.kind(body["tree"]) != "tree":
        raise Refusal(422, "Tree SHA does not exist")
    parents = body.get("parents", [])
    if any(repository.git.kind(parent) != "commit" for parent in parents):
        raise Refusal(422, "Parent SHA does not exist or is not a commit object")
    by = call.hub.signature(call.account)
    oid = repository.git.write_commit(
        tree=body["tree"], parents=parents, author=by, committer=by, message=body["message"]
    )
    shape = call.shapes.commit(repository, repository.git.commit(oid))
    return Reply(status=201, body=shape, headers={"Location": shape["url"]})


def _with_commits(call: Call, permission: str) -> Repository:
    """Return the repository of the path, which the git database needs not to be empty."""
    repository = call.repository(permission)
    if not repository.git.references("refs/"):
        raise Refusal(409, "Git Repository is empty.")
    return repository


def _content(body: dict[str, Any]) -> bytes:
    text = body["content"]
    if body.get("encoding", "utf-8") != "base64":
        return str(text).encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Refusal(422, "content is not valid Base64") from None


def _entry(repository: Repository, line: dict[str, Any]) -> Entry:
    mode = line.get("mode", "100644")
    if mode in ("040000", "160000"):
        raise Gap("the fake puts no trees and submodules into trees")
    if "content" in line:
        oid = repository.git.write_blob(line["content"].encode())
    elif line["sha"] is None:
        oid, mode = ZERO, "0"
    elif repository.git.kind(line["sha"]) == "blob":
        oid = line["sha"]
    else:
        raise Refusal(422, f"tree.sha {line['sha']} is not a valid blob")
    return Entry(path=line["path"], mode=mode, kind="blob", oid=oid)

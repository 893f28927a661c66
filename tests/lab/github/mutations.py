"""What GraphQL mutations do: commits, references, auto-merge."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from tests.lab.github.bare_git import BRANCHES, REGULAR, SHA, ZERO, Entry, GitRefused, Move
from tests.lab.github.graph import Graph
from tests.lab.github.graphql import Node
from tests.lab.github.links import from_node_id
from tests.lab.github.refusals import FieldRefusal, Gap
from tests.lab.github.repository import Repository

_UNPROCESSABLE: Final = "UNPROCESSABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutations:
    """What one caller may do."""

    graph: Graph

    def mutation(self) -> Node:
        """Return the top of all mutations."""
        return {
            "__typename": "Mutation",
            "createCommitOnBranch": self.create_commit,
            "updateRefs": self.update_references,
            "enablePullRequestAutoMerge": self.enable_auto_merge,
            "deleteIssueComment": self.delete_comment,
        }

    def create_commit(self, input: Node) -> Node:  # noqa: A002 (GitHub's name)
        """Put a commit with files on a branch that is still where the caller saw it; every file gets mode 100644."""
        target = input["branch"]
        if "id" in target or "repositoryNameWithOwner" not in target:
            raise Gap("the fake finds branches by repositoryNameWithOwner and branchName only")
        repository = self.graph.find(target["repositoryNameWithOwner"])
        self._require(repository, "contents=write")
        branch = str(target["branchName"]).removeprefix(BRANCHES)
        tip = repository.branches().get(branch)
        if tip is None:
            raise FieldRefusal("NOT_FOUND", f"Could not resolve to a Ref with the name '{BRANCHES}{branch}'.")
        if tip != input["expectedHeadOid"]:
            raise _stale(input["expectedHeadOid"])
        self._refuse_protected(repository, branch)
        oid = self._commit(repository, tip, input)
        try:
            repository.git.move([Move(name=f"{BRANCHES}{branch}", old=tip, new=oid)])
        except GitRefused:
            raise _stale(input["expectedHeadOid"]) from None
        self.graph.hub.settle(repository)
        return {
            "clientMutationId": input.get("clientMutationId"),
            "commit": self.graph.commit(repository, oid),
            "ref": self.graph.reference(repository, branch, oid),
        }

    def update_references(self, input: Node) -> Node:  # noqa: A002 (GitHub's name)
        """Move references, all or none; each may say what it was."""
        repository = self._by_node_id(input["repositoryId"])
        self._require(repository, "contents=write")
        now = repository.git.references("refs/")
        moves = [self._move(repository, now, update) for update in input["refUpdates"]]
        try:
            repository.git.move(moves)
        except GitRefused as refused:
            raise FieldRefusal(_UNPROCESSABLE, f"Reference update failed: {refused}") from None
        self.graph.hub.settle(repository)
        return {"clientMutationId": input.get("clientMutationId")}

    def enable_auto_merge(self, input: Node) -> Node:  # noqa: A002 (GitHub's name)
        """Let a pull request merge itself, where the repository allows that and the base has rules to wait for."""
        number = from_node_id("PR", input["pullRequestId"])
        found = [
            (repository, pull)
            for repository in self.graph.hub.all()
            for pull in repository.pulls.values()
            if str(pull.id) == number and self.graph.hub.may_see(self.graph.token, repository)
        ]
        if not found:
            raise _no_node(input["pullRequestId"])
        repository, pull = found[0]
        self._require(repository, "pull_requests=write")
        self.graph.hub.settle(repository)
        if not repository.allows_auto_merge:
            raise FieldRefusal(_UNPROCESSABLE, "Pull request Auto merge is not allowed for this repository")
        if not pull.is_open:
            raise FieldRefusal(_UNPROCESSABLE, "Pull request is closed")
        if pull.base not in repository.protected:
            text = "Pull request Protected branch rules not configured for this branch"
            raise FieldRefusal(_UNPROCESSABLE, text)
        if repository.all_passed:
            raise FieldRefusal(_UNPROCESSABLE, "Pull request Pull request is in clean status")
        if input["mergeMethod"] not in repository.merge_methods:
            method = str(input["mergeMethod"]).lower()
            text = f"Pull request Merge method {method} merging is not allowed on this repository"
            raise FieldRefusal(_UNPROCESSABLE, text)
        if input.get("expectedHeadOid", pull.head) != pull.head:
            raise FieldRefusal(_UNPROCESSABLE, "Pull request Head branch was modified. Review and try the merge again.")
        pull.auto_merge = (self.graph.token.account, input["mergeMethod"])
        return {"clientMutationId": input.get("clientMutationId"), "pullRequest": self.graph.pull(repository, pull)}

    def delete_comment(self, input: Node) -> Node:  # noqa: A002 (GitHub's name)
        """Delete a comment of the caller."""
        number = from_node_id("IC", input["id"])
        for repository in self.graph.hub.all():
            for pull in repository.pulls.values():
                for comment in pull.comments:
                    if str(comment.id) == number and comment.author == self.graph.token.account:
                        self._require(repository, "pull_requests=write")
                        pull.comments.remove(comment)
                        return {"clientMutationId": input.get("clientMutationId")}
        raise _no_node(input["id"])

    def _commit(self, repository: Repository, tip: str, wanted: Node) -> str:
        changes, message, hub = wanted.get("fileChanges", {}), wanted["message"], self.graph.hub
        entries = [
            Entry(path=one["path"], mode=REGULAR, kind="blob", oid=repository.git.write_blob(_decoded(one["contents"])))
            for one in changes.get("additions") or ()
        ]
        entries += [Entry(path=one["path"], mode="0", kind="blob", oid=ZERO) for one in changes.get("deletions") or ()]
        try:
            tree = repository.git.write_tree(tip, entries)
        except GitRefused:
            text = "A path was requested for addition which is invalid"
            raise FieldRefusal(_UNPROCESSABLE, text) from None
        body = message.get("body") or ""
        return repository.git.write_commit(
            tree=tree,
            parents=[tip],
            author=hub.signature(self.graph.token.account),
            committer=hub.web_flow(),
            message=f"{message['headline']}\n\n{body}" if body else message["headline"],
        )

    def _move(self, repository: Repository, now: dict[str, str], update: Node) -> Move:
        name, after, before = update["name"], update["afterOid"], update.get("beforeOid")
        if not name.startswith("refs/"):
            raise FieldRefusal(_UNPROCESSABLE, f"{name} is not a fully qualified reference name")
        if any(not SHA.fullmatch(oid) for oid in (after, before or ZERO)):
            raise Gap(f"updateRefs of {name} has no object ids")
        if before is not None and now.get(name, ZERO) != before:
            text = f"Reference update failed: {name} is at {now.get(name, ZERO)} but expected {before}"
            raise FieldRefusal(_UNPROCESSABLE, text)
        self._refuse_protected(repository, name.removeprefix(BRANCHES))
        if after == ZERO and name == repository.git.head_name():
            raise FieldRefusal(_UNPROCESSABLE, f"Reference update failed: {name} is the default branch")
        if after != ZERO and repository.git.kind(after) != "commit":
            raise FieldRefusal(_UNPROCESSABLE, f"Reference update failed: object {after} does not exist")
        is_new = name not in now or after == ZERO
        if not is_new and not update["force"] and not repository.git.reaches(after, now[name]):
            raise FieldRefusal(_UNPROCESSABLE, f"Reference update failed: {name} is not a fast forward")
        return Move(name=name, old=now.get(name, ZERO), new=after)

    def _by_node_id(self, text: str) -> Repository:
        number = from_node_id("R", text)
        repository = self.graph.hub.by_id(int(number)) if number and number.isdecimal() else None
        if repository is None or not self.graph.hub.may_see(self.graph.token, repository):
            raise _no_node(text)
        return repository

    def _require(self, repository: Repository, permission: str) -> None:
        token = self.graph.token
        if not self.graph.hub.reaches(token, repository) or not token.may(permission):
            raise FieldRefusal("FORBIDDEN", f"Resource not accessible by {token.kind_name}")
        if repository.archived:
            raise FieldRefusal(_UNPROCESSABLE, "Repository was archived so is read-only.")

    def _refuse_protected(self, repository: Repository, branch: str) -> None:
        if branch in repository.protected:
            text = f"protected branch '{branch}' check failed:\nChanges must be made through a pull request."
            raise FieldRefusal(_UNPROCESSABLE, text)


def _stale(expected: str) -> FieldRefusal:
    return FieldRefusal("STALE_DATA", f'Expected branch to point to "{expected}" but it did not.  Pull and try again.')


def _no_node(text: str) -> FieldRefusal:
    return FieldRefusal("NOT_FOUND", f"Could not resolve to a node with the global id of '{text}'")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise FieldRefusal(_UNPROCESSABLE, "contents is not valid Base64") from None

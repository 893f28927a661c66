"""The calls of GitHub that refrom makes, each as a method; nothing here decides what to call.

Reads may be repeated. What writes is sent once, except behind a rate limit (see `sender`).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from bot.adapters.forge.github import queries
from bot.adapters.forge.github.refusals import Refusal, Said, refusal
from bot.adapters.forge.github.sender import JSON, RAW, Errand, Sender
from bot.adapters.forge.github.tokens import Tokens
from bot.adapters.forge.github.wire import (
    Commit,
    CommitDocument,
    CommitNode,
    Compared,
    Comparison,
    Entry,
    Look,
    Made,
    Pull,
    PullDocument,
    Repository,
    RepositoryDocument,
    RepositoryPage,
    Tree,
    User,
    WorkflowRun,
    WorkflowRuns,
    parse,
)
from bot.adapters.transport import Response
from bot.core.errors import ForgeError

BRANCHES: Final = "refs/heads/"
NOWHERE: Final = "0" * 40
"""The object id that stands for no object: what a reference is before it is made and after it is deleted."""
_A_BATCH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One look at a repository for one branch of ours: its pull requests, newest first, none from a fork."""

    repository: str
    branch: str
    id: str
    viewer: str
    tip: Commit | None
    base: Commit | None
    pulls: tuple[Pull, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a commit says."""

    headline: str
    body: str


Files = Mapping[str, bytes]
"""New contents by path."""
Modes = Mapping[str, str]
"""git's file modes by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefUpdate:
    """One reference that moves from `old` to `new`; `NOWHERE` where it is not there; without `old`, from anywhere."""

    name: str
    new: str
    old: str | None = None

    @property
    def input(self) -> Mapping[str, object]:
        """As the mutation takes it."""
        before = {} if self.old is None else {"beforeOid": self.old}
        return {"name": self.name, "afterOid": self.new, "force": True, **before}


class GitHub:
    """One GitHub; all methods raise `ForgeError` (`Refusal` where it answered no) that names repository or owner."""

    def __init__(self, sender: Sender, tokens: Tokens) -> None:
        self._sender, self._tokens = sender, tokens
        self.site = sender.site

    def token(self, repository: str) -> str:
        """The token for one repository, for git."""
        return self._tokens.token(repository.partition("/")[0])

    # Repositories

    def owned(self, owner: str) -> Iterator[Repository]:
        """List the repositories of an owner that the token may see, a hundred in a request."""
        after: str | None = None
        while True:
            given = {"owner": owner, "after": after}
            data = self._query(queries.OWNER, given, owner, "list its repositories")
            if data.get("repositoryOwner") is None:
                raise ForgeError(f"{owner}: GitHub knows no such user or organisation; correct include")
            page = parse(RepositoryPage, data["repositoryOwner"]["repositories"], owner)
            yield from page.nodes
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    def named(self, names: Sequence[str]) -> Iterator[tuple[str, Repository | Refusal]]:
        """Find repositories of one owner by name; one that is not found says why, and the others are given."""
        for start in range(0, len(names), _A_BATCH):
            batch = names[start : start + _A_BATCH]
            parts = [(i, *name.split("/", 1)) for i, name in enumerate(batch)]
            given = {f"{key}{i}": part for i, owner, name in parts for key, part in (("o", owner), ("n", name))}
            errand = self._errand(batch[0].partition("/")[0], "look its repositories up")
            reply = self._sender.query(queries.named(len(batch)), given, errand)
            for i, name in enumerate(batch):
                found = reply.data.get(f"r{i}")
                why = [error for error in reply.errors if (error.get("path") or [f"r{i}"])[0] == f"r{i}"]
                said = Said.of_graphql(why)
                yield name, parse(Repository, found, name) if found else refusal(name, "see it", reply.answer, said)

    def tree(self, repository: str, commit: str) -> Sequence[Entry]:
        """List all that a commit holds; refused where GitHub gives only a part (over 100,000 entries or 7 MB)."""
        tree = parse(Tree, self._get(repository, f"git/trees/{commit}?recursive=1", "list its files").body, repository)
        if tree.truncated:
            raise ForgeError(f"{repository}: GitHub lists only a part of its files, it has too many; exclude it")
        return tree.tree

    def blob(self, repository: str, oid: str) -> bytes:
        """Read one file by its object id."""
        return self._get(repository, f"git/blobs/{oid}", "read a file", accept=RAW).body

    def default_branch(self, repository: str) -> str:
        """Read the name of a repository's default branch."""
        answer = self._sender.read(f"/repos/{repository}", self._errand(repository, "see it"), JSON)
        return parse(RepositoryDocument, answer.body, repository).default_branch

    # Branches and commits

    def look(self, repository: str, branch: str, base: str | None = None) -> Standing:
        """Look at a repository, with one request for every 50 pull requests that the branch ever had."""
        owner, _, name = repository.partition("/")
        given: dict[str, object] = {"owner": owner, "name": name, "branch": branch, "after": None}
        given |= {"head": f"{BRANCHES}{branch}", "base": f"{BRANCHES}{base or branch}"}
        pulls: list[Pull] = []
        while True:
            data = self._query(queries.LOOK, given, repository, "look at it")
            look, viewer = parse(Look, data["repository"], repository), parse(User, data["viewer"], repository)
            pulls += [pull for pull in look.pull_requests.nodes if not pull.is_cross_repository]
            given["after"] = look.pull_requests.page_info.end_cursor
            if not look.pull_requests.page_info.has_next_page:
                break
        return Standing(
            repository=repository,
            branch=branch,
            id=look.id,
            viewer=viewer.login,
            tip=look.branch.target if look.branch else None,
            base=look.base.target if look.base else None,
            pulls=tuple(pulls),
        )

    def compare(self, repository: str, base: str, branch: str) -> Comparison | None:
        """Compare a branch, None if it is not there, with another, which must be."""
        owner, _, name = repository.partition("/")
        given = {"owner": owner, "name": name, "base": f"{BRANCHES}{base}", "head": branch}
        data = self._query(queries.COMPARE, given, repository, "compare its branches")
        return parse(Compared, data["repository"]["ref"], repository).compare

    def commit_on_branch(self, repository: str, branch: str, parent: str, files: Files, message: Message) -> str:
        """Append a commit that GitHub signs, if the branch is still at `parent`; each file becomes a regular one."""
        additions = [{"path": path, "contents": b64encode(content).decode()} for path, content in files.items()]
        given = {
            "branch": {"repositoryNameWithOwner": repository, "branchName": branch},
            "expectedHeadOid": parent,
            "message": {"headline": message.headline, "body": message.body},
            "fileChanges": {"additions": additions},
        }
        made = self._mutate(queries.COMMIT, given, repository, "commit to it")["createCommitOnBranch"]
        return parse(CommitNode, made, repository).commit.oid

    def store_commit(self, repository: str, parent: str, files: Files, message: Message, modes: Modes) -> str:
        """Store a commit with file modes of our choice, which no branch holds yet; GitHub signs it for Apps alone."""
        entries = [
            {"path": path, "mode": modes[path], "type": "blob", "sha": self._store_blob(repository, content)}
            for path, content in files.items()
        ]
        base = self._tree_of(repository, parent)
        tree = self._post(repository, "git/trees", {"base_tree": base, "tree": entries}, "commit to it")
        given = {
            "message": f"{message.headline}\n\n{message.body}",
            "tree": parse(Made, tree.body, repository).sha,
            "parents": [parent],
        }
        return parse(Made, self._post(repository, "git/commits", given, "commit to it").body, repository).sha

    def move(self, repository: str, id: str, moves: Sequence[RefUpdate]) -> None:  # noqa: A002 (GitHub's own word)
        """Move all these references or none."""
        given = {"repositoryId": id, "refUpdates": [move.input for move in moves]}
        self._mutate(queries.MOVE, given, repository, "move its branches")

    # Pull requests

    def open_pull_request(self, repository: str, *, head: str, base: str, title: str, body: str) -> PullDocument:
        """Open a pull request; GitHub refuses (422) a second one from the same branch."""
        given = {"head": head, "base": base, "title": title, "body": body}
        return parse(PullDocument, self._post(repository, "pulls", given, "open a pull request").body, repository)

    def update_pull_request(self, repository: str, number: int, **given: str) -> PullDocument:
        """Change title, body or state of a pull request."""
        path, errand = _path(repository, f"pulls/{number}"), self._errand(repository, f"change pull request {number}")
        answer = self._sender.write("PATCH", path, errand, given)
        return parse(PullDocument, answer.body, repository)

    def merge_when_ready(self, repository: str, node: str) -> None:
        """Let GitHub merge a pull request, named by its node id, once all that is required has passed."""
        self._mutate(queries.AUTO_MERGE, {"pullRequestId": node}, repository, "have it merged by itself")

    def comment(self, repository: str, number: int, text: str) -> None:
        """Comment on a pull request."""
        self._post(repository, f"issues/{number}/comments", {"body": text}, f"comment on pull request {number}")

    def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> None:
        """Add labels to a pull request; GitHub makes those that are not there."""
        self._post(repository, f"issues/{number}/labels", {"labels": [*labels]}, f"label pull request {number}")

    # Checks and workflows

    def set_status(self, repository: str, commit: str, *, state: str, context: str, description: str) -> None:
        """Set a commit status: `error`, `failure`, `pending` or `success`."""
        given = {"state": state, "context": context, "description": description}
        self._post(repository, f"statuses/{commit}", given, "set a commit status")

    def add_check_run(self, repository: str, commit: str, *, name: str, conclusion: str, summary: str) -> None:
        """Add a completed check run, which only an App may."""
        given = {"name": name, "head_sha": commit, "status": "completed", "conclusion": conclusion}
        output = {"title": name, "summary": summary}
        self._post(repository, "check-runs", {**given, "output": output}, "add a check run")

    def dispatch_workflow(self, repository: str, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow that has the trigger workflow_dispatch, named by its file."""
        path = f"actions/workflows/{quote(workflow, safe='')}/dispatches"
        self._post(repository, path, {"ref": ref, "inputs": {**inputs}}, f"start the workflow {workflow}")

    def workflow_runs(self, repository: str, workflow: str) -> Sequence[WorkflowRun]:
        """List the latest hundred runs of a workflow that were started by hand, the newest first."""
        path = f"actions/workflows/{quote(workflow, safe='')}/runs?event=workflow_dispatch&per_page=100"
        answer = self._get(repository, path, f"list the runs of {workflow}")
        return parse(WorkflowRuns, answer.body, repository).workflow_runs

    def dispatch_repository(self, repository: str, event: str, payload: Mapping[str, str]) -> None:
        """Start the workflows that have the trigger repository_dispatch with this type."""
        given = {"event_type": event, "client_payload": {**payload}}
        self._post(repository, "dispatches", given, f"send it the event {event}")

    def _store_blob(self, repository: str, content: bytes) -> str:
        given = {"content": b64encode(content).decode(), "encoding": "base64"}
        return parse(Made, self._post(repository, "git/blobs", given, "commit to it").body, repository).sha

    def _tree_of(self, repository: str, commit: str) -> str:
        """The tree of a commit: GitHub takes no commit in its stead as the base of another tree."""
        document = self._get(repository, f"git/commits/{commit}", "commit to it").body
        return parse(CommitDocument, document, repository).tree.sha

    def _get(self, repository: str, path: str, verb: str, accept: str = JSON) -> Response:
        return self._sender.read(_path(repository, path), self._errand(repository, verb), accept)

    def _post(self, repository: str, path: str, body: object, verb: str) -> Response:
        return self._sender.write("POST", _path(repository, path), self._errand(repository, verb), body)

    def _query(self, text: str, given: Mapping[str, object], what: str, verb: str) -> Mapping[str, Any]:
        errand = self._errand(what, verb)
        return self._sender.query(text, given, errand).whole(errand)

    def _mutate(self, text: str, given: Mapping[str, object], what: str, verb: str) -> Mapping[str, Any]:
        return self._sender.mutate(text, {"input": given}, self._errand(what, verb))

    def _errand(self, what: str, verb: str) -> Errand:
        return Errand(what, verb, self.token(what))


def _path(repository: str, path: str) -> str:
    return f"/repos/{repository}/{path}"

"""The calls of GitHub that refrom makes, each as a method; nothing here decides what to call.

Reads may be repeated. What writes is sent once, except behind a rate limit (see `sender`).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from bot.adapters.forge.github import queries
from bot.adapters.forge.github.batches import TooMuch, answered, in_batches, part, too_much
from bot.adapters.forge.github.refusals import OwnerFault, Refusal, Said
from bot.adapters.forge.github.sender import JSON, RAW, Errand, Reply, Sender, Unanswered
from bot.adapters.forge.github.tokens import Tokens
from bot.adapters.forge.github.wire import (
    Branch,
    BranchPage,
    CommentDocument,
    CommentNode,
    CommentPage,
    Commit,
    CommitDocument,
    CommitNode,
    Compared,
    Comparison,
    FolderEntry,
    Look,
    Made,
    Pull,
    PullDocument,
    Repository,
    RepositoryDocument,
    RepositoryPage,
    TreeNode,
    Viewer,
    WorkflowRun,
    WorkflowRuns,
    parse,
)
from bot.adapters.transport import Response
from bot.core.errors import ForgeError, Paused

BRANCHES: Final = "refs/heads/"
NOWHERE: Final = "0" * 40
"""The object id that stands for no object: what a reference is before it is made and after it is deleted."""
_A_BATCH: Final = 50
_A_PAGE: Final = 100
_SMALL_PAGE: Final = 12


@dataclass(frozen=True, slots=True)
class Place:
    """An object in a repository."""

    repository: str
    oid: str

    @property
    def owner(self) -> str:
        """Whose repository it is."""
        return self.repository.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One look at a repository for one branch of ours: its pull requests, newest first, none from a fork."""

    repository: str
    branch: str
    id: str
    viewer: Viewer
    tip: Commit | None
    base: Commit | None
    pulls: tuple[Pull, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a commit says."""

    headline: str
    body: str

    def __str__(self) -> str:
        """Write it as git stores it."""
        return f"{self.headline}\n\n{self.body}"


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
    """One GitHub; all methods raise `ForgeError` (`Refusal` where it answered no) that names repository or owner.

    `checks` says that a look at pull requests asks for their checks, which takes rights that nothing else needs.
    """

    def __init__(self, sender: Sender, tokens: Tokens, *, checks: bool = False) -> None:
        self._sender, self._tokens, self._checks = sender, tokens, checks
        self.site = sender.site

    def token(self, repository: str) -> str:
        """The token for one repository, for git."""
        return self._tokens.token(repository.partition("/")[0])

    # Repositories

    def owned(self, owner: str, branches: str) -> Iterator[Repository]:
        """List the repositories of an owner that the token may see, a hundred in a request, with some branches each.

        Those are the first few whose names have `branches` in them; a page that is too much is asked for in parts.
        """
        after: str | None = None
        first = _A_PAGE
        while True:
            given = {"owner": owner, "first": first, "after": after, "branches": branches}
            try:
                reply = self._try(queries.OWNER, given, owner, "list its repositories", patient=first <= _SMALL_PAGE)
                data = reply.whole(self._errand(owner, "list its repositories"))
            except TooMuch:
                if first <= _SMALL_PAGE:
                    raise
                first //= 2
                continue
            if data.get("repositoryOwner") is None:
                raise OwnerFault(f"{owner}: GitHub knows no such user or organisation; correct include")
            page = parse(RepositoryPage, data["repositoryOwner"]["repositories"], owner)
            yield from page.nodes
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    def named(self, names: Sequence[str], branches: str) -> Iterator[tuple[str, Repository | ForgeError]]:
        """Find repositories of one owner by name; one that is not found says why, and the others are given."""

        def ask(batch: Sequence[str]) -> Iterator[tuple[str, Repository | ForgeError]]:
            parts = [(i, *name.split("/", 1)) for i, name in enumerate(batch)]
            given = {f"{key}{i}": text for i, owner, name in parts for key, text in (("o", owner), ("n", name))}
            text, what = queries.named(len(batch)), batch[0].partition("/")[0]
            given["branches"] = branches
            reply = self._try(text, given, what, "look its repositories up", patient=len(batch) == 1)
            for i, name in enumerate(batch):
                try:
                    yield name, parse(Repository, part(reply, f"r{i}", name, "see it"), name)
                except ForgeError as fault:
                    yield name, fault

        for batch in in_batches(names, _A_BATCH, key=lambda name: name.partition("/")[0]):
            for name, found in answered(batch, ask, lambda _: None):
                if isinstance(found, Paused) or (isinstance(found, Refusal) and found.status != 200):
                    raise found  # said of the whole request, so it is about us and no single repository
                yield name, found

    def own_branches(self, repository: str, branches: str, after: str | None) -> Iterator[Branch]:
        """List the branches whose names have `branches` in them, from a cursor on, a hundred in a request."""
        owner, _, name = repository.partition("/")
        while True:
            given = {"owner": owner, "name": name, "branches": branches, "after": after}
            data = self._query(queries.OWN_BRANCHES, given, repository, "list its branches")
            page = parse(BranchPage, data["repository"]["refs"], repository)
            yield from page.nodes
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    # Files

    def folders(self, folders: Sequence[tuple[Place, int]], *, patient: bool) -> Reply:
        """Ask for folders of one owner's repositories, each down to so many levels; raises `TooMuch`.

        With `patient` it is asked again after a failure, as there is nothing smaller to ask for.
        """
        text = queries.folders([levels for _, levels in folders])
        places = [place for place, _ in folders]
        return self._try(text, _variables(places), places[0].owner, "list files of its repositories", patient=patient)

    def files(self, places: Sequence[Place]) -> Reply:
        """Ask for files of one owner's repositories; raises `TooMuch`."""
        text, owner = queries.files(len(places)), places[0].owner
        return self._try(text, _variables(places), owner, "read files of its repositories", patient=False)

    def folders_at(
        self, repository: str, commit: str, folders: Sequence[str]
    ) -> Iterator[tuple[str, Sequence[FolderEntry]]]:
        """List some folders of a commit, the root being empty; one that is not there is left out."""
        owner, _, name = repository.partition("/")
        for batch in in_batches(folders, _A_BATCH, key=lambda _: None):
            given = {"owner": owner, "name": name} | {f"e{i}": f"{commit}:{path}" for i, path in enumerate(batch)}
            data = self._query(queries.places(len(batch)), given, repository, "look at its files")
            found: Mapping[str, Any] = data["repository"]
            for i, path in enumerate(batch):
                node = parse(TreeNode, found.get(f"p{i}") or {}, repository)
                if node.entries is not None:
                    yield path, node.entries

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
            data = self._query(queries.look(checks=self._checks), given, repository, "look at it")
            look, viewer = parse(Look, data["repository"], repository), parse(Viewer, data["viewer"], repository)
            pulls += [pull for pull in look.pull_requests.nodes if not pull.is_cross_repository]
            given["after"] = look.pull_requests.page_info.end_cursor
            if not look.pull_requests.page_info.has_next_page:
                break
        return Standing(
            repository=repository,
            branch=branch,
            id=look.id,
            viewer=viewer,
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
            "message": str(message),
            "tree": parse(Made, tree.body, repository).sha,
            "parents": [parent],
        }
        return parse(Made, self._post(repository, "git/commits", given, "commit to it").body, repository).sha

    def move(self, repository: str, id: str, moves: Sequence[RefUpdate]) -> None:  # noqa: A002 (GitHub's own word)
        """Move all these references or none."""
        given = {"repositoryId": id, "refUpdates": [move.input for move in moves]}
        self._mutate(queries.MOVE, given, repository, "move its branches")

    # Pull requests

    def open_pull_request(
        self, repository: str, *, head: str, base: str, title: str, body: str, draft: bool = False
    ) -> PullDocument:
        """Open a pull request; GitHub refuses (422) a second one from the same branch into the same base."""
        given = {"head": head, "base": base, "title": title, "body": body, "draft": draft}
        return parse(PullDocument, self._post(repository, "pulls", given, "open a pull request").body, repository)

    def update_pull_request(self, repository: str, number: int, **given: str) -> None:
        """Change title, body or state of a pull request."""
        path, errand = _path(repository, f"pulls/{number}"), self._errand(repository, f"change pull request {number}")
        self._sender.write("PATCH", path, errand, given)

    def merge_when_ready(self, repository: str, node: str, *, head: str, method: str) -> None:
        """Let GitHub merge a pull request, named by its node id, once all that is required has passed.

        Refused if its branch is not at `head`; the method is `merge`, `squash` or `rebase`.
        """
        given = {"pullRequestId": node, "expectedHeadOid": head, "mergeMethod": method.upper()}
        self._mutate(queries.AUTO_MERGE, given, repository, "have it merged by itself")

    def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> None:
        """Add labels to a pull request; GitHub makes those that are not there."""
        self._post(repository, f"issues/{number}/labels", {"labels": [*labels]}, f"label pull request {number}")

    def ask_for_review(self, repository: str, number: int, *, people: Sequence[str], teams: Sequence[str]) -> None:
        """Ask people and teams, named without their organisation; GitHub refuses all if one of them cannot be asked."""
        given = {"reviewers": [*people], "team_reviewers": [*teams]}
        verb = f"ask {', '.join((*people, *teams))} to review pull request {number}"
        self._post(repository, f"pulls/{number}/requested_reviewers", given, verb)

    # Comments

    def comments(self, repository: str, number: int) -> Iterator[CommentNode]:
        """List the comments on a pull request, oldest first, a hundred in a request."""
        owner, _, name = repository.partition("/")
        given: dict[str, object] = {"owner": owner, "name": name, "number": number, "after": None}
        while True:
            data = self._query(queries.COMMENTS, given, repository, f"read the comments on pull request {number}")
            page = parse(CommentPage, data["repository"]["pullRequest"]["comments"], repository)
            yield from page.nodes
            given["after"] = page.page_info.end_cursor
            if not page.page_info.has_next_page:
                return

    def comment(self, repository: str, number: int, text: str) -> str:
        """Comment on a pull request, and return the comment's id."""
        made = self._post(repository, f"issues/{number}/comments", {"body": text}, f"comment on pull request {number}")
        return parse(CommentDocument, made.body, repository).node_id

    def delete_comment(self, repository: str, comment: str) -> None:
        """Delete a comment."""
        self._mutate(queries.UNCOMMENT, {"id": comment}, repository, "delete a comment of ours")

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

    def _try(self, text: str, given: Mapping[str, object], what: str, verb: str, *, patient: bool) -> Reply:
        """Ask for much, again only where `patient`; raises `TooMuch` where GitHub did not manage it."""
        try:
            reply = self._sender.query(text, given, self._errand(what, verb), again=patient)
        except ForgeError as fault:
            passing = fault.retryable or isinstance(fault, Unanswered)
            if not passing or isinstance(fault, Paused):
                raise
            raise TooMuch(str(fault), retryable=True) from fault
        if not any(error.get("path") for error in reply.errors) and too_much(reply.errors):
            raise TooMuch(f"{what}: GitHub gave up ({Said.of_graphql(reply.errors).message}); run again later")
        return reply

    def _mutate(self, text: str, given: Mapping[str, object], what: str, verb: str) -> Mapping[str, Any]:
        return self._sender.mutate(text, {"input": given}, self._errand(what, verb))

    def _errand(self, what: str, verb: str) -> Errand:
        return Errand(what, verb, self.token(what), self._tokens.identity(what.partition("/")[0]))


def _variables(places: Sequence[Place]) -> Mapping[str, str]:
    """The variables of a query for objects: owner, name and object id of each."""
    given: dict[str, str] = {}
    for i, place in enumerate(places):
        owner, _, name = place.repository.partition("/")
        given |= {f"o{i}": owner, f"n{i}": name, f"i{i}": place.oid}
    return given


def _path(repository: str, path: str) -> str:
    return f"/repos/{repository}/{path}"

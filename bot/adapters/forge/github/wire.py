"""GitHub's answers as values: the fields that are used and no others, so that a missing other one is no fault."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from bot.core.errors import ForgeError


class Rest(BaseModel):
    """A document of the REST API."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Graph(BaseModel):
    """An object of the GraphQL API, whose names are written with humps."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


D = TypeVar("D", bound=BaseModel)


def parse(model: type[D], document: bytes | Mapping[str, Any], what: str) -> D:
    """Read a document; raises `ForgeError` that names `what` it is of and the field that is not as described."""
    try:
        if isinstance(document, bytes):
            return model.model_validate_json(document)
        return model.model_validate(document)
    except ValidationError as fault:
        first = fault.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        cure = "check that forges in the settings names a GitHub"
        raise ForgeError(f"{what}: an answer of GitHub is not as described ({where}: {first['msg']}); {cure}") from None


# GraphQL: what the queries of `queries` select.


class User(Graph):
    """Who did something."""

    login: str


class Viewer(User):
    """Who we are; `database_id` is the number that stands in the address of an account's commits."""

    database_id: int | None = None


class Committer(Graph):
    """Who made a commit: `user` is None where GitHub knows nobody with that address."""

    email: str | None = None
    user: User | None = None


class Rollup(Graph):
    """What the statuses and checks of a commit come to."""

    state: str


class Commit(Graph):
    """A commit with what tells whose it is; other kinds of objects have only an id.

    `status_check_rollup` is None where nothing was run, or where nobody asked.
    """

    oid: str
    status_check_rollup: Rollup | None = None
    message: str = ""
    committer: Committer | None = None


class Ref(Graph):
    """A reference and the object it points to."""

    name: str = ""
    target: Commit | None = None


class PageInfo(Graph):
    """Whether more follows, and from where."""

    has_next_page: bool
    end_cursor: str | None = None


class Opened(Graph):
    """Since when a pull request is open."""

    created_at: AwareDatetime


class OpenedNodes(Graph):
    """The open pull request from a branch, if there is one."""

    nodes: tuple[Opened, ...] = ()


class Branch(Graph):
    """A branch, whose full name is prefix and name together."""

    prefix: str
    name: str
    associated_pull_requests: OpenedNodes = OpenedNodes()


class BranchPage(Graph):
    """One page of branches."""

    page_info: PageInfo
    nodes: tuple[Branch, ...]


class Topic(Graph):
    """A topic."""

    name: str


class TopicNode(Graph):
    """A topic as a repository has it."""

    topic: Topic


class TopicNodes(Graph):
    """The topics of a repository."""

    nodes: tuple[TopicNode, ...] = ()


class Repository(Graph):
    """A repository as listed."""

    name_with_owner: str
    is_archived: bool
    is_disabled: bool
    is_empty: bool
    is_fork: bool
    visibility: str
    default_branch_ref: Ref | None = None
    repository_topics: TopicNodes
    refs: BranchPage | None = None

    @property
    def topics(self) -> frozenset[str]:
        """Its topics by name."""
        return frozenset(node.topic.name for node in self.repository_topics.nodes)


class Comparison(Graph):
    """How another branch, at the commit `head_target`, stands to a branch."""

    ahead_by: int
    head_target: Commit


class Compared(Graph):
    """A branch compared with another, which may be gone."""

    compare: Comparison | None


class RepositoryPage(Graph):
    """One page of an owner's repositories."""

    page_info: PageInfo
    nodes: tuple[Repository, ...]


class CommitNode(Graph):
    """A commit of a pull request."""

    commit: Commit


class CommitNodes(Graph):
    """The last commit of a pull request, if it has any."""

    nodes: tuple[CommitNode, ...] = ()


class Label(Graph):
    """A label."""

    name: str


class Labels(Graph):
    """The labels of a pull request, a hundred of which are its most."""

    nodes: tuple[Label, ...] = ()


class AutoMerge(Graph):
    """How a pull request is to be merged by itself."""

    merge_method: str


class Pull(Graph):
    """A pull request; `head_ref_oid` stays when its branch is gone.

    `mergeable` is computed late: it is UNKNOWN for a while after the head or the base moved.
    """

    id: str
    number: int
    title: str
    body: str
    url: str
    state: str
    merged_at: AwareDatetime | None = None
    is_cross_repository: bool
    head_ref_oid: str
    base_ref_name: str
    mergeable: str
    labels: Labels | None = None
    auto_merge_request: AutoMerge | None = None
    commits: CommitNodes = CommitNodes()


class PullPage(Graph):
    """One page of pull requests."""

    page_info: PageInfo
    nodes: tuple[Pull, ...]


class Look(Graph):
    """One look at a repository: its id, two of its branches, and pull requests from one of them."""

    id: str
    branch: Ref | None = None
    base: Ref | None = None
    pull_requests: PullPage


class CommentNode(Graph):
    """A comment; GraphQL has ids of its own, which REST calls `node_id`."""

    id: str
    body: str
    viewer_did_author: bool


class CommentPage(Graph):
    """One page of the comments on a pull request, oldest first."""

    page_info: PageInfo
    nodes: tuple[CommentNode, ...]


class FolderEntry(Graph):
    """One entry of a folder; `object` is what lies in it where that is a folder and was asked for."""

    name: str
    mode: int
    type: str
    oid: str = ""
    size: int = 0
    object: "TreeNode | None" = None

    @property
    def octal_mode(self) -> str:
        """Its mode as git writes it."""
        return f"{self.mode:06o}"


class PastCommit(Graph):
    """A commit in the history of another."""

    committed_date: AwareDatetime
    message: str


class History(Graph):
    """The last commits that lead to one, itself first."""

    nodes: tuple[PastCommit, ...] = ()


class TreeNode(Graph):
    """A folder, or another object that has no entries; a commit has its folder in `tree`, and its history."""

    entries: tuple[FolderEntry, ...] | None = None
    tree: "TreeNode | None" = None
    history: History = History()


class FolderAnswer(Graph):
    """A folder of a repository, None where the object is not there."""

    object: TreeNode | None = None


class Blob(Graph):
    """A file; `text` is None where it is binary, and none where the object is no file."""

    text: str | None = None
    is_truncated: bool = False


class FileAnswer(Graph):
    """A file of a repository, None where the object is not there."""

    object: Blob | None = None


# REST


class Made(Rest):
    """An object that was made, or is pointed to."""

    sha: str


class CommitDocument(Rest):
    """A commit as REST tells it."""

    tree: Made


class Side(Rest):
    """One side of a pull request."""

    ref: str
    sha: str


class CommentDocument(Rest):
    """A comment as REST tells it; GraphQL knows it by `node_id`."""

    node_id: str = ""


class PullDocument(Rest):
    """A pull request as REST tells it."""

    number: int
    title: str
    body: str | None = None
    html_url: str
    state: str
    head: Side
    base: Side


class RepositoryDocument(Rest):
    """A repository, as it answers for itself."""

    default_branch: str


class WorkflowRun(Rest):
    """A run of a workflow; `name` is the workflow's, `display_title` its own."""

    id: int
    name: str | None = None
    display_title: str
    status: str | None
    conclusion: str | None
    html_url: str


class WorkflowRuns(Rest):
    """One page of a workflow's runs."""

    workflow_runs: tuple[WorkflowRun, ...]

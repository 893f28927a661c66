"""GitHub's answers as values: the fields that are used and no others, so that a missing other one is no fault."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
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


class Committer(Graph):
    """Who made a commit: `user` is None where GitHub knows nobody with that address."""

    email: str | None = None
    user: User | None = None


class Commit(Graph):
    """A commit with what tells whose it is; other kinds of objects have only an id."""

    oid: str
    message: str = ""
    committer: Committer | None = None


class Ref(Graph):
    """A reference and the object it points to."""

    name: str = ""
    target: Commit | None = None


class Repository(Graph):
    """A repository as listed."""

    name_with_owner: str
    is_archived: bool
    is_disabled: bool
    is_empty: bool
    default_branch_ref: Ref | None = None


class Comparison(Graph):
    """How another branch, at the commit `head_target`, stands to a branch."""

    ahead_by: int
    head_target: Commit


class Compared(Graph):
    """A branch compared with another, which may be gone."""

    compare: Comparison | None


class PageInfo(Graph):
    """Whether more follows, and from where."""

    has_next_page: bool
    end_cursor: str | None = None


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


class Pull(Graph):
    """A pull request; `head_ref_oid` stays when its branch is gone."""

    number: int
    title: str
    body: str
    url: str
    state: str
    is_cross_repository: bool
    head_ref_oid: str
    base_ref_name: str
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


# REST


class Entry(Rest):
    """One entry of a tree."""

    path: str
    mode: str
    type: str
    sha: str
    size: int = 0


class Tree(Rest):
    """A tree, or a part of it where `truncated`."""

    tree: tuple[Entry, ...]
    truncated: bool = False


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


class PullDocument(Rest):
    """A pull request as REST tells it; GraphQL knows it by `node_id`."""

    number: int
    node_id: str = ""
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

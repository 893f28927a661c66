"""A repository of the fake, with its pull requests: what is remembered, and how it follows what git says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from tests.lab.github.accounts import Account
from tests.lab.github.bare_git import BRANCHES, BareGit, GitRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on a pull request."""

    id: int
    author: Account
    body: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team of an organization that may read a repository."""

    id: int
    slug: str


@dataclass(slots=True, kw_only=True)
class Pull:
    """A pull request; `head` is the commit that its branch had when it was last looked at, or when it ended."""

    id: int
    number: int
    author: Account
    title: str
    body: str | None
    branch: str
    base: str
    head: str
    base_sha: str
    fork_point: str
    """The last commit that base and head shared while it was open."""
    created: datetime
    updated: datetime
    draft: bool = False
    closed: datetime | None = None
    merged: datetime | None = None
    merged_by: Account | None = None
    merge_commit: str | None = None
    auto_merge: tuple[Account, str] | None = None
    labels: list[str] = field(default_factory=list)
    reviewers: list[Account] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.closed is None

    def end(self, now: datetime, merge_commit: str | None = None) -> None:
        """Let it be closed, or merged by a commit."""
        self.closed = self.updated = now
        self.auto_merge = None
        if merge_commit:
            self.merged, self.merge_commit, self.base_sha = now, merge_commit, merge_commit


@dataclass(slots=True, kw_only=True)
class Repository:
    """A repository; its folder may be changed by anybody at any time."""

    id: int
    owner: Account
    name: str
    git: BareGit
    created: datetime
    private: bool = False
    internal: bool = False
    archived: bool = False
    fork: bool = False
    topics: tuple[str, ...] = ()
    allows_auto_merge: bool = False
    allows_drafts: bool = True
    merge_methods: set[str] = field(default_factory=lambda: {"MERGE", "SQUASH", "REBASE"})
    all_passed: bool = False
    """Whether nothing that is required is outstanding for any of its pull requests."""
    collaborators: set[str] = field(default_factory=set)
    teams: dict[str, Team] = field(default_factory=dict)
    judged: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of base and head whose merge was tried: GitHub begins that when it is asked, and answers UNKNOWN."""
    protected: set[str] = field(default_factory=set)
    pulls: dict[int, Pull] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    check_runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def visibility(self) -> str:
        """Who may see it, as GraphQL says that."""
        return "INTERNAL" if self.internal else "PRIVATE" if self.private else "PUBLIC"

    @property
    def default_branch(self) -> str:
        return self.git.head_name().removeprefix(BRANCHES)

    def branches(self) -> dict[str, str]:
        """Return the branches with their commits."""
        return {name.removeprefix(BRANCHES): oid for name, oid in self.git.references().items()}

    def mergeable(self, pull: Pull) -> bool | None:
        """Say whether a pull request can be merged; None where that is not known yet, and once it has ended."""
        pair = pull.base_sha, pull.head
        if not pull.is_open or pair not in self.judged:
            self.judged.add(pair)
            return None
        try:
            self.git.merge_tree(*pair)
        except GitRefused:
            return False
        return True

    def settle(self, now: datetime) -> None:
        """Bring the open pull requests up to what git says."""
        still_open = [pull for pull in self.pulls.values() if pull.is_open]
        branches = self.branches() if still_open else {}
        for pull in still_open:
            self._settle(pull, branches.get(pull.base), branches.get(pull.branch), now)

    def _settle(self, pull: Pull, base: str | None, head: str | None, now: datetime) -> None:
        if (base, head) == (pull.base_sha, pull.head):
            return
        if base and self.git.reaches(base, pull.head):
            pull.head = head if head and self.git.reaches(base, head) else pull.head
            pull.end(now, merge_commit=base)
        elif base is None or head is None:
            pull.end(now)
        elif self.git.reaches(base, head):
            pull.head = pull.fork_point = head  # pushed to where it brings nothing, such as the base itself
            pull.end(now)
        else:
            pull.updated = now if head != pull.head else pull.updated
            pull.head, pull.base_sha, pull.fork_point = head, base, self.git.fork_point(base, head)

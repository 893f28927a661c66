"""What shares a pull request in one source repository, and how pull requests are to be.

What is to be done about each of them next says `reconcile`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bot.core.admission import Limits
from bot.core.decision import Action, Decision, Update
from bot.core.pull_request import Wording
from bot.core.templates import Template
from bot.core.windows import Window

WHOLE: Final = "lambda-base-images"
"""The group of all uses of a source repository."""
IGNORE: Final = "refrom:ignore"
"""The label that says: no pull request for this group."""


class GroupBy(StrEnum):
    """What shares a pull request: all uses of a source repository, or those of one runtime."""

    REPOSITORY = "repository"
    RUNTIME = "runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestPolicy:
    """How updates become pull requests: the groups, their branches, what they say, and how many there may be.

    `labels`, `reviewers` (a person's login, or `ORG/TEAM`) and `auto_merge` (`merge`, `squash`, `rebase`, or empty)
    are added once, after the opening.
    """

    group_by: GroupBy = GroupBy.REPOSITORY
    branch: Template = field(default_factory=lambda: Template.parse("refrom/{group}", ("group",)))
    wording: Wording = field(default_factory=Wording)
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    draft: bool = False
    auto_merge: str = ""
    limits: Limits = field(default_factory=Limits)
    window: Window | None = None

    @property
    def finishes(self) -> bool:
        """Whether there is something to add after the opening."""
        return bool(self.labels or self.reviewers or self.auto_merge)

    def branch_of(self, group: str) -> str:
        """Name the branch of a group."""
        return self.branch.render({"group": group})


class Closing(StrEnum):
    """Why a pull request is closed, as it is said in it."""

    GONE = "the base images that it updates are used no longer"
    BLOCKED = "the base image is blocked"
    CURRENT = "the base image in use is current"
    UNNEEDED = "no update is needed any more"
    UNABLE = "refrom cannot edit the reference any more"
    ANSWERED = "a person closed a pull request for this base image before"
    GROUPED = "updates are grouped in another way now"
    IGNORED = f"it has the label {IGNORE}"
    OPTED_OUT = "the repository's own .github/refrom.yaml says so"
    REBASED = "the default branch is another one now; a new pull request follows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What shares one pull request in one source repository.

    `stray` says why a branch of ours belongs to no group any more; then there are no decisions.
    """

    name: str
    branch: str
    decisions: tuple[Decision, ...] = ()
    stray: Closing | None = None

    @property
    def updates(self) -> tuple[Update, ...]:
        """The bumps and pins; a rebuild needs no pull request."""
        return tuple(d for d in self.decisions if isinstance(d, Update) and d.action is not Action.REBUILD)


def groups_of(
    decisions: Iterable[Decision], policy: PullRequestPolicy, branches: Collection[str] = ()
) -> tuple[Group, ...]:
    """Put the decisions of one source repository into groups; branches of ours that belong to none come first."""
    by_name: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        name = WHOLE if policy.group_by is GroupBy.REPOSITORY else decision.use.runtime
        if name:
            by_name[name].append(decision)
    groups = [Group(name=n, branch=policy.branch_of(n), decisions=tuple(made)) for n, made in sorted(by_name.items())]
    known = {group.branch for group in groups}
    return (*(_stray(branch, policy) for branch in sorted(set(branches) - known)), *groups)


def _stray(branch: str, policy: PullRequestPolicy) -> Group:
    """A branch without uses: its group is gone, or groups are others now."""
    prefix, whole = policy.branch.prefix, policy.branch_of(WHOLE)
    gone = branch == whole if policy.group_by is GroupBy.REPOSITORY else branch != whole and branch.startswith(prefix)
    return Group(name=branch, branch=branch, stray=Closing.GONE if gone else Closing.GROUPED)

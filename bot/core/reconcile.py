"""One pull request for each source repository and group: what is wanted, against what is there.

The one rule (`reconcile`) says for one group what is to be done next, at most one thing at a time. It never opens a
second pull request, never touches what a person pushed, and takes a person's close for an answer.
What each case means for people stands in `docs/reference/pull-requests.md`.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.decision import Action, Current, Decision, Held, Skip, Update, Waiting
from bot.core.digest import Digest
from bot.core.marker import Plan, is_told, is_unfinished, read_plan, step_of, steps_of, use_name
from bot.core.proposals import IGNORE, Closing, Group

PUSHED: Final = "<!-- refrom:pushed -->"
"""Marks the comment that says that a person's push is left alone."""
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""A merge so long before the listing may have come after it, by another clock."""


class Standing(StrEnum):
    """What became of a pull request; `REFUSED` is one that a person closed."""

    OPEN = "open"
    REFUSED = "refused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One pull request from a group's branch, as the forge shows it now.

    `reopened` says that it is open though we closed it once; `merged` is when it was merged, if it was.
    """

    standing: Standing
    base: str
    body: str
    by_us: bool = True
    conflicts: bool = False
    labels: tuple[str, ...] = ()
    reopened: bool = False
    merged: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What else matters: the default branch, the bases that are blocked, whether all could be read and decided.

    `opted_out` says that the repository's own file wants no pull requests.
    `newly` says whether an update differs significantly from a base that a person refused.
    `listed` is when the commit was read off the forge that all this is about.
    """

    default_branch: str
    newly: Callable[[Update, Digest], bool]
    blocked: frozenset[Digest] = frozenset()
    complete: bool = True
    opted_out: bool = False
    listed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """Open a pull request for these updates."""

    updates: tuple[Update, ...]


@dataclass(frozen=True, slots=True)
class Refresh:
    """Bring the open one to these updates, on the newest commit."""

    updates: tuple[Update, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Add to the open one what is added once."""


@dataclass(frozen=True, slots=True)
class CommentOnce:
    """Leave the open one alone, and say so in it once."""

    mark: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close the open one."""

    reason: Closing


@dataclass(frozen=True, slots=True)
class Leave:
    """Change nothing, and why."""

    why: str


Step = Create | Refresh | Finish | CommentOnce | Close | Leave


def reconcile(group: Group, seen: Sequence[Seen], now: Circumstances) -> Step | None:
    """Say what is to be done next for one group; None where nothing is there and nothing is wanted.

    `seen` are all pull requests from its branch, the newest first.
    """
    current = next((each for each in seen if each.standing is Standing.OPEN), None)
    ignored = any(IGNORE in each.labels for each in seen)
    if current is None:
        return _open(group, seen, now, ignored=ignored)
    plan = read_plan(current.body)
    if plan is None and (current.base != now.default_branch or (group.stray and not current.by_us)):
        return Leave("it is a person's own")
    if not current.by_us:
        return _leave_pushed()
    if closing := _closing(group, now, ignored=ignored):
        return Close(closing)
    if not now.complete:
        return Finish() if is_unfinished(current.body) else Leave("stays as it is: not every base could be read")
    if current.base != now.default_branch:
        return Close(Closing.REBASED)
    return _compare(group, current, plan, now, _wanted(group, seen, now))


def _open(group: Group, seen: Sequence[Seen], now: Circumstances, *, ignored: bool) -> Step | None:
    """Nothing is open."""
    if not group.updates or now.opted_out:
        return None
    if ignored:
        return Leave(f"a pull request of this group has the label {IGNORE}; none is opened")
    wanted = _wanted(group, seen, now)
    if any(_is_merged_since(each, wanted, now) for each in seen):
        return Leave("a pull request for this base was merged since the repository was read; the next run looks again")
    return Create(wanted) if wanted else Leave("a person closed the pull request for this base; not opened again")


def _is_merged_since(pull: Seen, wanted: Sequence[Update], now: Circumstances) -> bool:
    """Whether what is wanted is known to be merged by now, so that only an old commit still lacks it."""
    if not pull.merged or not now.listed or pull.base != now.default_branch:
        return False
    plan = read_plan(pull.body)
    return pull.merged > now.listed - _CLOCKS_DIFFER and not (plan and set(plan.steps).isdisjoint(steps_of(wanted)))


def _closing(group: Group, now: Circumstances, *, ignored: bool) -> Closing | None:
    """Why whatever is open is to be closed, if so, whatever the plan says."""
    if ignored:
        return Closing.IGNORED
    return Closing.OPTED_OUT if now.opted_out else group.stray


def _compare(group: Group, current: Seen, plan: Plan | None, now: Circumstances, wanted: tuple[Update, ...]) -> Step:
    """Compare what is open with what is wanted.

    What is offered for a use that now waits, or that a hold covers, stays as it is until something else is wanted.
    """
    endings = _endings(group, plan, now, wanted)
    if not wanted:
        return Close(endings[0]) if endings else Leave("stays as it is: the base images that it updates wait")
    offered = set(plan.steps) if plan else set()
    told = plan is not None and (offered > set(steps_of(wanted)) or is_told(plan, wanted))
    if plan is None or not told or endings or not offered.issuperset(steps_of(wanted)):
        return Refresh(wanted, "it says what is wanted now")
    if current.reopened:
        return Refresh(wanted, "a person opened it again")
    if current.conflicts:
        return Refresh(wanted, f"it conflicted with {current.base}")
    return Finish() if is_unfinished(current.body) else Leave("is up to date")


def _endings(group: Group, plan: Plan | None, now: Circumstances, wanted: Sequence[Update]) -> Sequence[Closing]:
    """Why each thing that is offered and no longer wanted is to go; what waits is not to go."""
    named: dict[str, list[Decision]] = defaultdict(list)
    for decision in group.decisions:
        named[use_name(decision.use)].append(decision)
    if not plan or not plan.bases:
        same = plan and wanted and set(plan.steps) == set(steps_of(wanted))
        return () if same else _endings_of([d for d in group.decisions if d not in wanted])
    left = plan.bases.keys() - {use_name(update.use) for update in wanted}
    blocked = any(plan.bases[name] in now.blocked for name in left)
    endings = [closing for name in sorted(left) for closing in _endings_of(named[name])]
    return [Closing.BLOCKED, *endings] if blocked else endings


def _endings_of(decisions: Sequence[Decision]) -> Sequence[Closing]:
    """Why what is offered for uses that all have these decisions is to go; nothing where one of them waits."""
    if not decisions:
        return (Closing.GONE,)
    if any(isinstance(decision, Held) and decision.blocked for decision in decisions):
        return (Closing.BLOCKED,)
    if any(isinstance(decision, Waiting | Held) for decision in decisions):
        return ()
    return (_ending(decisions[0]),)


def _ending(decision: Decision) -> Closing:
    match decision:
        case Current():
            return Closing.CURRENT
        case Skip(opted_out=True):
            return Closing.OPTED_OUT
        case Skip():
            return Closing.UNABLE
        case Update(action=Action.BUMP | Action.PIN):
            return Closing.ANSWERED
        case _:
            return Closing.UNNEEDED


def _wanted(group: Group, seen: Sequence[Seen], now: Circumstances) -> tuple[Update, ...]:
    """The updates that no person answered with a close: for this very base, or for one that hardly differs."""
    refused = [plan for each in seen if each.standing is Standing.REFUSED and (plan := read_plan(each.body))]
    return tuple(update for update in group.updates if not any(_is_answer(plan, update, now) for plan in refused))


def _is_answer(plan: Plan, update: Update, now: Circumstances) -> bool:
    if step_of(update) in plan.steps:
        return True
    if update.back:  # whoever refused a base did not know that another one would be blocked
        return False
    base = plan.bases.get(use_name(update.use))
    return base is not None and base != update.new and not now.newly(update, base)


def _leave_pushed() -> CommentOnce:
    text = (
        "A person pushed to this branch, so refrom leaves it alone from now on.\n"
        "To have it brought up to date again, take those commits off the branch, or close this pull request."
    )
    return CommentOnce(PUSHED, text, "was changed by a person; left alone")

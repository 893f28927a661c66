"""One pull request a group, whatever bases, people and outages do over many runs: a forge of one branch in memory."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.decision import Decision
from bot.core.digest import Digest
from bot.core.marker import finished, read_plan, steps_of
from bot.core.proposals import IGNORE
from bot.core.pull_request import write
from bot.core.reconcile import (
    Circumstances,
    Close,
    CommentOnce,
    Create,
    Finish,
    Leave,
    Refresh,
    Seen,
    Standing,
    Step,
    reconcile,
)
from tests.core.facts import NEW
from tests.core.test_proposals import NEWER, NEWEST, blocked, current, group, held, skipped, update, waiting

PATHS: Final = ("a.Dockerfile", "b.Dockerfile")
BASES: Final = (NEW, NEWER, NEWEST)
MOST_STEPS: Final = 4
"""Close, create, finish: a run needs no more to come to rest."""


@dataclass(slots=True)
class Branch:
    """What a forge has of one branch, the newest first, and what was done to it."""

    pulls: list[Seen] = field(default_factory=list)
    finishes: bool = False
    default: str = "main"
    comments: set[str] = field(default_factory=set)
    changes: int = 0

    @property
    def open(self) -> list[int]:
        return [n for n, pull in enumerate(self.pulls) if pull.standing is Standing.OPEN]

    def change(self, **parts: Any) -> None:
        """Change what is open, if something is."""
        for n in self.open:
            self.pulls[n] = replace(self.pulls[n], **parts)

    def apply(self, step: Step) -> None:
        """Do what the rule says, as an adapter does, and refuse what must never be asked for."""
        before = [self.pulls[n] for n in self.open]
        self.changes += not isinstance(step, Leave | CommentOnce)
        assert isinstance(step, Leave | CommentOnce) or all(pull.by_us for pull in before), "over a person's push"
        match step:
            case Create(updates):
                assert not before, "a second pull request"
                self._refuse_answered(steps_of(updates))
                body = write(updates, unfinished=self.finishes).body
                self.pulls.insert(0, Seen(standing=Standing.OPEN, base=self.default, body=body))
            case Refresh(updates, _):
                assert updates, "a pull request for nothing"
                self.change(body=write(updates).body, conflicts=False)
            case Finish():
                self.change(body=finished(before[0].body))
            case Close():
                self.change(standing=Standing.ENDED)
            case CommentOnce(mark, _, _):
                self.comments.add(mark)
            case Leave():
                pass

    def _refuse_answered(self, steps: tuple[str, ...]) -> None:
        assert not any(IGNORE in pull.labels for pull in self.pulls), "told to ignore"
        for pull in self.pulls:
            plan = read_plan(pull.body)
            if pull.standing is Standing.REFUSED and plan:
                assert not set(steps) & set(plan.steps), "what a person refused"


def decisions(path: str) -> st.SearchStrategy[Decision | None]:
    updates = [update(path, base) for base in BASES]
    others = [None, current(path), waiting(path), held(path), skipped(path), blocked(path)]
    return st.sampled_from([*updates, *others])


EVENTS = st.sampled_from(["nothing", "push", "close", "merge", "conflict", "ignore", "empty", "undo"])
RUNS = st.lists(
    st.tuples(EVENTS, st.tuples(*map(decisions, PATHS)), st.booleans(), st.sampled_from(["main", "trunk"])), max_size=8
)


def happen(branch: Branch, event: str) -> None:
    """Something that people do between two runs."""
    match event:
        case "push":
            branch.change(by_us=False)
        case "undo":
            branch.change(by_us=True)
        case "close":
            branch.change(standing=Standing.REFUSED)
        case "merge":
            branch.change(standing=Standing.ENDED)
        case "conflict":
            branch.change(conflicts=True)
        case "ignore":
            branch.change(labels=(IGNORE,))
        case "empty":
            branch.change(body="")
        case _:
            pass


@settings(max_examples=200, deadline=None)
@given(runs=RUNS, finishes=st.booleans(), news=st.booleans())
def test_whatever_happens_there_is_one_pull_request_and_a_second_run_changes_nothing(
    runs: list[tuple[str, tuple[Decision | None, ...], bool, str]], *, finishes: bool, news: bool
) -> None:
    branch = Branch(finishes=finishes)
    for event, made, complete, default in runs:
        happen(branch, event)
        branch.default = default
        known = group(*(decision for decision in made if decision))
        now = Circumstances(default_branch=default, newly=lambda _update, _base: news, complete=complete)
        pushed = [pull for pull in branch.pulls if not pull.by_us and pull.standing is Standing.OPEN]

        for _ in range(MOST_STEPS):
            step = reconcile(known, branch.pulls, now)
            if step:
                branch.apply(step)
        changes = branch.changes
        last = reconcile(known, branch.pulls, now)

        assert last is None or isinstance(last, Leave | CommentOnce)
        assert changes == branch.changes
        assert len(branch.open) <= 1
        assert all(pull in branch.pulls for pull in pushed)


@settings(max_examples=150, deadline=None)
@given(made=st.tuples(*map(decisions, PATHS)), there=st.lists(st.sampled_from(BASES), max_size=2))
def test_the_same_facts_give_the_same_step_in_any_order(made: tuple[Decision | None, ...], there: list[Digest]) -> None:
    known = [decision for decision in made if decision]
    pulls = [Seen(standing=Standing.OPEN, base="main", body=write([update(PATHS[0], base)]).body) for base in there[:1]]
    now = Circumstances(default_branch="main", newly=lambda _update, _base: True)

    one, other = (reconcile(group(*order), pulls, now) for order in (known, known[::-1]))

    assert type(one) is type(other)
    assert not isinstance(one, Close) or one == other

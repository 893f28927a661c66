"""One pull request a group: what follows from what is wanted and what is there, case by case."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.core.decision import Action, Current, Decision, Held, Skip, Update, Waiting
from bot.core.digest import Digest
from bot.core.marker import read_plan
from bot.core.proposals import IGNORE, WHOLE, Closing, Group, GroupBy, PullRequestPolicy, groups_of
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
from bot.core.templates import Template
from tests.core.facts import NEW, NOW, OLD, use

B = "b.Dockerfile"
NEWER, NEWEST = Digest.of(b"newer"), Digest.of(b"newest")
BRANCH = "refrom/lambda-base-images"
NODE = "FROM public.ecr.aws/lambda/nodejs:22\n"


def update(path: str = "Dockerfile", new: Digest = NEW, action: Action = Action.BUMP) -> Update:
    return Update(use=use(path=path), action=action, reason="new", old=OLD, new=new, tag=None)


def back() -> Update:
    """A way back from a blocked base."""
    return replace(update(), back=True)


def current(path: str = "Dockerfile") -> Current:
    return Current(use=use(path=path), reason="on the current base")


def waiting(path: str = "Dockerfile") -> Waiting:
    return Waiting(use=use(path=path), reason="soaking", until=NOW)


def held(path: str = "Dockerfile") -> Held:
    return Held(use=use(path=path), reason="freeze")


def blocked(path: str = "Dockerfile", base: Digest = NEW) -> Held:
    return Held(use=use(path=path), reason="blocked", blocked=base)


def skipped(path: str = "Dockerfile") -> Skip:
    return Skip(use=use(path=path), reason="cannot be edited")


def group(*decisions: Decision) -> Group:
    return Group(name=WHOLE, branch=BRANCH, decisions=decisions)


def seen(*updates: Update, standing: Standing = Standing.OPEN, unfinished: bool = False, **parts: Any) -> Seen:
    body = write(updates, unfinished=unfinished).body
    return replace(Seen(standing=standing, base="main", body=body), **parts)


def refused(*updates: Update, **parts: Any) -> Seen:
    return seen(*updates, standing=Standing.REFUSED, **parts)


def old(shown: Seen) -> Seen:
    """The same with the marker of an earlier release, which names no bases."""
    plan = read_plan(shown.body)
    assert plan
    steps = ", ".join(f'"{step}"' for step in plan.steps)
    return replace(shown, body=f'text\n\n<!-- refrom:plan {{"steps": [{steps}]}} -->\n')


MERGED = seen(update(), standing=Standing.ENDED)
OPTED_OUT = Circumstances(default_branch="main", newly=lambda _update, _base: True, opted_out=True)
NORMAL = replace(OPTED_OUT, opted_out=False)
OUTAGE = replace(NORMAL, complete=False)
SAME = replace(NORMAL, newly=lambda _update, _base: False)
"""Whatever is new differs from what was refused in nothing that matters."""


def told(step: Step | None) -> object:
    """A step in short, for the tables."""
    match step:
        case Create(updates):
            return ("create", *(entry.use.located.path for entry in updates))
        case Refresh(updates, _):
            return ("refresh", *(entry.use.located.path for entry in updates))
        case Close(reason):
            return reason
        case None:
            return None
        case _:
            return type(step)


@pytest.mark.parametrize(
    ("decisions", "there", "now", "expected"),
    [
        # nothing is open
        pytest.param([], [], NORMAL, None, id="no use"),
        pytest.param([current()], [MERGED], NORMAL, None, id="nothing due"),
        pytest.param([update()], [], NORMAL, ("create", "Dockerfile"), id="due"),
        pytest.param([update()], [], OUTAGE, ("create", "Dockerfile"), id="due, and other bases could not be read"),
        pytest.param([update()], [MERGED], NORMAL, ("create", "Dockerfile"), id="merged, and due again"),
        pytest.param([update(action=Action.REBUILD)], [], NORMAL, None, id="a rebuild"),
        pytest.param([update(), held(B)], [], NORMAL, ("create", "Dockerfile"), id="due, and another held"),
        pytest.param([update()], [], OPTED_OUT, None, id="opted out"),
        # a person closed one
        pytest.param([update()], [refused(update())], NORMAL, Leave, id="refused"),
        pytest.param([update()], [MERGED, refused(update())], NORMAL, Leave, id="refused before"),
        pytest.param([update(new=NEWER)], [refused(update())], NORMAL, ("create", "Dockerfile"), id="the next base"),
        pytest.param([update(new=NEWER)], [refused(update())], SAME, Leave, id="the next base is the same in effect"),
        pytest.param([update(new=NEWER)], [old(refused(update()))], SAME, ("create", "Dockerfile"),
                     id="nobody knows what was refused"),
        pytest.param([back()], [refused(update())], SAME, ("create", "Dockerfile"), id="back to what was refused once"),
        pytest.param([back()], [refused(update(new=NEWER))], SAME, ("create", "Dockerfile"),
                     id="back to what hardly differs from what was refused"),
        pytest.param([back()], [refused(back())], NORMAL, Leave, id="the way back was refused"),
        pytest.param([update(), update(B)], [refused(update())], NORMAL, ("create", B), id="refused in part"),
        pytest.param([update(B)], [refused(update(B), update())], NORMAL, Leave, id="refused with more"),
        pytest.param([update(new=NEWER)], [refused(update(), labels=(IGNORE,))], NORMAL, Leave, id="never again"),
        pytest.param([update()], [replace(MERGED, labels=(IGNORE,))], NORMAL, Leave, id="never again after a merge"),
        # one is open and says what is wanted
        pytest.param([update()], [seen(update())], NORMAL, Leave, id="up to date"),
        pytest.param([update()], [old(seen(update()))], NORMAL, Leave, id="up to date since an earlier release"),
        pytest.param([update()], [seen(update(), unfinished=True)], NORMAL, Finish, id="unfinished"),
        pytest.param([update()], [seen(update(), unfinished=True)], OUTAGE, Finish, id="unfinished in an outage"),
        pytest.param([update()], [seen(update(), conflicts=True)], NORMAL, ("refresh", "Dockerfile"), id="conflicts"),
        pytest.param([update()], [seen(update(), base="old")], NORMAL, Closing.REBASED, id="another default branch"),
        # one is open and says something else
        pytest.param([update(new=NEWER)], [seen(update())], NORMAL, ("refresh", "Dockerfile"), id="superseded"),
        pytest.param([update(), update(B)], [seen(update())], NORMAL, ("refresh", "Dockerfile", B), id="one more"),
        pytest.param([update()], [seen(update(), body="mine")], NORMAL, ("refresh", "Dockerfile"), id="body emptied"),
        pytest.param([update()], [seen(update(), update(B))], NORMAL, ("refresh", "Dockerfile"), id="one gone"),
        pytest.param([update(), current(B)], [seen(update(), update(B))], NORMAL, ("refresh", "Dockerfile"),
                     id="one current"),
        pytest.param([update(), current(B)], [old(seen(update(), update(B)))], NORMAL, ("refresh", "Dockerfile"),
                     id="one current since an earlier release"),
        pytest.param([update(), blocked(B)], [seen(update(), update(B))], NORMAL, ("refresh", "Dockerfile"),
                     id="one blocked"),
        # what waits stays
        pytest.param([waiting()], [seen(update())], NORMAL, Leave, id="soaking"),
        pytest.param([waiting()], [old(seen(update()))], NORMAL, Leave, id="soaking since an earlier release"),
        pytest.param([held()], [seen(update())], NORMAL, Leave, id="held"),
        pytest.param([held()], [seen(update(), conflicts=True)], NORMAL, Leave, id="held, and conflicts"),
        pytest.param([update(), waiting(B)], [seen(update(), update(B))], NORMAL, Leave, id="one soaking"),
        pytest.param([update(new=NEWER), waiting(B)], [seen(update(), update(B))], NORMAL,
                     ("refresh", "Dockerfile"), id="one soaking, one superseded"),
        pytest.param([waiting(), current(B)], [seen(update(), update(B))], NORMAL, Closing.CURRENT,
                     id="one soaking, one current"),
        # an outage changes nothing
        pytest.param([skipped()], [seen(update())], OUTAGE, Leave, id="outage"),
        pytest.param([update(new=NEWER)], [seen(update())], OUTAGE, Leave, id="outage, and superseded"),
        # closing
        pytest.param([], [seen(update())], NORMAL, Closing.GONE, id="gone"),
        pytest.param([current(B)], [seen(update())], NORMAL, Closing.GONE, id="gone, and another is there"),
        pytest.param([current()], [seen(update())], NORMAL, Closing.CURRENT, id="current"),
        pytest.param([blocked()], [seen(update())], NORMAL, Closing.BLOCKED, id="blocked"),
        pytest.param([blocked()], [old(seen(update()))], NORMAL, Closing.BLOCKED,
                     id="blocked since an earlier release"),
        pytest.param([waiting()], [seen(update())], replace(NORMAL, blocked=frozenset({NEW})), Closing.BLOCKED,
                     id="what is offered is blocked, and the next is soaking"),
        pytest.param([skipped()], [seen(update())], NORMAL, Closing.UNABLE, id="no edit is possible"),
        pytest.param([replace(skipped(), opted_out=True)], [seen(update())], NORMAL, Closing.OPTED_OUT,
                     id="the repository's own file ignores it"),
        pytest.param([update(action=Action.REBUILD)], [seen(update())], NORMAL, Closing.UNNEEDED, id="rebuilt instead"),
        pytest.param([update()], [seen(update()), refused(update())], NORMAL, Closing.ANSWERED, id="answered before"),
        pytest.param([update()], [seen(update(), labels=(IGNORE,))], NORMAL, Closing.IGNORED, id="the label"),
        pytest.param([update()], [seen(update(), labels=(IGNORE,))], OUTAGE, Closing.IGNORED, id="the label, outage"),
        pytest.param([], [seen(update())], OPTED_OUT, Closing.OPTED_OUT, id="the repository's own file"),
        # a person's push
        *(
            pytest.param(decisions, [seen(update(), by_us=False, **parts)], now, CommentOnce, id=f"pushed, {name}")
            for name, decisions, parts, now in (
                ("up to date", [update()], {}, NORMAL),
                ("superseded", [update(new=NEWER)], {}, NORMAL),
                ("gone", [], {}, NORMAL),
                ("blocked", [blocked()], {}, NORMAL),
                ("the label", [update()], {"labels": (IGNORE,)}, NORMAL),
                ("opted out", [], {}, OPTED_OUT),
                ("conflicts", [update()], {"conflicts": True}, NORMAL),
                ("unfinished", [update()], {"unfinished": True}, NORMAL),
            )
        ),
    ],
)  # fmt: skip
def test_what_is_done_next(decisions: list[Decision], there: list[Seen], now: Circumstances, expected: object) -> None:
    assert told(reconcile(group(*decisions), there, now)) == expected


def test_a_newer_base_is_compared_with_the_one_of_its_own_runtime_that_was_refused() -> None:
    other = replace(update(new=NEWER), use=use("FROM public.ecr.aws/lambda/python:3.12\n"))
    compared: list[tuple[Digest, Digest]] = []

    def newly(update: Update, base: Digest) -> bool:
        compared.append((update.new, base))
        return False

    step = reconcile(group(update(new=NEWEST)), [refused(update(), other)], replace(NORMAL, newly=newly))

    assert (told(step), compared) == (Leave, [(NEWEST, NEW)])


def test_a_stray_branch_is_closed_with_its_reason_and_a_persons_own_is_left() -> None:
    stray = Group(name="x", branch="refrom/x", stray=Closing.GROUPED)

    assert told(reconcile(stray, [seen(update())], OUTAGE)) is Closing.GROUPED
    assert told(reconcile(stray, [seen(update(), by_us=False)], NORMAL)) is CommentOnce
    assert told(reconcile(stray, [seen(update(), by_us=False, body="my own work")], NORMAL)) is Leave
    assert told(reconcile(stray, [MERGED], NORMAL)) is None


PYTHON, RUNTIME = "python3.13", PullRequestPolicy(group_by=GroupBy.RUNTIME)
NODE_USE = replace(update(), use=use(NODE, "node/Dockerfile"))
NAMELESS = Skip(use=use("FROM public.ecr.aws/lambda/python\n"), reason="no version")


@pytest.mark.parametrize(
    ("policy", "branches", "expected"),
    [
        pytest.param(PullRequestPolicy(), [], [(WHOLE, BRANCH, 3, None)], id="by repository"),
        pytest.param(PullRequestPolicy(), [BRANCH], [(WHOLE, BRANCH, 3, None)], id="by repository, and it is there"),
        pytest.param(
            PullRequestPolicy(), ["refrom/python3.13"],
            [("refrom/python3.13", "refrom/python3.13", 0, Closing.GROUPED), (WHOLE, BRANCH, 3, None)],
            id="by repository, and by runtime before",
        ),
        pytest.param(
            RUNTIME, [BRANCH, "refrom/ruby3.4"],
            [
                (BRANCH, BRANCH, 0, Closing.GROUPED),
                ("refrom/ruby3.4", "refrom/ruby3.4", 0, Closing.GONE),
                ("nodejs22.x", "refrom/nodejs22.x", 1, None),
                (PYTHON, "refrom/python3.13", 1, None),
            ],
            id="by runtime, and by repository before",
        ),
        pytest.param(
            PullRequestPolicy(branch=Template.parse("bots/refrom", ("group",))), [],
            [(WHOLE, "bots/refrom", 3, None)], id="a branch without group",
        ),
    ],
)  # fmt: skip
def test_groups_and_their_branches(policy: PullRequestPolicy, branches: Sequence[str], expected: object) -> None:
    made = groups_of([update(), NODE_USE, NAMELESS], policy, branches)

    assert [(g.name, g.branch, len(g.decisions), g.stray) for g in made] == expected


def test_the_branch_of_a_repository_without_uses_is_stray_because_they_are_gone() -> None:
    assert [g.stray for g in groups_of([], PullRequestPolicy(), [BRANCH])] == [Closing.GONE]


def test_a_rebuild_is_no_update_of_a_pull_request() -> None:
    assert group(update(action=Action.REBUILD), update(B)).updates == (update(B),)

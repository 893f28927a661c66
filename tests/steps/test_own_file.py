"""A source repository's own file narrows what is done there, in every step; it never widens it."""

from datetime import timedelta

import pytest

from bot.core.decision import Skip, Update, Waiting
from bot.core.outcome import Result
from bot.core.policy import OnUnknown, Policy, UpdateOn
from bot.ports.forge import PullRequestState
from tests.adapters.forge.world import LINK, File
from tests.steps.shop import Shop, pinned

NAME = "acme/orders"
OWN = ".github/refrom.yaml"


def write(shop: Shop, text: str, mode: str = "100644") -> None:
    """Let a person commit the repository's own file."""
    shop.people.push(NAME, "main", {OWN: File(text.encode(), mode)})


@pytest.fixture
def behind(shop: Shop) -> Shop:
    """A repository whose base moved, and another one beside it."""
    old = shop.publish()
    for name in (NAME, "acme/other"):
        shop.push(name, pinned(old), **{"legacy/Dockerfile": pinned(old)})
    shop.watch()
    shop.move()
    return shop


def test_a_disabled_repository_is_left_alone_and_says_so(behind: Shop) -> None:
    write(behind, "version: 1\nenabled: false\n")

    report = behind.cycle()

    decisions = [decision for decision in report.decisions if decision.use.repository == NAME]
    assert {type(decision) for decision in decisions} == {Skip}
    assert {d.reason for d in decisions if isinstance(d, Skip)} == {f"{OWN} of the repository says enabled: false"}
    assert behind.pull_requests(NAME) == []
    assert len(behind.pull_requests("acme/other")) == 1


def test_what_is_open_is_closed_once_a_repository_is_disabled(behind: Shop) -> None:
    behind.cycle()
    write(behind, "version: 1\nenabled: false\n")

    behind.cycle()

    (closed,) = behind.pull_requests(NAME)
    assert (closed.state, closed.closed_by_us) == (PullRequestState.CLOSED, True)


def test_ignored_paths_are_left_alone_and_the_others_are_not(behind: Shop) -> None:
    write(behind, "version: 1\nignore: ['legacy/*']\n")

    report = behind.cycle()

    decided = {d.use.located.path: type(d) for d in report.decisions if d.use.repository == NAME}
    assert decided == {"Dockerfile": Update, "legacy/Dockerfile": Skip}
    (opened,) = behind.pull_requests(NAME)
    changed = behind.people.files(NAME, opened.head)
    before = behind.people.files(NAME, behind.people.branches(NAME)["main"])
    assert {path for path in before if changed[path] != before[path]} == {"Dockerfile"}


def test_what_is_open_for_ignored_paths_is_closed_with_that_reason(behind: Shop) -> None:
    behind.cycle()
    write(behind, "version: 1\nignore: ['*Dockerfile']\n")

    report = behind.cycle()

    (closed,) = [outcome for outcome in report.outcomes if outcome.result is Result.CLOSED]
    assert closed.message.endswith(f"the repository's own {OWN} says so")


@pytest.mark.parametrize(
    ("policy", "text", "kind"),
    [
        (UpdateOn.PACKAGES, "update_on: security", Waiting),
        (UpdateOn.PACKAGES, "update_on: any", Update),
        (UpdateOn.SECURITY, "update_on: any", Waiting),
        (UpdateOn.PACKAGES, "soak: 20d", Waiting),
    ],
)
def test_the_policy_is_taken_where_it_is_stricter(behind: Shop, policy: UpdateOn, text: str, kind: type) -> None:
    behind.policy = Policy(update_on=policy, max_age=timedelta(days=300), on_unknown=OnUnknown.WAIT)
    write(behind, f"version: 1\npolicy: {{{text}}}\n")

    report = behind.cycle()

    assert {type(decision) for decision in report.decisions if decision.use.repository == NAME} == {kind}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 1\nenable: false\n", f"{NAME}/{OWN}:2: enable: is no key here; did you mean enabled?"),
        ("version: 1\npolicy: {max_age: 9000d}\n", f"{NAME}/{OWN}:2: policy.max_age: is no key here"),
        ("[", f"{NAME}/{OWN}:1: is no YAML"),
    ],
)
def test_a_faulty_file_is_told_with_its_line_and_only_that_repository_is_left_alone(
    behind: Shop, text: str, told: str
) -> None:
    write(behind, text)

    report = behind.cycle()

    (failed,) = [outcome for outcome in report.outcomes if outcome.result is Result.FAILED]
    assert failed.subject == NAME
    assert told in failed.message
    assert behind.pull_requests(NAME) == []
    assert len(behind.pull_requests("acme/other")) == 1


def test_a_file_that_is_a_link_is_told(behind: Shop) -> None:
    write(behind, "../README.md", LINK)

    (failed,) = [outcome for outcome in behind.cycle().outcomes if outcome.result is Result.FAILED]

    assert f"{NAME}: {OWN} cannot be read (a symbolic link, which is not followed)" in failed.message


def test_a_function_of_an_ignored_file_is_held(shop: Shop) -> None:
    old = shop.publish()
    commit = shop.push(NAME, pinned(old))
    target = shop.deploy("orders", old, commit)
    write(shop, "version: 1\nignore: [Dockerfile]\n")
    inquiry = shop.inquiry()
    inquiry.read(inquiry.repositories()[NAME], shop.now)

    hold = inquiry.hold_for(target, shop.now)

    assert hold is not None
    assert hold.reason == f"{OWN} of the repository ignores Dockerfile"

"""Propose: one pull request for each group, in git, whatever people and earlier runs did to it."""

from dataclasses import dataclass

import pytest

from bot.core.decision import Action, Current, Update
from bot.core.digest import Digest
from bot.core.errors import ForgeError
from bot.core.outcome import Outcome, Result
from bot.core.proposals import WHOLE, Group, PullRequestPolicy
from bot.core.pull_request import BRANCH
from bot.core.reconcile import Circumstances
from bot.ports.forge import Proposal, PullRequestState
from bot.steps.propose import Proposer, edit
from tests.adapters.forge.world import File
from tests.steps.shop import UNPINNED, Shop, pinned

NAME = "acme/orders"
NEW, NEWER = Digest.of(b"new"), Digest.of(b"newer")


@dataclass(slots=True)
class Proposing:
    """One repository with an unpinned Dockerfile, and what is proposed for it."""

    shop: Shop

    def __call__(self, new: Digest | None, *, complete: bool = True) -> Outcome | None:
        """Propose to bring every use to a digest, or that nothing is to be done."""
        survey = self.shop.survey(NAME)
        decisions = tuple(
            Update(use=use, action=Action.PIN, reason="new", old=None, new=new, tag=None)
            if new and use.pinned != new
            else Current(use=use, reason="on the current base")
            for use in survey.uses
        )
        proposer = Proposer(
            survey=survey,
            group=Group(name=WHOLE, branch=BRANCH, decisions=decisions),
            policy=PullRequestPolicy(),
            forge=self.shop.forge,
            pull_requests=self.shop.forge,
        )
        now = Circumstances(default_branch="main", newly=lambda _update, _base: True, complete=complete)
        return proposer.propose(now, lambda _result: None).outcome

    def states(self) -> list[str]:
        """Where the pull requests stand, the oldest first."""
        return [str(pull.state) for pull in reversed(self.shop.pull_requests(NAME))]


@pytest.fixture
def proposing(shop: Shop) -> Proposing:
    shop.push(NAME)
    return Proposing(shop)


def result(outcome: Outcome | None) -> Result | None:
    return outcome.result if outcome else None


def test_an_update_opens_a_pull_request_that_edits_the_reference_alone(proposing: Proposing) -> None:
    outcome = proposing(NEW)

    assert result(outcome) is Result.OPENED
    assert proposing.states() == ["open"]
    assert proposing.shop.dockerfile(NAME, BRANCH) == pinned(NEW)
    assert proposing.shop.dockerfile(NAME) == UNPINNED


def test_the_same_update_again_changes_nothing(proposing: Proposing) -> None:
    proposing(NEW)
    before = proposing.shop.people.branches(NAME)

    assert result(proposing(NEW)) is Result.UNCHANGED
    assert proposing.shop.people.branches(NAME) == before


def test_a_newer_base_refreshes_the_same_pull_request(proposing: Proposing) -> None:
    proposing(NEW)

    assert result(proposing(NEWER)) is Result.REFRESHED
    assert proposing.states() == ["open"]
    assert proposing.shop.dockerfile(NAME, BRANCH) == pinned(NEWER)


def test_what_is_no_longer_needed_is_closed_with_its_branch(proposing: Proposing) -> None:
    proposing(NEW)

    assert result(proposing(None)) is Result.CLOSED
    assert proposing.states() == ["closed"]
    assert BRANCH not in proposing.shop.people.branches(NAME)


def test_where_nothing_is_open_and_nothing_is_due_nothing_is_said(proposing: Proposing) -> None:
    assert proposing(None) is None


def test_what_we_closed_is_opened_again_when_it_is_due_again(proposing: Proposing) -> None:
    proposing(NEW)
    proposing(None)

    assert result(proposing(NEW)) is Result.OPENED
    assert proposing.states() == ["closed", "open"]


def test_a_persons_closing_is_an_answer_for_this_base_and_not_for_the_next(proposing: Proposing) -> None:
    proposing(NEW)
    proposing.shop.forge.close_by_person(NAME, 1)

    assert result(proposing(NEW)) is Result.UNCHANGED
    assert proposing.states() == ["closed"]
    assert result(proposing(NEWER)) is Result.OPENED
    assert proposing.states() == ["closed", "open"]


@pytest.mark.parametrize("new", [NEWER, None], ids=["a newer base", "nothing due"])
def test_a_pull_request_that_a_person_pushed_to_is_left_alone_which_is_said_once(
    proposing: Proposing, new: Digest | None
) -> None:
    proposing(NEW)
    proposing.shop.people.push(NAME, BRANCH, {"fix.py": File(b"fixed = True\n")})
    before = proposing.shop.people.branches(NAME)

    outcomes = [proposing(new) for _ in range(3)]

    assert [result(outcome) for outcome in outcomes] == [Result.COMMENTED, Result.UNCHANGED, Result.UNCHANGED]
    assert all(outcome and "changed by a person" in outcome.message for outcome in outcomes)
    assert proposing.shop.people.branches(NAME) == before
    (comment,) = proposing.shop.forge.record(NAME, 1).comments
    assert "leaves it alone" in comment


@pytest.mark.parametrize("new", [NEWER, None], ids=["a newer base", "nothing due"])
def test_an_outage_neither_closes_nor_shrinks_what_is_open(proposing: Proposing, new: Digest | None) -> None:
    proposing(NEW)
    before = proposing.shop.people.branches(NAME)

    assert result(proposing(new, complete=False)) is Result.UNCHANGED
    assert proposing.shop.people.branches(NAME) == before


def test_after_a_merge_nothing_is_open_and_nothing_is_due(proposing: Proposing) -> None:
    proposing(NEW)
    proposing.shop.forge.merge(NAME, 1)

    assert result(proposing(NEW)) is None
    assert [pull.state for pull in proposing.shop.pull_requests(NAME)] == [PullRequestState.MERGED]


def test_a_body_that_a_person_emptied_is_written_again(proposing: Proposing) -> None:
    proposing(NEW)
    (pull,) = proposing.shop.pull_requests(NAME)
    files = {"Dockerfile": pinned(NEW).encode()}
    commit = proposing.shop.survey(NAME).repository.commit
    mine = Proposal(commit=commit, files=files, title="mine", message="mine", body="mine")
    proposing.shop.forge.refresh(pull, mine)

    assert result(proposing(NEW)) is Result.REFRESHED
    assert result(proposing(NEW)) is Result.UNCHANGED


def test_a_rebuild_edits_nothing_and_is_refused(proposing: Proposing) -> None:
    survey = proposing.shop.survey(NAME)
    wrong = Update(use=survey.uses[0], action=Action.REBUILD, reason="new", old=None, new=NEW, tag=None)

    with pytest.raises(ForgeError, match="a rebuild edits nothing"):
        edit(survey, [wrong])

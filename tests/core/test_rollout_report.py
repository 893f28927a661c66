"""What people are told of a rollout."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.decision import Current, Decision, Held, Skip, Update, Waiting
from bot.core.plan import decide
from bot.core.policy import Policy
from bot.core.rollout import Phase, Rollout, RolloutPolicy, Troubles, Wave
from bot.core.rollout_report import report_of
from tests.core.facts import NEW, NOTHING, NOW, known, use

DAY = timedelta(days=1)
RULES = RolloutPolicy(waves=(Wave(share=0.1),))
ROLLOUT = Rollout(runtime="python3.13", base=NEW, began=NOW)
UPDATE = decide(known(), Policy(), NOTHING, NOW)
OTHERS: list[Decision] = [
    Current(use=use(), reason="on the current base"),
    Current(use=use(), reason="ahead of the rollout"),
    Waiting(use=use(), reason="phase two", until=None),
    Held(use=use(), reason="freeze"),
    Skip(use=use(), reason="cannot be edited"),
]


@pytest.mark.parametrize(
    ("days", "where", "wave", "opens"),
    [
        (0, Phase.ONE, 0, NOW + 3 * DAY),
        (3, Phase.WAVES, 1, NOW + 4 * DAY),
        (4, Phase.WAVES, 2, None),
        (5, Phase.DONE, 2, None),
    ],
)
def test_it_says_how_far_it_is_and_when_the_next_wave_opens(
    days: int, where: Phase, wave: int, opens: datetime | None
) -> None:
    told = report_of(RULES, ROLLOUT, Troubles(), [UPDATE, *OTHERS], NOW + days * DAY)

    assert (told.phase, told.wave, told.waves, told.opens) == (where, wave, 2, opens)
    assert (told.taken, told.waiting, told.reason) == (2, 3, "")


def test_a_halted_one_says_why_and_names_no_opening() -> None:
    told = report_of(RULES, ROLLOUT, Troubles(taken_back=("carts was rolled back",)), OTHERS, NOW + 4 * DAY)

    assert (told.phase, told.opens, told.reason) == (Phase.HALTED, None, "carts was rolled back")


@pytest.mark.parametrize(("decisions", "soaks"), [([UPDATE, *OTHERS], False), (OTHERS, True)])
def test_it_soaks_once_nobody_in_phase_one_is_asked_any_more(decisions: list[Decision], *, soaks: bool) -> None:
    assert isinstance(UPDATE, Update)
    assert report_of(RULES, ROLLOUT, Troubles(), decisions, NOW).soaks == soaks
    assert not report_of(RULES, ROLLOUT, Troubles(), decisions, NOW + 4 * DAY).soaks


def test_uses_of_other_streams_do_not_count() -> None:
    other = replace(ROLLOUT, runtime="python3.14")

    told = report_of(RULES, other, Troubles(), [UPDATE, *OTHERS], NOW)

    assert (told.taken, told.waiting) == (0, 0)

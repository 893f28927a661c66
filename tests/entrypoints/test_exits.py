"""Exit codes: what a report of a cycle means."""

import pytest

from bot.core.outcome import Outcome, Result
from bot.entrypoints.exits import ATTENTION, DEFECT, DONE, code_of, defects_of
from bot.ports.engine import Key
from bot.steps.cycle import Defect, Report

DONE_WELL = Outcome(step="propose", subject="acme/a", result=Result.OPENED, message="opened")
FAILED = Outcome(step="survey", subject="acme/b", result=Result.FAILED, message="failed")


def report(*outcomes: Outcome, defects: tuple[Defect, ...] = ()) -> Report:
    return Report(decisions=(), outcomes=outcomes, surveys={}, waiting=(), defects=defects)


def raise_surprise() -> None:
    raise KeyError("surprise")


def test_a_report_without_failures_is_done() -> None:
    assert code_of(report(DONE_WELL)) == DONE


def test_a_failure_needs_attention() -> None:
    assert code_of(report(DONE_WELL, FAILED)) == ATTENTION


def test_a_defect_of_one_key_is_a_defect_and_told_with_its_key_and_traceback() -> None:
    with pytest.raises(KeyError) as caught:
        raise_surprise()
    made = report(DONE_WELL, FAILED, defects=(Defect(Key("repository", "acme/b"), caught.value),))

    (told,) = defects_of(made)

    assert code_of(made) == DEFECT
    assert told.startswith("repository:acme/b: Traceback")
    assert told.endswith("KeyError: 'surprise'\n\nThis is a defect of refrom; please report it.")

"""Update modes: of all that was said, the most specific that lasts, and a repository's own word only if stricter."""

from datetime import date

import pytest

from bot.core.modes import DEFAULT, Mode, UpdateMode, effective, lapsed

TODAY = date(2026, 11, 24)
AUTO = UpdateMode(mode=Mode.AUTO, said_by="policy")
RIDES = UpdateMode(mode=Mode.FUNCTION_UPDATE, said_by="override")
STAYS = UpdateMode(mode=Mode.MANUAL, said_by="tag", reason="waits for glibc", until=TODAY)
OVER = UpdateMode(mode=Mode.MANUAL, said_by="tag", reason="was slow", until=date(2026, 11, 23))
OWN_AUTO = UpdateMode(mode=Mode.AUTO, said_by="own file", narrows=True)
OWN_RIDES = UpdateMode(mode=Mode.FUNCTION_UPDATE, said_by="own file", narrows=True)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], DEFAULT, id="nothing"),
        pytest.param([AUTO, RIDES], RIDES, id="the most specific"),
        pytest.param([RIDES, AUTO], AUTO, id="the most specific may take more"),
        pytest.param([RIDES, OWN_AUTO], RIDES, id="but not a repository's own word"),
        pytest.param([AUTO, OWN_RIDES], OWN_RIDES, id="which may take less"),
        pytest.param([AUTO, STAYS], STAYS, id="manual through its last day"),
        pytest.param([RIDES, OVER], RIDES, id="manual that lapsed counts for nothing"),
    ],
)
def test_of_all_that_was_said_the_most_specific_that_lasts_holds(said: list[UpdateMode], expected: UpdateMode) -> None:
    assert effective(said, TODAY) == expected


def test_a_manual_that_lapsed_is_found_until_somebody_takes_it_out() -> None:
    assert lapsed([RIDES, OVER], TODAY) == OVER
    assert lapsed([RIDES, STAYS], TODAY) is None


def test_a_mode_is_told_with_its_reason_and_its_end() -> None:
    assert [str(mode) for mode in (DEFAULT, STAYS)] == ["auto", "manual until 2026-11-24: waits for glibc"]

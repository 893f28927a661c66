"""Update modes: of all that was said, the most specific that lasts, and a repository's own word only if stricter."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core.modes import DEFAULT, Mode, UpdateMode, effective, lapsed, of_tags, rides, unread, weigh

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


def test_of_each_mode_that_was_said_it_is_told_what_became_of_it() -> None:
    said = [AUTO, RIDES, OWN_AUTO, OWN_RIDES, OVER, STAYS]

    assert [(mode.said_by, became) for mode, became in weigh(said, TODAY)] == [
        ("the default", "overruled by policy"),
        ("policy", "overruled by override"),
        ("override", "overruled by tag"),
        ("own file", "no stricter than override"),
        ("own file", "no stricter than override"),
        ("tag", "over since 2026-11-23"),
        ("tag", "holds"),
    ]


def test_a_manual_that_lapsed_is_found_until_somebody_takes_it_out() -> None:
    assert lapsed([RIDES, OVER], TODAY) == OVER
    assert lapsed([RIDES, STAYS], TODAY) is None


def test_a_manual_that_lapsed_is_nobodys_duty_where_it_would_not_hold_anyway() -> None:
    """What is more specific overrules it, whether it lasts or not."""
    assert lapsed([OVER, AUTO], TODAY) is None
    assert lapsed([OVER, STAYS], TODAY) is None
    assert lapsed([OVER, OWN_RIDES], TODAY) == OVER


def test_a_mode_is_told_with_its_reason_and_its_end() -> None:
    assert [str(mode) for mode in (DEFAULT, STAYS)] == ["auto", "manual until 2026-11-24: waits for glibc"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"team": "orders", "refrom:repository": "acme/orders"}, None, id="nothing about a mode"),
        pytest.param({"refrom:mode": "auto"}, UpdateMode(mode=Mode.AUTO, said_by="tag refrom:mode"), id="auto"),
        pytest.param(
            {"refrom:mode": "function-update", "refrom:reason": "x", "refrom:until": "2026-12-01"},
            UpdateMode(mode=Mode.FUNCTION_UPDATE, said_by="tag refrom:mode", reason="x", until=date(2026, 12, 1)),
            id="a mode with an end",
        ),
        pytest.param(
            {"refrom:mode": "manual", "refrom:reason": "waits for glibc", "refrom:until": "2026-11-24"},
            UpdateMode(mode=Mode.MANUAL, said_by="tag refrom:mode", reason="waits for glibc", until=TODAY),
            id="manual",
        ),
    ],
)
def test_a_functions_tags_say_its_mode(tags: dict[str, str], expected: UpdateMode | None) -> None:
    assert of_tags(tags) == expected


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        pytest.param(
            {"refrom:mode": "frozen"},
            "tag refrom:mode says 'frozen'; write auto, function-update, manual",
            id="an unknown mode",
        ),
        pytest.param(
            {"refrom:mode": "manual", "refrom:reason": "x"},
            "tag refrom:mode says manual without refrom:until; add it",
            id="manual without end",
        ),
        pytest.param(
            {"refrom:mode": "manual", "refrom:until": "2026-12-01"},
            "tag refrom:mode says manual without refrom:reason; add it",
            id="manual without reason",
        ),
        pytest.param(
            {"refrom:mode": "auto", "refrom:until": "soon"},
            "tag refrom:until says 'soon', which is no date; write one such as 2027-01-31",
            id="no date",
        ),
        pytest.param(
            {"refrom:until": "2026-12-01"},
            "tag refrom:until stands without refrom:mode; add that, or take it out",
            id="an end of nothing",
        ),
        pytest.param(
            {"refrom:reason": "slow"},
            "tag refrom:reason stands without refrom:mode; add that, or take it out",
            id="a reason of nothing",
        ),
    ],
)
def test_tags_that_nobody_can_read_leave_the_function_alone_and_are_told(tags: dict[str, str], told: str) -> None:
    mode = effective([AUTO, *filter(None, [of_tags(tags)])], TODAY)

    assert (mode.mode, str(mode)) == (Mode.MANUAL, told)


def test_tags_that_could_not_be_read_may_say_manual() -> None:
    mode = effective([AUTO, unread("its tags cannot be read (AccessDenied); allow lambda:ListTags")], TODAY)

    told = "tag refrom:mode is not known: its tags cannot be read (AccessDenied); allow lambda:ListTags"
    assert (mode.mode, str(mode)) == (Mode.MANUAL, told)


def test_a_base_rides_with_a_change_that_was_made_since_it_was_seen() -> None:
    seen = datetime(2026, 11, 20, 14, tzinfo=UTC)

    assert [rides(changed, seen) for changed in (None, seen - timedelta(seconds=1), seen)] == [False, False, True]

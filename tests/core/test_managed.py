"""Managed runtimes: a row, a verdict and the duties for every state of the evidence."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.managed import (
    FIND_MODE,
    LEAVE_MANUAL,
    MOVE_OFF,
    ROLL_BACK,
    UPDATE,
    UPDATE_PACKAGE,
    judge_managed,
)
from bot.core.management import Management, UpdateRuntimeOn
from bot.core.modes import Mode, UpdateMode
from bot.core.platforms import Platform
from bot.core.responsibility import Evidence, Finding, State, Verdict, count_rows
from bot.core.rows import Row
from bot.core.runtime_version import RuntimeVersion
from bot.core.runtimes import Runtime

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = NOW.date()
MAX_AGE = timedelta(days=30)


def runtime(deprecation: date | None = None, block_update: date | None = None) -> Runtime:
    return Runtime(
        identifier="python3.13",
        repository="lambda/python",
        tag="3.13",
        os="AL2023",
        platforms=(Platform("linux", "amd64"),),
        deprecation=deprecation,
        block_update=block_update,
    )


PYTHON = runtime(TODAY + timedelta(days=1000))


def management(mode: UpdateRuntimeOn | None = UpdateRuntimeOn.AUTO, **fields: object) -> Management:
    return Management(update_on=mode, **{"runtime": PYTHON, **fields})  # type: ignore[arg-type]


def judged(known: Management, changed_days_ago: float | None = 10, now: datetime = NOW, **fields: object) -> Finding:
    changed = None if changed_days_ago is None else NOW - timedelta(days=changed_days_ago)
    given_fields = {"function": "arn:f", "repository": None, "runtime": "python3.13", "redeployed": changed, **fields}
    return judge_managed(Evidence(**given_fields), known, MAX_AGE, now)  # type: ignore[arg-type]


AUTO, FUNCTION_UPDATE, MANUAL = UpdateRuntimeOn


def declared(days: int) -> UpdateMode:
    return UpdateMode(mode=Mode.MANUAL, said_by="a test", reason="rolled back", until=TODAY + timedelta(days=days))


MANUAL_ENDS = {"manual": declared(5), "held": "manual: rolled back", "held_until": TODAY}


@pytest.mark.parametrize(
    ("mode", "fields", "changed", "row", "duties"),
    [
        pytest.param(AUTO, {}, 900, Row.MANAGED_AUTO, [(ROLL_BACK, State.MET, None)], id="Auto owes nothing"),
        pytest.param(
            FUNCTION_UPDATE, {}, 10, Row.MANAGED_FUNCTION_UPDATE, [(UPDATE, State.DUE, 20)], id="updated lately"
        ),
        pytest.param(
            FUNCTION_UPDATE, {}, 30, Row.MANAGED_FUNCTION_UPDATE, [(UPDATE, State.DUE, 0)], id="due this moment"
        ),
        pytest.param(
            FUNCTION_UPDATE, {}, 45, Row.MANAGED_FUNCTION_UPDATE, [(UPDATE, State.OVERDUE, 15)], id="not updated"
        ),
        pytest.param(
            FUNCTION_UPDATE, {"held": "freeze", "held_until": TODAY}, 45, Row.MANAGED_FUNCTION_UPDATE,
            [(UPDATE, State.EXCEPTED, None)], id="not updated, and held",
        ),
        pytest.param(
            FUNCTION_UPDATE, {}, None, Row.MANAGED_FUNCTION_UPDATE, [(UPDATE, State.UNKNOWN, None)], id="no date"
        ),
        pytest.param(
            FUNCTION_UPDATE, {}, -1, Row.MANAGED_FUNCTION_UPDATE, [(UPDATE, State.UNKNOWN, None)], id="a clock is wrong"
        ),
        pytest.param(MANUAL, {}, 10, Row.MANAGED_MANUAL, [(LEAVE_MANUAL, State.DUE, 20)], id="pinned lately"),
        pytest.param(MANUAL, {}, 90, Row.MANAGED_MANUAL, [(LEAVE_MANUAL, State.OVERDUE, 60)], id="forgotten"),
        pytest.param(
            MANUAL, MANUAL_ENDS, 90, Row.MANAGED_MANUAL, [(LEAVE_MANUAL, State.EXCEPTED, None)], id="declared"
        ),
        pytest.param(
            MANUAL, {"manual": declared(-4)}, 10, Row.MANAGED_MANUAL,
            [(LEAVE_MANUAL, State.OVERDUE, 4)], id="pinned past its declared end",
        ),
        pytest.param(None, {}, 10, Row.MANAGED_UNKNOWN, [(FIND_MODE, State.UNKNOWN, None)], id="the mode is not known"),
        pytest.param(
            AUTO, {"runtime": "provided.al2023"}, 45, Row.MANAGED_AUTO,
            [(ROLL_BACK, State.MET, None), (UPDATE_PACKAGE, State.OVERDUE, 15)], id="AWS patches the system alone",
        ),
    ],
)  # fmt: skip
def test_each_row_has_its_duties(
    mode: UpdateRuntimeOn | None,
    fields: dict[str, Any],
    changed: float | None,
    row: Row,
    duties: list[tuple[str, State, int | None]],
) -> None:
    found = judged(management(mode), changed, **fields)

    assert found.row is row
    assert [(duty.duty, duty.state, duty.days) for duty in found.duties] == duties
    assert all(duty.why for duty in found.duties if duty.state in (State.UNKNOWN, State.EXCEPTED)) or mode is None


@pytest.mark.parametrize(
    ("days", "state", "left"),
    [(181, None, None), (180, None, None), (179, State.DUE, 179), (0, State.DUE, 0), (-1, State.OVERDUE, 1)],
)
def test_a_deprecation_is_a_duty_from_half_a_year_before(days: int, state: State | None, left: int | None) -> None:
    known = management(runtime=runtime(TODAY + timedelta(days=days), date(2027, 3, 3)))

    duties = [duty for duty in judged(known).duties if duty.duty == MOVE_OFF]

    assert [(duty.state, duty.days) for duty in duties] == ([(state, left)] if state else [])
    assert all(duty.why == "updates of functions on python3.13 are blocked from 2027-03-03" for duty in duties)


def test_a_runtime_that_the_catalogue_does_not_know_is_unknown_and_one_without_dates_is_none() -> None:
    (_, strange) = judged(management(runtime=None), runtime="perl5").duties

    assert (strange.duty, strange.state) == (MOVE_OFF, State.UNKNOWN)
    assert strange.why.startswith("runtime perl5 is not in the catalogue; add it")
    assert len(judged(management(runtime=runtime())).duties) == 1


def test_a_region_without_runtime_management_updates_as_in_auto() -> None:
    found = judged(management(None, offered=False))

    assert (found.row, found.mode) == (Row.MANAGED_AUTO, "auto")
    assert [duty.state for duty in found.duties] == [State.MET]


def test_the_mode_is_in_the_words_of_the_settings() -> None:
    assert [judged(management(mode)).mode for mode in (*UpdateRuntimeOn, None)] == [
        "auto",
        "function-update",
        "manual",
        None,
    ]


@pytest.mark.parametrize(
    ("own", "newest", "verdict"),
    [
        ("python:3.13.v68", "python:3.13.v68", Verdict.CURRENT),
        ("python:3.13.v68", "python:3.13.v70", Verdict.BEHIND),
        ("python:3.13.v9", "python:3.13.v10", Verdict.BEHIND),
        ("python:3.13.v68", "python:3.13.mainlinev2.v99", Verdict.UNKNOWN),
        ("python:3.13.v68", None, Verdict.UNKNOWN),
        (None, "python:3.13.v68", Verdict.UNKNOWN),
    ],
)
def test_versions_are_compared_by_number_within_one_line(own: str | None, newest: str | None, verdict: Verdict) -> None:
    known = management(
        version=RuntimeVersion.parse(own) if own else None,
        newest_seen=RuntimeVersion.parse(newest) if newest else None,
    )

    assert judged(known).verdict is verdict


def test_each_function_is_counted_once_in_its_row_by_its_worst_duty() -> None:
    near = management(runtime=runtime(TODAY - timedelta(days=3)))
    counts = count_rows(
        [
            judged(management()),
            judged(near, function="arn:old"),
            judged(management(), function="arn:old", alias="live"),
            judged(management(FUNCTION_UPDATE), 10),
        ]
    )

    assert [(count.row, count.functions, dict(count.states)) for count in counts] == [
        (Row.MANAGED_AUTO, 2, {State.MET: 1, State.OVERDUE: 1}),
        (Row.MANAGED_FUNCTION_UPDATE, 1, {State.DUE: 1}),
        (Row.MANAGED_MANUAL, 0, {}),
        (Row.CONTAINER_IMAGE, 0, {}),
    ]
    assert [count.row for count in count_rows([judged(management(None))])] == list(Row)


MODES = st.sampled_from([*UpdateRuntimeOn, None])


@given(MODES, st.integers(0, 400), st.integers(0, 400), st.integers(-400, 400))
def test_a_duty_never_becomes_less_urgent_with_time(
    mode: UpdateRuntimeOn | None, changed: int, later: int, deprecated: int
) -> None:
    known = management(mode, runtime=runtime(TODAY + timedelta(days=deprecated)))

    before = judged(known, changed)
    after = judged(known, changed, NOW + timedelta(days=later))

    assert not before.breaks_slo or after.breaks_slo
    assert {duty.duty for duty in before.duties} <= {duty.duty for duty in after.duties}


@given(MODES, st.none() | st.integers(-10, 400), st.booleans(), st.booleans())
def test_every_evidence_has_a_duty_and_days_where_there_is_a_term(
    mode: UpdateRuntimeOn | None, changed: int | None, held: bool, offered: bool
) -> None:
    found = judged(management(mode, offered=offered), changed, held="freeze" if held else "")

    assert found.duties
    for duty in found.duties:
        assert (duty.days is not None) == (duty.state in (State.DUE, State.OVERDUE))
        assert duty.days is None or duty.days >= 0

"""Windows: by the clock on the wall, over midnight, and where the clock is put on."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.windows import DAY, Window

BERLIN = ZoneInfo("Europe/Berlin")
MON, FRI, SAT, SUN = 0, 4, 5, 6
OFFICE = Window(zone=BERLIN, days=frozenset(range(5)), start=9 * 60, end=17 * 60)
NIGHT = Window(zone=BERLIN, days=frozenset({FRI}), start=22 * 60, end=6 * 60)
SUNDAY = frozenset({SUN})
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "moment", "is_open"),
    [
        pytest.param(OFFICE, "2026-11-25T07:59", False, id="before the start in winter"),
        pytest.param(OFFICE, "2026-11-25T08:00", True, id="at the start in winter"),
        pytest.param(OFFICE, "2026-07-22T07:00", True, id="at the start in summer"),
        pytest.param(OFFICE, "2026-11-25T15:59:59", True, id="the last second"),
        pytest.param(OFFICE, "2026-11-25T16:00", False, id="at the end"),
        pytest.param(OFFICE, "2026-11-28T10:00", False, id="another day"),
        pytest.param(NIGHT, "2026-11-27T21:00", True, id="in the evening"),
        pytest.param(NIGHT, "2026-11-28T04:59", True, id="the morning after"),
        pytest.param(NIGHT, "2026-11-28T05:00", False, id="at the end on the day after"),
        pytest.param(NIGHT, "2026-11-27T04:00", False, id="the morning of the same day"),
        pytest.param(NIGHT, "2026-11-28T21:00", False, id="the evening after"),
        pytest.param(Window(zone=UTC), "2026-11-28T23:59:59", True, id="always"),
    ],
)
def test_a_window_is_open_from_its_start_to_before_its_end(window: Window, moment: str, *, is_open: bool) -> None:
    assert window.is_open(utc(moment)) is is_open


@pytest.mark.parametrize(
    ("window", "moment", "opens"),
    [
        pytest.param(OFFICE, "2026-11-25T10:00", "2026-11-25T10:00", id="open now"),
        pytest.param(OFFICE, "2026-11-25T03:00", "2026-11-25T08:00", id="later today"),
        pytest.param(OFFICE, "2026-11-27T16:00", "2026-11-30T08:00", id="after the week's end"),
        pytest.param(NIGHT, "2026-11-28T05:00", "2026-12-04T21:00", id="a week later"),
        pytest.param(
            Window(zone=BERLIN, days=SUNDAY, start=150, end=165), "2026-03-28T12:00", "2026-04-05T00:30",
            id="in the hour that is left out",
        ),
        pytest.param(
            Window(zone=BERLIN, days=SUNDAY, start=150, end=300), "2026-03-28T12:00", "2026-03-29T01:00",
            id="begun in the hour that is left out",
        ),
        pytest.param(
            Window(zone=BERLIN, days=SUNDAY, start=60, end=150), "2026-10-25T00:40", "2026-10-25T01:00",
            id="open again in the hour that comes twice",
        ),
    ],
)  # fmt: skip
def test_a_window_that_is_closed_says_when_it_opens(window: Window, moment: str, opens: str) -> None:
    assert window.opens(utc(moment)) == utc(opens)


ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "UTC"])
TURNS = st.sampled_from(
    ["2026-03-08T05:00", "2026-03-29T00:00", "2026-04-04T13:00",
     "2026-10-03T13:00", "2026-10-25T00:00", "2026-11-01T04:00"]
)  # fmt: skip


@given(
    zone=ZONES,
    turn=TURNS,
    minutes=st.integers(-300, 300),
    start=st.integers(0, DAY - 1),
    length=st.integers(1, DAY - 1),
)
def test_no_minute_before_the_opening_lies_in_the_window(
    zone: str, turn: str, minutes: int, start: int, length: int
) -> None:
    window = Window(zone=ZoneInfo(zone), start=start, end=(start + length) % DAY or DAY)
    moment = utc(turn) + minutes * MINUTE

    opens = window.opens(moment)

    assert window.is_open(opens)
    assert not any(window.is_open(moment + n * MINUTE) for n in range((opens - moment) // MINUTE))

"""The clock is compared with the Date of an answer, in whole seconds as that is."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.transport.skew import check_clock
from bot.ports.examination import State

DATE = "Fri, 20 Nov 2026 14:00:00 GMT"
THEN = datetime(2026, 11, 20, 14, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [-60, -0.5, 0, 0.9, 60])
def test_a_minute_is_no_matter(seconds: float) -> None:
    check = check_clock("GitHub", DATE, THEN + timedelta(seconds=seconds))

    assert (check.subject, check.name, check.state) == ("GitHub", "clock", State.OK)


@pytest.mark.parametrize(("seconds", "told"), [(61, "61 s ahead of it"), (-7200, "7200 s behind it")])
def test_more_than_a_minute_is_told_with_the_cure(seconds: float, told: str) -> None:
    check = check_clock("GitHub", DATE, THEN + timedelta(seconds=seconds))

    assert check.state is State.FAILED
    assert check.message == f"this machine's clock is {told}, so that tokens and signatures are refused"
    assert check.cure == "set the clock by NTP"


@pytest.mark.parametrize("date", [None, "", "tomorrow", "20 Nov", "Fri, 99 Nov 2026 99:00:00 GMT"])
def test_what_is_no_date_is_skipped(date: str | None) -> None:
    assert check_clock("GitHub", date, THEN).state is State.SKIPPED


def test_a_date_without_a_zone_is_utc() -> None:
    assert check_clock("GitHub", "Fri, 20 Nov 2026 14:00:00 -0000", THEN).state is State.OK

"""How far this machine's clock is from a server's, by the Date of its answers (RFC 9110, 6.6.1)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from bot.ports.examination import Check, State, passed, skipped

_MOST: Final = timedelta(minutes=1)
"""GitHub takes no App's token that begins later than now, and AWS no signature five minutes off."""


def check_clock(subject: str, date: str | None, now: datetime) -> Check:
    """Compare the clock that `now` is of with the Date header of an answer that has just come."""
    name = "clock"
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return skipped(subject, name, "its answers have no date to compare this machine's clock with")
    skew = now - there.replace(tzinfo=there.tzinfo or UTC)
    if abs(skew) <= _MOST:
        return passed(subject, name, "this machine's clock agrees with it")
    seconds, way = round(abs(skew).total_seconds()), "ahead of it" if skew > timedelta() else "behind it"
    what = f"this machine's clock is {seconds} s {way}, so that tokens and signatures are refused"
    cure = "set the clock by NTP"
    return Check(subject=subject, name=name, state=State.FAILED, message=what, cure=cure)

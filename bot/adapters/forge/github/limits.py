"""GitHub's rate limits, told from its other refusals (docs.github.com, "Rate limits for the REST API").

The primary limit is a quota for each hour: the remaining count is 0 and a header says when it is renewed.
The secondary limits answer bursts, with Retry-After or, as users report, without it and with quota left; then only the
message tells them from a missing permission, because there is no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.adapters.transport import retry_after

_SECONDARY_WORDS: Final = ("secondary rate limit", "abuse detection")
_PRIMARY_WORDS: Final = ("api rate limit exceeded",)
_AT_LEAST: Final = timedelta(minutes=1)
"""What GitHub asks to wait where it names no time."""
_LONGEST_RESET: Final = timedelta(hours=2)
"""The quota is renewed each hour; a header that says more is no honest one."""


class Kind(StrEnum):
    """Which limit it is."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that a request ran into, and how long it asks to wait."""

    kind: Kind
    wait: timedelta

    def __str__(self) -> str:
        quota = "its hourly quota is used up" if self.kind is Kind.PRIMARY else "too many requests in a short time"
        return f"GitHub's {self.kind} rate limit: {quota}"


def limit_of(status: int, headers: Mapping[str, str], message: str, now: datetime) -> Limit | None:
    """Say which limit an answer speaks of; None if it is none of them.

    A GraphQL answer has status 200 and says RATE_LIMITED in its errors; give 403 and the message for it.
    """
    if status not in (403, 429):
        return None
    said, spent = message.casefold(), headers.get("X-RateLimit-Remaining") == "0"
    wait = retry_after(headers.get("Retry-After"), now)
    if any(words in said for words in _SECONDARY_WORDS):
        return Limit(Kind.SECONDARY, wait or _AT_LEAST)
    if spent or any(words in said for words in _PRIMARY_WORDS):
        return Limit(Kind.PRIMARY, wait or _until_reset(headers.get("X-RateLimit-Reset"), now))
    if wait is not None or status == 429:
        return Limit(Kind.SECONDARY, wait or _AT_LEAST)
    return None


def _until_reset(value: str | None, now: datetime) -> timedelta:
    """Read the moment of renewal, in seconds of UTC's epoch."""
    if value is None or not value.isascii() or not value.isdigit():
        return _AT_LEAST
    moment = datetime.fromtimestamp(min(int(value[:12]), 10**11), UTC)
    return min(max(moment - now, timedelta(seconds=1)), _LONGEST_RESET)

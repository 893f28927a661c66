"""What GitHub's answers say of its limits (docs.github.com, "Rate limits for the REST API").

The primary limit is a quota for each hour: the remaining count is 0 and a header says when it is renewed.
The secondary limits answer bursts, with Retry-After or, as users report, without it and with quota left; then only the
message tells them from a missing permission, because there is no code. What follows from it all is in `budget`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from bot.adapters.transport import retry_after

_SECONDARY_WORDS: Final = ("secondary rate limit", "abuse detection")
_PRIMARY_WORDS: Final = ("api rate limit exceeded",)
_AT_LEAST: Final = timedelta(minutes=1)
"""What GitHub asks to wait where it names no time."""
_LONGEST_RESET: Final = timedelta(hours=2)
"""The quota is renewed each hour; a header that says more is no honest one."""
_SOONEST: Final = timedelta(seconds=1)


class Kind(StrEnum):
    """Which limit it is."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that a request ran into, and how long it asks to wait; `guessed` is the least, where it names no time."""

    kind: Kind
    wait: timedelta
    guessed: bool = False

    def __str__(self) -> str:
        quota = "its hourly quota is used up" if self.kind is Kind.PRIMARY else "too many requests in a short time"
        return f"GitHub's {self.kind} rate limit: {quota}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is left of an hour for one resource, as an answer states it: `core` is requests, `graphql` is points."""

    resource: str
    limit: int
    remaining: int
    reset: datetime

    @classmethod
    def of(cls, headers: Mapping[str, str], resource: str, now: datetime) -> Self | None:
        """Read the headers; `resource` is what is meant where they name none. None where they state no quota.

        An Enterprise Server states none unless its administrator limits it.
        """
        limit, remaining = (_number(headers.get(f"X-RateLimit-{name}")) for name in ("Limit", "Remaining"))
        reset = _renewal(headers.get("X-RateLimit-Reset"), now)
        if limit is None or remaining is None or reset is None:
            return None
        named = headers.get("X-RateLimit-Resource") or resource
        return cls(resource=named, limit=limit, remaining=remaining, reset=reset)


def limit_of(status: int, headers: Mapping[str, str], message: str, now: datetime) -> Limit | None:
    """Say which limit an answer speaks of; None if it is none of them.

    A GraphQL answer has status 200 and says RATE_LIMITED in its errors; give 403 and the message for it.
    """
    if status not in (403, 429):
        return None
    said, spent = message.casefold(), headers.get("X-RateLimit-Remaining") == "0"
    wait = retry_after(headers.get("Retry-After"), now)
    if any(words in said for words in _SECONDARY_WORDS):
        return _limit(Kind.SECONDARY, wait)
    if spent or any(words in said for words in _PRIMARY_WORDS):
        reset = _renewal(headers.get("X-RateLimit-Reset"), now)
        return _limit(Kind.PRIMARY, wait or (reset - now if reset else None))
    if wait is not None or status == 429:
        return _limit(Kind.SECONDARY, wait)
    return None


def _limit(kind: Kind, wait: timedelta | None) -> Limit:
    return Limit(kind, wait) if wait else Limit(kind, _AT_LEAST, guessed=True)


def _renewal(value: str | None, now: datetime) -> datetime | None:
    """Read the moment of renewal, in seconds of UTC's epoch; it lies ahead, whatever our clock says."""
    seconds = _number(value)
    if seconds is None:
        return None
    return min(max(datetime.fromtimestamp(min(seconds, 10**11), UTC), now + _SOONEST), now + _LONGEST_RESET)


def _number(value: str | None) -> int | None:
    return int(value[:12]) if value and value.isascii() and value.isdigit() else None

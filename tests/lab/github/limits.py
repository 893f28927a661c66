"""GitHub's rate limits: the quota that every answer states, and what GitHub says when one is used up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.ports.clock import Clock
from tests.lab.github.accounts import Token
from tests.lab.web import Answer

_WINDOW: Final = timedelta(hours=1)
_BURST: Final = timedelta(minutes=1)
_ANONYMOUS: Final = 60
_DOCS: Final = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
_SUPPORT: Final = "If you reach out to GitHub Support for help, please include the request ID 0LAB:1:2:3"
_PRIMARY: Final = f"API rate limit exceeded for user ID 1001. {_SUPPORT} and timestamp 2026-11-23 12:00:00 UTC."
_SECONDARY: Final = (
    f"You have exceeded a secondary rate limit. Please wait a few minutes before you try again. {_SUPPORT}."
)


@dataclass(slots=True, kw_only=True)
class Quota:
    """Requests, or points of GraphQL, in the present hour; `reset` is when it ends, in seconds since 1970."""

    resource: str
    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def shape(self) -> dict[str, int]:
        """The quota as `GET /rate_limit` states it."""
        return {"limit": self.limit, "used": self.used, "remaining": self.remaining, "reset": self.reset}

    @property
    def headers(self) -> dict[str, str]:
        """The quota as every answer states it."""
        stated = {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in self.shape.items()}
        return {**stated, "X-RateLimit-Resource": self.resource}


@dataclass(slots=True, kw_only=True)
class Bursts:
    """GitHub's secondary limits on what creates content (docs.github.com, "About secondary rate limits").

    `refused` is how often one was told to wait, with Retry-After and without in turn, and `impatient` how often
    somebody asked anything before that was over.
    """

    clock: Clock
    a_minute: int = 80
    an_hour: int = 500
    refused: int = 0
    impatient: int = 0
    _done: list[datetime] = field(default_factory=list)
    _until: datetime | None = None

    def admit(self, *, writes: bool) -> Answer | None:
        """Count a request; return how it is refused, if it is one too many."""
        now = self.clock.now()
        if self._until and now < self._until:
            self.impatient += 1
            return self._refuse(self._until - now)
        if not writes:
            return None
        self._done = [moment for moment in self._done if moment > now - _WINDOW]
        last_minute = [moment for moment in self._done if moment > now - _BURST]
        if len(self._done) >= self.an_hour:
            return self._refuse(self._done[0] + _WINDOW - now)
        if len(last_minute) >= self.a_minute:
            return self._refuse(last_minute[0] + _BURST - now)
        self._done.append(now)
        return None

    def _refuse(self, wait: timedelta) -> Answer:
        """GitHub asks for at least a minute where it does not say how long."""
        self.refused += 1
        is_told = self.refused % 2 == 0
        self._until = self.clock.now() + (wait if is_told else min(wait, _BURST))
        seconds = int(wait.total_seconds()) + 1
        return secondary_limit(403 if self.refused % 3 else 429, retry_after=seconds if is_told else None)


class Limits:
    """Counts what every caller uses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._quotas: dict[tuple[str, str], Quota] = {}
        self.hourly = 5000
        """Requests that a caller with a token has in an hour."""
        self.bursts: Bursts | None = None
        """The secondary limits, where a test wants them."""

    def burst(self, *, writes: bool) -> Answer | None:
        """Count a request, and return how it is refused if it is one too many at once."""
        return self.bursts.admit(writes=writes) if self.bursts else None

    def quota(self, token: Token | None, resource: str) -> Quota:
        """Return the quota of a caller as it stands now."""
        key = (token.account.login if token else "", resource)
        now = self._clock.now()
        quota = self._quotas.get(key)
        if quota is None or quota.reset <= now.timestamp():
            reset = int((now + _WINDOW).timestamp())
            quota = Quota(resource=resource, limit=self.hourly if token else _ANONYMOUS, used=0, reset=reset)
            self._quotas[key] = quota
        return quota


def primary_limit(status: int = 403, *, reset: int = 1_800_000_000) -> Answer:
    """Build the answer to a caller who used up a quota; `status` is 403 or 429, `reset` seconds since 1970."""
    return _limited(status, _PRIMARY, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)})


def primary_graphql_limit(*, reset: int = 1_800_000_000) -> Answer:
    """Build what GraphQL answers for a used-up quota: an error in an answer that is a 200."""
    body = json.dumps({"errors": [{"type": "RATE_LIMITED", "message": _PRIMARY}]}).encode()
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), "X-RateLimit-Resource": "graphql"}
    return Answer(headers={"Content-Type": "application/json; charset=utf-8", **headers}, body=body)


def secondary_limit(status: int = 403, *, retry_after: int | None = None, remaining: int = 4290) -> Answer:
    """Build the answer to a caller who was too quick, with quota left, and with or without Retry-After in seconds."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return _limited(status, _SECONDARY, {"X-RateLimit-Remaining": str(remaining), **headers})


def _limited(status: int, message: str, headers: Mapping[str, str]) -> Answer:
    page = f"{_DOCS}#about-secondary-rate-limits" if message == _SECONDARY else _DOCS
    body = json.dumps({"message": message, "documentation_url": page, "status": str(status)}).encode()
    return Answer(status=status, headers={"Content-Type": "application/json; charset=utf-8", **headers}, body=body)

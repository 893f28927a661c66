"""GitHub's rate limits: the quota that every answer states, and what GitHub says when one is used up."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.ports.clock import Clock
from tests.lab.github.accounts import ACTIONS, Token
from tests.lab.web import Answer

_WINDOW: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_ANONYMOUS: Final = 60
_WORKFLOW: Final = 1000
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


class Limits:
    """Counts what every caller uses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._quotas: dict[tuple[str, str], Quota] = {}
        self._created: dict[str, list[datetime]] = defaultdict(list)
        self.hourly = 5000
        """Requests that a caller with a token has in an hour; a workflow's own has 1,000 at most."""
        self.creations: tuple[int, int] | None = None
        """Requests that may create content in a minute and in an hour; None does not count them."""
        self.refused = self.hasty = 0
        """Requests that were one too many, and those of them that came although the caller was told to wait."""
        self._until: dict[str, datetime] = {}

    def quota(self, token: Token | None, resource: str) -> Quota:
        """Return the quota of a caller as it stands now."""
        key = (_caller(token), resource)
        now = self._clock.now()
        quota = self._quotas.get(key)
        if quota is None or quota.reset <= now.timestamp():
            reset = int((now + _WINDOW).timestamp())
            quota = Quota(resource=resource, limit=self._allowed(token), used=0, reset=reset)
            self._quotas[key] = quota
        return quota

    def creation(self, token: Token | None, remaining: int) -> Answer | None:
        """Count a request that creates content; if there were too many, return the refusal.

        Every other one says how long to wait; GitHub asks for a minute where it does not say it.
        """
        if self.creations is None:
            return None
        now, caller = self._clock.now(), _caller(token)
        created = self._created[caller]
        spans = zip((_MINUTE, _WINDOW), self.creations, strict=True)
        waits = [
            recent[-most] + span - now for span, most in spans if len(recent := _since(created, now - span)) >= most
        ]
        if not waits:
            created.append(now)
            return None
        self.refused += 1
        self.hasty += now < self._until.get(caller, now)
        told = math.ceil(max(waits).total_seconds()) if self.refused % 2 == 0 else None
        self._until[caller] = now + (timedelta(seconds=told) if told else _MINUTE)
        return secondary_limit(retry_after=told, remaining=remaining)

    def unheard(self) -> None:
        """What was answered last was lost: nobody was told to wait."""
        self._until.clear()

    def _allowed(self, token: Token | None) -> int:
        if token is None:
            return _ANONYMOUS
        return min(self.hourly, _WORKFLOW) if token.account.login == ACTIONS else self.hourly


def _since(moments: list[datetime], start: datetime) -> list[datetime]:
    return [moment for moment in moments if moment > start]


def _caller(token: Token | None) -> str:
    """Whose limits they are: a person's are the same for all tokens, an App has some for each installation."""
    if token is None:
        return ""
    return f"{token.account.login} at {token.installation}" if token.installation else token.account.login


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

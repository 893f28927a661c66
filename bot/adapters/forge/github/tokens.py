"""How we prove who we are: a token as it is, or a GitHub App's tokens, one for each account that installed it.

A GitHub App signs a short JWT with its private key and gets for it a token that is good for an hour
(docs.github.com, "Generating an installation access token for a GitHub App").
"""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import jwt
from pydantic import AwareDatetime

from bot.adapters.forge.github.refusals import OwnerFault, Refusal
from bot.adapters.forge.github.sender import Errand, Sender
from bot.adapters.forge.github.wire import Rest, parse
from bot.core.errors import ForgeError
from bot.ports.clock import Clock

_JWT_LIFE: Final = timedelta(minutes=9)
"""GitHub takes at most ten minutes, and advises to date the start a minute back for clocks that differ."""
_CLOCK_SKEW: Final = timedelta(minutes=1)
_RENEW_BEFORE: Final = timedelta(minutes=5)


class Tokens(Protocol):
    """Gives the token for what belongs to one owner."""

    def token(self, owner: str) -> str:
        """Return a token that is good for the next minutes; raises `ForgeError`."""
        ...

    def identity(self, owner: str) -> str:
        """Name whose token it is, and so under whose limits, without telling the token."""
        ...

    def permissions(self, owner: str) -> Mapping[str, str] | None:
        """Return what that token may, None where GitHub tells it nobody; raises `ForgeError`."""
        ...


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A personal access token, or the GITHUB_TOKEN of a workflow."""

    value: str = field(repr=False)

    def token(self, owner: str) -> str:
        """Return the token, whoever owns what it is for."""
        del owner
        return self.value

    def identity(self, owner: str) -> str:
        """Name the token by a short hash: GitHub counts by its user, which the token does not tell."""
        del owner
        return f"token {hashlib.sha256(self.value.encode()).hexdigest()[:12]}"

    def permissions(self, owner: str) -> None:
        """GitHub tells scopes of classic tokens, and of others nothing."""
        del owner


class AppTokens:
    """Installation tokens of a GitHub App, renewed before they end."""

    def __init__(self, sender: Sender, app_id: int, private_key: str, clock: Clock) -> None:
        self._sender, self._app_id, self._key, self._clock = sender, app_id, private_key, clock
        self._lock = threading.Lock()
        self._tokens: dict[str, Issued] = {}

    def token(self, owner: str) -> str:
        """Return the token of the installation at an owner, a new one if the last ends soon."""
        return self._issued(owner).token

    def identity(self, owner: str) -> str:
        """Name the installation, which has limits of its own whatever its present token is."""
        return f"app {self._app_id} at {owner.casefold()}"

    def permissions(self, owner: str) -> Mapping[str, str]:
        """Return what the owner granted the App, such as `contents: write`."""
        return self._issued(owner).permissions

    def _issued(self, owner: str) -> "Issued":
        with self._lock:
            issued = self._tokens.get(owner)
            if issued is None or issued.expires_at - self._clock.now() < _RENEW_BEFORE:
                self._tokens[owner] = issued = self._issue(owner)
            return issued

    def _issue(self, owner: str) -> "Issued":
        self._sender.require_open(owner, self.identity(owner))  # no use in a token that may do nothing
        errand = Errand(owner, "act as the App", self._sign(), f"app {self._app_id}")
        for kind in ("orgs", "users"):
            found = self._sender.find(f"/{kind}/{owner}/installation", errand)
            if found:
                path = f"/app/installations/{parse(Installation, found.body, owner).id}/access_tokens"
                return self._receive(path, errand)
        cure = f"install it, or take {owner} out of include"
        raise OwnerFault(f"{owner}: the GitHub App {self._app_id} is not installed there; {cure}")

    def _receive(self, path: str, errand: Errand) -> "Issued":
        """Have a token made; an installation that is suspended has none."""
        try:
            return parse(Issued, self._sender.write("POST", path, errand, {}).body, errand.what)
        except Refusal as refused:
            raise OwnerFault(str(refused)) if refused.status == 403 else refused from refused

    def _sign(self) -> str:
        now = self._clock.now()
        claims = {"iss": str(self._app_id), "iat": _seconds(now - _CLOCK_SKEW), "exp": _seconds(now + _JWT_LIFE)}
        try:
            return jwt.encode(claims, self._key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError) as fault:
            cure = "give the PEM file that GitHub made for it"
            raise ForgeError(f"the private key of the GitHub App {self._app_id} cannot be used; {cure}") from fault


class Installation(Rest):
    """Where an App is installed."""

    id: int


class Issued(Rest):
    """A token and when it ends."""

    token: str = field(repr=False)
    expires_at: AwareDatetime
    permissions: Mapping[str, str] = {}


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())

"""Who calls: accounts, tokens with their permissions, GitHub Apps with their installations."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.types import Options

from bot.ports.clock import Clock
from tests.lab.github.refusals import Refusal

Permissions = Mapping[str, str]
"""What a token may, such as `{"contents": "write"}`."""

ACTIONS: Final = "github-actions[bot]"
"""Whose token a workflow run has in GITHUB_TOKEN."""
_BOT: Final = "[bot]"
_LEVELS: Final = ("read", "write", "admin")
_TOKEN_LIFE: Final = timedelta(hours=1)
_LONGEST_JWT: Final = timedelta(minutes=10)
_NO_CLOCK: Final[Options] = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
"""The times are held to the clock of the fake, not to that of the machine."""
_SKEW: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user, an organization or a bot."""

    id: int
    login: str
    kind: str = "User"

    @property
    def email(self) -> str:
        """The address of its commits."""
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(slots=True, kw_only=True)
class Token:
    """A credential; `permissions` None is everything, `repositories` None is all that its owner reaches."""

    value: str
    account: Account
    permissions: Permissions | None = None
    repositories: frozenset[str] | None = None
    owner: Account | None = None
    """The account of the installation: the token reaches nobody else's private repositories."""
    installation: int | None = None
    expires: datetime | None = None
    scopes: str = "repo"
    """What a classic token of a person may, as X-OAuth-Scopes says."""

    @property
    def is_integration(self) -> bool:
        """Whether GitHub speaks of an integration rather than a personal access token."""
        return self.account.kind == "Bot"

    @property
    def kind_name(self) -> str:
        """What GitHub calls the bearer in a refusal."""
        return "integration" if self.is_integration else "personal access token"

    def may(self, wanted: str) -> bool:
        """Say whether the token has a permission, such as `contents=write`."""
        return self.permissions is None or covers(self.permissions, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An App installed on an account."""

    id: int
    account: Account
    permissions: Permissions


@dataclass(slots=True, kw_only=True)
class App:
    """A GitHub App."""

    id: int
    slug: str
    owner: Account
    bot: Account
    public_key: rsa.RSAPublicKey
    installations: dict[str, Installation] = field(default_factory=dict)


class Accounts:
    """All accounts and credentials."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids = count(1001)
        self._serial = count(1)
        self._accounts: dict[str, Account] = {}
        self._tokens: dict[str, Token] = {}
        self.apps: dict[int, App] = {}

    def account(self, login: str, kind: str = "") -> Account:
        """Return an account, made if it is new: a bot by its name, else of this kind, else an organization."""
        key = login.lower()
        if key not in self._accounts:
            kind = "Bot" if login.endswith(_BOT) else kind or "Organization"
            self._accounts[key] = Account(id=next(self._ids), login=login, kind=kind)
        return self._accounts[key]

    def find(self, login: str) -> Account | None:
        """Return an account that is there."""
        return self._accounts.get(login.lower())

    def by_email(self, email: str) -> Account | None:
        """Return the account that commits with an address."""
        return next((account for account in self._accounts.values() if account.email == email), None)

    def issue(
        self,
        account: Account,
        permissions: Permissions | None = None,
        repositories: frozenset[str] | None = None,
        installation: Installation | None = None,
    ) -> Token:
        """Make a token; one of an installation expires after an hour."""
        prefix = "ghs" if account.kind == "Bot" else "ghp"
        token = Token(
            value=f"{prefix}_Lab{next(self._serial):033}",
            account=account,
            permissions=permissions,
            repositories=repositories,
        )
        if installation:
            token.owner, token.installation = installation.account, installation.id
            token.expires = self._clock.now().replace(microsecond=0) + _TOKEN_LIFE
        self._tokens[token.value] = token
        return token

    def expire(self, value: str) -> None:
        """Let a token be of no use any more."""
        self._tokens[value].expires = self._clock.now()

    def token(self, authorization: str) -> Token | None:
        """Return the token of an Authorization header, None without one; refuses those that are not good."""
        value = _credential(authorization)
        if value is None:
            return None
        token = self._tokens.get(value)
        if token is None or (token.expires and token.expires <= self._clock.now()):
            raise Refusal(401, "Bad credentials")
        return token

    def new_app(self, slug: str, installations: Mapping[str, Permissions]) -> tuple[App, str]:
        """Register an App with a new key, and return it with the private key in PEM."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        owner, bot = self.account("app-maker"), self.account(f"{slug}{_BOT}")
        app = App(id=next(self._ids), slug=slug, owner=owner, bot=bot, public_key=key.public_key())
        for login, permissions in installations.items():
            installation = Installation(id=next(self._ids), account=self.account(login), permissions=permissions)
            app.installations[login.lower()] = installation
        self.apps[app.id] = app
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return app, pem.decode()

    def app(self, authorization: str) -> App:
        """Return the App that signed the JSON web token of an Authorization header."""
        text = _credential(authorization) or ""
        try:
            app = self.apps.get(int(jwt.decode(text, options={"verify_signature": False})["iss"]))
            if app is None:
                raise Refusal(404, "Integration not found")
            claims = jwt.decode(text, app.public_key, algorithms=["RS256"], options=_NO_CLOCK)
            self._check_times(int(claims["iat"]), int(claims["exp"]))
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            raise Refusal(401, "A JSON web token could not be decoded") from None
        return app

    def _check_times(self, issued: int, expires: int) -> None:
        now = self._clock.now().timestamp()
        claim = "'Expiration time' claim ('exp')"
        if expires <= now:
            must = "must be a numeric value representing the future time at which the assertion expires"
            raise Refusal(401, f"{claim} {must}")
        if expires > now + (_LONGEST_JWT + _SKEW).total_seconds():
            raise Refusal(401, f"{claim} is too far in the future")
        if issued > now + _SKEW.total_seconds():
            must = "must be an Integer representing the time that the assertion was issued"
            raise Refusal(401, f"'Issued at' claim ('iat') {must}")


def covers(permissions: Permissions, wanted: str) -> bool:
    """Say whether permissions hold one, such as `contents=write`."""
    name, _, level = wanted.partition("=")
    return name in permissions and _LEVELS.index(level) <= _LEVELS.index(permissions[name])


def _credential(authorization: str) -> str | None:
    """Read Bearer, token and Basic, whose password is the token."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        return rest.strip() or None
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""

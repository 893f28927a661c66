"""Where a registry is reached, and as whom: the settings of one registry as the adapters need them."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bot.adapters.transport import host_of, is_loopback, is_secure
from bot.core.reference import DEFAULT_REGISTRY

_URLS: Final = {DEFAULT_REGISTRY: "https://registry-1.docker.io"}
_TOKEN_HOSTS: Final = {DEFAULT_REGISTRY: ("auth.docker.io",)}
_TOKENS: Final = {"public.ecr.aws": "https://public.ecr.aws/token/?service=public.ecr.aws&scope=aws"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user name and a password, which no repr and no message shows."""

    username: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """Return the value of an Authorization header (RFC 7617)."""
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One registry: `host` as it stands in references, and how to speak to it.

    `url` is by default https://HOST, for Docker Hub its real host, and plain http only on loopback.
    `credentials` is asked each time they are needed, so that short-lived ones can be renewed; None means anonymous.
    `token_hosts` names hosts other than the registry's own that may see the credentials to give a token for them.
    `tokens` is where a token for all of the registry is known to be, so that nobody need be refused first; by default
    it is known of public.ecr.aws at its own address.
    """

    host: str
    url: str | None = None
    credentials: Callable[[], Credentials | None] | None = field(default=None, repr=False)
    token_hosts: tuple[str, ...] = ()
    tokens: str | None = None
    renewal: str = ""
    """What a person does about credentials that are refused; by default that names the setting."""

    @property
    def cure(self) -> str:
        """What helps against credentials that are refused."""
        return self.renewal or f"renew registries.{self.host}.credentials"

    @property
    def token_url(self) -> str | None:
        """Where to fetch a token before the first request; None where the registry is to say it."""
        return self.tokens or (None if self.url else _TOKENS.get(self.host))

    @property
    def base(self) -> str:
        """The URL before `/v2/`, without a slash at its end."""
        if self.url:
            return self.url.rstrip("/")
        scheme = "http" if is_loopback(f"http://{self.host}") else "https"
        return _URLS.get(self.host, f"{scheme}://{self.host}")

    def login(self) -> Credentials | None:
        """Return the credentials of this moment, None for an anonymous reader."""
        return self.credentials() if self.credentials else None

    def trusts(self, url: str) -> bool:
        """Say whether the credentials may be shown to a URL that the registry named."""
        hosts = {host_of(self.base), *_TOKEN_HOSTS.get(self.host, ()), *self.token_hosts}
        return host_of(url) in hosts and (is_secure(url) or not is_secure(self.base))

"""Who we are to a registry: Basic, or a bearer token from the realm that it names (distribution-spec, token flow).

Credentials go to the registry itself and to token hosts that the settings name, to nobody else.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from bot.adapters.registry.challenge import Challenge, parse_challenges
from bot.adapters.registry.endpoint import Credentials, Endpoint
from bot.adapters.registry.refusal import no_credentials, told
from bot.adapters.transport import Response, Transport, TransportError, host_of, is_secure, redacted
from bot.core.errors import RegistryError

_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,65536}\Z")
_ANY = ""


class Authority:
    """Keeps for each registry what it accepted, and answers its challenges.

    A token is kept under the scope it was wanted for; one whose challenge named no repository, as public.ecr.aws
    does, serves all of the registry.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._basic: set[str] = set()
        self._tokens: dict[tuple[str, str], str] = {}

    def headers(self, endpoint: Endpoint, scope: str) -> Mapping[str, str]:
        """Return the Authorization that was accepted before, or that is known to be wanted, or nothing."""
        if endpoint.host in self._basic:
            login = endpoint.login()
            return {"Authorization": login.basic()} if login else {}
        token = self._tokens.get((endpoint.host, scope)) or self._tokens.get((endpoint.host, _ANY))
        if token is None and endpoint.token_url:
            token = self._tokens[endpoint.host, _ANY] = self._token(endpoint, endpoint.token_url)
        return {"Authorization": f"Bearer {token}"} if token else {}

    def answer(self, endpoint: Endpoint, scope: str, header: str) -> None:
        """Prepare for the next request what a 401 asked for; raises `RegistryError` if that cannot be had."""
        challenges = {challenge.scheme: challenge for challenge in reversed(parse_challenges(header))}
        if bearer := challenges.get("bearer"):
            key = scope if "repository:" in bearer.parameters.get("scope", "") else _ANY
            self._tokens[endpoint.host, key] = self._token(endpoint, _token_url(endpoint, bearer))
        elif "basic" in challenges and endpoint.login():
            self._basic.add(endpoint.host)
        else:
            raise no_credentials(endpoint.host)

    def _token(self, endpoint: Endpoint, url: str) -> str:
        login = endpoint.login()
        if login and not endpoint.trusts(url):
            raise RegistryError(
                f"{endpoint.host} sends its credentials to {host_of(url)}, which the settings do not name; "
                f"if that is right, add it to registries.{endpoint.host}.token_hosts"
            )
        headers = {"Authorization": login.basic()} if login else {}
        return _read_token(endpoint, login, self._transport.open("GET", url, headers=headers).whole())


def _token_url(endpoint: Endpoint, challenge: Challenge) -> str:
    """Build the token request; a registry that speaks TLS may not lead us away from it."""
    realm = challenge.parameters.get("realm", "")
    try:
        host_of(realm)
    except ValueError as fault:
        raise RegistryError(f"{endpoint.host} names a token realm that is {fault}") from None
    if is_secure(endpoint.base) and not is_secure(realm):
        raise RegistryError(f"{endpoint.host} names the token realm {redacted(realm)}, which is not https")
    query = [("service", challenge.parameters["service"])] if "service" in challenge.parameters else []
    query += [("scope", scope) for scope in challenge.parameters.get("scope", "").split()]
    return realm + ("&" if "?" in realm else "?") + urlencode(query) if query else realm


def _read_token(endpoint: Endpoint, login: Credentials | None, answer: Response) -> str:
    if answer.status in (401, 403):
        if login is None:
            raise no_credentials(endpoint.host)
        raise RegistryError(
            f"{host_of(answer.url)} refuses the credentials for {endpoint.host} ({told(answer)}); {endpoint.cure}",
            status=answer.status,
        )
    if answer.status != 200:
        raise TransportError(answer.method, answer.url, f"gave no token: {told(answer)}", status=answer.status)
    document = answer.json()
    token = (document.get("token") or document.get("access_token")) if isinstance(document, dict) else None
    if not isinstance(token, str) or not _TOKEN.match(token):
        raise TransportError(answer.method, answer.url, "answered without a usable token", status=answer.status)
    return token

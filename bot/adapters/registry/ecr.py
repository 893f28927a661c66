"""Logins to ECR, private and public, through the control APIs (GetAuthorizationToken; a login lasts 12 hours)."""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any, Final, Protocol

from boto3.session import Session
from botocore.exceptions import BotoCoreError, ClientError

from bot.adapters.registry.endpoint import Credentials
from bot.core.errors import RegistryError
from bot.ports.clock import Clock

_HOST: Final = re.compile(
    r"\d{12}\.(?:dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"|dkr-ecr(?:-fips)?\.(?P<dual>[a-z0-9-]+)\.on\.aws)\Z"
)
_PUBLIC: Final = "ecr-public"
_PERMISSIONS: Final = {
    "ecr": "ecr:GetAuthorizationToken",
    _PUBLIC: "ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken",
}
_BEFORE_THE_END = timedelta(minutes=15)


class EcrClient(Protocol):
    """What is used of boto3's clients for ECR and ECR Public."""

    def get_authorization_token(self) -> Mapping[str, Any]:
        """Return a login for all registries that the caller may use."""
        ...


class EcrLogin:
    """Credentials for private ECR in one Region, or for ECR Public; renewed before they end.

    For `Endpoint.credentials`.
    """

    def __init__(
        self, region: str, clock: Clock, client: Callable[[], EcrClient] | None = None, *, public: bool = False
    ) -> None:
        self._region, self._clock, self._lock = region, clock, Lock()
        self._service = _PUBLIC if public else "ecr"
        self._client = client or partial(_client, self._service, region)
        self._kept: tuple[Credentials, datetime] | None = None

    def __call__(self) -> Credentials:
        """Return credentials that hold for a while; raises `RegistryError` if AWS gives none."""
        with self._lock:
            if self._kept is None or self._kept[1] - self._clock.now() < _BEFORE_THE_END:
                self._kept = self._renew()
            return self._kept[0]

    def _renew(self) -> tuple[Credentials, datetime]:
        try:
            answer = self._client().get_authorization_token()["authorizationData"]
            if self._service != _PUBLIC:  # private ECR once gave a login for each registry
                answer = answer[0]
            username, _, password = b64decode(answer["authorizationToken"]).decode().partition(":")
            return Credentials(username=username, password=password), answer["expiresAt"]
        except ClientError as fault:
            error = fault.response.get("Error", {})
            raise self._fault(f"{error.get('Code')}: {error.get('Message')}") from fault
        except (BotoCoreError, LookupError, ValueError) as fault:
            raise self._fault(f"{type(fault).__name__}: {fault}"[:300]) from fault

    def _fault(self, reason: str) -> RegistryError:
        allowed = _PERMISSIONS[self._service]
        return RegistryError(
            f"no ECR login in {self._region} ({reason}); check the AWS credentials and allow {allowed}"
        )


def _client(service: str, region: str) -> EcrClient:
    client: EcrClient = Session().client(service, region_name=region)  # type: ignore[call-overload]  # one of two
    return client


def ecr_region(host: str) -> str | None:
    """Return the Region of a private ECR registry's host name; None for any other host."""
    match = _HOST.match(host)
    return (match["region"] or match["dual"]) if match else None

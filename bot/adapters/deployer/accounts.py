"""Other AWS accounts: a session with the credentials of a role there, renewed before they end (STS, AssumeRole)."""

import re
from typing import Final

import botocore.session
from boto3.session import Session
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials

from bot.adapters.deployer.lambda_functions import CONFIG

_ACCOUNT: Final = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/.+\Z")


def account_of(role: str) -> str:
    """Say in which account a role is; `ValueError` for what is no role's ARN."""
    found = _ACCOUNT.match(role)
    if found is None:
        raise ValueError(f"{role[:160]!r} is no ARN of a role")
    return found[1]


def assume(role: str, *, region: str, endpoint_url: str | None = None) -> Session:
    """Return a session that has a role's credentials; they are fetched when the first call is made with them."""
    session = botocore.session.Session()
    provider = _AssumedRole(role, region, endpoint_url)
    session.register_component("credential_provider", CredentialResolver([provider]))
    return Session(botocore_session=session)


class _AssumedRole(CredentialProvider):
    """Gives a role's credentials to botocore, with those of the process."""

    METHOD = "assume-role"

    def __init__(self, role: str, region: str, endpoint_url: str | None) -> None:
        super().__init__()
        self._role, self._region, self._endpoint_url = role, region, endpoint_url

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)

    def _fetch(self) -> dict[str, str]:
        client = Session().client("sts", region_name=self._region, endpoint_url=self._endpoint_url, config=CONFIG)
        try:
            given = client.assume_role(RoleArn=self._role, RoleSessionName="refrom")["Credentials"]
        finally:
            client.close()
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

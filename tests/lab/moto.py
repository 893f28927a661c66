"""moto as a second opinion on the AWS adapters: a server of somebody else's, broad, and shallow where it matters.

Four things of it are mended here, because they hide everything behind them:

- GetFunction gives no RevisionId.
- ResolvedImageUri of an image by digest holds two digests, the second one made up.
- GetProvisionedConcurrencyConfig is a page that is not found.
- ListAliases finds no function by its ARN.

All else in which it is known to differ from AWS is listed beside the tests that find it out.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Self

import boto3
import requests
from botocore.config import Config

from tests.lab.installed import beside_python
from tests.lab.program import running

REGION: Final = "eu-west-1"
_ONE_TRY: Final = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
_ROLE: Final = "lab"


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """Run `moto_server` on a free loopback port, and give its address."""
    program = beside_python("moto_server")
    with running(lambda port: [program, "-H", "127.0.0.1", "-p", str(port)], folder / "log") as server:
        yield f"http://{server.host}"


class Moto:
    """The one account of a server, emptied at the start; made with credentials that mean nothing."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stack = ExitStack()
        self._session: Any = boto3.session.Session("AKIALABLABLABLABLABL", "lab")

    def __enter__(self) -> Self:
        with requests.Session() as session:
            session.trust_env = False
            session.post(f"{self._url}/moto-api/reset", timeout=30).raise_for_status()
        trust = {"RoleName": _ROLE, "AssumeRolePolicyDocument": "{}"}
        self._role = self.client("iam").create_role(**trust)["Role"]["Arn"]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def client(self, service: str, region: str = REGION) -> Any:
        """Make a boto3 client of the account, mended as told above."""
        client = self._session.client(service, region_name=region, endpoint_url=self._url, config=_ONE_TRY)
        self._stack.callback(client.close)
        if service == "lambda":
            client.meta.events.register("after-call.lambda.GetFunction", _mend_function)
            client.meta.events.register("before-call.lambda.GetProvisionedConcurrencyConfig", _none_provisioned)
            client.meta.events.register("before-parameter-build.lambda.ListAliases", _by_name)
        return client

    def create_function(self, name: str, image_uri: str, *, alias: str) -> None:
        """Put a function there whose alias serves version 1."""
        client = self.client("lambda")
        code = {"PackageType": "Image", "Code": {"ImageUri": image_uri}}
        client.create_function(FunctionName=name, Role=self._role, **code)
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")


def _mend_function(parsed: dict[str, Any], **_: object) -> None:
    if "Configuration" in parsed:
        parsed["Configuration"].setdefault("RevisionId", "moto")
        if "ImageUri" in parsed["Code"]:
            parsed["Code"]["ResolvedImageUri"] = parsed["Code"]["ImageUri"]


def _by_name(params: dict[str, Any], **_: object) -> None:
    params["FunctionName"] = params["FunctionName"].rpartition(":")[2]


def _none_provisioned(**_: object) -> tuple[SimpleNamespace, Mapping[str, Any]]:
    error = {"Code": "ProvisionedConcurrencyConfigNotFoundException", "Message": "none"}
    return SimpleNamespace(status_code=404), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 404}}

"""Logins to ECR, private and public, through boto3, which speaks its real wire protocol to a loopback server."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any, Literal

import boto3
import pytest

from bot.adapters.registry import EcrLogin, ecr_region
from bot.core.errors import RegistryError
from tests.lab.clock import WoundClock
from tests.lab.web import Answer, Asked, Web, serve

REGION = "eu-central-1"


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@contextmanager
def control_api(
    answer: Callable[[Asked], Answer], service: Literal["ecr", "ecr-public"] = "ecr"
) -> Iterator[tuple[Web, Callable[[], Any]]]:
    """Serve a control API and give a maker of clients for it."""
    with serve(answer) as web:
        session = boto3.Session(aws_access_key_id="id", aws_secret_access_key="key")  # noqa: S106 (loopback only)
        with closing(session.client(service, region_name=REGION, endpoint_url=web.url)) as client:
            yield web, lambda: client


def issuing(clock: WoundClock, token: bytes = b"AWS:pw", hours: float = 12) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        assert asked.headers["X-Amz-Target"].endswith(".GetAuthorizationToken")
        login = {
            "authorizationToken": b64encode(token).decode(),
            "expiresAt": (clock.now() + timedelta(hours=hours)).timestamp(),
        }
        return Answer(body=json.dumps({"authorizationData": [login]}).encode())

    return answer


def test_a_login_is_kept_until_shortly_before_its_end(clock: WoundClock) -> None:
    with control_api(issuing(clock)) as (web, client):
        login = EcrLogin(REGION, clock, client)

        first = login()
        clock.wait_until(clock.now() + timedelta(hours=11, minutes=40))
        login()
        assert len(web.log) == 1
        clock.wait_until(clock.now() + timedelta(minutes=10))
        login()

    assert (first.username, first.password) == ("AWS", "pw")
    assert len(web.log) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            Answer(status=400, body=b'{"__type": "AccessDeniedException", "message": "not allowed"}'),
            "AccessDeniedException: not allowed",
        ),
        (Answer(body=b'{"authorizationData": []}'), "IndexError"),
        (Answer(body=b'{"authorizationData": [{"authorizationToken": "A"}]}'), "Error"),
    ],
    ids=["denied", "nothing", "malformed"],
)
def test_no_login_says_where_and_what_to_allow(clock: WoundClock, answer: Answer, reason: str) -> None:
    message = f"no ECR login in {REGION} .*{reason}.*; check the AWS credentials and allow ecr:GetAuthorizationToken"

    with control_api(lambda _: answer) as (_, client), pytest.raises(RegistryError, match=message):
        EcrLogin(REGION, clock, client)()


def test_ecr_public_has_an_api_of_its_own_and_gives_one_login(clock: WoundClock) -> None:
    def answer(asked: Asked) -> Answer:
        private = json.loads(issuing(clock)(asked).body)
        return Answer(body=json.dumps({"authorizationData": private["authorizationData"][0]}).encode())

    with control_api(answer, "ecr-public") as (web, client):
        login = EcrLogin(REGION, clock, client, public=True)
        first = login()
        clock.wait_until(clock.now() + timedelta(hours=11))
        login()

    assert (first.username, first.password) == ("AWS", "pw")
    assert len(web.log) == 1
    assert web.log[0].headers["X-Amz-Target"].startswith("SpencerFrontendService.")


def test_no_login_to_ecr_public_says_both_things_to_allow(clock: WoundClock) -> None:
    denied = Answer(status=400, body=b'{"__type": "AccessDeniedException", "message": "not allowed"}')
    allowed = "allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken"

    with control_api(lambda _: denied, "ecr-public") as (_, client), pytest.raises(RegistryError, match=allowed):
        EcrLogin(REGION, clock, client, public=True)()


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("123456789012.dkr-ecr.us-east-1.on.aws", "us-east-1"),
        ("public.ecr.aws", None),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example", None),
        ("1.dkr.ecr.eu-central-1.amazonaws.com", None),
        ("ghcr.io", None),
    ],
)
def test_the_region_is_in_the_host_of_a_private_registry(host: str, region: str | None) -> None:
    assert ecr_region(host) == region

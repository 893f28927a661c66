"""AWS is asked who we are, with the credentials of the process, and what time it is."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.deployer.examination import AwsExamination
from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.ports.clock import Clock
from bot.ports.examination import Check, State
from tests.lab.aws import REGION, AwsStub


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of the lab, and no file of the user's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def examine(url: str, clock: Clock | None = None) -> list[Check]:
    return list(AwsExamination(region=REGION, clock=clock or SystemClock(), endpoint_url=url).examine())


def test_we_are_told_who_we_are_by_one_reading_call(aws: AwsStub) -> None:
    access, clock = examine(aws.url)

    assert (access.subject, access.name, access.state) == (f"AWS {REGION}", "access", State.OK)
    assert access.message.startswith("knows us as arn:aws:")
    assert (clock.name, clock.state) == ("clock", State.OK)
    assert [request.operation for request in aws.requests] == ["GetCallerIdentity"]
    assert aws.writes == []


def test_credentials_that_are_not_taken_are_told(aws: AwsStub) -> None:
    aws.fail_next("GetCallerIdentity", "ExpiredToken", "The security token included in the request is expired")

    (access,) = examine(aws.url)

    assert access.state is State.FAILED
    assert access.message == f"AWS {REGION}: AWS does not take the credentials (ExpiredToken)"
    assert access.cure.startswith("renew them (aws sso login or a new role session)")


def test_no_credentials_are_told(aws: AwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    (access,) = examine(aws.url)

    assert access.state is State.FAILED
    assert "there are no AWS credentials" in access.message


def test_a_profile_that_is_not_there_is_told(aws: AwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    (access,) = examine(aws.url)

    assert access.state is State.FAILED
    assert "nobody" in access.message


def test_a_clock_that_is_off_is_told(aws: AwsStub) -> None:
    _, clock = examine(aws.url, VirtualClock(SystemClock().now() - timedelta(hours=1)))

    assert (clock.state, clock.cure) == (State.FAILED, "set the clock by NTP")
    assert "behind it" in clock.message

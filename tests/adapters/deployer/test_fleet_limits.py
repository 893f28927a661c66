"""A fleet within Lambda's quotas, counted at the stub: at real pace, and a large one on a wound clock.

The show reads 500 functions (`REFROM_MANY`) at real pace and ten times as many on the wound clock, the tests fewer.
"""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bot.adapters.deployer.listing import Place
from bot.adapters.engine.clock import SystemClock
from bot.ports.clock import Clock
from tests.adapters.deployer.fleet_scene import Cut, Documents, Process
from tests.adapters.deployer.scene import Images, let_pass
from tests.conftest import Figure
from tests.lab.aws import REGION, AwsStub, Request
from tests.lab.clock import WoundClock
from tests.lab.registry import LabRegistry

MANY = int(os.environ.get("REFROM_MANY", "12"))
V68 = "python:3.13.v68"
PLACES = (Place(REGION), Place("us-east-1"))


def furnish(aws: AwsStub, uri: str, count: int) -> None:
    """Of ten functions four are images, and of one Lambda tells no runtime version, so that its log is looked at."""
    for number in range(count):
        region = PLACES[number % 2].region
        if number % 10 < 4:
            aws.create_function(f"f{number:05}", uri, region=region)
            continue
        arn = aws.create_zip_function(f"f{number:05}", region=region)
        if number % 10 < 9:
            aws.run_on(arn, V68)
        aws.log_start(arn, V68)


def process(aws: AwsStub, clock: Clock, documents: Documents, workers: int = 1) -> Process:
    return Process(aws=aws, clock=clock, documents=documents, places=PLACES, workers=workers)


def slow_calls(aws: AwsStub) -> Sequence[Request]:
    """The calls that share the quota of 15 a second."""
    return [one for one in aws.requests if one.service == "lambda" and one.operation != "GetFunction"]


def test_at_real_pace_no_place_is_asked_faster_than_lambda_allows(
    lab_registry: LabRegistry, images: Images, figure: Figure
) -> None:
    clock = SystemClock()
    uri = str(images.push("orders:1", "one").with_tag("1"))
    with AwsStub(lab_registry.url, clock=clock) as aws:
        furnish(aws, uri, MANY)
        start = clock.now()

        view = process(aws, clock, Documents(), workers=8).read()

        asked = slow_calls(aws)
        rate = max(_rate(start, [one for one in asked if one.region == place.region]) for place in PLACES)
        seconds = (aws.requests[-1].at - aws.requests[0].at) / timedelta(seconds=1)
        what = f"{MANY} functions at real pace"
        figure(f"{what}: read, in {seconds:.0f} s", len(view.functions), MANY)
        figure(f"{what}: {rate:.2f} calls a second in a Region, of 15", rate <= 15, True)
        figure(f"{what}: {_reads(aws)} GetFunction in the busiest second, of 100", _reads(aws) <= 100, True)


@pytest.fixture
def large(aws: AwsStub, images: Images) -> int:
    """Furnish ten times as many functions."""
    furnish(aws, str(images.push("orders:1", "one").with_tag("1")), 10 * MANY)
    return 10 * MANY


def test_a_large_fleet_keeps_every_quota_and_once_interrupted_is_not_read_twice(
    aws: AwsStub, clock: WoundClock, large: int, figure: Figure
) -> None:
    """One call for each function and each page of 50, one more for each that is no image; half of it in each Region.

    It is cut off half way, and another process goes on a second later.
    """
    start, documents = clock.now(), Documents()
    with pytest.raises(Cut):
        process(aws, clock, documents).read(cut=large // 2)
    let_pass(clock, 1)  # a process has to start

    view = process(aws, clock, documents).read()

    pages = 2 * 2 * -(-large // 2 // 50)
    took = clock.now() - start
    ideal = timedelta(seconds=1) + timedelta(seconds=len(slow_calls(aws)) / 2 / 15 + large / 10 * 2 / 5)
    busiest, logs = aws.busiest_second(reads=False), aws.busiest_second(reads=False, service="logs")
    twice = [request.operation for request in aws.requests].count("GetFunction") - large
    figure(f"{large} functions: read, in {took / timedelta(minutes=1):.1f} minutes", len(view.functions), large)
    figure(f"{large} functions: read twice, though the audit was interrupted half way", twice, 0)
    figure(f"{large} functions: calls of the 15/s quota", len(slow_calls(aws)), large + large * 6 // 10 + pages)
    figure(f"{large} functions: {busiest} calls in the busiest second, of 15", busiest <= 15, True)
    figure(f"{large} functions: {_reads(aws)} GetFunction in the busiest second, of 100", _reads(aws) <= 100, True)
    figure(f"{large} functions: {logs} requests to a Region's logs in the busiest second, of 5", logs <= 5, True)
    figure(f"{large} functions: within a tenth of what the quotas allow", took <= 1.1 * ideal, True)
    managed = [one.versions["$LATEST"].management for one in view.functions if not one.listed.is_image]
    assert all(management and management.version for management in managed)


def _reads(aws: AwsStub) -> int:
    return aws.busiest_second(reads=True)


def _rate(start: datetime, asked: Sequence[Request]) -> float:
    """Calls a second after the first that could go at once: one that is late on a loaded machine makes none faster."""
    return (len(asked) - 1) / ((asked[-1].at - start) / timedelta(seconds=1))

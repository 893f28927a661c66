"""What the lab's AWS says of a whole fleet: modes and versions of runtimes, aliases, logs, and places in trouble."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.lab.aws import REGION, AwsStub
from tests.lab.aws_runtimes import runtime_arn
from tests.lab.aws_scene import Push, code_of

V68 = "python:3.13.v68"


@pytest.fixture
def client(aws: AwsStub) -> Any:
    return aws.client("lambda")


def test_a_version_is_in_mode_auto_until_another_is_set_for_it_alone(aws: AwsStub, client: Any) -> None:
    arn = aws.create_zip_function("legacy", aliases=["live"])
    aws.manage(arn, "Manual", runtime_arn(V68, REGION), version="1")

    latest = client.get_runtime_management_config(FunctionName="legacy")
    first = client.get_runtime_management_config(FunctionName="legacy", Qualifier="live")

    assert (latest["UpdateRuntimeOn"], latest["FunctionArn"]) == ("Auto", f"{arn}:$LATEST")
    assert (first["UpdateRuntimeOn"], first["RuntimeVersionArn"]) == ("Manual", runtime_arn(V68, REGION))


def test_get_function_tells_what_runs_and_a_listing_does_not(aws: AwsStub, client: Any) -> None:
    arn = aws.create_zip_function("legacy", architecture="arm64")
    aws.run_on(arn, V68)

    read = client.get_function(FunctionName=arn)["Configuration"]
    (listed,) = client.list_functions()["Functions"]

    assert read["RuntimeVersionConfig"]["RuntimeVersionArn"] == runtime_arn(V68, REGION, "arm64")
    assert runtime_arn(V68, REGION, "arm64") != runtime_arn(V68, REGION)
    assert "RuntimeVersionConfig" not in listed


def test_nobody_may_ask_for_the_runtime_management_of_an_image(aws: AwsStub, client: Any, push: Push) -> None:
    """How Lambda answers is not known, so the lab calls it a defect of whoever asks."""
    aws.create_function("orders", push("orders:1"))

    with pytest.raises(ClientError):
        client.get_runtime_management_config(FunctionName="orders")

    assert "runtime management of the container image orders was asked for" in aws.defects.pop()


def test_a_region_may_know_no_runtime_management(aws: AwsStub, client: Any) -> None:
    aws.create_zip_function("legacy")
    aws.unmanage(REGION)

    with pytest.raises(ClientError) as error:
        client.get_runtime_management_config(FunctionName="legacy")

    assert code_of(error) == (404, "UnknownOperationException")


def test_aliases_are_listed_in_pages(aws: AwsStub, client: Any) -> None:
    aws.create_zip_function("legacy", aliases=["c", "a", "b"])
    aws.list_by(2)

    first = client.list_aliases(FunctionName="legacy")
    second = client.list_aliases(FunctionName="legacy", Marker=first["NextMarker"])

    assert [alias["Name"] for alias in (*first["Aliases"], *second["Aliases"])] == ["a", "b", "c"]
    assert "NextMarker" not in second


class TestLogs:
    def test_the_newest_streams_come_first_and_events_are_found_by_a_term(self, aws: AwsStub) -> None:
        arn = aws.create_zip_function("legacy")
        aws.log_start(arn, "python:3.13.v60", ago=timedelta(days=2))
        aws.log_start(arn, V68)
        logs, group = aws.client("logs"), "/aws/lambda/legacy"

        listed = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)
        names = [stream["logStreamName"] for stream in listed["logStreams"]]
        found = logs.filter_log_events(logGroupName=group, logStreamNames=names, filterPattern="INIT_START")

        assert [name[:10] for name in names] == ["2026/11/23", "2026/11/21"]
        assert ["v60" in event["message"] for event in found["events"]] == [True, False]
        assert {event["logStreamName"] for event in found["events"]} == set(names)

    def test_pages_may_be_empty_before_what_is_found(self, aws: AwsStub) -> None:
        arn = aws.create_zip_function("legacy")
        aws.log_start(arn, V68)
        aws.logs.empty_pages = 1
        logs, group = aws.client("logs"), "/aws/lambda/legacy"
        (stream,) = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)[
            "logStreams"
        ]
        query = {"logGroupName": group, "logStreamNames": [stream["logStreamName"]], "filterPattern": "INIT_START"}

        first = logs.filter_log_events(**query, limit=1)
        second = logs.filter_log_events(**query, limit=1, nextToken=first["nextToken"])

        assert (first["events"], len(second["events"])) == ([], 1)
        assert "nextToken" not in second

    def test_a_group_of_another_region_is_none_here(self, aws: AwsStub) -> None:
        aws.log_start(aws.create_zip_function("legacy", region="us-east-1"), V68)

        with pytest.raises(ClientError) as error:
            aws.client("logs").describe_log_streams(
                logGroupName="/aws/lambda/legacy", orderBy="LastEventTime", descending=True
            )

        assert code_of(error) == (400, "ResourceNotFoundException")

    def test_a_pattern_that_the_lab_does_not_know_is_its_defect(self, aws: AwsStub) -> None:
        arn = aws.create_zip_function("legacy")
        aws.log_start(arn, V68)
        query = {"logGroupName": "/aws/lambda/legacy", "logStreamNames": ["2026/11/23/[$LATEST]" + "0" * 32]}

        with pytest.raises(ClientError):
            aws.client("logs").filter_log_events(**query, filterPattern="?INIT_START ?REPORT")

        assert "do not know the pattern ?INIT_START ?REPORT" in aws.defects.pop()


def test_what_is_denied_is_denied_in_one_place(aws: AwsStub, client: Any) -> None:
    aws.deny("ListFunctions")

    with pytest.raises(ClientError) as error:
        client.list_functions()

    assert code_of(error) == (403, "AccessDeniedException")
    assert aws.client("lambda", "us-east-1").list_functions()["Functions"] == []


def test_a_region_that_is_down_cuts_every_connection(aws: AwsStub, client: Any) -> None:
    aws.down.add("us-east-1")

    with pytest.raises(ConnectionClosedError):
        aws.client("lambda", "us-east-1").list_functions()

    assert client.list_functions()["Functions"] == []


def test_a_function_vanishes_once_it_was_listed(aws: AwsStub, client: Any) -> None:
    arn = aws.create_zip_function("legacy")
    aws.vanish(arn)

    (listed,) = client.list_functions()["Functions"]

    assert listed["FunctionArn"] == arn
    with pytest.raises(ClientError) as error:
        client.get_function(FunctionName=arn)
    assert code_of(error) == (404, "ResourceNotFoundException")

"""The lab's AWS knows what a careful deployment asks for: versions, provisioned concurrency, alarms, metrics, ECR."""

import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Figure
from tests.lab.aws import AwsStub
from tests.lab.aws_scene import Push, code_of, let_pass
from tests.lab.clock import WoundClock


class TestVersions:
    def test_versions_are_listed_in_pages_with_latest_first_and_without_states(self, aws: AwsStub, push: Push) -> None:
        aws.create_function("orders", push("orders:1"), aliases=["live"])
        aws.page_versions(1)

        pages = list(aws.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName="orders"))

        listed = [entry for page in pages for entry in page["Versions"]]
        assert [entry["Version"] for entry in listed] == ["$LATEST", "1"]
        assert not [name for entry in listed for name in entry if name.startswith("State")]

    def test_a_version_has_the_hashes_of_what_it_was_published_from_until_that_changes(
        self, aws: AwsStub, push: Push, clock: WoundClock
    ) -> None:
        aws.create_function("orders", push("orders:1"), aliases=["live"])
        client = aws.client("lambda")

        def hashes() -> list[str]:
            return [e["ConfigSha256"] for e in client.list_versions_by_function(FunctionName="orders")["Versions"]]

        before = hashes()
        client.update_function_configuration(FunctionName="orders", Timeout=9)
        let_pass(clock, 10)

        assert before[0] == before[1]
        assert hashes()[0] != hashes()[1]


class TestProvisionedConcurrency:
    def test_it_is_allocated_anew_when_its_alias_moves(self, aws: AwsStub, push: Push, clock: WoundClock) -> None:
        aws.create_function("orders", push("orders:1"), aliases=["live"])
        aws.provision("orders", "live", 3)
        client = aws.client("lambda")

        def status() -> tuple[str, int]:
            answer = client.get_provisioned_concurrency_config(FunctionName="orders", Qualifier="live")
            return answer["Status"], answer["AvailableProvisionedConcurrentExecutions"]

        before = status()
        client.update_alias(FunctionName="orders", Name="live", FunctionVersion="1")
        during = status()
        let_pass(clock, 10)

        assert (before, during, status()) == (("READY", 3), ("IN_PROGRESS", 0), ("READY", 3))

    def test_an_alias_without_any_is_not_found(self, aws: AwsStub, push: Push) -> None:
        aws.create_function("orders", push("orders:1"), aliases=["live"])

        with pytest.raises(ClientError) as error:
            aws.client("lambda").get_provisioned_concurrency_config(FunctionName="orders", Qualifier="live")

        assert code_of(error) == (404, "ProvisionedConcurrencyConfigNotFoundException")


class TestCloudWatch:
    def test_alarms_are_in_the_state_that_was_set_and_missing_ones_are_left_out(
        self, aws: AwsStub, figure: Figure
    ) -> None:
        aws.set_alarm("errors")
        aws.set_alarm("all", "ALARM", composite=True)
        aws.set_alarm("elsewhere", region="us-east-1")

        answer = aws.client("cloudwatch").describe_alarms(
            AlarmNames=["errors", "all", "elsewhere"], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )

        assert [(a["AlarmName"], a["StateValue"]) for a in answer["MetricAlarms"]] == [("errors", "OK")]
        composite = [(a["AlarmName"], a["StateValue"]) for a in answer["CompositeAlarms"]]
        figure("an alarm that was set", composite, [("all", "ALARM")])

    def test_composite_alarms_come_only_when_they_are_asked_for(self, aws: AwsStub) -> None:
        aws.set_alarm("all", "ALARM", composite=True)

        assert aws.client("cloudwatch").describe_alarms(AlarmNames=["all"])["MetricAlarms"] == []

    def test_metrics_come_by_minute_newest_first_for_exactly_their_dimensions(
        self, aws: AwsStub, clock: WoundClock
    ) -> None:
        aws.count("orders:live", "2", 10, 1, ago=1)
        aws.count("orders:live", "2", 20, ago=2)
        aws.count("orders:live", "1", 500)
        names = {"FunctionName": "orders", "Resource": "orders:live", "ExecutedVersion": "2"}
        metric = {
            "Namespace": "AWS/Lambda",
            "MetricName": "Invocations",
            "Dimensions": [{"Name": name, "Value": value} for name, value in names.items()],
        }

        answer = aws.client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "i0", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}],
            StartTime=clock.now() - timedelta(minutes=5),
            EndTime=clock.now(),
        )

        [result] = answer["MetricDataResults"]
        assert result["Values"] == [10.0, 20.0]
        assert result["Timestamps"] == [clock.now() - timedelta(minutes=ago) for ago in (1, 2)]

    def test_an_error_on_demand_comes_as_cloudwatch_words_it(self, aws: AwsStub) -> None:
        aws.fail_next("DescribeAlarms", "AccessDeniedException", "not authorized")

        with pytest.raises(ClientError) as error:
            aws.client("cloudwatch").describe_alarms(AlarmNames=["errors"])

        assert code_of(error) == (403, "AccessDeniedException")


class TestEcr:
    def test_an_image_gets_a_tag_and_stays_what_it_is(self, aws: AwsStub, push: Push) -> None:
        digest = push("tagged:1").rpartition("@")[2]
        ecr = aws.client("ecr")
        [image] = ecr.batch_get_image(repositoryName="tagged", imageIds=[{"imageDigest": digest}])["images"]

        put = ecr.put_image(repositoryName="tagged", imageManifest=image["imageManifest"], imageTag="keep")

        [detail] = ecr.describe_images(repositoryName="tagged", imageIds=[{"imageDigest": digest}])["imageDetails"]
        assert put["image"]["imageId"] == {"imageTag": "keep", "imageDigest": digest}
        assert detail["imageTags"] == ["1", "keep"]

    @pytest.mark.parametrize(
        ("tag", "code"), [("1", "ImageAlreadyExistsException"), ("2", "ImageTagAlreadyExistsException")]
    )
    def test_a_tag_that_is_fixed_stays_where_it_is(self, aws: AwsStub, push: Push, tag: str, code: str) -> None:
        digest = push("fixed:1", "one").rpartition("@")[2]
        push("fixed:2", "two")
        aws.fix_tags("fixed")
        ecr = aws.client("ecr")
        [image] = ecr.batch_get_image(repositoryName="fixed", imageIds=[{"imageDigest": digest}])["images"]

        with pytest.raises(ClientError) as error:
            ecr.put_image(repositoryName="fixed", imageManifest=image["imageManifest"], imageTag=tag)

        assert code_of(error) == (400, code)

    def test_another_digest_than_that_of_the_manifest_is_refused(self, aws: AwsStub, push: Push) -> None:
        digest = push("digests:1", "one").rpartition("@")[2]
        other = push("digests:2", "two").rpartition("@")[2]
        ecr = aws.client("ecr")
        [image] = ecr.batch_get_image(repositoryName="digests", imageIds=[{"imageDigest": digest}])["images"]

        with pytest.raises(ClientError) as error:
            ecr.put_image(
                repositoryName="digests", imageManifest=image["imageManifest"], imageTag="3", imageDigest=other
            )

        assert code_of(error) == (400, "ImageDigestDoesNotMatchException")

    def test_a_lifecycle_policy_is_given_back(self, aws: AwsStub, push: Push) -> None:
        push("ruled:1")
        selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9}
        rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
        aws.set_lifecycle("ruled", rule)

        answer = aws.client("ecr").get_lifecycle_policy(repositoryName="ruled")

        assert json.loads(answer["lifecyclePolicyText"]) == {"rules": [rule]}

    def test_a_repository_without_one_says_so(self, aws: AwsStub, push: Push) -> None:
        push("unruled:1")

        with pytest.raises(ClientError) as error:
            aws.client("ecr").get_lifecycle_policy(repositoryName="unruled")

        assert code_of(error) == (400, "LifecyclePolicyNotFoundException")


def test_the_busiest_second_of_lambda_is_counted(aws: AwsStub, push: Push, clock: WoundClock) -> None:
    aws.create_function("orders", push("orders:1"), aliases=["live"])
    client = aws.client("lambda")
    for seconds in (0, 0.5, 0.4, 0.2, 5):
        let_pass(clock, seconds)
        client.get_alias(FunctionName="orders", Name="live")
    client.get_function(FunctionName="orders")

    assert (aws.busiest_second(reads=False), aws.busiest_second(reads=True)) == (3, 1)


def test_a_deleted_function_is_not_found(aws: AwsStub, push: Push) -> None:
    aws.create_function("orders", push("orders:1"))
    aws.delete_function("orders")

    with pytest.raises(ClientError) as error:
        aws.client("lambda").get_function(FunctionName="orders")

    assert code_of(error) == (404, "ResourceNotFoundException")

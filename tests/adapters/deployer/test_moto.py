"""The adapters beside Lambda against moto, too: what they ask and read is no agreement of ours with our own lab."""

import json

import pytest

from bot.adapters.deployer.cloudwatch import CloudWatch
from bot.adapters.deployer.ecr_images import EcrImages
from bot.core.deployment import Served
from bot.core.digest import Digest
from bot.core.errors import DeployError
from bot.core.reference import Reference
from tests.adapters.deployer.test_cloudwatch import LIVE, ORDERS, SHIFTING
from tests.lab.clock import WoundClock
from tests.lab.moto import Moto

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_an_alarm_rings_in_its_state_and_one_that_is_missing_is_an_error(moto: Moto) -> None:
    cloudwatch = moto.client("cloudwatch")
    shape = {"Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    for name in ("calm", "errors"):
        metric = {"MetricName": "Errors", "Namespace": "AWS/Lambda", "Statistic": "Sum"}
        cloudwatch.put_metric_alarm(AlarmName=name, **metric, **shape)
    cloudwatch.set_alarm_state(AlarmName="calm", StateValue="OK", StateReason="a test")
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test")
    watcher = CloudWatch(lambda _, region: moto.client("cloudwatch", region))

    assert watcher.ringing(ORDERS, ["calm", "errors"]) == ("errors",)
    with pytest.raises(DeployError, match="there is no alarm latency"):
        watcher.ringing(ORDERS, ["calm", "latency"])


def test_errors_and_invocations_are_those_of_the_versions(moto: Moto) -> None:
    clock = WoundClock()
    since = clock.now()
    clock.wait_until(since.replace(minute=since.minute + 3))
    names = {"FunctionName": "orders", "Resource": "orders:live"}
    for version, counts in {"1": (90, 1), "2": (10, 6)}.items():
        dimensions = [{"Name": k, "Value": v} for k, v in {**names, "ExecutedVersion": version}.items()]
        data = [
            {"MetricName": metric, "Dimensions": dimensions, "Value": count, "Timestamp": since.replace(second=30)}
            for metric, count in zip(("Invocations", "Errors"), counts, strict=True)
        ]
        moto.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=data)
    watcher = CloudWatch(lambda _, region: moto.client("cloudwatch", region))

    assert watcher.served(ORDERS, SHIFTING, since, clock.now()) == (
        Served(invocations=10, errors=6),
        Served(invocations=90, errors=1),
    )
    assert watcher.served(ORDERS, LIVE, since, clock.now()) == (Served(), Served())


def test_a_lifecycle_policy_is_read_and_an_image_tagged(moto: Moto) -> None:
    """Its image has the digest that moto gives it, which is not the one of its manifest."""
    ecr = moto.client("ecr")
    ecr.create_repository(repositoryName="orders")
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(Digest.of(b"c")), "size": 1}
    media = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media, "config": config, "layers": []})
    put = ecr.put_image(repositoryName="orders", imageManifest=manifest, imageTag="1")["image"]["imageId"]
    image = Reference.parse(f"{HOST}/orders@{put['imageDigest']}")
    images = EcrImages(lambda _, region: moto.client("ecr", region))
    unruled = images.expires(image)
    selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
    rule = {"rulePriority": 1, "selection": {**selection, "tagStatus": "any"}, "action": {"type": "expire"}}
    ecr.put_lifecycle_policy(repositoryName="orders", lifecyclePolicyText=json.dumps({"rules": [rule]}))

    tagged = images.keep(image, "refrom-rollback-1")

    assert (unruled, tagged) == ("", True)
    assert images.expires(image) == "rule 1 of the lifecycle policy expires it 14 days after its push"
    assert not images.keep(image, "refrom-rollback-1")

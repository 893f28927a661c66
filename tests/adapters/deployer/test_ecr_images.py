"""The image that a rollback needs: what expires it is told, and it gets a tag that rules can spare."""

from typing import Any

import pytest

from bot.adapters.deployer.ecr_images import EcrImages
from bot.core.digest import Digest
from bot.core.errors import DeployError
from bot.core.reference import Reference
from tests.adapters.deployer.scene import Images
from tests.lab.aws import AwsStub

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
TAG = "refrom-rollback-0123456789ab"


def rule(status: str = "any", priority: int = 5, **more: Any) -> dict[str, Any]:
    selection = {"tagStatus": status, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14, **more}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


SPARE = rule("tagged", 1, tagPrefixList=["refrom-rollback-"], countType="imageCountMoreThan", countNumber=1000)


@pytest.fixture
def ecr(aws: AwsStub) -> EcrImages:
    return EcrImages(lambda _account, region: aws.client("ecr", region))


def in_ecr(image: Reference) -> Reference:
    return Reference.parse(f"{HOST}/{image.repository}@{image.digest}")


def test_a_rule_that_expires_an_image_is_told(aws: AwsStub, ecr: EcrImages, images: Images) -> None:
    image = in_ecr(images.push("ruled:1"))
    aws.set_lifecycle("ruled", rule())

    assert ecr.expires(image) == "rule 5 of the lifecycle policy expires it 14 days after its push"


def test_a_repository_without_a_policy_expires_nothing(aws: AwsStub, ecr: EcrImages, images: Images) -> None:
    assert ecr.expires(in_ecr(images.push("unruled:1"))) == ""
    assert [request.operation for request in aws.requests] == ["GetLifecyclePolicy"]


def test_the_tag_takes_an_image_out_of_the_rules_that_spare_it(aws: AwsStub, ecr: EcrImages, images: Images) -> None:
    image = in_ecr(images.push("spared:1"))
    aws.set_lifecycle("spared", rule(), SPARE)
    before = ecr.expires(image)

    tagged = ecr.keep(image, TAG)

    assert (bool(before), tagged, ecr.expires(image)) == (True, True, "")
    kept = images.registry.manifest(Reference.parse(f"{images.host}/spared:{TAG}"))
    assert kept.digest == image.digest


def test_a_tag_that_is_there_is_not_put_again(aws: AwsStub, ecr: EcrImages, images: Images) -> None:
    """In a repository with immutable tags a second put would be an error."""
    image = in_ecr(images.push("again:1"))
    aws.fix_tags("again")

    assert [ecr.keep(image, TAG), ecr.keep(image, TAG)] == [True, False]
    assert [request.operation for request in aws.writes] == ["PutImage"]


def test_an_image_that_is_gone_is_an_error_with_the_cure(ecr: EcrImages, images: Images) -> None:
    gone = in_ecr(images.push("gone:1")).with_digest(Digest.of(b"nobody has this"))

    with pytest.raises(DeployError, match=r"image .*gone@sha256.* the image is gone from ECR; push it again"):
        ecr.keep(gone, TAG)


def test_a_repository_that_is_gone_is_an_error_with_the_cure(ecr: EcrImages) -> None:
    nowhere = Reference.parse(f"{HOST}/nowhere@{Digest.of(b'x')}")

    with pytest.raises(DeployError, match="the repository is gone from ECR; create it"):
        ecr.expires(nowhere)


@pytest.mark.parametrize("operation", ["GetLifecyclePolicy", "DescribeImages", "PutImage"])
def test_what_may_not_be_done_is_an_error_with_the_cure(
    aws: AwsStub, ecr: EcrImages, images: Images, operation: str
) -> None:
    image = in_ecr(images.push("denied:1"))
    aws.set_lifecycle("denied", rule())
    aws.fail_next(operation, "AccessDeniedException", f"not authorized to perform ecr:{operation}")

    with pytest.raises(DeployError, match=rf"image {HOST}/denied.*ecr:{operation}.*; allow it in the IAM policy"):
        ecr.keep(image, TAG) if operation == "PutImage" else ecr.expires(image)


def test_an_image_elsewhere_has_no_policy_and_gets_no_tag(aws: AwsStub, ecr: EcrImages, images: Images) -> None:
    image = images.push("elsewhere:1")

    assert (ecr.expires(image), ecr.keep(image, TAG)) == ("", False)
    assert not aws.requests

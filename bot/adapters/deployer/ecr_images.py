"""Images in ECR that a rollback needs: whether a lifecycle policy expires them, and a tag by which it may spare them.

An image that lies in no private ECR has no lifecycle policy that anybody here could read, and is left as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.adapters.deployer.aws_errors import says_missing, translated
from bot.adapters.deployer.clients import Clients
from bot.core.errors import DeployError
from bot.core.lifecycle import expiring_rule
from bot.core.reference import Reference

_ECR: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\Z")


@dataclass(frozen=True, slots=True)
class EcrImages:
    """`Retention` on ECR, by a client for the account and the Region of each image."""

    clients: Clients

    def expires(self, image: Reference) -> str:
        """Say by which rule of its repository an image expires (two requests, one where there is no policy)."""
        place = _ECR.match(image.registry)
        if place is None:
            return ""
        policy = self._policy(place, image)
        return expiring_rule(policy, self._tags(place, image)) if policy else ""

    def keep(self, image: Reference, tag: str) -> bool:
        """Give an image one more tag (one request where it has it, else three); its manifest stays, byte for byte."""
        place = _ECR.match(image.registry)
        if place is None or tag in self._tags(place, image):
            return False
        answer = self._ask(place, image, "batch_get_image", imageIds=[_id(image)])
        for found in answer.get("images", ()):
            manifest = {"imageManifest": found["imageManifest"], "imageTag": tag, "imageDigest": str(image.digest)}
            if "imageManifestMediaType" in found:
                manifest["imageManifestMediaType"] = found["imageManifestMediaType"]
            self._ask(place, image, "put_image", **manifest)
            return True
        raise DeployError(f"image {image} is gone from ECR; nothing is left to roll back to, deploy another image soon")

    def _policy(self, place: re.Match[str], image: Reference) -> str:
        try:
            answer = self._ask(place, image, "get_lifecycle_policy")
        except DeployError as fault:
            if not says_missing(fault, "LifecyclePolicyNotFoundException"):
                raise
            return ""
        return str(answer["lifecyclePolicyText"])

    def _tags(self, place: re.Match[str], image: Reference) -> list[str]:
        answer = self._ask(place, image, "describe_images", imageIds=[_id(image)])
        return [tag for detail in answer["imageDetails"] for tag in detail.get("imageTags", ())]

    def _ask(self, place: re.Match[str], image: Reference, operation: str, **members: object) -> Mapping[str, Any]:
        refusal = "check the repository's settings for tags"
        with translated(f"image {image}", refusal=refusal, service="ECR"):
            answer: Mapping[str, Any] = getattr(self.clients(place["account"], place["region"]), operation)(
                registryId=place["account"], repositoryName=image.repository, **members
            )
            return answer


def _id(image: Reference) -> Mapping[str, str]:
    return {"imageDigest": str(image.digest)}

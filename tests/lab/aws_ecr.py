"""The ECR control plane of the lab, backed by the real registry (ECR API 2015-09-21)."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.core.digest import Digest
from bot.core.image import Index, Manifest
from bot.ports.clock import Clock
from tests.lab.aws_lambda import ACCOUNT, only
from tests.lab.aws_protocols import AwsError, Call, Unmodelled
from tests.lab.aws_registry import ImageSource


@dataclass(frozen=True, slots=True, kw_only=True)
class EcrService:
    """One account's private registry; `seen` remembers when an image was first looked at, for lack of its push.

    `policies` are the lifecycle policies by repository, `fixed` the repositories whose tags are immutable.
    """

    clock: Clock
    source: ImageSource
    seen: dict[Digest, datetime] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call."""
        operations: Mapping[str, Callable[[Call], dict[str, Any]]] = {
            "BatchGetImage": self._batch_get_image,
            "DescribeImages": self._describe_images,
            "DescribeRepositories": self._describe_repositories,
            "GetAuthorizationToken": self._get_authorization_token,
            "GetLifecyclePolicy": self._get_lifecycle_policy,
            "PutImage": self._put_image,
        }
        if call.operation not in operations:
            raise Unmodelled(f"the lab's ECR does not speak {call.operation} yet")
        return operations[call.operation](call)

    def _get_authorization_token(self, call: Call) -> dict[str, Any]:
        only(call, "registryIds")
        user, password = self.source.auth or ("AWS", "anonymous")
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        expires = self.clock.now() + timedelta(hours=12)
        data = {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": self.source.url}
        return {"authorizationData": [data]}

    def _describe_repositories(self, call: Call) -> dict[str, Any]:
        p = only(call, "maxResults nextToken registryId repositoryNames")
        there = self.source.repositories()
        for name in p.get("repositoryNames", ()):
            if name not in there:
                raise _no_repository(name)
        names = [name for name in there if name in p.get("repositoryNames", there)]
        return _page(p, "repositories", [self._repository(call.region, name) for name in names])

    def _describe_images(self, call: Call) -> dict[str, Any]:
        p = only(call, "imageIds maxResults nextToken registryId repositoryName")
        repository = p["repositoryName"]
        tags = self._tags(repository)
        documents = {document.digest: document for document in tags.values()}
        if "imageIds" in p:
            asked = [self._find(repository, image) or _no_image(repository, image) for image in p["imageIds"]]
            documents = {document.digest: document for document in asked}
        details = [self._detail(repository, document, tags) for document in documents.values()]
        return _page(p, "imageDetails", details)

    def _batch_get_image(self, call: Call) -> dict[str, Any]:
        p = only(call, "acceptedMediaTypes imageIds registryId repositoryName")
        repository, images, failures = p["repositoryName"], [], []
        self._tags(repository)
        for asked in p["imageIds"]:
            document = self._find(repository, asked)
            if document is None:
                failure = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
                failures.append({"imageId": asked, **failure})
                continue
            if document.media_type not in p.get("acceptedMediaTypes", [document.media_type]):
                raise Unmodelled(f"the lab's ECR does not convert {document.media_type} for BatchGetImage")
            images.append(_image(repository, asked, document))
        return {"images": images, "failures": failures}

    def _get_lifecycle_policy(self, call: Call) -> dict[str, Any]:
        name = only(call, "registryId repositoryName")["repositoryName"]
        self._tags(name)
        if name not in self.policies:
            text = f"Lifecycle policy does not exist for the repository with name '{name}' in the registry"
            raise AwsError("LifecyclePolicyNotFoundException", f"{text} with id '{ACCOUNT}'")
        return {"registryId": ACCOUNT, "repositoryName": name, "lifecyclePolicyText": self.policies[name]}

    def _put_image(self, call: Call) -> dict[str, Any]:
        """Give a manifest that is there one more tag; the lab takes no new manifests on this way."""
        p = only(call, "imageDigest imageManifest imageManifestMediaType imageTag registryId repositoryName")
        name, tag, digest = p["repositoryName"], p["imageTag"], Digest.of(p["imageManifest"].encode())
        if p.get("imageDigest", str(digest)) != str(digest):
            raise AwsError("ImageDigestDoesNotMatchException", "The specified imageDigest does not match the image")
        tagged, document = self._tags(name).get(tag), self.source.manifest(name, str(digest))
        if document is None:
            raise Unmodelled("the lab's ECR takes no manifest that its registry does not have")
        if tagged is not None and tagged.digest == digest:
            text = f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}'"
            raise AwsError("ImageAlreadyExistsException", text)
        if tagged is not None and name in self.fixed:
            text = f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten"
            raise AwsError("ImageTagAlreadyExistsException", f"{text} because the repository is immutable.")
        self.source.put_manifest(name, tag, document)
        return {"image": _image(name, {"imageTag": tag}, document)}

    def _tags(self, repository: str) -> dict[str, Manifest | Index]:
        """Read what all tags of a repository point to."""
        names = self.source.tags(repository)
        if names is None:
            raise _no_repository(repository)
        return {name: found for name in names if (found := self.source.manifest(repository, name)) is not None}

    def _find(self, repository: str, image: Mapping[str, str]) -> Manifest | Index | None:
        return self.source.manifest(repository, image.get("imageDigest") or image["imageTag"])

    def _repository(self, region: str, name: str) -> dict[str, Any]:
        return {
            "repositoryArn": f"arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}",
            "registryId": ACCOUNT,
            "repositoryName": name,
            "repositoryUri": f"{self.source.host}/{name}",
            "imageTagMutability": "MUTABLE",
        }

    def _detail(
        self, repository: str, document: Manifest | Index, tags: Mapping[str, Manifest | Index]
    ) -> dict[str, Any]:
        detail: dict[str, Any] = {
            "registryId": ACCOUNT,
            "repositoryName": repository,
            "imageDigest": str(document.digest),
            "imageSizeInBytes": sum(_sizes(document)),
            "imagePushedAt": self.seen.setdefault(document.digest, self.clock.now()),
            "imageManifestMediaType": document.media_type,
            "imageStatus": "ACTIVE",
        }
        names = [name for name, tagged in tags.items() if tagged.digest == document.digest]
        if isinstance(document, Manifest):
            detail["artifactMediaType"] = document.config.media_type
        return detail | ({"imageTags": names} if names else {})


def _image(repository: str, asked: Mapping[str, str], document: Manifest | Index) -> dict[str, Any]:
    return {
        "registryId": ACCOUNT,
        "repositoryName": repository,
        "imageId": {**asked, "imageDigest": str(document.digest)},
        "imageManifest": document.raw.decode(),
        "imageManifestMediaType": document.media_type,
    }


def _sizes(document: Manifest | Index) -> Iterator[int]:
    if isinstance(document, Manifest):
        yield document.config.size
        yield from (layer.size for layer in document.layers)


def _page(p: Mapping[str, Any], member: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Cut a list into pages as ECR does; the token is where the next page begins."""
    start = int(p.get("nextToken", "0"))
    end = start + p.get("maxResults", 100)
    return {member: items[start:end]} | ({"nextToken": str(end)} if end < len(items) else {})


def _no_repository(name: str) -> AwsError:
    text = f"The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'"
    return AwsError("RepositoryNotFoundException", text)


def _no_image(repository: str, image: Mapping[str, str]) -> Manifest:
    asked = f"{{imageDigest:'{image.get('imageDigest', 'null')}', imageTag:'{image.get('imageTag', 'null')}'}}"
    raise AwsError(
        "ImageNotFoundException",
        f"The image with imageId {asked} does not exist within the repository with name '{repository}' "
        f"in the registry with id '{ACCOUNT}'",
    )

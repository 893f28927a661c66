"""Looks into the real registry that stands behind the lab's ECR (OCI distribution-spec, pull and discovery)."""

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from bot.core.image import MANIFEST_TYPES, Index, Manifest, parse_manifest

_FOUND: Final = 200
_CREATED: Final = 201
_MISSING: Final = 404


class ImageSource:
    """One registry with basic credentials, or without any."""

    def __init__(self, url: str, auth: tuple[str, str] | None = None) -> None:
        self.url = url.rstrip("/")
        self.host = urlsplit(url).netloc
        self.auth = auth
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = auth

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def manifest(self, repository: str, name: str) -> Manifest | Index | None:
        """Fetch what a tag or digest names; None if the registry has no such manifest."""
        answer = self._get(f"{repository}/manifests/{name}", headers={"Accept": ", ".join(MANIFEST_TYPES)})
        if answer is None:
            return None
        return parse_manifest(answer.content, media_type=answer.headers.get("Content-Type"))

    def put_manifest(self, repository: str, name: str, manifest: Manifest | Index) -> None:
        """Store a manifest, byte for byte, under one more tag."""
        url = f"{self.url}/v2/{repository}/manifests/{name}"
        answer = self._session.put(url, manifest.raw, headers={"Content-Type": manifest.media_type}, timeout=10)
        assert answer.status_code == _CREATED, f"registry: {answer.status_code} for {url}: {answer.text[:300]}"

    def config(self, repository: str, manifest: Manifest) -> dict[str, Any]:
        """Fetch the image config."""
        answer = self._get(f"{repository}/blobs/{manifest.config.digest}")
        assert answer is not None, f"the registry lost the config of {repository}@{manifest.digest}"
        document: dict[str, Any] = json.loads(answer.content)
        return document

    def unpacked_size(self, repository: str, manifest: Manifest, *, at_most: int) -> int:
        """Count the bytes of all layers unpacked, and stop once there are more than `at_most`."""
        size = 0
        for layer in manifest.layers:
            answer = self._get(f"{repository}/blobs/{layer.digest}")
            assert answer is not None, f"the registry lost layer {layer.digest} of {repository}"
            for piece in _unpacked(answer.content):
                size += len(piece)
                if size > at_most:
                    return size
        return size

    def tags(self, repository: str) -> list[str] | None:
        """List the tags of a repository; None if the registry has no such repository."""
        answer = self._get(f"{repository}/tags/list")
        return None if answer is None else sorted(answer.json().get("tags") or [])

    def repositories(self) -> list[str]:
        """List the repositories."""
        answer = self._get("_catalog?n=1000")
        assert answer is not None, f"the registry at {self.url} has no catalogue"
        return sorted(answer.json()["repositories"])

    def _get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response | None:
        answer = self._session.get(f"{self.url}/v2/{path}", headers=headers, timeout=10)
        if answer.status_code == _MISSING:
            return None
        assert answer.status_code == _FOUND, f"registry: {answer.status_code} for {path}: {answer.text[:300]}"
        return answer


def _unpacked(content: bytes) -> Iterator[bytes]:
    if not content.startswith(b"\x1f\x8b"):
        yield content
        return
    with gzip.open(io.BytesIO(content)) as stream:
        yield from iter(lambda: stream.read(1 << 20), b"")

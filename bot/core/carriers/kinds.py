"""Which kind of carrier a file is: by its path, and where a path says too little, by a few bytes of it."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from bot.core.digest import Digest
from bot.core.reference import DEFAULT_REGISTRY


class Kind(StrEnum):
    """A kind of file that may name a base image."""

    DOCKERFILE = "dockerfile"
    COMPOSE = "compose"
    SAM = "sam"
    SERVERLESS = "serverless"
    WORKFLOW = "github-workflow"
    BUILDSPEC = "buildspec"
    BAKE = "bake"
    TERRAFORM = "terraform"
    CDK = "cdk"
    MAKEFILE = "makefile"
    SHELL = "shell"


_IGNORE: Final = ".dockerignore"
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (r"(?:.*/)?(?:Dockerfile|dockerfile|Containerfile|Dockerfile[.-][^/]*|[^/]*\.Dockerfile)", Kind.DOCKERFILE),
        (r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml", Kind.WORKFLOW),
        (r"(?:.*/)?(?:docker-)?compose(?:[.-][^/]+)?\.ya?ml", Kind.COMPOSE),
        (r"(?:.*/)?serverless(?:[.-][^/]+)?\.ya?ml", Kind.SERVERLESS),
        (r"(?:.*/)?buildspec(?:[._-][^/]+)?\.ya?ml", Kind.BUILDSPEC),
        (r"(?:.*/)?docker-bake(?:[.-][^/]+)?\.(?:hcl|json)", Kind.BAKE),
        (r".*\.ya?ml", Kind.SAM),
        (r".*\.(?:tf|tfvars)", Kind.TERRAFORM),
        (r".*\.(?:ts|py)", Kind.CDK),
        (r"(?:.*/)?(?:GNUm|M|m)akefile|.*\.mk", Kind.MAKEFILE),
        (r".*\.(?:sh|bash)", Kind.SHELL),
    )
)
_TELLING: Final[dict[Kind, tuple[bytes, ...]]] = {
    Kind.SAM: (b"AWS::Serverless", b"AWSTemplateFormatVersion"),
    Kind.CDK: (b"aws-cdk", b"aws_cdk"),
}
_NAMES_A_BASE: Final = b"lambda"
_NAMES_A_BUILD: Final = (b"ockerfile", b"DockerContext", b"build", b"path:", b"target")


def kind_of(path: str) -> Kind | None:
    """Name the kind of carrier that a path may be, None if none; the path has forward slashes."""
    if path.endswith(_IGNORE):
        return None
    return next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(path)), None)


def is_worth_reading(kind: Kind, content: bytes, mirrors: Sequence[str] = ()) -> bool:
    """Say by a byte search whether a file of a kind may name a base or build a Dockerfile."""
    if kind is Kind.DOCKERFILE:
        return True
    if kind in _TELLING and not any(word in content for word in _TELLING[kind]):
        return False
    names = (_NAMES_A_BASE, *(short_name(mirror).encode() for mirror in mirrors))
    if any(name in content for name in names):
        return True
    return kind in BUILDERS and any(word in content for word in _NAMES_A_BUILD)


def reading_id(mirrors: Sequence[str] = ()) -> str:
    """Name what is looked for, so that what another release, or one with other mirrors, kept of a file is not taken."""
    patterns = [(pattern.pattern, kind.value) for pattern, kind in _PATTERNS]
    told = repr((patterns, _IGNORE, _TELLING, _NAMES_A_BASE, _NAMES_A_BUILD, sorted(BUILDERS), sorted(mirrors)))
    return str(Digest.of(told.encode()))


def short_name(mirror: str) -> str:
    """The part of a mirror's name that stands in every reference to it: Docker Hub may be left out."""
    return mirror.rstrip("/").removeprefix(f"{DEFAULT_REGISTRY}/")


BUILDERS: Final = frozenset({
    Kind.COMPOSE, Kind.SAM, Kind.SERVERLESS, Kind.WORKFLOW, Kind.BAKE, Kind.BUILDSPEC, Kind.MAKEFILE,
})  # fmt: skip
"""The kinds that say with which arguments a Dockerfile is built."""

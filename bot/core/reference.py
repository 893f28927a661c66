"""Image references (distribution/reference grammar), keeping the tag and the digest both."""

import re
from dataclasses import dataclass, replace
from typing import Self

from bot.core.digest import Digest
from bot.core.errors import InvalidReference

DEFAULT_REGISTRY = "docker.io"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*\Z")
_REGISTRY = re.compile(
    r"(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
    r"(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?\Z"
)
_TAG = re.compile(r"[\w][\w.-]{0,127}\Z", re.ASCII)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}\Z")
_LONGEST_REPOSITORY = 255


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A normalised image reference: `registry` and `repository` are always there, tag and digest may be.

    `str()` gives the full form, such as `docker.io/library/python:3.13@sha256:...`.
    Nothing is invented: a reference without tag and digest keeps both empty.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference as `docker pull` would; an `InvalidReference` says which part is wrong."""
        if _IDENTIFIER.match(text):
            raise InvalidReference(f"image reference {text!r} is an image ID; write a repository with a tag or digest")
        rest, at, digits = text.partition("@")
        digest = Digest.parse(digits) if at else None
        name, colon, tag = rest.rpartition(":")
        if not colon or "/" in tag:
            name, tag = rest, ""
        elif not _TAG.match(tag):
            raise InvalidReference(f"image reference {text[:200]!r} has a malformed tag {tag[:140]!r}")
        registry, repository = _split_registry(name)
        if not _REPOSITORY.match(repository):
            hint = "; a repository is lower-case" if _REPOSITORY.match(repository.lower()) else ""
            raise InvalidReference(f"image reference {text[:200]!r} has a malformed repository{hint}")
        if not _REGISTRY.match(registry):
            raise InvalidReference(f"image reference {text[:200]!r} has a malformed registry")
        if len(repository) > _LONGEST_REPOSITORY:
            reason = f"has a repository of more than {_LONGEST_REPOSITORY} characters"
            raise InvalidReference(f"image reference {text[:80]!r}... {reason}")
        return cls(registry, repository, tag or None, digest)

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    def with_tag(self, tag: str | None) -> Self:
        """Return the same name under another tag, without digest."""
        return replace(self, tag=tag, digest=None)

    def with_digest(self, digest: Digest | None) -> Self:
        """Return the same reference with another digest; the tag stays."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def _split_registry(name: str) -> tuple[str, str]:
    """Tell a registry from the first part of a Docker Hub repository, by distribution's rule."""
    first, slash, rest = name.partition("/")
    if not slash or not (set(".:") & set(first) or first == "localhost" or first != first.lower()):
        registry, repository = DEFAULT_REGISTRY, name
    else:
        registry, repository = first, rest
    if registry == "index.docker.io":
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository

"""Builders: from a commit to an image in a registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.digest import Digest
from bot.core.platforms import Platform
from bot.core.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """What is to be built, on what, and where it goes.

    `destination` has a tag; `labels` are written into the image config.
    `deployed` is the image that serves now, for builders that work from it; the runtimes are those of both bases.
    """

    repository: str
    commit: str
    dockerfile: str
    context: str
    platform: Platform
    base: Reference
    destination: Reference
    labels: Mapping[str, str]
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    deployed: Reference | None = None
    deployed_base: Reference | None = None
    runtime: str = ""
    deployed_runtime: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The image is in the registry under this digest; `how` says in a clause how it came about, where that is news."""

    digest: Digest
    log: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """The image will be there later; `why` says what is awaited."""

    why: str


class Builder(Protocol):
    """Builds and pushes one image."""

    def build(self, order: BuildOrder) -> Built | Building:
        """Build the commit for one platform and push it; an order that was done before is not done again.

        Raises `BuildError` with the end of the log; errors of registry, contents and forge pass through.
        """
        ...

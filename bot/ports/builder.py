"""Builders: from a commit to an image in a registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from bot.core.digest import Digest
from bot.core.errors import BuildError
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

    @property
    def facts(self) -> Mapping[str, str]:
        """The order as texts, for builders that run elsewhere; arguments and labels are one `name=value` a line.

        Raises `BuildError` where one of these has more than one line.
        """
        return {
            "image": str(self.destination),
            "repository": self.repository,
            "commit": self.commit,
            "dockerfile": self.dockerfile,
            "context": self.context,
            "target": self.target or "",
            "platform": str(self.platform),
            "base": str(self.base),
            "build_args": _lines(self.build_args),
            "labels": _lines(self.labels),
        }


def _lines(values: Mapping[str, str]) -> str:
    for name, value in values.items():
        if len(f"{name}={value}".splitlines()) > 1:
            raise BuildError(f"{name} has several lines, which this builder cannot be told; write it on one line")
    return "\n".join(f"{name}={value}" for name, value in values.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The image is in the registry under this digest; `how` says in a clause how it came about, where that is news."""

    digest: Digest
    log: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """The image will be there later; `why` says what is awaited, `look` when to look again, None for never."""

    why: str
    look: timedelta | None = None


class Builder(Protocol):
    """Builds and pushes one image."""

    def build(self, order: BuildOrder) -> Built | Building:
        """Build the commit for one platform and push it; an order that was done before is not done again.

        Raises `BuildError` with the end of the log; errors of registry, contents and forge pass through.
        """
        ...

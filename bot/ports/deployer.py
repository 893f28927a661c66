"""Functions: reading them and pointing them at an image."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.core.mapping import Candidate
from bot.core.platforms import Platform
from bot.core.reference import Reference


class UpdateStatus(StrEnum):
    """Lambda's LastUpdateStatus."""

    SUCCESSFUL = "Successful"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function, or one version of it, as the service describes it.

    `image` is the resolved image (name and digest), None for a function that is no container image.
    `revision` guards writes; `code_sha256` is what the service says of the code.
    """

    name: str
    arn: str
    image: Reference | None
    platform: Platform
    status: UpdateStatus
    status_reason: str
    revision: str
    code_sha256: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """One alias: the version it serves and, during a shift, the second version with its weight."""

    name: str
    version: str
    revision: str
    weights: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Container-image functions as listed, and the places (account and Region) that could not be, each with why."""

    functions: tuple[Candidate, ...]
    faults: tuple[tuple[str, str], ...] = ()


class Functions(Protocol):
    """Reads functions. All methods raise `DeployError` with the function and the cure."""

    def function(self, name: str, version: str = "$LATEST") -> Function:
        """Describe one version of a function, with its resolved image."""
        ...

    def alias(self, function: str, name: str) -> Alias | None:
        """Describe an alias; None if the function has no such alias."""
        ...

    def listed(self) -> Listing:
        """List the container-image functions of all places that the settings name, without their labels."""
        ...


class Deployer(Protocol):
    """Changes functions; each change is refused if the function is no longer what was read."""

    def update_code(self, function: Function, image: Reference) -> None:
        """Point `$LATEST` at an image by digest; the service works on it for a while."""
        ...

    def publish_version(self, function: Function) -> str:
        """Publish `$LATEST` as a version and return its number; the same number if nothing changed."""
        ...

    def move_alias(self, function: Function, alias: Alias, version: str) -> None:
        """Let the alias serve one version at full weight."""
        ...

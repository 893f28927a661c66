"""Functions: reading them, pointing them at an image, and seeing how that goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.core.deployment import Alias, Served
from bot.core.handover import DeploymentGroup, Handover
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
    `modified` is when this version last got code or configuration, None where a service does not tell.
    `tags_fault` says why its tags could not be read.
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
    modified: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    tags_fault: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an alias can serve at full strength: what it waits for, or why it never will; empty if it can."""

    unready: str = ""
    failure: str = ""


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

    def versions(self, function: Function) -> Sequence[str]:
        """List the published versions of a function, the newest first."""
        ...

    def listed(self) -> Listing:
        """List the container-image functions of all places that the settings name, without their labels."""
        ...

    def readiness(self, function: Function, alias: Alias) -> Readiness:
        """Say whether what an alias serves is there: its provisioned concurrency, where it has any."""
        ...


class Deployer(Protocol):
    """Changes functions; each change is refused if the function is no longer what was read."""

    def update_code(self, function: Function, image: Reference) -> None:
        """Point `$LATEST` at an image by digest; the service works on it for a while."""
        ...

    def publish_version(self, function: Function) -> str:
        """Publish `$LATEST` as a version and return its number; the same number if there is such a version."""
        ...

    def move_alias(self, function: Function, alias: Alias) -> None:
        """Let the alias become this one: version, weights and description; refused if it moved since it was read."""
        ...


class Watcher(Protocol):
    """Sees how a deployment goes. All methods raise `DeployError` with the alarm or the function, and the cure."""

    def ringing(self, function: Function, alarms: Sequence[str]) -> tuple[str, ...]:
        """Return those of the alarms that ring, in the function's Region; an alarm that is missing is an error."""
        ...

    def served(self, function: Function, alias: Alias, since: datetime, now: datetime) -> tuple[Served, Served]:
        """Count what the version that is being deployed served since then, and the one that it replaces."""
        ...


class Retention(Protocol):
    """Keeps the images that a rollback needs. Both methods raise `DeployError` with the image and the cure."""

    def expires(self, image: Reference) -> str:
        """Say by which rule of its repository an image will expire; empty if by none."""
        ...

    def keep(self, image: Reference, tag: str) -> bool:
        """Give an image one more tag, by which rules can tell it; say whether it was without it."""
        ...


class Handovers(Protocol):
    """Lets CodeDeploy move aliases. Both methods raise `DeployError` with group and function, and the cure."""

    def seen(self, group: DeploymentGroup, function: Function, alias: str, since: datetime) -> Sequence[Handover]:
        """Return the deployments of an alias since then, whoever created them, the newest first."""
        ...

    def create(self, group: DeploymentGroup, function: Function, alias: Alias, version: str) -> str:
        """Let an alias come to serve a version, and return the id of the deployment."""
        ...

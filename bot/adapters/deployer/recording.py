"""The deployer of a dry run: changes no function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.deployment import Alias
from bot.core.handover import DeploymentGroup, Handover
from bot.core.reference import Reference
from bot.ports.deployer import Function, Functions, Handovers, Retention


@dataclass(frozen=True, slots=True)
class RecordingDeployer:
    """Keeps the shape of the port `Deployer`; what it is asked to do stays undone."""

    functions: Functions

    def update_code(self, function: Function, image: Reference) -> None:
        """Leave the function as it is."""

    def publish_version(self, function: Function) -> str:
        """Answer with the newest version if it runs this code, else with what was read; nothing is published.

        So a dry run knows what was taken back, too.
        """
        newest = next(iter(self.functions.versions(function)), None)
        there = newest is not None and self.functions.function(function.arn, newest).code_sha256 == function.code_sha256
        return newest if newest is not None and there else function.version

    def move_alias(self, function: Function, alias: Alias) -> None:
        """Leave the alias as it is."""


@dataclass(frozen=True, slots=True)
class RecordingRetention:
    """Keeps the shape of the port `Retention`: what expires is read, and no image is tagged."""

    inner: Retention

    def expires(self, image: Reference) -> str:
        """Read it."""
        return self.inner.expires(image)

    def keep(self, image: Reference, tag: str) -> bool:
        """Leave the image as it is."""
        del image, tag
        return False


@dataclass(frozen=True, slots=True)
class RecordingHandovers:
    """Keeps the shape of the port `Handovers`; no deployment is created."""

    inner: Handovers

    def seen(self, group: DeploymentGroup, function: Function, alias: str, since: datetime) -> Sequence[Handover]:
        """Read them."""
        return self.inner.seen(group, function, alias, since)

    def create(self, group: DeploymentGroup, function: Function, alias: Alias, version: str) -> str:
        """Answer as if there were one."""
        del group, function, alias, version
        return "(dry run)"

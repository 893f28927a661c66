"""The deployer of a dry run: changes no function."""

from bot.core.reference import Reference
from bot.ports.deployer import Alias, Function


class RecordingDeployer:
    """Keeps the shape of the port `Deployer`; what it is asked to do stays undone."""

    def update_code(self, function: Function, image: Reference) -> None:
        """Leave the function as it is."""

    def publish_version(self, function: Function) -> str:
        """Answer with the version that was read; nothing is published."""
        return function.version

    def move_alias(self, function: Function, alias: Alias, version: str) -> None:
        """Leave the alias as it is."""

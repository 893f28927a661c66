"""The deployer of settings that name no function: proposals only."""

from collections.abc import Iterator, Sequence

from bot.core.deployment import Alias
from bot.core.errors import DeployError
from bot.core.reference import Reference
from bot.core.runtime_version import InitStart
from bot.ports.deployer import Function, Listing, Readiness
from bot.ports.fleet import FleetListing, Listed, SeenFunction, SeenVersion


class NoFleet:
    """Keeps the shape of the port `Fleet`; there are no places to read."""

    def listed(self) -> FleetListing:
        """List none."""
        return FleetListing()

    def read(self, functions: Sequence[Listed]) -> Iterator[tuple[Listed, SeenFunction | None]]:
        """Read none of the functions, of which there are none."""
        return ((one, None) for one in functions)

    def started(self, version: SeenVersion) -> InitStart | str:
        """Say what is missing."""
        return f"the log of {version.function.name} cannot be read; name accounts under deploy.deployer in the settings"


class NoFunctions:
    """Keeps the shape of the ports `Functions` and `Deployer`; there is no function to ask for."""

    def function(self, name: str, version: str = "$LATEST") -> Function:
        """Say what is missing."""
        raise DeployError(f"{name} version {version} cannot be read; name a deployer under deploy in the settings")

    def alias(self, function: str, name: str) -> Alias | None:
        """Say what is missing."""
        raise DeployError(f"alias {name} of {function} cannot be read; name a deployer under deploy in the settings")

    def versions(self, function: Function) -> Sequence[str]:
        """Say what is missing."""
        raise DeployError(f"versions of {function.name} cannot be read; name a deployer under deploy in the settings")

    def listed(self) -> Listing:
        """List none."""
        return Listing(())

    def readiness(self, function: Function, alias: Alias) -> Readiness:
        """Say what is missing."""
        raise DeployError(f"{function.name}:{alias.name} cannot be read; name a deployer under deploy in the settings")

    def update_code(self, function: Function, image: Reference) -> None:
        """Say what is missing."""
        raise DeployError(f"{function.name} cannot be pointed at {image}; name a deployer under deploy in the settings")

    def publish_version(self, function: Function) -> str:
        """Say what is missing."""
        raise DeployError(f"{function.name} cannot be published; name a deployer under deploy in the settings")

    def move_alias(self, function: Function, alias: Alias) -> None:
        """Say what is missing."""
        raise DeployError(f"{function.name}:{alias.name} cannot serve {alias.version}; name a deployer in the settings")

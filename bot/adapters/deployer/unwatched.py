"""Functions outside AWS: nobody invokes them, no alarm is there, and no policy expires their images."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.deployment import Alias, Served
from bot.core.errors import DeployError
from bot.core.handover import DeploymentGroup, Handover
from bot.core.reference import Reference
from bot.ports.deployer import Function


class Unwatched:
    """Keeps the shape of the ports `Watcher`, `Retention` and `Handovers` where there is nothing of their kinds."""

    def ringing(self, function: Function, alarms: Sequence[str]) -> tuple[str, ...]:
        """Know of no alarm: one that the settings name is missing here."""
        if alarms:
            what = f"there is no alarm {', '.join(alarms)} for {function.name}"
            raise DeployError(f"{what}: the local deployer has none; take it out of deploy.alarms")
        return ()

    def served(self, function: Function, alias: Alias, since: datetime, now: datetime) -> tuple[Served, Served]:
        """Nothing was invoked."""
        del function, alias, since, now
        return Served(), Served()

    def expires(self, image: Reference) -> str:
        """No rule is there."""
        del image
        return ""

    def keep(self, image: Reference, tag: str) -> bool:
        """Images stay until somebody deletes them."""
        del image, tag
        return False

    def seen(self, group: DeploymentGroup, function: Function, alias: str, since: datetime) -> Sequence[Handover]:
        """Say what is missing."""
        del since
        raise DeployError(f"{function.name}:{alias} is not CodeDeploy's ({group}): the local deployer has none")

    def create(self, group: DeploymentGroup, function: Function, alias: Alias, version: str) -> str:
        """Say what is missing."""
        what = f"{function.name}:{alias.name} cannot be brought to version {version} by CodeDeploy {group}"
        raise DeployError(f"{what}: the local deployer has none; take codedeploy out of the settings")

"""What a test does to the fleets of the lab's AWS behind everybody's back: modes, runtime versions, logs, troubles."""

import json
from datetime import datetime, timedelta
from typing import Final

from bot.ports.clock import Clock
from tests.lab.aws_functions import LATEST
from tests.lab.aws_lambda import ACCOUNT, LambdaService
from tests.lab.aws_logs import LogsService
from tests.lab.aws_runtimes import runtime_arn

HOME: Final = "eu-west-1"
_AGO: Final = timedelta(hours=1)


class FleetControls:
    """The part of the stub that changes functions by their ARNs; the stub brings what it changes."""

    logs: LogsService
    denied: set[tuple[str, str, str]]
    _lambdas: dict[str, LambdaService]
    _clock: Clock

    def manage(self, arn: str, mode: str, pinned: str = "", *, version: str = LATEST) -> None:
        """Set the update mode of a version behind everybody's back, as PutRuntimeManagementConfig does."""
        self._lambdas[arn.split(":")[4]].runtimes.modes[arn, version] = (mode, pinned)

    def run_on(self, arn: str, runtime_version: str, *, version: str = LATEST) -> None:
        """Let a version run on a runtime version, of which GetFunction tells the ARN."""
        self._lambdas[arn.split(":")[4]].runtimes.running[arn, version] = runtime_version

    def log_start(
        self, arn: str, runtime_version: str, *, version: str = LATEST, json_form: bool = False, ago: timedelta = _AGO
    ) -> None:
        """Write what Lambda logs when it starts a version in its own log group, and a line of the function's own."""
        region, account, _, name = arn.split(":")[3:]
        at = self._clock.now() - ago
        version_arn = runtime_arn(runtime_version, region)
        line = f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {version_arn}\n"
        if json_form:
            record = {"initializationType": "on-demand", "phase": "init", "runtimeVersion": runtime_version}
            record |= {"runtimeVersionArn": version_arn, "functionName": name, "functionVersion": version}
            line = json.dumps({"time": at.isoformat(), "type": "platform.initStart", "record": record}) + "\n"
        group = (account, region, f"/aws/lambda/{name}")
        stream = f"{at:%Y/%m/%d}/[{version}]{len(self.logs.groups.get(group, {})):032x}"
        self.logs.write(group, stream, at, line)
        self.logs.write(group, stream, at, "START RequestId: 5f0c4d2e Version: $LATEST\n")

    def unmanage(self, region: str) -> None:
        """Let a Region have no runtime management."""
        for service in self._lambdas.values():
            service.runtimes.unmanaged.add(region)

    def vanish(self, arn: str) -> None:
        """Delete a function as soon as it was listed."""
        region, account, _, name = arn.split(":")[3:]
        self._lambdas[account].vanishing.add((region, name))

    def modified(self, arn: str, at: datetime) -> None:
        """Let `$LATEST` of a function have been changed at a moment."""
        region, account, _, name = arn.split(":")[3:]
        self._lambdas[account].functions[region, name].latest.modified = at

    def deny(self, operation: str, *, region: str = HOME, account: str = ACCOUNT) -> None:
        """Let an operation be not allowed in one place."""
        self.denied.add((operation, account, region))

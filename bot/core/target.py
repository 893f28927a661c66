"""Which function is built from which Dockerfile, as the settings declare it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.deployment import AT_ONCE, Strategy
from bot.core.handover import DeploymentGroup
from bot.core.pipeline import Pipeline
from bot.core.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTest:
    """What an image has to do before a function is pointed at it: start, and answer events, each within `timeout`.

    An event is a file of the source repository.
    """

    events: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One function and where its image comes from and goes to.

    `destination` is the repository for its images, without tag; None with a `pipeline`, which builds and deploys.
    With `alias`, the alias is moved to a published version as `strategy` says; without, `$LATEST` is what serves.
    With `keep_rollback_tag` the image of the version that is left gets a tag that lifecycle rules can spare.
    With `codedeploy` that moves the alias, and `strategy` is the default one.
    `smoke` is its own smoke test, None where what the settings say for all functions holds.
    """

    function: str
    repository: str
    dockerfile: str
    destination: Reference | None
    context: str = "."
    stage: str | None = None
    alias: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    strategy: Strategy = AT_ONCE
    keep_rollback_tag: bool = False
    smoke: SmokeTest | None = None
    codedeploy: DeploymentGroup | None = None
    pipeline: Pipeline | None = None

    @property
    def is_watched(self) -> bool:
        """Whether its alias is to be shifted or watched, so that it needs one."""
        return bool(self.codedeploy or self.strategy.lasts or self.strategy.alarms)

    @property
    def region(self) -> str:
        """The Region of a function that is named by ARN; empty for the deployer's own."""
        return region_of(self.function)


def region_of(function: str) -> str:
    """The Region in an ARN; empty where a function is named otherwise."""
    return function.split(":")[3] if function.startswith("arn:") else ""

"""Handover: an alias that CodeDeploy moves, and what its deployments say that is to be done next.

refrom marks the alias before it hands it over, and takes the mark out once it has seen the end, so that any later run
knows of it without a store. Which deployment is meant CodeDeploy itself says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.deployment import Alias, Finish, Leave, Mark, RollBack, gone_back, unmarked

_ROLLBACK_BEGINS: Final = timedelta(minutes=5)
"""How long CodeDeploy may take from the end of a deployment to the rollback of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentGroup:
    """A deployment group of a CodeDeploy application, which says how traffic moves and when it goes back."""

    application: str
    name: str

    def __str__(self) -> str:
        return f"{self.application}/{self.name}"


class HandoverState(StrEnum):
    """Where a deployment of CodeDeploy's stands."""

    UNDERWAY = "underway"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One deployment of CodeDeploy's for an alias; `version` is None where it does not say to which it leads.

    `why` is how it failed, and what CodeDeploy says of its rollback.
    """

    id: str
    version: str | None
    state: HandoverState
    why: str = ""
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """Let CodeDeploy move the alias."""


@dataclass(frozen=True, slots=True)
class Follow:
    """CodeDeploy is at it, or is about to take it back."""

    handover: Handover


def next_handover(
    alias: Alias, mark: Mark, seen: Sequence[Handover], now: datetime
) -> Create | Follow | Finish | RollBack | Leave:
    """Say what is to be done with an alias that was handed over; `seen` are its deployments since, the newest first."""
    going = next((one for one in seen if one.state is HandoverState.UNDERWAY), None)
    if going:
        return Follow(going)
    last = next((one for one in seen if one.version == mark.new), None)
    untouched = alias.version == mark.old and not alias.weights
    if last is None:
        return Create() if untouched else Leave(_moved(alias, mark))
    if last.state is HandoverState.SUCCEEDED:
        if alias.version == mark.new and not alias.weights:
            return Finish(replace(alias, description=unmarked(alias.description)))
        return Leave(_moved(alias, mark))
    if untouched:
        description = gone_back(alias, mark, now)
        return RollBack(replace(alias, description=description), mark.new, f"CodeDeploy {last.id} {last.why}")
    if last.ended and now < last.ended + _ROLLBACK_BEGINS:
        return Follow(last)
    what = f"CodeDeploy {last.id} {last.why}, and left alias {alias.name} as it was then"
    cure = "take it back with refrom rollback, and let the deployment group roll back by itself"
    return Leave(f"{what}; {cure}", refused=True)


def _moved(alias: Alias, mark: Mark) -> str:
    what = f"somebody moved alias {alias.name} while CodeDeploy was to bring it to version {mark.new}"
    return f"{what}; left alone until refrom's mark is out of its description"

"""Every function of the accounts and Regions that the settings name, as an audit reads it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.deployment import Alias
from bot.core.errors import DeployError
from bot.core.management import Management
from bot.core.mapping import Candidate
from bot.core.runtime_version import InitStart
from bot.ports.deployer import Function


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One function as a listing tells it; `names` are all names under which settings may know it, the ARN first."""

    place: str
    names: tuple[str, ...]
    is_image: bool
    revision: str
    runtime: str | None = None
    modified: datetime | None = None

    @property
    def arn(self) -> str:
        """The one name that no other function has."""
        return self.names[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenVersion:
    """One version of a function; `management` is None for a container image.

    `logs` names its log group, and `json` says that Lambda writes JSON there.
    """

    function: Function
    runtime: str | None = None
    management: Management | None = None
    logs: str = ""
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFunction:
    """What was read of one function: `$LATEST` and each version that an alias serves.

    `candidate` is what rules that map functions look at. `unread` are versions that could not be read, with why;
    `aliases_unread` says why nobody knows which aliases there are.
    """

    listed: Listed
    candidate: Candidate
    aliases: tuple[Alias, ...] = ()
    versions: Mapping[str, SeenVersion] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    aliases_unread: str = ""


@dataclass(frozen=True, slots=True)
class FleetListing:
    """All functions that were listed, and the places that could not be."""

    functions: tuple[Listed, ...] = ()
    faults: tuple[tuple[str, DeployError], ...] = ()


class Fleet(Protocol):
    """Reads a fleet within the service's limits, and keeps what it read until the audit is done."""

    def listed(self) -> FleetListing:
        """List the functions of all places; a place that cannot be listed is told, and the others go on."""
        ...

    def read(self, functions: Sequence[Listed]) -> Iterator[tuple[Listed, SeenFunction | None]]:
        """Read functions, in any order; None for one that is gone since it was listed."""
        ...

    def started(self, version: SeenVersion) -> InitStart | str:
        """Find what Lambda logged when it last started a version, or say why that is not known."""
        ...


class Progress(Protocol):
    """Hears how far a long reading is."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """So many of what there is to do are done."""
        ...

"""Fleet: read every function of the places that the settings name, and which runtime versions run there.

A runtime's ARN is asked for in the logs once, of whichever function logged a start with it; a function whose ARN Lambda
does not tell is looked for in its own log.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from bot.core.deployment import Alias
from bot.core.errors import DeployError
from bot.core.management import Management, Source
from bot.core.runtime_version import InitStart, RuntimeVersion, newest_by_line
from bot.ports.deployer import Function, Functions, Listing, Readiness
from bot.ports.fleet import Fleet, Listed, Progress, SeenFunction, SeenVersion

LATEST: Final = "$LATEST"
_TRIES: Final = 3
"""So many logs are read for one ARN of a runtime; functions that share it say the same, or did not run."""

VersionName = tuple[str, str]
"""A function's ARN, and the number of its version."""


@dataclass(frozen=True)
class FleetView:
    """All that was read; `faults` are places that could not be listed, `gone` functions that vanished meanwhile."""

    functions: tuple[SeenFunction, ...] = ()
    faults: tuple[tuple[str, DeployError], ...] = ()
    gone: tuple[Listed, ...] = ()

    @property
    def unread(self) -> tuple[tuple[str, str], ...]:
        """Places about which something is not known, each with why."""
        why = "was listed, and was gone when it was to be read; run the audit again"
        gone = ((one.place, f"function {one.arn} {why}") for one in self.gone)
        return (*((place, str(fault)) for place, fault in self.faults), *gone)

    @cached_property
    def by_name(self) -> Mapping[str, SeenFunction]:
        """Every name that settings may know a function by."""
        return {name: seen for seen in self.functions for name in seen.listed.names}


def no_progress(what: str, done: int, total: int) -> None:
    """Hear nothing."""


def read_fleet(fleet: Fleet, progress: Progress = no_progress) -> FleetView:
    """Read all functions, then the runtime versions of the managed ones."""
    listing = fleet.listed()
    seen, gone = [], []
    for done, (listed, function) in enumerate(fleet.read(listing.functions), start=1):
        progress("functions read", done, len(listing.functions))
        if function is None:
            gone.append(listed)
        else:
            seen.append(function)
    ordered = sorted(seen, key=lambda one: one.listed.arn)
    return FleetView(
        functions=tuple(_with_runtime_versions(ordered, fleet, progress)),
        faults=listing.faults,
        gone=tuple(sorted(gone, key=lambda one: one.arn)),
    )


def _with_runtime_versions(
    functions: Sequence[SeenFunction], fleet: Fleet, progress: Progress
) -> Iterator[SeenFunction]:
    search = _Search(fleet)
    managed = [version for function in functions for version in function.versions.values() if version.management]
    for done, version in enumerate(managed, start=1):
        search.look(version)
        progress("runtime versions", done, len(managed))
    newest = newest_by_line(search.named.values())
    for function in functions:
        versions = {number: search.told(one, newest) for number, one in function.versions.items()}
        yield replace(function, versions=versions)


@dataclass(slots=True)
class _Search:
    """Which runtime version each ARN names, and each function of which Lambda tells none."""

    fleet: Fleet
    named: dict[str, RuntimeVersion] = field(default_factory=dict)
    own: dict[VersionName, InitStart] = field(default_factory=dict)
    unknown: dict[VersionName, str] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)

    def look(self, version: SeenVersion) -> None:
        """Look into the log of a version, if that may tell what is not known yet."""
        arn = version.management.arn if version.management else None
        if arn and (arn in self.named or self.tries[arn] >= _TRIES):
            return
        if arn:
            self.tries[arn] += 1
        match self.fleet.started(version):
            case InitStart() as started:
                self.named[started.arn] = started.version
                self.own[_name(version)] = started
            case why:
                self.unknown[_name(version)] = why

    def told(self, version: SeenVersion, newest: Mapping[str, RuntimeVersion]) -> SeenVersion:
        """Give a version with what is known of its runtime, and the newest of its line."""
        if version.management is None:
            return version
        management = self._told(_name(version), version.management)
        line = management.version.line if management.version else ""
        return replace(version, management=replace(management, newest_seen=newest.get(line)))

    def _told(self, name: VersionName, management: Management) -> Management:
        if management.arn is None:
            if name not in self.own:
                why = management.version_unread or self.unknown.get(name, "")
                return replace(management, version_unread=why)
            started = self.own[name]
            return replace(management, version=started.version, arn=started.arn, source=Source.LOG, version_unread="")
        if management.arn in self.named:
            return replace(management, version=self.named[management.arn], version_unread="")
        if name in self.own:
            why = f"its log tells of {self.own[name].version}, which is not what Lambda says runs now"
        else:
            why = self.unknown.get(name, "no log that was read tells of its runtime version's ARN")
        return replace(management, version_unread=why)


@dataclass(frozen=True, slots=True)
class Recalled:
    """`Functions` out of what was read of a fleet; whatever was not read is asked for."""

    view: FleetView
    functions: Functions

    def function(self, name: str, version: str = LATEST) -> Function:
        """Describe a version that was read; raises what was found when it could not be."""
        seen = self._seen(name)
        if seen is None:
            return self.functions.function(name, version)
        if version in seen.versions:
            return seen.versions[version].function
        if version in seen.unread:
            raise DeployError(seen.unread[version])
        return self.functions.function(name, version)

    def alias(self, function: str, name: str) -> Alias | None:
        """Describe an alias."""
        seen = self._seen(function)
        if seen is None:
            return self.functions.alias(function, name)
        if seen.aliases_unread:
            raise DeployError(seen.aliases_unread)
        return next((alias for alias in seen.aliases if alias.name == name), None)

    def versions(self, function: Function) -> Sequence[str]:
        """List the versions."""
        return self.functions.versions(function)

    def readiness(self, function: Function, alias: Alias) -> Readiness:
        """Say how far an alias is."""
        return self.functions.readiness(function, alias)

    def listed(self) -> Listing:
        """List the container-image functions."""
        images = (seen.candidate for seen in self.view.functions if seen.listed.is_image)
        return Listing(tuple(images), tuple((place, str(fault)) for place, fault in self.view.faults))

    def _seen(self, name: str) -> SeenFunction | None:
        """Find a function; one of a place that gave no answer is not asked for once more."""
        if name not in self.view.by_name:
            for place, fault in self.view.faults:
                if fault.retryable and place in _places_of(name):
                    raise fault
        return self.view.by_name.get(name)


def _places_of(name: str) -> Iterable[str]:
    """How the place of an ARN may be called; a name alone tells none."""
    if not name.startswith("arn:"):
        return ()
    region, account = name.split(":")[3:5]
    return (region, f"account {account} in {region}")


def _name(version: SeenVersion) -> VersionName:
    return version.function.arn, version.function.version

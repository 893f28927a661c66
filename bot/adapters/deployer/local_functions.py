"""Functions without a cloud: the same life as on Lambda, in one file, for the demo and for trying refrom out.

Nothing is invoked. An update takes its time, a revision guards each change, versions never change, and an image is
refused for the reasons for which Lambda refuses one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bot.adapters.deployer.local_state import LocalAlias, LocalFunction, LocalVersion, StateFile
from bot.core.deployment import Alias
from bot.core.errors import DeployError, InvalidImage, RegistryError
from bot.core.gate import check_image
from bot.core.image import Index
from bot.core.mapping import Candidate
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.clock import Clock
from bot.ports.deployer import Function, Listing, Readiness, UpdateStatus
from bot.ports.registry import Registry

_ARN: Final = "arn:local:lambda:::function:"
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_LATEST: Final = "$LATEST"


class LocalFunctions:
    """`Functions` and `Deployer` on a state file; safe to share between threads and processes.

    A function is named by its name or its ARN, `arn:local:lambda:::function:<name>`.
    `update_time` is for how long an update is in progress.
    """

    def __init__(
        self, state: Path, registry: Registry, clock: Clock, *, update_time: timedelta = timedelta(seconds=2)
    ) -> None:
        self._state = StateFile(state)
        self._registry = registry
        self._clock = clock
        self._update_time = update_time

    def create(
        self,
        name: str,
        image: Reference,
        platform: Platform,
        *,
        aliases: Iterable[str] = (),
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> Function:
        """Put a function there, ready to serve; each alias serves its version 1."""
        if not _NAME.match(name):
            raise DeployError(f"function {name[:80]!r} cannot be created; use letters, digits, - and _, at most 64")
        resolved = self._accepted(name, image, platform)
        first = LocalVersion(image=resolved, revision=1, ready_at=self._clock.now())
        with self._state.change() as functions:
            if name in functions:
                raise DeployError(f"function {name} is there already; choose another name")
            function = LocalFunction(platform=platform, latest=first, tags=tags)
            for alias in aliases:
                serving = {**function.aliases, alias: LocalAlias(version="1", revision=1)}
                function = replace(function, versions={"1": first}, aliases=serving)
            functions[name] = function
        return self.function(name)

    def function(self, name: str, version: str = _LATEST) -> Function:
        """Describe one version of a function."""
        key = _key(name)
        function = _existing(self._state.read(), key)
        found = function.latest if version == _LATEST else function.versions.get(version)
        if found is None:
            raise DeployError(f"function {key} has no version {version[:80]}; publish it first")
        return self._described(key, function, version, found)

    def alias(self, function: str, name: str) -> Alias | None:
        """Describe an alias; None if the function is there and has no such alias."""
        aliases = _existing(self._state.read(), _key(function)).aliases
        if name not in aliases:
            return None
        found = aliases[name]
        return Alias(
            name=name,
            version=found.version,
            revision=str(found.revision),
            weights=tuple(sorted(found.weights.items())),
            description=found.description,
        )

    def readiness(self, function: Function, alias: Alias) -> Readiness:
        """Nothing is provisioned here, so an alias serves as soon as its version is there."""
        self.function(function.name, alias.version)
        return Readiness()

    def versions(self, function: Function) -> Sequence[str]:
        """List them, the newest first."""
        return sorted(_existing(self._state.read(), function.name).versions, key=int, reverse=True)

    def listed(self) -> Listing:
        """List all functions of the file."""
        return Listing(
            tuple(
                Candidate(names=(f"{_ARN}{key}", key), image=function.latest.image, tags=function.tags)
                for key, function in self._state.read().items()
            )
        )

    def update_code(self, function: Function, image: Reference) -> None:
        """Point `$LATEST` at an image by digest; refused if the function changed since it was read."""
        if image.digest is None:
            raise DeployError(f"function {function.name}: image {image} has no digest; name it by digest")
        resolved = self._accepted(function.name, image, function.platform)
        with self._state.change() as functions:
            current = self._guarded(functions, function)
            ready_at = self._clock.now() + self._update_time
            latest = LocalVersion(image=resolved, revision=current.latest.revision + 1, ready_at=ready_at)
            functions[function.name] = replace(current, latest=latest)

    def publish_version(self, function: Function) -> str:
        """Publish `$LATEST` as it was read; the last version again if its image is the same."""
        with self._state.change() as functions:
            current = self._guarded(functions, function)
            last = str(len(current.versions))
            if current.versions and current.versions[last].image == current.latest.image:
                return last
            number = str(len(current.versions) + 1)
            functions[function.name] = replace(current, versions={**current.versions, number: current.latest})
            return number

    def move_alias(self, function: Function, alias: Alias) -> None:
        """Let the alias become this one; refused if it changed since it was read."""
        with self._state.change() as functions:
            current = _existing(functions, function.name)
            there = current.aliases.get(alias.name)
            for number in (alias.version, *dict(alias.weights)):
                if number not in current.versions:
                    raise DeployError(f"function {function.name} has no version {number[:80]}; publish it first")
            if there is None or str(there.revision) != alias.revision:
                raise DeployError(
                    f"alias {alias.name} of function {function.name} changed meanwhile; run again", retryable=True
                )
            moved = LocalAlias(
                version=alias.version,
                revision=there.revision + 1,
                weights=dict(alias.weights),
                description=alias.description,
            )
            functions[function.name] = replace(current, aliases={**current.aliases, alias.name: moved})

    def _accepted(self, name: str, image: Reference, platform: Platform) -> Reference:
        """Resolve an image to its digest, or refuse it as the gate does, before Lambda would."""
        try:
            manifest = self._registry.manifest(image)
            config = None if isinstance(manifest, Index) else self._registry.image(image).config
        except (RegistryError, InvalidImage) as fault:
            raise DeployError(f"function {name} with image {image}: {fault}", retryable=fault.retryable) from fault
        refusals = [refusal for refusal in check_image(manifest, config, platform) if not refusal.advice]
        if refusals:
            raise DeployError(f"function {name} with image {image}: {'; '.join(map(str, refusals))}")
        return image.with_tag(None).with_digest(manifest.digest)

    def _guarded(self, functions: Mapping[str, LocalFunction], function: Function) -> LocalFunction:
        """Return the function if nobody changed it since it was read and no update is going on."""
        current = _existing(functions, function.name)
        if str(current.latest.revision) != function.revision:
            raise DeployError(f"function {function.name} changed meanwhile; run again", retryable=True)
        if self._clock.now() < current.latest.ready_at:
            raise DeployError(f"function {function.name} is being updated; run again when it is done", retryable=True)
        return current

    def _described(self, key: str, function: LocalFunction, number: str, version: LocalVersion) -> Function:
        in_progress = self._clock.now() < version.ready_at
        return Function(
            name=key,
            arn=f"{_ARN}{key}",
            image=version.image,
            platform=function.platform,
            status=UpdateStatus.IN_PROGRESS if in_progress else UpdateStatus.SUCCESSFUL,
            status_reason=_ready(version.ready_at) if in_progress else "",
            revision=str(version.revision),
            code_sha256=str(version.image.digest),
            version=number,
            tags=function.tags,
        )


def _ready(moment: datetime) -> str:
    return f"the update is ready at {moment:%H:%M:%S} UTC"


def _key(name: str) -> str:
    return name.removeprefix(_ARN)


def _existing(functions: Mapping[str, LocalFunction], key: str) -> LocalFunction:
    if key not in functions:
        raise DeployError(f"function {key[:160]} does not exist; check its name, or create it")
    return functions[key]

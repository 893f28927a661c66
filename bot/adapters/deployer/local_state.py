"""The state file of the local deployer: functions, versions and aliases as JSON, replaced in one step.

Readers see the old file or the new one; writers take turns by a lock file beside it, across threads and processes.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from bot.core.errors import DeployError, InvalidReference
from bot.core.platforms import Platform
from bot.core.reference import Reference

SCHEMA: Final = "refrom.local-functions/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalVersion:
    """One version's image, by digest, and its revision; it is in progress until `ready_at`."""

    image: Reference
    revision: int
    ready_at: datetime

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read one version of the file."""
        ready_at = datetime.fromisoformat(document["ready_at"])
        return cls(image=Reference.parse(document["image"]), revision=document["revision"], ready_at=ready_at)

    def document(self) -> dict[str, Any]:
        """Give the version as it stands in the file."""
        return {"image": str(self.image), "revision": self.revision, "ready_at": self.ready_at.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAlias:
    """What an alias serves: one version, and others by their weights."""

    version: str
    revision: int
    weights: Mapping[str, float] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFunction:
    """One function: `$LATEST`, its published versions, its aliases and its tags."""

    platform: Platform
    latest: LocalVersion
    versions: Mapping[str, LocalVersion] = field(default_factory=dict)
    aliases: Mapping[str, LocalAlias] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read one function of the file."""
        return cls(
            platform=Platform.parse(document["platform"]),
            latest=LocalVersion.read(document["latest"]),
            versions={number: LocalVersion.read(version) for number, version in document["versions"].items()},
            aliases={name: LocalAlias(**alias) for name, alias in document["aliases"].items()},
            tags=document.get("tags", {}),
        )

    def document(self) -> dict[str, Any]:
        """Give the function as it stands in the file."""
        return {
            "platform": str(self.platform),
            "latest": self.latest.document(),
            "versions": {number: version.document() for number, version in self.versions.items()},
            "aliases": {name: asdict(alias) for name, alias in self.aliases.items()},
            "tags": dict(self.tags),
        }


class StateFile:
    """The file; it need not exist yet. Both methods raise `DeployError` with the file and the cure."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, LocalFunction]:
        """Return all functions by name."""
        try:
            return _functions(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return {}
        except OSError as fault:
            raise self._unusable(fault) from fault
        except (AttributeError, InvalidReference, KeyError, RecursionError, TypeError, ValueError) as fault:
            raise DeployError(
                f"state file {self._path} is not one of the local deployer ({fault!r}); delete it and start again"
            ) from fault

    @contextmanager
    def change(self) -> Iterator[dict[str, LocalFunction]]:
        """Give all functions to one writer alone; what it leaves is written if its block ends well."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_name(f"{self._path.name}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # given back as the file is closed
                functions = self.read()
                yield functions
                self._replace({name: function.document() for name, function in functions.items()})
        except OSError as fault:
            raise self._unusable(fault) from fault

    def _replace(self, functions: Mapping[str, Any]) -> None:
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        with os.fdopen(handle, "w") as file:
            json.dump({"schema": SCHEMA, "functions": functions}, file, indent=1)
        Path(temporary).replace(self._path)

    def _unusable(self, fault: OSError) -> DeployError:
        return DeployError(f"state file {self._path} cannot be used ({fault.strerror}); check the folder's rights")


def _functions(document: Mapping[str, Any]) -> dict[str, LocalFunction]:
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    return {name: LocalFunction.read(function) for name, function in document["functions"].items()}

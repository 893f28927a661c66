"""Every error that refrom raises on purpose.

    RefromError
    ├── InvalidReference    an image reference, digest, platform or runtime that does not parse   (also a ValueError)
    ├── InvalidImage        a manifest, index or image config that cannot be used
    ├── DockerfileError     a Dockerfile that BuildKit would reject
    ├── SettingsError       settings or holds with faults, all of them at once
    ├── RegistryError       a registry did not give what was asked
    │   └── HalfPublished   a tag names a set that lacks a platform
    ├── ContentsError       a layer or package database that cannot be read
    ├── AdvisoryError       advisories that are not there, or that are no advisories
    ├── ForgeError          a source repository could not be read or written
    │   └── Paused          a forge asks us to wait until a moment
    ├── BuildError          an image could not be built or pushed
    │   └── RebaseRefused   a swap of base layers that is not proven safe
    ├── DeployError         a function could not be read or updated
    ├── EvidenceError       evidence could not be written, or is not what was written
    └── StoreError          the store could not be opened

A message names the thing and, after a semicolon, the cure.
Adapters translate every library error at their border; nothing above them knows the library.
"""

from collections.abc import Sequence
from datetime import datetime


class RefromError(Exception):
    """A failure that the user can understand and act on; never a defect of ours.

    `retryable` says that the same call may succeed later without anybody changing anything.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class InvalidReference(RefromError, ValueError):
    """An image reference, digest or platform that does not follow its grammar, or an unknown runtime identifier."""


class InvalidImage(RefromError):
    """A manifest, index or image config that cannot be used."""


class DockerfileError(RefromError):
    """A Dockerfile that BuildKit would reject; `line` is the 1-based physical line."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class SettingsError(RefromError):
    """Settings with one or more faults; each fault is one line with file, line and hint."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class RegistryError(RefromError):
    """A registry did not give what was asked; `status` is the HTTP status where there was one."""

    def __init__(self, message: str, *, status: int | None = None, retryable: bool = False) -> None:
        super().__init__(message, retryable=retryable)
        self.status = status


class HalfPublished(RegistryError):
    """A tag names a set that lacks a platform which the catalogue promises; it is complete within hours as a rule."""


class ContentsError(RefromError):
    """A layer or package database that cannot be read, or that is too large to be honest."""


class AdvisoryError(RefromError):
    """Advisories could not be read; what is said about packages without them is "unknown", never "safe"."""


class ForgeError(RefromError):
    """A source repository could not be read or written."""


class Paused(ForgeError):
    """A forge's limit: nothing was done, and nothing can be before `until`."""

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message, retryable=True)
        self.until = until


class BuildError(RefromError):
    """An image could not be built or pushed; `log` holds the end of the builder's output."""

    def __init__(self, message: str, *, log: str = "", retryable: bool = False) -> None:
        super().__init__(message, retryable=retryable)
        self.log = log


class RebaseRefused(BuildError):
    """A swap of base layers that is not proven safe; nothing was written. `reason` is the message without the cure."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; use a builder that runs the Dockerfile, as deploy.builder.otherwise")
        self.reason = reason


class DeployError(RefromError):
    """A function could not be read or updated."""


class StoreError(RefromError):
    """The store could not be opened or is from a newer version."""


class EvidenceError(RefromError):
    """Evidence could not be written or read; nothing that was there before is changed."""

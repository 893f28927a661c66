"""The state of Lambda functions: versions, aliases, revisions, and changes that take their time.

Knows nothing of the wire. A change is settled when somebody looks after its time has come, and settling is a
change of its own: it gives a new RevisionId, as Lambda does.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

LATEST = "$LATEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a version runs; the image fields are empty for a .zip function."""

    sha256: str
    uri: str = ""
    resolved: str = ""

    @property
    def package_type(self) -> str:
        """Lambda's word for what this is."""
        return "Image" if self.uri else "Zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A change that Lambda still works on, and the reason (code and text) why it will fail, if it will."""

    until: datetime
    creates: bool
    failure: tuple[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class Version:
    """`$LATEST` or a published version; `settings` are the members of its configuration that callers choose."""

    number: str
    code: Code
    settings: Mapping[str, Any]
    modified: datetime
    work: Work | None = None
    failure: tuple[str, str] | None = None
    created: bool = True
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def content(self) -> tuple[Code, Mapping[str, Any]]:
        """What makes two versions the same for PublishVersion."""
        return replace(self.code, uri=self.code.resolved), {
            k: v for k, v in self.settings.items() if k != "Description"
        }

    def begin(self, work: Work, now: datetime) -> None:
        """Start a change."""
        self.work, self.failure, self.modified = work, None, now
        self.touch()

    def settle(self, now: datetime) -> None:
        """Finish the change whose time has come."""
        if self.work is not None and now >= self.work.until:
            self.failure, self.created = self.work.failure, self.created or self.work.failure is None
            self.work = None
            self.touch()

    def touch(self) -> None:
        """Give a new RevisionId."""
        self.revision = str(uuid.uuid4())

    def describe_state(self) -> dict[str, str]:
        """Give State and LastUpdateStatus with their reasons, in Lambda's members."""
        if self.work is not None and self.work.creates:
            return {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
        if self.work is not None:
            return _update("InProgress", "The function is being updated.")
        if self.failure is None:
            return _update("Successful")
        code, text = self.failure
        if not self.created:
            return {"State": "Failed", "StateReason": text, "StateReasonCode": code}
        return _update("Failed", text) | {"LastUpdateStatusReasonCode": code}


@dataclass(slots=True, kw_only=True)
class Provisioned:
    """Provisioned concurrency of an alias: there from a moment on, or failed with a reason."""

    count: int
    ready_at: datetime
    failure: str = ""

    def describe(self, now: datetime) -> dict[str, Any]:
        """Give it in Lambda's members."""
        status = "FAILED" if self.failure else "READY" if now >= self.ready_at else "IN_PROGRESS"
        there = self.count if status == "READY" else 0
        described: dict[str, Any] = {
            "RequestedProvisionedConcurrentExecutions": self.count,
            "AvailableProvisionedConcurrentExecutions": there,
            "AllocatedProvisionedConcurrentExecutions": there,
            "Status": status,
        }
        return described | ({"StatusReason": self.failure} if self.failure else {})


@dataclass(slots=True, kw_only=True)
class Alias:
    """A name for a version; during a shift `weights` holds one more version."""

    name: str
    version: str
    description: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True, kw_only=True)
class FunctionState:
    """One function with all its versions and aliases."""

    name: str
    arn: str
    latest: Version
    tags: Mapping[str, str]
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    provisioned: dict[str, Provisioned] = field(default_factory=dict)

    def settle(self, now: datetime) -> None:
        """Finish every change whose time has come."""
        for version in (self.latest, *self.versions.values()):
            version.settle(now)

    def find(self, qualifier: str) -> Version | None:
        """Find what a version number or an alias names."""
        if qualifier == LATEST:
            return self.latest
        alias = self.aliases.get(qualifier)
        return self.versions.get(alias.version if alias else qualifier)

    def publish(self, *, description: str | None, work: Work | None, now: datetime) -> Version:
        """Publish `$LATEST`; the version published last again if nothing changed since."""
        last = self.versions.get(str(len(self.versions)))
        if last is not None and last.content == self.latest.content:
            return last
        settings = dict(self.latest.settings)
        if description is not None:
            settings["Description"] = description
        number = str(len(self.versions) + 1)
        version = Version(number=number, code=self.latest.code, settings=settings, modified=now, work=work)
        version.created = work is None
        self.versions[number] = version
        return version


def _update(status: str, reason: str = "") -> dict[str, str]:
    described = {"State": "Active", "LastUpdateStatus": status}
    return described | ({"LastUpdateStatusReason": reason} if reason else {})

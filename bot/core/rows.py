"""The four rows of the shared responsibility table: what AWS does, and what the customer does.

AWS Lambda Developer Guide, "Understanding the shared responsibility model for runtime management".
"""

from enum import StrEnum


class Row(StrEnum):
    """Who keeps a function's runtime patched: its package and its update mode say it."""

    MANAGED_AUTO = "managed-auto"
    MANAGED_FUNCTION_UPDATE = "managed-function-update"
    MANAGED_MANUAL = "managed-manual"
    CONTAINER_IMAGE = "container-image"
    MANAGED_UNKNOWN = "managed-unknown"
    """A managed runtime whose update mode could not be read: one of the first three rows, nobody knows which."""

    @property
    def aws(self) -> str:
        """What AWS does."""
        return _DUTIES[self][0]

    @property
    def customer(self) -> str:
        """What the customer does."""
        return _DUTIES[self][1]


_DUTIES = {
    Row.MANAGED_AUTO: (
        "publishes new runtime versions with patches, and applies them",
        "rolls back to the runtime version before in the rare case of an incompatibility",
    ),
    Row.MANAGED_FUNCTION_UPDATE: (
        "publishes new runtime versions with patches",
        "updates functions regularly, switches to Auto those that are not updated, rolls back where needed",
    ),
    Row.MANAGED_MANUAL: (
        "publishes new runtime versions with patches",
        "uses it only to roll back for a while, and returns to Auto or Function update as soon as possible",
    ),
    Row.CONTAINER_IMAGE: (
        "publishes new base images with patches",
        "rebuilds and redeploys regularly on the latest base image",
    ),
    Row.MANAGED_UNKNOWN: (
        "publishes new runtime versions with patches, and applies them where the mode is Auto",
        "finds out the update mode; it could not be read",
    ),
}

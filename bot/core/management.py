"""How Lambda keeps the runtime of one function version current, as far as it can be known.

Update modes are those of GetRuntimeManagementConfig (Lambda API 2015-03-31), and settings are per version.
Nothing here is ever asked for a container image: how Lambda answers then is UNVERIFIED.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.runtime_version import RuntimeVersion
from bot.core.runtimes import Runtime


class UpdateRuntimeOn(StrEnum):
    """Lambda's update modes of managed runtimes."""

    AUTO = "Auto"
    FUNCTION_UPDATE = "FunctionUpdate"
    MANUAL = "Manual"

    @property
    def mode(self) -> str:
        """The same mode in the words that settings and documents use."""
        return _MODES[self]


_MODES = {
    UpdateRuntimeOn.AUTO: "auto",
    UpdateRuntimeOn.FUNCTION_UPDATE: "function-update",
    UpdateRuntimeOn.MANUAL: "manual",
}


class Source(StrEnum):
    """Where a runtime version is known from."""

    LOG = "log"
    CONFIGURATION = "configuration"
    MANAGEMENT = "management-config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """One version of a function with a managed runtime.

    `update_on` is None where `mode_unread` says why. `offered` is false in a Region that has no runtime management:
    there Lambda updates by itself, as in mode Auto.
    `version` is None where `version_unread` says why; then `arn` may be known still.
    `newest_seen` is the highest number of the same line that any function was seen on.
    `runtime` is None where the catalogue does not know it.
    """

    update_on: UpdateRuntimeOn | None = None
    mode_unread: str = ""
    offered: bool = True
    version: RuntimeVersion | None = None
    arn: str | None = None
    source: Source | None = None
    version_unread: str = ""
    newest_seen: RuntimeVersion | None = None
    runtime: Runtime | None = None

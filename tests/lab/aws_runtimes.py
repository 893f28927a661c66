"""Runtime management of the lab's Lambda: update modes and runtime versions of functions that are no container images.

As with AWS, the ARN of one runtime version differs by Region and architecture.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.lab.aws_functions import FunctionState, Version
from tests.lab.aws_protocols import AwsError, Call, Unmodelled


def runtime_arn(version: str, region: str, architecture: str = "x86_64") -> str:
    """The ARN of a runtime version in one Region."""
    name = hashlib.sha256(f"{version} {region} {architecture}".encode()).hexdigest()
    return f"arn:aws:lambda:{region}::runtime:{name}"


@dataclass(slots=True)
class RuntimeManagement:
    """Modes by function and version, `Auto` where none is set; versions of runtimes by function and version.

    `unmanaged` are Regions that have no runtime management.
    """

    modes: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    running: dict[tuple[str, str], str] = field(default_factory=dict)
    unmanaged: set[str] = field(default_factory=set)

    def answer(self, call: Call, function: FunctionState, version: Version) -> dict[str, Any]:
        """Answer GetRuntimeManagementConfig; how Lambda answers for an image is not known, so nobody may ask."""
        if version.code.package_type == "Image":
            raise Unmodelled(f"runtime management of the container image {function.name} was asked for")
        if call.region in self.unmanaged:
            raise AwsError("UnknownOperationException", "")
        mode, arn = self.modes.get((function.arn, version.number), ("Auto", ""))
        answer = {"UpdateRuntimeOn": mode, "FunctionArn": f"{function.arn}:{version.number}"}
        return answer | ({"RuntimeVersionArn": arn} if arn else {})

    def described(self, region: str, function: FunctionState, version: Version) -> Mapping[str, Any]:
        """What GetFunction tells besides: the ARN of what runs, where the test says what runs."""
        running = self.running.get((function.arn, version.number))
        if running is None:
            return {}
        architecture = version.settings["Architectures"][0]
        return {"RuntimeVersionConfig": {"RuntimeVersionArn": runtime_arn(running, region, architecture)}}

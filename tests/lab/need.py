"""The one rule about programs that the lab may lack: skip, unless the run says that the lab is required."""

import os
import shutil

import pytest


def need(program: str, install: str) -> str:
    """Return the path of a program; without it skip the test, or fail it under `REFROM_LAB=required`."""
    path = shutil.which(program)
    if path is not None:
        return path
    reason = f"{program} is not installed; {install}"
    if os.environ.get("REFROM_LAB") == "required":
        pytest.fail(reason)
    pytest.skip(reason)

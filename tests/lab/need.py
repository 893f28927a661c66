"""The one rule about what the lab may lack: skip, unless the run says that the lab is required."""

import os
import shutil
from typing import NoReturn

import pytest


def need(program: str, install: str) -> str:
    """Return the path of a program; without it skip the test, or fail it under `REFROM_LAB=required`."""
    path = shutil.which(program)
    if path is None:
        lack(f"{program} is not installed; {install}")
    return path


def lack(reason: str) -> NoReturn:
    """Skip the test, or fail it under `REFROM_LAB=required`."""
    if os.environ.get("REFROM_LAB") == "required":
        pytest.fail(reason)
    pytest.skip(reason)

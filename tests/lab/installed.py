"""Programs that come with the development dependencies: they lie beside the interpreter that runs the tests."""

import sys
from pathlib import Path

from tests.lab.need import lack


def beside_python(program: str) -> str:
    """Return the path of a program of this environment; without it skip the test, or fail it."""
    path = Path(sys.executable).with_name(program)
    if not path.exists():
        lack(f"{program} is not in this environment; make setup installs it where there is a wheel for the platform")
    return str(path)

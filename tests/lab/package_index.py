"""A package index on loopback (PyPA, "Simple repository API"), with wheels that were fetched from PyPI once."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tests.lab.cache import cached
from tests.lab.need import lack, need
from tests.lab.web import Answer, Asked, serve

_PYTHON: Final = "3.11"
"""The lab's root has Debian's."""
_SIMPLE, _FILES = "/simple/", "/files/"


@contextmanager
def package_index(requirement: str) -> Iterator[str]:
    """Serve a requirement, `name==version`, and all that it needs until the block ends; give the URL for pip."""
    name, _, version = requirement.partition("==")
    folder = cached(f"wheels-{name}-{version}-{_PYTHON}", partial(_fetch, requirement))
    with serve(partial(_answer, folder)) as web:
        yield f"{web.url}{_SIMPLE}"


def _fetch(requirement: str, folder: Path) -> Path:
    pip, wheels = need("pip", "apt-get install python3-pip"), folder / "wheels"
    options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", f"--python-version={_PYTHON}"]
    command = [pip, "download", *options, f"--dest={wheels}", requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lack(f"pip does not bring {requirement}: {done.stderr[-500:]}")
    return wheels


def _answer(folder: Path, asked: Asked) -> Answer:
    wheels = sorted(path.name for path in folder.iterdir())
    if asked.path.startswith(_SIMPLE):
        project = asked.path.removeprefix(_SIMPLE).strip("/").replace("-", "_")
        links = [f'<a href="{_FILES}{wheel}">{wheel}</a>' for wheel in wheels if wheel.startswith(f"{project}-")]
        return Answer(headers={"Content-Type": "text/html"}, body="\n".join(links).encode())
    wheel = asked.path.removeprefix(_FILES)
    return Answer(body=(folder / wheel).read_bytes()) if wheel in wheels else Answer(status=404)

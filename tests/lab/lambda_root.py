"""A root like a Lambda base image of Python: Debian's Python; pip and AWS's own runtime interface client from PyPI."""

import subprocess
import tarfile
from pathlib import Path
from typing import Final

from tests.lab.cache import cached
from tests.lab.debian import debian_root, need_packages
from tests.lab.need import lack, need

ENTRYPOINT: Final = '["/usr/bin/python3", "-m", "awslambdaric"]'
CHANGES: Final = (
    "ENV PYTHONPATH=/var/runtime:/var/task LAMBDA_TASK_ROOT=/var/task",
    "WORKDIR /var/task",
    f"ENTRYPOINT {ENTRYPOINT}",
)
"""What `docker import` writes into the image config."""
_VERSION: Final = "4.2.2"
_PIP: Final = "24.3.1"
_PYTHON: Final = "3.11"
"""Debian's."""
_LEFT_OUT: Final = (
    "usr/share/",
    "usr/lib/apt/",
    "usr/lib/x86_64-linux-gnu/perl",
    "var/lib/",
    "var/cache/",
    "usr/bin/perl",
)


def lambda_root() -> Path:
    """Return the tar of the root; it is made once a machine."""
    return cached(f"lambda-root-{_VERSION}-{_PIP}.tar", _make)


def _make(folder: Path) -> Path:
    need_packages()
    pip, runtime, made = need("pip", "apt-get install python3-pip"), folder / "runtime", folder / "root.tar"
    options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", f"--python-version={_PYTHON}"]
    done = subprocess.run(
        [pip, "install", *options, f"--target={runtime}", f"awslambdaric=={_VERSION}", f"pip=={_PIP}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lack(f"pip does not bring awslambdaric {_VERSION} and pip {_PIP}: {done.stderr[-500:]}")
    with tarfile.open(debian_root()) as debian, tarfile.open(made, "w") as root:
        for member in debian:
            if not member.name.removeprefix("./").startswith(_LEFT_OUT):
                root.addfile(member, debian.extractfile(member) if member.isreg() else None)
        root.add(runtime, "./var/runtime")
    return made

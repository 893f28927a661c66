"""A Debian root with Python, as public images of Python have one; made once a machine, for no such image comes here."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.lab.need import lack, need

_SUITE = "bookworm"
_PACKAGES = ("ca-certificates", "python3", "python3-venv")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def need_packages() -> None:
    """Skip or fail, as `lack` decides, where an image cannot install packages; asked by a process of its own."""
    ask = "import socket; socket.create_connection(('pypi.org', 443), 10).close()"
    if subprocess.run([sys.executable, "-c", ask], capture_output=True, check=False).returncode:
        lack("pypi.org cannot be reached; the image is built from packages there and in Debian")


def debian_root() -> Path:
    """Return the tar of the root; it trusts the authorities that this machine trusts, so that it may install packages.

    It lies in `~/.cache/refrom-lab`; making it takes about half a minute.
    """
    program = need("mmdebstrap", "apt-get install mmdebstrap")
    if os.geteuid() != 0:
        lack("mmdebstrap needs root here; run the tests as root")
    command = [program, "--variant=minbase", f"--include={','.join(_PACKAGES)}"]
    if _CERTIFICATES.exists():
        command.append(f"--customize-hook=copy-in {_CERTIFICATES} {_CERTIFICATES.parent}")
    name = hashlib.sha256("\n".join([*command[1:], _SUITE]).encode()).hexdigest()[:12]
    tar = Path.home() / ".cache" / "refrom-lab" / f"debian-{_SUITE}-{name}.tar"
    if not tar.exists():
        _make(command, tar)
    return tar


def _make(command: list[str], tar: Path) -> None:
    tar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tar.parent) as folder:
        made = Path(folder) / tar.name
        done = subprocess.run([*command, _SUITE, str(made)], capture_output=True, text=True, check=False)
        if done.returncode:
            lack(f"mmdebstrap makes no Debian root here; it ends: {done.stderr[-500:]}")
        made.rename(tar)

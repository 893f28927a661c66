"""A real Docker Engine for a test session, apart from any other on the machine.

It has its own folders, socket and pid file, makes no bridge and touches neither iptables nor forwarding.
"""

import io
import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import docker

from tests.lab.need import lack, need

_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_INSTALL = "apt-get install docker.io"
_UP_WITHIN = 30.0
_DOWN_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class DockerEngine:
    """A running engine; `host` is its address for clients."""

    host: str

    def client(self) -> docker.DockerClient:
        """Connect the SDK; the caller closes it."""
        return docker.DockerClient(base_url=self.host)

    def images(self) -> set[str]:
        """All names that images have in the engine."""
        with closing(self.client()) as client:
            return {tag for image in client.images.list() for tag in image.tags}

    def pull(self, name: str) -> None:
        """Keep an image of a registry here, under its name (repository:tag)."""
        repository, _, tag = name.rpartition(":")
        with closing(self.client()) as client:
            client.images.pull(repository, tag)

    def push_base(
        self,
        name: str,
        folder: Path,
        *,
        files: Mapping[str, bytes] = _NOTHING,
        changes: tuple[str, ...] = (),
        login: tuple[str, str] | None = None,
    ) -> None:
        """Make a one-layer image of a static busybox, push it as `name` (repository:tag) and forget it here."""
        archive = folder / "base.tar"
        _pack_busybox(archive, files)
        self.push_root(name, archive, changes=changes, login=login)

    def push_root(
        self, name: str, archive: Path, *, changes: tuple[str, ...] = (), login: tuple[str, str] | None = None
    ) -> str:
        """Make a one-layer image of a root folder's tar, push it as `name` (repository:tag) and forget it here.

        Return the name with the digest that the registry gave it.
        """
        authority = dict(zip(("username", "password"), login, strict=True)) if login else {}
        repository, _, tag = name.rpartition(":")
        with closing(self.client()) as client, archive.open("rb") as content:
            client.api.import_image_from_data(content, repository, tag, changes=list(changes))
            events = list(client.api.push(repository, tag, stream=True, decode=True, auth_config=authority))
            client.images.remove(name)
        faults = [event["error"] for event in events if "error" in event]
        assert not faults, faults
        (digest,) = [event["aux"]["Digest"] for event in events if "aux" in event]
        return f"{name}@{digest}"


def _pack_busybox(archive: Path, files: Mapping[str, bytes]) -> None:
    busybox = need("busybox", "apt-get install busybox-static")
    with tarfile.open(archive, "w") as tar:
        tar.add(busybox, "bin/busybox")
        shell = tarfile.TarInfo("bin/sh")
        shell.type, shell.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(shell)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@contextmanager
def docker_engine(folder: Path) -> Iterator[DockerEngine]:
    """Start dockerd with everything it owns below `folder`, and stop it by its process id."""
    need("dockerd", _INSTALL)
    if os.geteuid() != 0:
        lack("dockerd needs root; run the tests as root")
    engine = DockerEngine(f"unix://{folder}/docker.sock")
    process = _start(engine, folder)
    if process is None:
        lack(f"dockerd does not start here; its log ends: {(folder / 'dockerd.log').read_text()[-500:]}")
    try:
        yield engine
    finally:
        process.terminate()
        process.wait(_DOWN_WITHIN)
        _unmount_below(folder)
        shutil.rmtree(folder / "data", ignore_errors=True)


def _unmount_below(folder: Path) -> None:
    """Unmount what the engine leaves, such as the host's network as a file: nobody could remove the folder."""
    places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed(places):
        if Path(place).is_relative_to(folder):
            subprocess.run(["umount", place], check=True)


def _start(engine: DockerEngine, folder: Path) -> "subprocess.Popen[bytes] | None":
    """Try the storage driver that everybody has, then the one that works where overlay mounts are not possible."""
    for driver in ("overlay2", "vfs"):
        process = _launch(engine, folder, driver)
        if _comes_up(engine, process):
            return process
        process.terminate()
        process.wait(_DOWN_WITHIN)
    return None


def _launch(engine: DockerEngine, folder: Path, driver: str) -> "subprocess.Popen[bytes]":
    places = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/docker.pid"]
    network = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none"]
    with (folder / "dockerd.log").open("ab") as log:
        return subprocess.Popen(
            ["dockerd", f"--host={engine.host}", *places, *network, f"--storage-driver={driver}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _comes_up(engine: DockerEngine, process: "subprocess.Popen[bytes]") -> bool:
    """Wait for a connection: the SDK forgets to close a socket that it could not connect."""
    deadline = time.monotonic() + _UP_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            listens = probe.connect_ex(engine.host.removeprefix("unix://")) == 0
        if listens:
            with closing(engine.client()) as client:
                return bool(client.ping())
        time.sleep(0.1)
    return False

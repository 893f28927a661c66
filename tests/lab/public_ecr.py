"""public.ecr.aws under its own name, with TLS, for commands that know no other: settings without an edit, for one.

The name and the authority of its certificate are bound over `/etc/hosts` and certifi's bundle in a mount namespace of
each command (mount_namespaces(7)), so that the files of the machine stay as they are.
"""

import os
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import certifi

from bot.adapters.engine.clock import SystemClock
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.reference import Reference
from tests.lab.need import lack, need
from tests.lab.registry import EcrPublicFront, docker_registry
from tests.lab.web import self_signed, serve

NAME: Final = "public.ecr.aws"
_INSIDE: Final = 'mount --bind "$1" /etc/hosts; mount --bind "$2" "$3"; shift 3; exec "$@"'
_PATIENCE_SECONDS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEcr:
    """The running stand-in; `writer` stores images behind it, below `host`."""

    front: EcrPublicFront
    writer: HttpRegistry
    host: str
    hosts: Path
    bundle: Path

    def base(self, name: str) -> Reference:
        """Where a base is stored that commands find as `public.ecr.aws/lambda/NAME`."""
        return Reference(self.host, f"lambda/{name}")

    def run(self, command: Sequence[str], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command to which the name leads here."""
        binds = [str(self.hosts), str(self.bundle), certifi.where()]
        return subprocess.run(
            ["unshare", "--mount", "/bin/sh", "-ec", _INSIDE, "sh", *binds, *command],
            cwd=folder,
            env={**_without_proxies(os.environ), **environ},
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )


@contextmanager
def public_ecr(folder: Path) -> Iterator[PublicEcr]:
    """Run a registry with the front of public.ecr.aws until the block ends; without root the test is skipped."""
    need("unshare", "apt-get install util-linux")
    if os.geteuid() != 0:
        lack("port 443 and mounts need root; run the tests as root")
    with docker_registry(folder / "bases") as bases, closing(Transport(SystemClock())) as transport:
        front = EcrPublicFront(bases)
        front.realm = f"https://{NAME}"
        # An address that no other test has: all of 127.0.0.0/8 is loopback, and the port is given.
        address = ".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))])  # noqa: S311 - no secret
        certificate = self_signed(folder, f"DNS:{NAME}")
        with serve(front.answer, certificate=certificate, place=(address, 443)) as web:
            front.web = web
            hosts, bundle = folder / "hosts", folder / "bundle.pem"
            hosts.write_text(f"{Path('/etc/hosts').read_text()}\n{address} {NAME}\n")
            bundle.write_text(f"{certifi.contents()}\n{certificate.authority.read_text()}")
            writer = HttpRegistry(transport)
            yield PublicEcr(front=front, writer=writer, host=bases.host, hosts=hosts, bundle=bundle)


def _without_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """A proxy would look for the real one."""
    return {name: value for name, value in environ.items() if not name.lower().endswith("_proxy")}

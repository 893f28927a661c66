"""An organisation on the GitHub fake, its bases in a real registry, and refrom run over both in its own process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.reference import Reference
from bot.entrypoints.cli import main
from bot.entrypoints.demo.images import BaseSpec, publish_base
from bot.ports.clock import Clock
from tests.lab.github.fake import FakeGitHub, github_fake
from tests.lab.registry import EcrPublicFront, docker_registry, ecr_public_front

_QUICK: Final = get_context("forkserver")
"""One process that has loaded refrom, of which each run is a copy."""
_QUICK.set_forkserver_preload(["bot.entrypoints.cli"])
_PUBLIC: Final = "public.ecr.aws/lambda"
_PROGRAM: Final = """\
import json, sys, time
from pathlib import Path
from bot.entrypoints.cli import main
code = main(sys.argv[2:])
status = Path("/proc/self/status").read_text().split()
peak = int(status[status.index("VmHWM:") + 1]) * 1024
Path(sys.argv[1]).write_text(json.dumps({"cpu": time.process_time(), "memory": peak}))
sys.exit(code)
"""
"""The peak is that of this program alone: getrusage(2) counts what its parent was when it started it, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What one run gave, with its seconds of CPU and its bytes of memory at the peak."""

    code: int
    out: str
    err: str
    cpu: float = 0.0
    memory: int = 0

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on standard output."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    def outcomes(self, *results: str) -> list[dict[str, Any]]:
        """The outcomes with one of these results."""
        return [outcome for outcome in self.document["outcomes"] if outcome["result"] in results]


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A running lab."""

    folder: Path
    fake: FakeGitHub
    front: EcrPublicFront
    writer: HttpRegistry
    host: str

    def publish(self, spec: BaseSpec) -> Digest:
        """Publish a base, which Dockerfiles name by `name_of`."""
        return publish_base(self.writer, Reference(self.host, f"lambda/{spec.name}"), spec)

    def write_settings(self, more: str = "", *, include: str = "acme/*", forge: str = "") -> None:
        """Write settings for all of it; `more` are further sections, `forge` further keys of the forge."""
        token = self.folder / "token"
        if not token.exists():
            token.touch(mode=0o600)
            token.write_text(self.fake.token("refrom[bot]"))
        (self.folder / "refrom.yaml").write_text(
            "version: 1\n"
            f'registries: {{public.ecr.aws: {{url: "http://{self.front.host}", pace: 1000}}}}\n'
            "advisories: {feeds: {}}\n"
            f'forges: [{{kind: github, url: "{self.fake.enterprise_url}", token: {{file: token}}, '
            f'include: ["{include}"]{forge}}}]\n'
            f"{more}"
        )

    def refrom(self, *arguments: str) -> Ran:
        """Run a command to its end, and say what it cost."""
        cost = self.folder / "cost.json"
        command = [sys.executable, "-c", _PROGRAM, str(cost), *arguments, "--format", "json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, encoding="utf-8", check=False)
        assert cost.exists(), f"it did not end by itself, but with {done.returncode}: {done.stderr[-2000:]}"
        spent: Mapping[str, Any] = json.loads(cost.read_text())
        cost.unlink()
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr, cpu=spent["cpu"], memory=spent["memory"])

    def begin(self, *arguments: str, now: datetime, form: str = "json") -> BaseProcess:
        """Begin a command in a process that starts quickly, waits in no time by a clock of its own, and may be killed.

        What it says is in the files `out` and `err`.
        """
        return begin_refrom(self.folder, [*arguments, "--format", form], now)

    def quickly(self, *arguments: str, now: datetime, form: str = "json") -> Ran:
        """Run a command in such a process to its end; what it costs is not measured."""
        return ended_refrom(self.folder, self.begin(*arguments, now=now, form=form))

    def forget(self) -> None:
        """Delete the store."""
        for path in (self.folder / ".refrom").glob("*"):
            path.unlink()


def begin_refrom(folder: Path, arguments: Sequence[str], now: datetime) -> BaseProcess:
    """Begin a command with the settings of a folder, as `Organisation.begin` does."""
    command = [*arguments, "--config", str(folder / "refrom.yaml")]
    process = _QUICK.Process(target=_be_refrom, args=(command, now, str(folder)))
    process.start()
    return process


def ended_refrom(folder: Path, process: BaseProcess) -> Ran:
    """Wait for the end of what began in a folder."""
    process.join()
    out, err = ((folder / name).read_text() for name in ("out", "err"))
    return Ran(code=process.exitcode or 0, out=out, err=err)


def _be_refrom(command: Sequence[str], now: datetime, folder: str) -> None:
    """Be the command line; what it says goes to files."""
    for name, descriptor in (("out", 1), ("err", 2)):
        with Path(folder, name).open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    sys.exit(main(command, clock=VirtualClock(now)))


def name_of(spec: BaseSpec, digest: Digest | None = None) -> str:
    """Return how a Dockerfile names a base."""
    return f"{_PUBLIC}/{spec.name}:{spec.tag}" + (f"@{digest}" if digest else "")


@contextmanager
def organisation(folder: Path, clock: Clock | None = None) -> Iterator[Organisation]:
    """Run the servers until the block ends."""
    with (
        docker_registry(folder / "bases") as bases,
        ecr_public_front(bases) as front,
        github_fake(folder, clock=clock) as fake,
        closing(Transport(SystemClock())) as transport,
    ):
        writer = HttpRegistry(transport)
        yield Organisation(folder=folder, fake=fake, front=front, writer=writer, host=bases.host)

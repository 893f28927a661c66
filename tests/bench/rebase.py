"""What a rebase costs beside a build: `python -m tests.bench.rebase` prints each figure beside its goal.

A hundred functions, each with a source of its own that only copies files onto a tag, stand on one base, and the tag
moves. The same orders go to refrom's docker builder (check out, build with nothing in the cache, push, read back) and
to its rebase builder, one after the other, and to the same docker-registry on loopback.
The base has four layers and some hundred files.
"""

import hashlib
import io
import re
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient

from bot.adapters.builder.docker_engine import DockerBuilder
from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.contents import LayerReader
from bot.adapters.engine.clock import SystemClock
from bot.adapters.forge.local import LocalForge
from bot.adapters.registry import HttpRegistry
from bot.adapters.store.store import open_store
from bot.adapters.transport import Transport
from bot.core.dockerfile import same_but_for_bases
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, REVISION_LABEL
from bot.core.reference import Reference
from bot.ports.builder import BuildOrder
from tests.adapters.builder.rebase_lab import SourceFolder, Tree, base_layers, put_image
from tests.bench.rows import Row, report
from tests.lab.dockerd import DockerEngine, docker_engine
from tests.lab.images import AMD64
from tests.lab.registry import LabRegistry, docker_registry

FUNCTIONS = 100
_LEAST = 20
_TAG = "3.13"
_STEP = re.compile(r"^#(\d+) \[[^]]*\d/\d\] ([A-Z]+) ", re.MULTILINE)
_CACHED = re.compile(r"^#(\d+) CACHED", re.MULTILINE)
_CONTAINER = {"Env": ["PATH=/var/lang/bin"], "Entrypoint": ["/lambda-entrypoint.sh"], "WorkingDir": "/var/task"}


@dataclass(frozen=True, slots=True)
class Function:
    """One function and the commit that it is built from."""

    name: str
    commit: str


@dataclass(slots=True, kw_only=True)
class Yard:
    """An engine, a registry, both bases, and the functions, each with its commit."""

    folder: Path
    engine: DockerEngine
    running: LabRegistry
    registry: HttpRegistry
    forge: LocalForge
    old: Reference
    new: Reference
    functions: list[Function]

    def order(self, function: Function, base: Reference, tag: str) -> BuildOrder:
        """What a cycle orders once the tag names this base."""
        return BuildOrder(
            repository=f"acme/{function.name}",
            commit=function.commit,
            dockerfile="Dockerfile",
            context=".",
            platform=AMD64,
            base=base,
            destination=Reference(self.running.host, f"functions/{function.name}", tag),
            labels={BASE_NAME_LABEL: base.name, BASE_DIGEST_LABEL: str(base.digest), REVISION_LABEL: function.commit},
            deployed=Reference(self.running.host, f"functions/{function.name}", "live"),
            deployed_base=self.old,
        )

    def build_all(self, base: Reference, tag: str) -> float:
        """Let the tag name a base, build all functions on it, and return the seconds that took.

        No step may come out of a cache, which is what --no-cache means.
        """
        moved = self.registry.manifest(base)
        self.registry.put_manifest(base.with_digest(None).with_tag(_TAG), moved.media_type, moved.raw)
        builder = DockerBuilder(
            checkout=self.forge.checkout,
            credentials=lambda _: None,
            registry=self.registry,
            host=self.engine.host,
        )
        started = time.monotonic()
        for function in self.functions:
            log = builder.build(self.order(function, base, tag)).log
            assert _cached(log) <= {"FROM"}, log
        return time.monotonic() - started

    def rebase_all(self) -> float:
        """Rebase all as one process does that remembers nothing yet, and return the seconds that took."""
        started = time.monotonic()
        with open_store(self.folder / "store.db") as store, closing(Transport(SystemClock())) as transport:
            registry = HttpRegistry(transport)
            builder = RebaseBuilder(
                registry=registry,
                writer=registry,
                contents=LayerReader(registry, store.layers),
                sources=self.forge,
                same_but_for_bases=same_but_for_bases,
            )
            for function in self.functions:
                builder.build(self.order(function, self.new, "rebased"))
        return time.monotonic() - started


def measure() -> list[Row]:
    """Measure everything."""
    with _yard() as yard:
        yard.build_all(yard.old, "live")
        building = yard.build_all(yard.new, "built")
        given, uploads = sum(yard.running.given().values()), len(yard.running.asked("PUT"))
        rebasing = yard.rebase_all()
        read = sum(yard.running.given().values()) - given
        moved, layers = _moved(yard, uploads)
        different = [function.name for function in yard.functions if not _same_files(yard, function)]
    ratio = building / rebasing
    return [
        Row(
            f"{FUNCTIONS} functions rebased, against the same built without cache and pushed",
            f"{rebasing:.1f} s against {building:.0f} s, {ratio:.0f} times less",
            f"at least {_LEAST} times",
            ratio >= _LEAST,
        ),
        Row(
            "layers that moved inside the registry",
            f"{moved} of {layers}, {read:,} bytes read for proofs",
            "none",
            moved == 0,
        ),
        Row(
            f"file systems of the {FUNCTIONS} rebased images, file by file, against the built ones",
            f"{len(different)} differ",
            "none",
            not different,
        ),
    ]


@contextmanager
def _yard() -> Iterator[Yard]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="refrom-bench-")))
        (folder / "engine").mkdir()
        running = stack.enter_context(docker_registry(folder / "registry"))
        engine = stack.enter_context(docker_engine(folder / "engine"))
        transport = stack.enter_context(closing(Transport(SystemClock())))
        registry = HttpRegistry(transport)
        old, new = (
            _publish(registry, running.host, *versions) for versions in (("3.0.8", "3.13.9"), ("3.0.9", "3.13.11"))
        )
        (folder / "repositories").mkdir()
        yield Yard(
            folder=folder,
            engine=engine,
            running=running,
            registry=registry,
            forge=LocalForge(folder / "repositories", SystemClock()),
            old=old,
            new=new,
            functions=[_found(folder, f"function{number}", old) for number in range(FUNCTIONS)],
        )


def _publish(registry: HttpRegistry, host: str, ssl: str, version: str) -> Reference:
    """Publish a base whose change touches some of its hundreds of files."""
    library: Tree = {
        f"var/lang/lib/python3.13/module{n}.py": f"{n} {version if n % 9 == 0 else ''}".encode() for n in range(500)
    }
    layers = [*base_layers(ssl, version), library]
    return put_image(registry, Reference(host, "lambda/python", version), layers, _CONTAINER)


def _found(folder: Path, name: str, base: Reference) -> Function:
    """Make a function's source repository, whose Dockerfile names the tag that moves."""
    desk = folder / name
    desk.mkdir()
    lines = [f"FROM {base.name}:{_TAG}", "COPY app.py /var/task/", "COPY lib /var/task/lib", 'CMD ["app.handler"]']
    files = {
        "Dockerfile": "\n".join([*lines, ""]).encode(),
        "app.py": f"def handler(event, context):\n    return {name!r}\n".encode(),
        "lib/data.bin": name.encode() * 9000,
    }
    return Function(name, SourceFolder(folder / "repositories", f"acme/{name}", desk).commit(files))


def _cached(log: str) -> set[str]:
    """The instructions that BuildKit took from its cache; of FROM that is the base, which it has by then."""
    steps = dict(_STEP.findall(log))
    assert "COPY" in steps.values()
    return {steps[number] for number in _CACHED.findall(log)}


def _moved(yard: Yard, uploads: int) -> tuple[int, int]:
    """Count the uploads since then that held a layer, those of configs aside, and the layers that there are."""
    orders = [yard.order(function, yard.new, "rebased") for function in yard.functions]
    layers = [digest.hex for order in orders for digest in yard.registry.image(order.destination).layer_digests]
    sent = [path for path in yard.running.asked("PUT")[uploads:] if "/blobs/uploads/" in path]
    assert len(sent) == len(orders), "each image has a config of its own"
    return sum(1 for path in sent if any(layer in path for layer in layers)), len(layers)


def _same_files(yard: Yard, function: Function) -> bool:
    """Let the engine lay both images out, and compare what it exports."""
    with closing(yard.engine.client()) as client:
        orders = [yard.order(function, yard.new, tag) for tag in ("built", "rebased")]
        built, rebased = (_files(client, order.destination) for order in orders)
    return built == rebased and bool(built)


def _files(client: DockerClient, image: Reference) -> dict[str, tuple[object, ...]]:
    """Every path of a container's file system, times aside."""
    client.images.pull(image.name, image.tag)
    container = client.containers.create(str(image), ["/none"])
    try:
        with tarfile.open(fileobj=io.BytesIO(_bytes(container.export()))) as archive:
            return {member.name: _facts(archive, member) for member in archive}
    finally:
        container.remove()
        client.images.remove(str(image))


def _bytes(pieces: Iterable[object]) -> bytes:
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def _facts(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[object, ...]:
    content = archive.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256(content.read()).hexdigest() if content else ""
    attributes = {key: value for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr.")}
    return member.type, member.mode, member.uid, member.gid, member.size, member.linkname, digest, attributes


if __name__ == "__main__":
    sys.exit(report(measure()))

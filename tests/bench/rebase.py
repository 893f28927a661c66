"""What a rebase costs beside a build: `python -m tests.bench.rebase` prints each figure beside its goal.

A hundred functions are built as AWS's guide has it: copy the requirements, `RUN pip install`, copy the handler. They
require the AWS SDK, which brings six packages more, from an index on loopback. The base's tag moves, and the same
orders go to refrom's docker builder (check out, build with no step out of a cache, push, read back) and to its rebase
builder, one after the other, to the same docker-registry on loopback.
The file lists of the bases are in the store before, as judging leaves them. Those of the functions' own layers, which
stay the same from base to base, are read for the proof the first time, which is measured apart, and then stand there.
Functions that only copy are built on both bases besides, and what rebase and build give is compared file by file.
"""

import hashlib
import io
import re
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
from tests.adapters.builder.rebase_lab import SourceFolder
from tests.bench.rows import Row, report
from tests.lab.dockerd import DockerEngine, docker_engine
from tests.lab.images import AMD64
from tests.lab.lambda_root import CHANGES, lambda_root
from tests.lab.package_index import package_index
from tests.lab.registry import LabRegistry, docker_registry

FUNCTIONS: Final = 100
COPIES: Final = 20
"""Functions that only copy."""
_LEAST: Final = 20
_MOST_REQUESTS: Final = 13
"""Six, and one for each own layer that is read and each of the base's that is mounted; a base is read once for all."""
_TAG: Final = "3.13"
_REQUIREMENT: Final = "boto3==1.40.4"
_STEP = re.compile(r"^#(\d+) \[[^]]*\d/\d\] ([A-Z]+) ", re.MULTILINE)
_CACHED = re.compile(r"^#(\d+) CACHED", re.MULTILINE)
_INSTALLED: Final = """\
COPY requirements.txt ${LAMBDA_TASK_ROOT}/
RUN python3 -m pip install --no-cache-dir --index-url %s -t ${LAMBDA_TASK_ROOT} -r requirements.txt
COPY app.py ${LAMBDA_TASK_ROOT}/
"""
_COPIED: Final = "COPY app.py ${LAMBDA_TASK_ROOT}/\nCOPY lib ${LAMBDA_TASK_ROOT}/lib\n"


@dataclass(frozen=True, slots=True)
class Function:
    """One function and the commit that it is built from."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What some rebases took: seconds, requests to the registry, bytes of blobs that it gave."""

    seconds: float
    requests: int
    read: int


@dataclass(slots=True, kw_only=True)
class Yard:
    """An engine, a registry, a base before and after its tag moved, and the functions: with pip, or copied alone."""

    folder: Path
    engine: DockerEngine
    running: LabRegistry
    registry: HttpRegistry
    forge: LocalForge
    old: Reference
    new: Reference
    installed: Sequence[Function]
    copied: Sequence[Function]

    def order(self, function: Function, base: Reference, tag: str, deployed: str = "live") -> BuildOrder:
        """What a cycle orders once the base's tag names this base."""
        place = Reference(self.running.host, f"functions/{function.name}")
        return BuildOrder(
            repository=f"acme/{function.name}",
            commit=function.commit,
            dockerfile="Dockerfile",
            context=".",
            platform=AMD64,
            base=base,
            destination=place.with_tag(tag),
            labels={BASE_NAME_LABEL: base.name, BASE_DIGEST_LABEL: str(base.digest), REVISION_LABEL: function.commit},
            deployed=place.with_tag(deployed),
            deployed_base=self.old if base == self.new else self.new,
        )

    def build(self, functions: Iterable[Function], base: Reference, tag: str) -> float:
        """Let the base's tag name a base, build functions on it, and return the seconds that took.

        No step may come out of a cache, which is what --no-cache means.
        """
        named = self.registry.manifest(base)
        self.registry.put_manifest(base.with_digest(None).with_tag(_TAG), named.media_type, named.raw)
        builder = DockerBuilder(
            checkout=self.forge.checkout,
            credentials=lambda _: None,
            registry=self.registry,
            host=self.engine.host,
            network="host",
        )
        started = time.monotonic()
        for function in functions:
            log = builder.build(self.order(function, base, tag)).log
            assert _cached(log) <= {"FROM"}, log
        return time.monotonic() - started

    def rebase(self, orders: Iterable[BuildOrder], store: str) -> Spent:
        """Rebase as one process does, and say what that cost once the bases were judged."""
        with open_store(self.folder / store) as opened, closing(Transport(SystemClock())) as transport:
            registry = HttpRegistry(transport)
            contents = LayerReader(registry, opened.layers)
            for base in (self.old, self.new):
                for layer in registry.image(base, AMD64).manifest.layers:
                    contents.layer(base, layer)
            builder = RebaseBuilder(
                registry=registry,
                writer=registry,
                contents=contents,
                sources=self.forge,
                same_but_for_bases=same_but_for_bases,
            )
            asked, given, started = self._asked(), self._given(), time.monotonic()
            for order in orders:
                builder.build(order)
            seconds = time.monotonic() - started
            return Spent(seconds, self._asked() - asked, self._given() - given)

    def _asked(self) -> int:
        return len(self.running.asked("GET", "HEAD", "POST", "PATCH", "PUT"))

    def _given(self) -> int:
        return sum(self.running.given().values())


def measure(functions: int = FUNCTIONS, copies: int = COPIES) -> list[Row]:
    """Measure everything; fewer functions are for trying."""
    with _yard(functions, copies) as yard:
        building = yard.build(yard.installed, yard.new, "built")
        # What serves is on the old base: own layers that a build gave, and nobody waits for another hundred builds.
        yard.rebase([yard.order(each, yard.old, "live", "built") for each in yard.installed], "before.db")
        first = yard.rebase([yard.order(each, yard.new, "first") for each in yard.installed], "store.db")
        orders = [yard.order(each, yard.new, "rebased") for each in yard.installed]
        uploads = len(yard.running.asked("PUT"))
        rebasing = yard.rebase(orders, "store.db")
        moved, layers = _moved(yard, orders, uploads)
        copying = _copies(yard)
    ratio, requests = building / rebasing.seconds, rebasing.requests / functions
    return [
        Row(
            f"{functions} functions rebased, against the same built without cache and pushed",
            f"{rebasing.seconds:.1f} s against {building:.0f} s, {ratio:.0f} times less; "
            f"the first time, when the proof reads their own layers, {first.seconds:.1f} s, "
            f"{building / first.seconds:.0f} times less",
            f"at least {_LEAST} times",
            ratio >= _LEAST,
        ),
        Row(
            "layers that moved inside the registry",
            f"{moved} of {layers}; {first.read:,} bytes were read for proofs the first time, {rebasing.read:,} then",
            "none",
            moved == 0,
        ),
        Row(
            "requests to the registry for a function",
            f"{requests:.1f}",
            f"at most {_MOST_REQUESTS}",
            requests <= _MOST_REQUESTS,
        ),
        copying,
    ]


def _copies(yard: Yard) -> Row:
    yard.build(yard.copied, yard.old, "live")
    building = yard.build(yard.copied, yard.new, "built")
    rebasing = yard.rebase([yard.order(each, yard.new, "rebased") for each in yard.copied], "copies.db").seconds
    different = [function.name for function in yard.copied if not _same_files(yard, function)]
    return Row(
        f"file systems of {len(yard.copied)} rebased images that only copy, file by file, against the built ones",
        f"{len(different)} differ; {rebasing:.1f} s against {building:.1f} s, {building / rebasing:.0f} times less",
        "none",
        not different,
    )


@contextmanager
def _yard(functions: int, copies: int) -> Iterator[Yard]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="refrom-bench-")))
        for name in ("engine", "repositories", "desk"):
            (folder / name).mkdir()
        running = stack.enter_context(docker_registry(folder / "registry"))
        engine = stack.enter_context(docker_engine(folder / "engine"))
        registry = HttpRegistry(stack.enter_context(closing(Transport(SystemClock()))))
        root = engine.push_root(f"{running.host}/lambda/root:1", lambda_root(), changes=CHANGES)
        old, new = (_publish(engine, registry, f"{running.host}/lambda/python:{each}", root) for each in ("old", "new"))
        base, index = f"{old.name}:{_TAG}", stack.enter_context(package_index(_REQUIREMENT))
        installed = f"FROM {base}\n{_INSTALLED % index}"
        yield Yard(
            folder=folder,
            engine=engine,
            running=running,
            registry=registry,
            forge=LocalForge(folder / "repositories", SystemClock()),
            old=old,
            new=new,
            installed=[_found(folder, f"pip{n}", installed) for n in range(functions)],
            copied=[_found(folder, f"copy{n}", f"FROM {base}\n{_COPIED}") for n in range(copies)],
        )


def _publish(engine: DockerEngine, registry: HttpRegistry, name: str, root: str) -> Reference:
    """Publish a base of six layers, five of which are other ones in each release."""
    lines = [f"FROM {root}", *(f"COPY part{n} /var/lang/part{n}" for n in range(5))]
    files = {
        f"part{n}/module{m}.py": f"{n} {m} {name if m % 9 == 0 else ''}".encode() for n in range(5) for m in range(100)
    }
    repository, _, tag = name.rpartition(":")
    with closing(engine.client()) as client:
        client.images.build(
            fileobj=_context({"Dockerfile": "\n".join(lines).encode(), **files}), custom_context=True, tag=name, rm=True
        )
        client.api.push(repository, tag, auth_config={})
    reference = Reference.parse(name)
    return reference.with_digest(registry.manifest(reference).digest)


def _context(files: dict[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def _found(folder: Path, name: str, dockerfile: str) -> Function:
    """Make a function's source repository; nothing in it is another function's, so no build finds another's steps."""
    desk = folder / "desk" / name
    desk.mkdir()
    files = {
        "Dockerfile": f'{dockerfile}CMD ["app.handler"]\n'.encode(),
        "app.py": f"def handler(event, context):\n    return {name!r}\n".encode(),
        "requirements.txt": f"# {name}\n{_REQUIREMENT}\n".encode(),
        "lib/data.bin": name.encode() * 9000,
    }
    return Function(name, SourceFolder(folder / "repositories", f"acme/{name}", desk).commit(files))


def _cached(log: str) -> set[str]:
    """The instructions that BuildKit took from its cache; of FROM that is the base, which it has by then."""
    steps = dict(_STEP.findall(log))
    assert "COPY" in steps.values()
    return {steps[number] for number in _CACHED.findall(log)}


def _moved(yard: Yard, orders: Sequence[BuildOrder], uploads: int) -> tuple[int, int]:
    """Count the uploads since then that held a layer, those of configs aside, and the layers that there are."""
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

"""An engine and a registry in a network of their own, where images start as on Lambda, and two digests of one base."""

import io
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.adapters.builder.docker_command import docker_environment, find_docker
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.image import Image, to_json
from bot.core.reference import Reference
from tests.lab.clock import WoundClock
from tests.lab.dockerd import DockerEngine, docker_engine
from tests.lab.lambda_root import CHANGES, lambda_root
from tests.lab.own_network import own_network
from tests.lab.registry import LabRegistry, docker_registry


@dataclass(frozen=True, slots=True)
class Shed:
    """What is running; `bases` are the old and the new digest of lambda/python:3.13."""

    engine: DockerEngine
    running: LabRegistry
    registry: HttpRegistry
    folder: Path
    bases: tuple[str, str] = ("", "")

    @property
    def host(self) -> str:
        """The registry's host, as in a reference."""
        return self.running.host

    def build(self, folder: Path, name: str, files: Mapping[str, str]) -> Image:
        """Build and push as a person does."""
        folder.mkdir()
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        dockerfile = next(path for path in files if path.endswith("Dockerfile"))
        build = ["build", "--quiet", "--network=none", f"--tag={name}", f"--file={folder / dockerfile}", str(folder)]
        with docker_environment(self.engine.host) as environment:
            docker = find_docker(environment)
            for command in (build, ["push", "--quiet", name]):
                subprocess.run([docker, *command], env=environment, check=True, capture_output=True)
        return self.registry.image(Reference.parse(name))

    def publish(self, stream: str, root: str, release: str) -> str:
        """Publish a base on a root, with something of its own; return its name with the digest."""
        name, text = f"{self.host}/lambda/{stream}", f"FROM {root}\nCOPY release /etc/release\n"
        folder = self.folder / f"{stream}-{release}".replace(":", "-")
        made = self.build(folder, name, {"Dockerfile": text, "release": f"{stream} {release}"})
        return f"{name}@{made.digest}"

    def changed(self, place: Reference, image: Image, config: Mapping[str, object]) -> Digest:
        """Store an image with another config."""
        manifest = image.manifest
        content = to_json({**image.config.document, **config})
        stored = self.registry.put_blob(place, manifest.config.media_type, content)
        pointer = {"mediaType": stored.media_type, "digest": str(stored.digest), "size": stored.size}
        document = {**json.load(io.BytesIO(manifest.raw)), "config": pointer}
        return self.registry.put_manifest(place, manifest.media_type, to_json(document))


@contextmanager
def open_shed(folder: Path) -> Iterator[Shed]:
    """Start the servers and push the root; until the block ends this thread is in their network."""
    root = lambda_root()
    (folder / "engine").mkdir()
    with (
        own_network(),
        docker_engine(folder / "engine") as engine,
        docker_registry(folder / "registry") as running,
        closing(Transport(WoundClock())) as transport,
    ):
        pushed = engine.push_root(f"{running.host}/lambda/python:3.13", root, changes=CHANGES)
        made = Shed(engine, running, HttpRegistry(transport), folder)
        yield replace(made, bases=(pushed, made.publish("python:3.13", pushed, "new")))

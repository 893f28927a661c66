"""The lab's scene: source repositories, bases in a real registry behind a front, a real engine, functions on the stub.

Everything is reached as a user reaches it: a settings file and the command line.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.registry import Credentials, Endpoint, HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL
from bot.core.reference import Reference
from bot.entrypoints.cli import main
from bot.entrypoints.demo.fleet import MOVES, SERVICES, START, Move, Service
from bot.entrypoints.demo.images import publish_base, publish_function
from bot.entrypoints.demo.stage import push_source
from bot.ports.forge import PullRequest
from tests.e2e.sources import Sources, sources
from tests.lab.aws import AwsStub
from tests.lab.dockerd import DockerEngine
from tests.lab.registry import LOGIN, EcrPublicFront, LabRegistry, docker_registry, ecr_public_front

SCENE_SERVICES = tuple(service for service in SERVICES if service.base)
"""Six source repositories, three of them unpinned; one has no function (see `UNDEPLOYED`)."""
UNDEPLOYED = "mailer"
MATTERING = {move.before.name for move in MOVES if move.matters}


@dataclass(frozen=True, slots=True)
class Ran:
    """What one invocation of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on standard output."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    def results(self, step: str) -> dict[str, str]:
        """What became of a step, by subject."""
        outcomes = self.document["outcomes"]
        return {o.get("repository") or o["function"]: o["result"] for o in outcomes if o["step"] == step}


@dataclass(slots=True)
class Scene:
    """A running lab with a fleet in it."""

    folder: Path
    clock: VirtualClock
    bases: LabRegistry
    front: EcrPublicFront
    images: LabRegistry
    aws: AwsStub
    engine: DockerEngine
    writer: HttpRegistry
    sources: Sources
    capture: pytest.CaptureFixture[str]

    @property
    def settings(self) -> Path:
        return self.folder / "refrom.yaml"

    def refrom(self, *arguments: str) -> Ran:
        """Run the command line in this process, by the scene's clock."""
        self.capture.readouterr()
        code = main([*arguments], clock=self.clock)
        captured = self.capture.readouterr()
        return Ran(code, captured.out, captured.err)

    def run(self, *arguments: str) -> Ran:
        """Run one cycle over the scene's settings."""
        ran = self.refrom("run", "--config", str(self.settings), "--format", "json", *arguments)
        self.clock.advance(timedelta(minutes=10))
        return ran

    def publish(self, moves: Sequence[Move], *, after: bool = False) -> dict[str, Digest]:
        """Publish bases as they are before or after their move."""
        specs = [move.after if after else move.before for move in moves]
        return {s.name: publish_base(self.writer, self.base(s.name), s) for s in specs if s}

    def base(self, name: str) -> Reference:
        """The repository of a base where Dockerfiles of the scene name it: a mirror of public.ecr.aws."""
        return Reference(self.bases.host, f"lambda/{name}")

    def pull_requests(self) -> dict[str, list[PullRequest]]:
        """All pull requests by source repository, where there are any."""
        found = {s.repository: list(self.sources.pull_requests(s.repository)) for s in SCENE_SERVICES}
        return {name: pulls for name, pulls in found.items() if pulls}

    def merge_all(self) -> None:
        """Merge whatever is open, as people do."""
        for name, pulls in self.pull_requests().items():
            for pull in pulls:
                if pull.state == "open":
                    self.sources.merge(name, pull.number)

    def writes(self) -> dict[str, list[str]]:
        """Every request so far that changes something at a server, and every reference of the forge."""
        return {
            "bases": self.front.asked("PUT", "POST", "PATCH", "DELETE"),
            "images": self.images.asked("PUT", "POST", "PATCH", "DELETE"),
            "aws": [f"{r.service}:{r.operation}" for r in self.aws.writes],
            "forge": self.sources.writes(),
        }

    def image_of(self, function: str) -> str:
        """The digest that a function's alias serves, as the service resolves it."""
        client = self.aws.client("lambda")
        alias = client.get_alias(FunctionName=function, Name="live")
        served = client.get_function(FunctionName=function, Qualifier=alias["FunctionVersion"])
        return str(served["Code"]["ResolvedImageUri"])

    def forget(self) -> None:
        """Delete the store."""
        for path in (self.folder / ".refrom").glob("*"):
            path.unlink()


@contextmanager
def scene(
    folder: Path, engine: DockerEngine, capture: pytest.CaptureFixture[str], forge: str = "local"
) -> Iterator[Scene]:
    """Start the servers, publish four bases, push six repositories, deploy five functions."""
    clock = VirtualClock(START + timedelta(hours=1))
    with (
        docker_registry(folder / "bases") as bases,
        ecr_public_front(bases) as front,
        docker_registry(folder / "images", login=True) as images,
        AwsStub(images.url, clock=clock, auth=LOGIN) as aws,
        sources(forge, folder, clock) as places,
    ):
        login = Credentials(username=LOGIN[0], password=LOGIN[1])
        endpoint = Endpoint(host=images.host, credentials=lambda: login)
        writer = HttpRegistry(Transport(SystemClock()), [endpoint])
        made = Scene(folder, clock, bases, front, images, aws, engine, writer, places, capture)
        _furnish(made)
        yield made


def _furnish(made: Scene) -> None:
    digests = made.publish(MOVES)
    (made.folder / "password").write_text(LOGIN[1])
    (made.folder / "password").chmod(0o600)
    made.settings.write_text(_settings(made))
    for service in SCENE_SERVICES:
        digest = str(digests[service.base or ""])
        text = _dockerfile(service).replace("public.ecr.aws", made.bases.host).replace("{digest}", digest)
        push_source(made.folder, replace(service, dockerfile=text))
        if service.name != UNDEPLOYED:
            _deploy(made, service, digests[service.base or ""])


def _dockerfile(service: Service) -> str:
    """The fleet's Dockerfile without what an engine without network cannot do; the undeployed one is not pinned."""
    text = service.dockerfile.replace("@{digest}", "") if service.name == UNDEPLOYED else service.dockerfile
    return "\n".join(line for line in text.split("\n") if not line.startswith(("RUN ", "# syntax")))


def _deploy(made: Scene, service: Service, digest: Digest) -> None:
    """Deploy what `docker build` and `docker push` of today's Dockerfile would have given."""
    base = made.base(service.base or "").with_digest(digest)
    image = Reference(made.images.host, service.name, "first")
    labels = {BASE_NAME_LABEL: f"public.ecr.aws/lambda/{service.base}", BASE_DIGEST_LABEL: str(digest)}
    built = publish_function(
        made.writer, made.writer, base, service.platform, {"var/task/app.py": b"handler = print\n"}, image, labels
    )
    architecture = service.platform.lambda_architecture or ""
    made.aws.create_function(service.name, f"{image.name}@{built}", architecture, aliases=["live"])


def _settings(made: Scene) -> str:
    targets = "".join(_target(made, service) for service in SCENE_SERVICES if service.name != UNDEPLOYED)
    return f"""\
version: 1
registries:
  public.ecr.aws: {{url: "http://{made.front.host}"}}
  {made.images.host!r}: {{credentials: {{username: {LOGIN[0]}, password: {{file: password}}}}}}
advisories: {{feeds: {{}}}}
forges:
  - {made.sources.settings()}
policy:
  update_on: packages
deploy:
  builder: {{kind: docker, host: "{made.engine.host}", network: host}}
  deployer: {{kind: lambda, region: eu-west-1, endpoint_url: "{made.aws.url}"}}
  targets:
{targets}"""


def _target(made: Scene, service: Service) -> str:
    return (
        f"    - function: {service.name}\n"
        f"      repository: {service.repository}\n"
        f"      dockerfile: {service.path}\n"
        f"      alias: live\n"
        f"      image: {made.images.host}/{service.name}\n"
    )

"""Functions on a base that moves, whose files do not pin it: a run rebuilds them by a rebase and redeploys them."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, REVISION_LABEL
from bot.core.reference import Reference
from bot.entrypoints.demo.fleet import AMD64, MOVES, SERVICES, START
from bot.entrypoints.demo.images import BaseSpec, publish_base, publish_function
from bot.entrypoints.demo.stage import push_source
from tests.lab.aws import AwsStub
from tests.lab.organisation import Ran, begin_refrom, ended_refrom
from tests.lab.registry import LabRegistry

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PYTHON = next(move for move in MOVES if move.before.name == "python")
BASE = Reference.parse("public.ecr.aws/lambda/python")


@dataclass(slots=True)
class Shop:
    """A registry, an AWS over it, source repositories and settings."""

    folder: Path
    clock: VirtualClock
    registry: LabRegistry
    writer: HttpRegistry
    aws: AwsStub

    @property
    def settings(self) -> Path:
        return self.folder / "refrom.yaml"

    def begin(self) -> BaseProcess:
        """Begin a run in a process of its own, by a clock of its own that starts at ours."""
        return begin_refrom(self.folder, ["run", "--format", "json"], self.clock.now())

    def run(self) -> Ran:
        """Run to the end."""
        return ended_refrom(self.folder, self.begin())

    def served(self, function: str) -> tuple[str, object, str]:
        """The version and the weights of a function's alias, and the image that this version runs."""
        client = self.aws.client("lambda")
        alias = client.get_alias(FunctionName=function, Name="live")
        version = client.get_function(FunctionName=function, Qualifier=alias["FunctionVersion"])
        return alias["FunctionVersion"], alias.get("RoutingConfig"), version["Code"]["ResolvedImageUri"]

    def versions(self, function: str) -> int:
        listed = self.aws.client("lambda").list_versions_by_function(FunctionName=function)["Versions"]
        return len(listed) - 1

    def publish(self, spec: BaseSpec | None) -> Digest:
        assert spec
        return publish_base(self.writer, Reference(self.registry.host, BASE.repository), spec)

    def deploy(self, name: str, base: Digest) -> None:
        """Push a source repository, and deploy what a build of it gives."""
        commit = push_source(self.folder, replace(SERVICES[0], name=name))
        labels = {BASE_NAME_LABEL: f"{BASE}:3.13", BASE_DIGEST_LABEL: str(base), REVISION_LABEL: commit}
        files = {"var/task/app.py": b"handler = print\n"}
        below, image = (Reference(self.registry.host, place) for place in (BASE.repository, name))
        target = image.with_tag("first")
        built = publish_function(self.writer, self.writer, below.with_digest(base), AMD64, files, target, labels)
        self.aws.create_function(name, f"{ECR}/{name}@{built}", aliases=["live"])

    def change(self, old: str, new: str) -> None:
        """Change the settings once."""
        text = self.settings.read_text()
        assert old in text
        self.settings.write_text(text.replace(old, new, 1))

    def write_settings(self, functions: Sequence[str], strategy: str) -> None:
        """Write settings for some of the functions."""
        targets = "".join(
            f"    - {{function: {name}, repository: acme/{name}, alias: live, image: {ECR}/{name}}}\n"
            for name in functions
        )
        included = ", ".join(f"acme/{name}" for name in functions)
        self.settings.write_text(f"""\
version: 1
registries:
  public.ecr.aws: {{url: "{self.registry.url}"}}
  {ECR}: {{url: "{self.registry.url}"}}
advisories: {{feeds: {{}}}}
forges: [{{kind: local, root: repositories, include: [{included}]}}]
policy: {{update_on: packages, style: tag}}
deploy:
  builder: {{kind: rebase}}
  deployer: {{kind: lambda, region: eu-west-1, endpoint_url: "{self.aws.url}"}}
  strategy: {strategy}
  targets:
{targets}""")


@contextmanager
def open_shop(folder: Path, registry: LabRegistry) -> Iterator[Shop]:
    """Run an AWS over a registry until the block ends. It is done with a change at once: a run has its own clock."""
    clock = VirtualClock(START + timedelta(hours=1))
    with (
        pytest.MonkeyPatch.context() as environment,
        closing(Transport(SystemClock())) as transport,
        AwsStub(registry.url, clock=clock, update_seconds=0) as aws,
    ):
        environment.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "lab")
        yield Shop(folder, clock, registry, HttpRegistry(transport), aws)

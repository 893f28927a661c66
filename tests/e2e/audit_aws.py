"""The scene of an audit over AWS: three places with functions of all four rows, bases and images in a real registry.

No settings name a function: they name accounts and Regions, and one function says by its tags what it is built from.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL
from bot.core.reference import Reference
from bot.entrypoints.cli import main
from bot.entrypoints.demo.fleet import AMD64, MOVED, MOVES, START, Service
from bot.entrypoints.demo.images import publish_base, publish_function
from bot.entrypoints.demo.stage import push_source
from bot.entrypoints.work import Told, run_audit
from bot.ports.fleet import Progress
from bot.steps.fleet import no_progress
from tests.e2e.scene import Ran
from tests.lab.aws import REGION, AwsStub
from tests.lab.aws_runtimes import runtime_arn
from tests.lab.registry import LabRegistry, docker_registry

HERE: Final = REGION
THERE: Final = "us-east-1"
OWN: Final = "123456789012"
OTHER: Final = "210987654321"
NEWEST: Final = "python:3.13.v70"
OLDER: Final = "python:3.13.v68"
DOCKERFILE: Final = "FROM public.ecr.aws/lambda/python:3.13@{digest}\nCOPY app.py ./\n"
_PYTHON: Final = next(move for move in MOVES if move.before.name == "python")


def ecr(account: str, region: str) -> str:
    """The host of a private registry."""
    return f"{account}.dkr.ecr.{region}.amazonaws.com"


def arn(name: str, region: str = HERE, account: str = OWN) -> str:
    """The ARN of a function."""
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


@dataclass(slots=True)
class Accounts:
    """Two accounts, one of them in two Regions, on the day after the base moved."""

    folder: Path
    clock: VirtualClock
    registry: LabRegistry
    aws: AwsStub
    writer: HttpRegistry
    role: str
    capture: pytest.CaptureFixture[str]

    @property
    def settings(self) -> Path:
        return self.folder / "refrom.yaml"

    def audit(self, *arguments: str) -> Ran:
        """Run the command line in this process."""
        self.capture.readouterr()
        code = main(["audit", "--config", str(self.settings), *arguments], clock=self.clock)
        captured = self.capture.readouterr()
        return Ran(code, captured.out, captured.err)

    def told(self, progress: Progress = no_progress) -> Told:
        """Run the audit as every face does."""
        return run_audit(self.settings, self.clock, progress)

    def rows(self, document: dict[str, Any]) -> dict[tuple[str, str | None], dict[str, Any]]:
        """The entries by ARN and alias."""
        return {(one["function"], one["alias"]): one for one in document["functions"]}

    def deploy(self, name: str, base: Digest, text: str, region: str, account: str = OWN, **tags: str) -> str:
        """Let a function serve an image on a base, built from an app of this text."""
        repository = Reference(ecr(account, region), name)
        labels = {BASE_NAME_LABEL: "public.ecr.aws/lambda/python:3.13", BASE_DIGEST_LABEL: str(base)}
        files = {"var/task/app.py": text.encode()}
        python = Reference(self.registry.host, "lambda/python").with_digest(base)
        target = Reference(self.registry.host, name, "first")
        built = publish_function(self.writer, self.writer, python, AMD64, files, target, labels)
        return self.aws.create_function(
            name,
            f"{repository}@{built}",
            aliases=["live"],
            region=region,
            account=account,
            tags={f"refrom:{key}": value for key, value in tags.items()},
        )

    def publish(self, *, after: bool) -> Digest:
        """Publish the base as it is before or after its move."""
        spec = _PYTHON.after if after else _PYTHON.before
        assert spec is not None
        return publish_base(self.writer, Reference(self.registry.host, "lambda/python"), spec)


@contextmanager
def accounts(folder: Path, capture: pytest.CaptureFixture[str]) -> Iterator[Accounts]:
    """Start the servers and furnish the accounts."""
    clock = VirtualClock(START + timedelta(hours=1))
    with (
        docker_registry(folder / "registry") as registry,
        AwsStub(registry.url, clock=clock) as aws,
        closing(Transport(SystemClock())) as transport,
    ):
        made = Accounts(folder, clock, registry, aws, HttpRegistry(transport), aws.add_account(OTHER), capture)
        _furnish(made)
        yield made


def _furnish(made: Accounts) -> None:
    old = made.publish(after=False)
    push_source(
        made.folder,
        Service(name="orders", shape="tag and digest", base="python", dockerfile=DOCKERFILE.format(digest=old)),
    )
    built_from = {"repository": "acme/orders", "alias": "live"}
    made.deploy("orders", old, "orders = 1", HERE, **built_from)
    made.deploy("orders", old, "orders = 2", THERE, **built_from)
    made.clock.wait_until(MOVED + timedelta(days=1))
    made.deploy("stray", made.publish(after=True), "stray = 1", HERE, OTHER)
    _furnish_managed(made.aws, made.clock)
    made.settings.write_text(_settings(made))


def _furnish_managed(aws: AwsStub, clock: VirtualClock) -> None:
    """One function of each mode, one on a runtime of its own, one whose runtime is deprecated."""
    auto = aws.create_zip_function("auto", aliases=["live"])
    late = aws.create_zip_function("late", region=THERE)
    aws.modified(late, clock.now() - timedelta(days=45))
    aws.manage(late, "FunctionUpdate")
    pinned = aws.create_zip_function("pinned")
    aws.manage(pinned, "Manual", runtime_arn(OLDER, HERE))
    aws.create_zip_function("go", "provided.al2023")
    old = aws.create_zip_function("old", "python3.9", account=OTHER)
    for function, version in ((auto, NEWEST), (late, OLDER), (pinned, OLDER), (old, "python:3.9.v120")):
        aws.run_on(function, version)
        aws.log_start(function, version)
    aws.run_on(auto, NEWEST, version="1")
    aws.log_start(arn("go"), "provided:al2023.v102")
    clock.advance(timedelta(hours=1))


def _settings(made: Accounts) -> str:
    hosts = "".join(
        f'  {ecr(account, region)}: {{url: "{made.registry.url}"}}\n'
        for account, region in ((OWN, HERE), (OWN, THERE), (OTHER, HERE))
    )
    return f"""\
version: 1
registries:
  public.ecr.aws: {{url: "{made.registry.url}"}}
{hosts}advisories: {{feeds: {{}}}}
forges:
  - {{kind: local, root: repositories}}
policy: {{update_on: packages, max_age: 30d}}
deploy:
  deployer:
    kind: lambda
    region: {HERE}
    endpoint_url: "{made.aws.url}"
    accounts:
      - regions: [{HERE}, {THERE}]
      - {{role: "{made.role}", regions: [{HERE}]}}
  discover: [{{by: tag}}]
"""

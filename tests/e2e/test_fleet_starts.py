"""The demo fleet's Dockerfiles on a real engine: built, gated, pushed, started as Lambda does, deployed by digest.

Every base is the same root with AWS's runtime interface client for Python, since no other can be had offline, and the
arm64 one says only that it is. `# syntax` is left out: it names an image of another registry.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from bot.adapters.engine.clock import VirtualClock
from bot.core.reference import Reference
from bot.entrypoints.cli import DONE, main
from bot.entrypoints.demo.fleet import ARM64, SERVICES, START, Service
from tests.adapters.forge.world import BareRepositories, File
from tests.conftest import Figure
from tests.e2e.shed import Shed, open_shed
from tests.lab.aws import AwsStub

FLEET: Final = tuple(service for service in SERVICES if service.base)
STREAMS: Final = {"python": "python:3.13", "java": "java:21", "nodejs": "nodejs:22", "ruby": "ruby:3.4"}
HANDLER: Final = """\
import os, sys
def handler(event, context):
    if event != {"id": 7} or "awslambdaric" not in sys.modules:
        raise RuntimeError(f"{event} {sorted(sys.modules)}")
    return {"task": os.environ["LAMBDA_TASK_ROOT"]}
"""


@pytest.fixture(scope="module")
def shed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shed]:
    with open_shed(tmp_path_factory.mktemp("shed")) as made:
        yield made


def publish(shed: Shed, stream: str, release: str, *, arm: bool) -> Reference:
    """Publish a base with what the fleet's Dockerfiles take out of it."""
    root = f"{shed.bases[0]}\nRUN ln -s python3 /usr/bin/python\nRUN touch /usr/local/bin/aws-lambda-rie"
    name = Reference.parse(shed.publish(stream, root, release))
    if not arm:
        return name
    digest = shed.changed(name.with_digest(None), shed.registry.image(name), {"architecture": ARM64.architecture})
    return name.with_digest(digest)


def files(service: Service, base: Reference) -> Mapping[str, str]:
    """A source repository as it is once refrom's pull request for this base is merged."""
    named, text = f"public.ecr.aws/{base.repository}:{base.tag}", service.dockerfile.replace("@{digest}", "")
    assert named in text
    kept = [line for line in text.replace(named, str(base)).split("\n") if not line.startswith("# syntax")]
    return {service.path: "\n".join(kept), "app.py": HANDLER, "event.json": '{"id": 7}'}


def settings(shed: Shed, aws: AwsStub) -> str:
    targets = "".join(
        f"    - {{function: {each.name}, repository: {each.repository}, dockerfile: {each.path}, alias: live, "
        f"image: {shed.host}/{each.name}}}\n"
        for each in FLEET
    )
    return f"""\
version: 1
registries:
  public.ecr.aws: {{url: "http://{shed.host}"}}
  {shed.host!r}: {{url: "http://{shed.host}"}}
advisories: {{feeds: {{}}}}
forges: [{{kind: local, root: repositories}}]
deploy:
  builder: {{kind: docker, host: "{shed.engine.host}", network: none}}
  deployer: {{kind: lambda, region: eu-west-1, endpoint_url: "{aws.url}"}}
  smoke: {{events: [event.json], timeout: 20s}}
  targets:
{targets}"""


def furnish(shed: Shed, aws: AwsStub, folder: Path) -> None:
    """Deploy every service on the first release of its base, and merge what puts it on the second."""
    for place in ("repositories/acme", "desk"):
        (folder / place).mkdir(parents=True)
    people = BareRepositories(folder / "repositories", folder / "desk")
    bases = {
        name: [publish(shed, stream, release, arm=name == "java") for release in ("first", "second")]
        for name, stream in STREAMS.items()
    }
    for service in FLEET:
        old, new = (files(service, base) for base in bases[service.base or ""])
        people.create_repository(service.repository, as_files(old))
        image = shed.build(folder / service.name, f"{shed.host}/{service.name}:first", old)
        uri = f"{shed.host}/{service.name}@{image.digest}"
        aws.create_function(service.name, uri, service.platform.lambda_architecture or "", aliases=["live"])
        people.push(service.repository, "main", as_files(new))
    (folder / "refrom.yaml").write_text(settings(shed, aws))


def as_files(texts: Mapping[str, str]) -> Mapping[str, File]:
    return {path: File(text.encode()) for path, text in texts.items()}


def test_the_fleet_is_built_gated_pushed_started_and_deployed(
    shed: Shed,
    tmp_path: Path,
    figure: Figure,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALABLABLABLABLABL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    clock = VirtualClock(START + timedelta(hours=1))
    with AwsStub(shed.running.url, clock=clock) as aws:
        furnish(shed, aws, tmp_path)

        code = main(["run", "--config", str(tmp_path / "refrom.yaml"), "--format", "json"], clock=clock)

        client = aws.client("lambda")
        names = [service.name for service in FLEET]
        live = {name: client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in names}
    outcomes = json.loads(capsys.readouterr().out)["outcomes"]
    told = {(o["function"], o["result"]): o["message"] for o in outcomes if o.get("function")}
    started = [name for name in names if "it starts and answers 1 event" in told.get((name, "built"), "")]
    assert code == DONE, outcomes
    figure("the demo fleet built, gated, pushed, started with awslambdaric, answering an event", started, names)
    figure("the demo fleet, versions behind the aliases", live, dict.fromkeys(names, "2"))
    figure("the demo fleet, proven on the new base", [name for name in names if (name, "proven") in told], names)

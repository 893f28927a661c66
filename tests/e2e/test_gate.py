"""What is built and never deployed: images that Lambda would not take, and images that do not start, on a real engine.

Everything is reached as a user reaches it, in a network of its own: a registry, an engine, a settings file, a commit.
The function serves a good image throughout.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.engine.clock import VirtualClock
from bot.core.digest import Digest
from bot.core.image import Descriptor, Image
from bot.core.outcome import Outcome
from bot.core.reference import Reference
from bot.entrypoints.demo.fleet import START
from bot.ports.builder import Builder, BuildOrder, Built
from bot.steps.cycle import Cycle
from bot.wiring import open_workshop
from tests.adapters.forge.world import BareRepositories, File
from tests.conftest import Figure
from tests.e2e.shed import Shed, open_shed
from tests.lab.images import AMD64, put_attestation, put_index

GOOD = "def handler(event, context):\n    return event\n"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A builder that some pipeline is, whose image is what it is."""

    digest: Digest

    def build(self, order: BuildOrder) -> Built:
        assert order.deployed
        return Built(digest=self.digest)


@dataclass(slots=True)
class Place:
    """One function on the old base, its source repository, and the settings."""

    shed: Shed
    folder: Path
    clock: VirtualClock

    @property
    def state(self) -> bytes:
        return (self.folder / "functions.json").read_bytes()

    @property
    def functions(self) -> LocalFunctions:
        return LocalFunctions(self.folder / "functions.json", self.shed.registry, self.clock)

    @property
    def served(self) -> str:
        """The version that `live` serves alone."""
        alias = self.functions.alias("orders", "live")
        return alias.version if alias and not alias.weights else str(alias)

    @property
    def image(self) -> Reference:
        return Reference(self.shed.host, f"functions/{self.folder.name}")

    def furnish(self) -> None:
        built = self.shed.build(self.folder / "desk0", f"{self.image}:first", source(self.shed.bases[0], GOOD))
        self.functions.create("orders", self.image.with_digest(built.digest), AMD64, aliases=("live",))
        (self.folder / "desk").mkdir()
        (self.folder / "repositories" / "acme").mkdir(parents=True)
        self.people.create_repository("acme/orders", as_files(source(self.shed.bases[0], GOOD)))
        (self.folder / "refrom.yaml").write_text(f"""\
version: 1
registries:
  public.ecr.aws: {{url: "http://{self.shed.host}"}}
  {self.shed.host!r}: {{url: "http://{self.shed.host}"}}
advisories: {{feeds: {{}}}}
forges: [{{kind: local, root: repositories}}]
deploy:
  builder: {{kind: docker, host: "{self.shed.engine.host}", network: none}}
  deployer: {{kind: local, state: functions.json}}
  smoke: {{events: [event.json], timeout: 5s}}
  targets: [{{function: orders, repository: acme/orders, alias: live, image: {self.image}}}]
""")

    @property
    def people(self) -> BareRepositories:
        return BareRepositories(self.folder / "repositories", self.folder / "desk")

    def merge(self, handler: str, command: str = "app.handler") -> None:
        """Push what a merged pull request leaves: the new base, and whatever else."""
        self.people.push("acme/orders", "main", as_files(source(self.shed.bases[1], handler, command)))

    def run(self, builder: Builder | None = None) -> list[Outcome]:
        """Run one cycle and return what became of the function."""
        with open_workshop(self.folder / "refrom.yaml", self.clock) as workshop:
            world = replace(workshop.world, builder=builder) if builder else workshop.world
            report = Cycle(world, workshop.rules).run(workshop.engine)
        return [outcome for outcome in report.outcomes if outcome.subject == "orders"]


def source(base: str, handler: str, command: str = "app.handler") -> dict[str, str]:
    dockerfile = f'FROM {base}\nCOPY app.py /var/task/\nCMD ["{command}"]\n'
    return {"Dockerfile": dockerfile, "app.py": handler, "event.json": '{"id": 1}'}


def as_files(texts: dict[str, str]) -> dict[str, File]:
    return {path: File(text.encode()) for path, text in texts.items()}


@pytest.fixture(scope="module")
def shed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shed]:
    with open_shed(tmp_path_factory.mktemp("shed")) as made:
        yield made


@pytest.fixture
def place(shed: Shed, tmp_path: Path) -> Place:
    made = Place(shed, tmp_path, VirtualClock(START))
    made.furnish()
    return made


def test_a_good_image_is_built_tried_and_deployed(place: Place) -> None:
    place.merge(GOOD)

    outcomes = place.run()

    assert [f"{o.step} {o.result}" for o in outcomes] == [
        "rebuild built",
        "redeploy updated",
        "redeploy moved",
        "prove proven",
    ]
    assert "it starts and answers 1 event" in outcomes[0].message


@pytest.mark.parametrize(
    ("handler", "command", "said"),
    [
        pytest.param(GOOD, "app.gone", "Runtime.HandlerNotFound", id="a handler that does not exist"),
        pytest.param("import missing", "app.handler", "Runtime.ImportModuleError", id="a crash at init"),
        pytest.param("import os; os.abort()", "app.handler", "ended with exit code", id="death at init"),
        pytest.param("import time; time.sleep(60)", "app.handler", "took longer than 5 s", id="an init that hangs"),
        pytest.param("def handler(event, context):\n    1 / 0\n", "app.handler", "ZeroDivisionError", id="an error"),
    ],
)
def test_an_image_that_does_not_work_is_not_deployed(
    place: Place, figure: Figure, request: pytest.FixtureRequest, handler: str, command: str, said: str
) -> None:
    place.merge(handler, command)
    state = place.state

    outcomes = place.run()

    assert [f"{o.step} {o.result}" for o in outcomes] == ["rebuild failed"]
    assert "does not pass the smoke test: " in outcomes[0].message
    assert said in outcomes[0].message
    assert place.state == state
    figure(f"{request.node.callspec.id}, stopped at the smoke test: live serves version", place.served, "1")


def as_index(place: Place, image: Image) -> Digest:
    return put_index(place.shed.registry, place.image, [described(image)]).digest


def as_attestation(place: Place, image: Image) -> Digest:
    return put_attestation(place.shed.registry, place.image, described(image), b"{}").digest


def with_attestation(place: Place, image: Image) -> Digest:
    attestation = put_attestation(place.shed.registry, place.image, described(image), b"{}")
    return put_index(place.shed.registry, place.image, [described(image), attestation]).digest


def for_arm(place: Place, image: Image) -> Digest:
    return place.shed.changed(place.image, image, {"architecture": "arm64"})


def without_start(place: Place, image: Image) -> Digest:
    return place.shed.changed(place.image, image, {"config": {}})


def described(image: Image) -> Descriptor:
    manifest = image.manifest
    return Descriptor(
        media_type=manifest.media_type, digest=manifest.digest, size=len(manifest.raw), platform=image.platform
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(as_index, "is an index, and Lambda takes only a single image", id="an index"),
        pytest.param(with_attestation, "is an index with attestations", id="an index with an attestation"),
        pytest.param(as_attestation, "this is an attestation of an image", id="an attestation"),
        pytest.param(for_arm, "the image is for linux/arm64, the function for linux/amd64", id="architecture"),
        pytest.param(without_start, "neither ENTRYPOINT nor CMD", id="no entry point"),
        pytest.param(lambda *_: None, "does not stand on", id="another base"),
    ],
)
def test_what_lambda_would_not_take_is_stopped_at_the_gate(
    place: Place,
    figure: Figure,
    request: pytest.FixtureRequest,
    make: Callable[[Place, Image], Digest | None],
    said: str,
) -> None:
    place.merge(GOOD)
    base = place.shed.bases[0 if said == "does not stand on" else 1]
    built = place.shed.build(place.folder / "desk1", f"{place.image}:pipeline", source(base, GOOD))
    state = place.state

    outcomes = place.run(Elsewhere(make(place, built) or built.digest))

    assert [f"{o.step} {o.result}" for o in outcomes] == ["rebuild failed"]
    assert said in outcomes[0].message
    assert place.state == state
    figure(f"{request.node.callspec.id}, stopped at the gate: live serves version", place.served, "1")

"""Lineage on 100 generated images over 20 bases: no false answer, and next to all that layers can prove is proven."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest

from bot.adapters.registry import LayoutRegistry
from bot.adapters.registry.images import read_image
from bot.adapters.store.store import open_store
from bot.core.image import Descriptor, Image, Index, Manifest
from bot.core.lineage import Lineage
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.registry import Registry
from bot.ports.store import Ledger
from bot.settings.catalogue import load_catalogue
from bot.steps.prove import lineage
from bot.steps.seek import DATED_REQUESTS, MOST_NAMED, NAMED_REQUESTS, Seeker
from bot.steps.watch import watch
from tests.conftest import Figure
from tests.steps.lineage_world import DAYS, IMAGES, STREAMS, Made, World

MOST_REQUESTS = DATED_REQUESTS + MOST_NAMED * NAMED_REQUESTS
LEAST_UNKNOWN = 30
LEAST_SHARE = 0.95


class Counting:
    """A registry that counts the requests that it would cost."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self.requests = registry, 0

    def manifest(self, reference: Reference) -> Manifest | Index:
        self.requests += 1
        return self._registry.manifest(reference)

    def image(self, reference: Reference, platform: Platform | None = None) -> Image:
        return read_image(self, reference, platform)

    def blob(self, reference: Reference, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        self.requests += 1
        return self._registry.blob(reference, descriptor)


@dataclass(frozen=True, slots=True)
class Scene:
    """The images, and what proves one of them with a full ledger and with an empty one."""

    images: tuple[tuple[Made, Image], ...]
    registry: Counting
    full: Callable[[Image], Lineage]
    empty: Callable[[Image], Lineage]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Publish the bases day by day while a watcher looks, then make the images."""
    writer, catalogue = LayoutRegistry(Path(tmp_path_factory.mktemp("layouts"))), load_catalogue()
    registry, world = Counting(writer), World(writer, catalogue)
    with open_store(":memory:") as store, open_store(":memory:") as lost:
        for day, moment in enumerate(DAYS):
            world.publish(day)
            for runtime in STREAMS:
                watch(catalogue.get(runtime), writer, store.ledger, moment)
        images = tuple((made, writer.image(made.reference)) for made in world.images())

        def prover(ledger: Ledger) -> Callable[[Image], Lineage]:
            return lambda image: lineage(
                image, observations=(), runtimes=tuple(catalogue), seeker=Seeker(registry, catalogue), ledger=ledger
            )

        yield Scene(images, registry, prover(store.ledger), prover(lost.ledger))


def told(made: Made, found: Lineage) -> str:
    """Compare an answer with the truth."""
    if found.base is None:
        return f"missed: {made.kind}" if made.truth else "rightly unknown"
    right = found.base.reference.digest in made.truth and found.base.runtime in made.runtimes
    return "proven" if right else f"false: {made.kind} {found.base.reference}"


@pytest.mark.parametrize("ledger", ["full", "empty"])
def test_no_answer_is_false_and_what_is_provable_is_proven(scene: Scene, ledger: str, figure: Figure) -> None:
    prove = scene.full if ledger == "full" else scene.empty

    answers = [told(made, prove(image)) for made, image in scene.images]

    provable = sum(bool(made.truth) for made, _ in scene.images)
    proven, unknown = answers.count("proven"), answers.count("rightly unknown")
    figure(f"lineage, {ledger} ledger: images judged", len(answers), IMAGES)
    figure(f"lineage, {ledger} ledger: false answers", [each for each in answers if each.startswith("false")], [])
    figure(
        f"lineage, {ledger} ledger: {proven} of {provable} provable proven, 95 %",
        proven >= LEAST_SHARE * provable,
        True,
    )
    figure(f"lineage, {ledger} ledger: {unknown} unknown, at least {LEAST_UNKNOWN}", unknown >= LEAST_UNKNOWN, True)


def test_an_empty_ledger_costs_a_bounded_number_of_requests_an_image(scene: Scene, figure: Figure) -> None:
    costs = []
    for _, image in scene.images:
        before = scene.registry.requests
        scene.empty(image)
        costs.append(scene.registry.requests - before)

    figure(
        f"lineage, empty ledger: {max(costs)} requests at most, {MOST_REQUESTS} allowed",
        max(costs) <= MOST_REQUESTS,
        True,
    )

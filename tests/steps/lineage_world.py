"""A world of 20 bases and 100 images whose truth is known because it was made: what lineage is measured on.

Five streams have four bases each, for two platforms. Of each stream the second base has the very layers of the first
(a dated sibling), the third shares the lower ones with it, and the fourth has all new ones. The operating system's
layer is the same under every stream of a day, and the bases of `provided` lie whole under those of `java`.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.runtimes import Catalogue
from bot.ports.registry import ImageWriter
from tests.lab.images import AMD64, ARM64, put_image, put_index

STREAMS: Final = ("python3.13", "python3.12", "nodejs22.x", "java21", "provided.al2023")
DAYS: Final = tuple(datetime(2026, 10, day, 13, 40, tzinfo=UTC) for day in (2, 9, 16, 23))
IMAGES: Final = 100
Files = Mapping[str, bytes]
_STAMP_HOURS = (0, 0, 0, 1)
"""From the hour of creation to the hour of the date stamp; most are published within the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One platform of a base; `layers` are what each of its layers holds, `index` the digest that its tags have."""

    runtime: str
    name: Reference
    platform: Platform
    created: datetime
    layers: tuple[Files, ...]
    index: Digest
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One image: where it is, how it was made, and the index digests that are true answers; none is `unknown`."""

    kind: str
    reference: Reference
    truth: frozenset[Digest]
    runtimes: frozenset[str]


@dataclass(slots=True)
class World:
    """Publishes bases day by day and images on them; the same seed makes the same bytes."""

    writer: ImageWriter
    catalogue: Catalogue
    rng: random.Random = field(default_factory=lambda: random.Random(20261124))  # noqa: S311 - no secret
    bases: list[Base] = field(default_factory=list)

    def publish(self, day: int) -> None:
        """Publish one base of each stream, for both platforms, under its moving and its date-stamped tag."""
        for identifier in STREAMS:
            runtime = self.catalogue.get(identifier)
            created = DAYS[day] + timedelta(minutes=STREAMS.index(identifier))
            layers = {platform: _layers(identifier, day, platform) for platform in (AMD64, ARM64)}
            entries = [
                put_image(
                    self.writer,
                    runtime.reference.with_tag(None),
                    files,
                    platform=platform,
                    created=created,
                    history=[created],
                )
                for platform, files in layers.items()
            ]
            stamp = created + timedelta(hours=self.rng.choice(_STAMP_HOURS))
            put_index(self.writer, runtime.reference.with_tag(f"{runtime.tag}.{stamp:%Y.%m.%d.%H}"), entries)
            index = put_index(self.writer, runtime.reference, entries)
            for platform, entry in zip(layers, entries, strict=True):
                self.bases.append(
                    Base(
                        runtime=identifier,
                        name=runtime.reference,
                        platform=platform,
                        created=created,
                        layers=layers[platform],
                        index=index.digest,
                        digest=entry.digest,
                    )
                )

    def images(self) -> Iterator[Made]:
        """Make the images, each kind in turn, on bases drawn at random."""
        for number in range(IMAGES):
            kind = KINDS[number % len(KINDS)]
            base = self.rng.choice([base for base in self.bases if kind.__name__ != "arm64" or base.platform == ARM64])
            reference = Reference("registry.example", f"image{number}", "v1")
            proven = kind(self, reference, base)
            same = [b for b in self.bases if proven and (b.platform, b.layers) == (proven.platform, proven.layers)]
            yield Made(
                kind=kind.__name__,
                reference=reference,
                truth=frozenset(b.index for b in same),
                runtimes=frozenset(b.runtime for b in same),
            )

    def put(self, reference: Reference, layers: Sequence[Files], base: Base, **more: Any) -> None:
        """Store an image whose history begins with that of a base."""
        history = [base.created, base.created + timedelta(days=self.rng.randint(1, 40))]
        put_image(self.writer, reference, layers, **{"platform": base.platform, "history": history, **more})


def own(reference: Reference) -> Files:
    """What an image adds."""
    return {"var/task/app.py": str(reference).encode()}


def unlabelled(world: World, reference: Reference, base: Base) -> Base:
    world.put(reference, (*base.layers, own(reference)), base)
    return base


def labelled(world: World, reference: Reference, base: Base) -> Base:
    """As our own builds do, but by a tool that writes no times."""
    world.put(reference, (*base.layers, own(reference)), base, labels=_labels(base), history=[])
    return base


def arm64(world: World, reference: Reference, base: Base) -> Base:
    return unlabelled(world, reference, base)


def rebased(world: World, reference: Reference, base: Base) -> Base:
    """The layers of another base of the stream were swapped in; the label still names the one before."""
    stream = [b for b in world.bases if (b.runtime, b.platform) == (base.runtime, base.platform)]
    after = stream[(stream.index(base) + 1) % len(stream)]
    world.put(reference, (*after.layers, own(reference)), after, labels=_labels(base))
    return after


def recompressed(world: World, reference: Reference, base: Base) -> Base:
    world.put(reference, (*base.layers, own(reference)), base, level=1)
    return base


def mislabelled(world: World, reference: Reference, base: Base) -> Base:
    """The label names another stream beside the right digest."""
    other = {**_labels(base), BASE_NAME_LABEL: str(world.catalogue.get("python3.11").reference)}
    world.put(reference, (*base.layers, own(reference)), base, labels=other)
    return base


def itself(world: World, reference: Reference, base: Base) -> Base:
    """Copied as it is."""
    world.put(reference, base.layers, base, history=[base.created])
    return base


def squashed(world: World, reference: Reference, base: Base) -> None:
    """All layers are one; labels and history stay."""
    world.put(reference, (_merged(*base.layers, own(reference)),), base, labels=_labels(base))


def squashed_base(world: World, reference: Reference, base: Base) -> None:
    """The base's layers are one, and the own layer lies on it."""
    world.put(reference, (_merged(*base.layers), own(reference)), base, labels=_labels(base))


def rebuilt_elsewhere(world: World, reference: Reference, base: Base) -> None:
    """The same files in as many layers, written by another builder."""
    layers = [{**files, "var/log/build": b"elsewhere"} for files in base.layers]
    world.put(reference, (*layers, own(reference)), base, labels=_labels(base))


def bottom_only(world: World, reference: Reference, base: Base) -> None:
    """On the operating system's image alone, by a label of somebody who wishes it were the base."""
    world.put(reference, (base.layers[0], own(reference)), base, labels=_labels(base))


def partial(world: World, reference: Reference, base: Base) -> None:
    """Not all layers of the base; so few of Java's that those of `provided` are not all there either."""
    few = base.layers[:3] if base.runtime in ("java21", "provided.al2023") else base.layers[:-1]
    world.put(reference, (*few, own(reference)), base, labels=_labels(base))


def other_order(world: World, reference: Reference, base: Base) -> None:
    world.put(reference, (*base.layers[1::-1], *base.layers[2:], own(reference)), base, labels=_labels(base))


def other_platform(world: World, reference: Reference, base: Base) -> None:
    """The layers of one platform under the config of the other."""
    wrong = ARM64 if base.platform == AMD64 else AMD64
    world.put(reference, (*base.layers, own(reference)), base, platform=wrong, labels=_labels(base))


KINDS: Final[Sequence[Callable[[World, Reference, Base], Base | None]]] = (
    unlabelled,
    squashed,
    labelled,
    arm64,
    rebuilt_elsewhere,
    rebased,
    squashed_base,
    recompressed,
    bottom_only,
    mislabelled,
    partial,
    itself,
    other_order,
    unlabelled,
    other_platform,
    recompressed,
)


def _layers(runtime: str, day: int, platform: Platform) -> tuple[Files, ...]:
    """The layers of a base: on the second day those of the first, on the third only the upper ones new."""
    lower, upper = (0, 0, 0, 3)[day], (0, 0, 2, 3)[day]
    system = {"etc/os-release": f"amzn {lower} {platform}".encode()}
    emulator = {"usr/local/bin/aws-lambda-rie": str(platform).encode()}
    entry = {"lambda-entrypoint.sh": b"#!/bin/sh\n"}
    task = {"var/task/version": f"{upper} {platform}".encode()}
    language = {"var/lang/version": f"{runtime} {lower} {platform}".encode()}
    bootstrap = {"var/runtime/bootstrap": f"{runtime} {upper} {platform}".encode()}
    match runtime:
        case "provided.al2023":
            return (system, emulator, entry, task)
        case "java21":
            return (system, emulator, entry, task, language, bootstrap)
        case _:
            return (system, emulator, language, bootstrap, entry, task)


def _merged(*layers: Files) -> Files:
    return {path: content for files in layers for path, content in files.items()}


def _labels(base: Base) -> Mapping[str, str]:
    return {BASE_NAME_LABEL: str(base.name), BASE_DIGEST_LABEL: str(base.index)}

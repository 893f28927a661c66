"""`refrom diff` with settings, over a real registry: what it fetches is counted there."""

import random
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.change import BaseChange, PlatformChange
from bot.core.config_change import ConfigChange
from bot.core.digest import Digest
from bot.core.image import Image
from bot.core.reference import Reference
from bot.entrypoints.documents import diff_document
from bot.entrypoints.exits import DONE
from bot.entrypoints.tables import show_diff
from bot.wiring import SystemClock
from tests.conftest import Figure
from tests.entrypoints.conftest import Refrom
from tests.lab.images import AMD64, put_image
from tests.lab.registry import LabRegistry, docker_registry

LAYERS = 6
BASH = b"Package: bash\nVersion: 5.2.%d\nArchitecture: arm64\n"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path / "registry") as registry:
        yield registry


@pytest.fixture
def images(registry: LabRegistry) -> Iterator[tuple[Image, Image]]:
    """Two images of six layers, of which all but the third are the same."""
    dice = random.Random(6)  # noqa: S311 -- the same layers in every run
    below = [{f"usr/lib/{number}": dice.randbytes(100_000 + number)} for number in range(LAYERS)]
    with closing(Transport(SystemClock())) as transport:
        writer = HttpRegistry(transport)
        names = [Reference(registry.host, "lambda/python", tag) for tag in ("old", "new")]
        for patch, name in enumerate(names):
            changed = {"var/lib/dpkg/status": BASH % patch, "usr/lib/c": dice.randbytes(70_000)}
            put_image(writer, name, [*below[:2], changed, *below[3:]])
        one, other = (writer.image(name) for name in names)
        yield one, other


def test_only_the_layer_that_differs_is_fetched_and_only_once(
    refrom: Refrom, registry: LabRegistry, images: tuple[Image, Image], figure: Figure
) -> None:
    Path("refrom.yaml").write_text("version: 1\n")
    sizes = {str(layer.digest): layer.size for image in images for layer in image.manifest.layers}
    differing = [str(image.manifest.layers[2].digest) for image in images]
    names = [f"docker://{registry.host}/lambda/python:{tag}" for tag in ("old", "new")]

    before = layer_bytes(registry, sizes)
    first = refrom("diff", *names, "--format", "json")
    after = layer_bytes(registry, sizes)
    again = refrom("diff", *names, "--format", "json")
    last = layer_bytes(registry, sizes)

    assert (first.code, again.code) == (DONE, DONE)
    assert [p["new"] for p in first.document["platforms"][0]["packages"]] == ["5.2.1"]
    assert first.document == again.document
    fetched = {digest: after.get(digest, 0) - before.get(digest, 0) for digest in after}
    assert {digest for digest, count in fetched.items() if count} == set(differing)
    figure(
        "bytes of layers that a diff fetches where all but one of six are shared",
        sum(fetched.values()),
        sum(sizes[digest] for digest in differing),
    )
    figure("bytes of layers that a repeated diff fetches", sum(last.values()) - sum(after.values()), 0)


def test_the_table_names_groups_and_components(
    refrom: Refrom, registry: LabRegistry, images: tuple[Image, Image]
) -> None:
    place = Reference(registry.host, "lambda/python", "set")
    with closing(Transport(SystemClock())) as transport:
        writer = HttpRegistry(transport)
        image = put_image(writer, place, [{"usr/local/bin/aws-lambda-rie": b"\x7fELF", "var/log/dnf.log": b"now"}])
        old = images[0].manifest.digest
    assert image.digest != old

    ran = refrom("diff", f"docker://{registry.host}/lambda/python@{old}", f"docker://{place}")

    assert ran.code == DONE, ran.err
    for words in ("runtime: 1 added", "logs and caches: 1 added", "aws-lambda-rie", "sha256:"):
        assert words in ran.out


def test_the_table_names_each_setting_with_both_values() -> None:
    setting = ConfigChange(part="environment", name="LANG", old="C", new=None)
    platform = PlatformChange(platform=AMD64, metadata=("environment",), settings=(setting,))
    change = BaseChange(old=Digest.of(b"old"), new=Digest.of(b"new"), platforms=(platform,))
    out = StringIO()

    show_diff(Console(file=out, width=200), diff_document(change))

    (row,) = [line for line in out.getvalue().splitlines() if "LANG" in line]
    assert row.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split() == ["environment", "LANG", "C"]


def layer_bytes(registry: LabRegistry, sizes: dict[str, int]) -> dict[str, int]:
    return {digest: count for digest, count in registry.given().items() if digest in sizes}

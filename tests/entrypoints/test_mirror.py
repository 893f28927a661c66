"""A full copy of the bases is read in the place of public.ecr.aws, which then hears nothing; names stay AWS's."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.registry import HttpRegistry, LayoutRegistry, Registries
from bot.adapters.transport import Transport
from bot.core.errors import RegistryError
from bot.core.reference import Reference
from bot.entrypoints.cli import DONE
from tests.conftest import Figure
from tests.entrypoints.conftest import Refrom
from tests.lab.clock import WoundClock
from tests.lab.images import AMD64, ARM64
from tests.lab.registry import LabRegistry, docker_registry
from tests.lab.streams import put_stream

PREFIX = "ecr-public/lambda"
UPSTREAM = Reference.parse("public.ecr.aws/lambda/python:3.13")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("cache")) as registry:
        yield registry


@pytest.fixture
def http() -> Iterator[HttpRegistry]:
    with closing(Transport(WoundClock())) as transport:
        yield HttpRegistry(transport)


def test_a_pull_through_cache_is_read_under_its_prefix(
    refrom: Refrom, cache: LabRegistry, http: HttpRegistry, figure: Figure
) -> None:
    digest = put_stream(http, Reference(cache.host, f"{PREFIX}/python", "3.13"), (AMD64, ARM64), "cached")
    before = len(cache.asked("GET"))
    Path("refrom.yaml").write_text(f'version: 1\nruntimes: {{read_from: "{cache.host}/{PREFIX}/"}}\n')

    ran = refrom("watch", "python3.13", "--format", "json", clock=WoundClock())

    (seen,) = ran.document["observations"]
    asked = cache.asked("GET")[before:]
    assert (ran.code, seen["reference"], seen["digest"]) == (DONE, str(UPSTREAM), str(digest))
    assert {line.partition("/python/")[0] for line in asked} == {f"GET /v2/{PREFIX}"}
    figure("mirror, one new stream: requests", len(asked), 1 + 2 * 2)


def test_every_way_of_reading_goes_to_the_copy_and_only_for_names_below_the_beginning(
    cache: LabRegistry, http: HttpRegistry, tmp_path: Path
) -> None:
    layout = LayoutRegistry(tmp_path)
    put_stream(http, Reference(cache.host, f"{PREFIX}/python", "3.13"), (AMD64,), "cached")
    registries = Registries({"copies.example": layout}, http, {"public.ecr.aws/lambda/": f"{cache.host}/{PREFIX}/"})

    image = registries.image(UPSTREAM, AMD64)
    for layer in image.manifest.layers:
        registries.copy_blob(UPSTREAM, layer, Reference("copies.example", "app"))
    with registries.blob(UPSTREAM, image.manifest.config) as stream:
        assert len(stream.read()) == image.manifest.config.size
    with layout.blob(Reference("copies.example", "app"), image.manifest.layers[0]) as stream:
        assert len(stream.read()) == image.manifest.layers[0].size

    with pytest.raises(RegistryError, match=f"^{cache.host}/{PREFIX}/ruby:3.4 is not there"):
        registries.manifest(Reference.parse("public.ecr.aws/lambda/ruby:3.4"))
    with pytest.raises(RegistryError, match=r"^copies.example/lambda/python:3.13 "):
        registries.manifest(Reference("copies.example", "lambda/python", "3.13"))

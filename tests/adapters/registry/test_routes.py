"""Registries of different kinds as one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.adapters.registry import HttpRegistry, LayoutRegistry, Registries
from bot.core.errors import RegistryError
from bot.core.image import Image
from bot.core.reference import Reference
from tests.lab.images import put_image
from tests.lab.registry import EcrPublicFront, LabRegistry


@pytest.fixture
def routes(http: HttpRegistry, tmp_path: Path) -> Registries:
    return Registries({"folder.example": LayoutRegistry(tmp_path)}, default=http)


def copy(routes: Registries, image: Image, source: Reference, target: Reference) -> None:
    for part in (image.manifest.config, *image.manifest.layers):
        routes.copy_blob(source, part, target)
    routes.put_manifest(target, image.manifest.media_type, image.manifest.raw)


def test_an_image_goes_from_a_registry_to_a_folder_and_back(
    routes: Registries, front: EcrPublicFront, plain: LabRegistry, fresh: Callable[[str], Reference]
) -> None:
    folder, home = fresh("folder.example"), fresh(plain.host)
    source = Reference(front.host, home.repository, home.tag)
    put_image(routes, home, [{"a": b"1"}, {"b": b"2" * 200_000}])
    image = routes.image(source)

    copy(routes, image, source, folder)
    back = fresh(plain.host)
    copy(routes, image, folder, back)

    assert routes.image(folder) == routes.image(back) == image


def test_a_blob_changed_on_its_way_is_not_kept(
    routes: Registries, front: EcrPublicFront, plain: LabRegistry, fresh: Callable[[str], Reference]
) -> None:
    folder, home = fresh("folder.example"), fresh(plain.host)
    source = Reference(front.host, home.repository, home.tag)
    put_image(routes, home)
    layer = routes.image(source).manifest.layers[0]
    front.tamper("/blobs/")

    with pytest.raises(RegistryError, match="holds other bytes"):
        routes.copy_blob(source, layer, folder)

    front.tamper(None)
    routes.copy_blob(source, layer, folder)
    with routes.blob(folder, layer) as stream:
        assert len(stream.read()) == layer.size


def test_a_host_without_a_route_goes_to_the_default(tmp_path: Path) -> None:
    routed, default = LayoutRegistry(tmp_path / "routed"), LayoutRegistry(tmp_path / "default")
    routes = Registries({"one.example": routed}, default)

    stored = [put_image(routes, Reference(host, "app", "1"), [{"h": host.encode()}]) for host in ("one.example", "x.y")]

    anywhere = Reference("any", "app", "1")
    assert [store.manifest(anywhere).digest for store in (routed, default)] == [each.digest for each in stored]

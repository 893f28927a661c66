"""Rebases of true images in true registries, from commits in true git."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.registry import HttpRegistry, LayoutRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.errors import BuildError, RegistryError
from bot.core.gate import check_image
from bot.core.image import DOCKER_MANIFEST, OCI_MANIFEST, RECIPE_LABEL, REVISION_LABEL
from bot.core.reference import Reference
from bot.ports.builder import Building, BuildOrder, Built
from tests.adapters.builder.rebase_lab import (
    APP,
    FUNCTION,
    NEW,
    NEW_BASE,
    NEW_TEXT,
    OLD,
    OLD_TEXT,
    Tree,
    World,
    make_world,
    put_image,
)
from tests.lab.clock import WoundClock
from tests.lab.images import AMD64, ARM64, CONFIG_TYPE, LAYER_TYPE, put_index
from tests.lab.registry import docker_registry

DOCKER_TYPES = (
    DOCKER_MANIFEST,
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
OCI_TYPES = (OCI_MANIFEST, CONFIG_TYPE, LAYER_TYPE)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(LayoutRegistry(tmp_path / "layouts"), "registry.example", tmp_path)


@pytest.fixture(params=["layout", "http"])
def each_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "layout":
        yield make_world(LayoutRegistry(tmp_path / "layouts"), "registry.example", tmp_path)
        return
    with closing(Transport(WoundClock())) as transport, docker_registry(tmp_path / "registry") as running:
        yield make_world(HttpRegistry(transport), running.host, tmp_path)


def test_own_layers_are_put_on_the_new_base(each_world: World) -> None:
    world = each_world
    commit = world.source.commit({"Dockerfile": OLD_TEXT, "app.py": b""})
    live = world.deploy(commit, APP)
    order = world.order(commit, live)

    built = world.build(order)

    image, base, deployed = world.read(order.destination), world.read(order.base), world.read(live)
    assert image.digest == built.digest
    assert image.layer_digests == (*base.layer_digests, deployed.layer_digests[-1])
    assert image.config.diff_ids == (*base.config.diff_ids, deployed.config.diff_ids[-1])
    assert check_image(image.manifest, image.config, AMD64) == ()
    for blob in image.manifest.layers:
        with world.store.blob(order.destination, blob) as stream:
            assert stream.read()


def test_the_config_is_the_functions_with_the_new_bases_settings(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP))

    world.build(order)

    config = world.read(order.destination).config
    assert config.env == ("PATH=/var/lang/bin", "SSL=3.0.9", "STAGE=live")
    assert (config.entrypoint, config.cmd, config.working_dir) == (
        ("/lambda-entrypoint.sh",),
        ("app.handler",),
        "/var/task",
    )
    assert config.labels == order.labels
    assert len(config.document["history"]) == len(config.diff_ids)


def test_an_order_that_was_done_before_is_recognised_by_its_labels(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP))
    first = world.build(order)

    second = world.build(replace(order, deployed=None))

    assert second.digest == first.digest


def test_a_rebase_done_twice_gives_the_same_bytes(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP))

    first = world.build(order)
    second = world.build(replace(order, destination=world.place("functions/orders:refrom-2")))

    assert first.digest == second.digest


def test_an_image_of_another_order_under_the_tag_is_replaced(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    deployed = world.deploy(commit, APP)
    put_image(world.store, world.place("functions/orders:refrom-1"), OLD, {"Labels": {REVISION_LABEL: "other"}})

    built = world.build(world.order(commit, deployed))

    assert world.read(world.place("functions/orders:refrom-1")).digest == built.digest


def test_recompressed_layers_are_recognised_by_their_diff_ids(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP, level=1))

    world.build(order)

    assert world.read(order.destination).layer_digests[:-1] == world.read(order.base).layer_digests


@pytest.mark.parametrize("types", [DOCKER_TYPES, OCI_TYPES], ids=["docker", "oci"])
def test_the_image_keeps_the_media_types_of_the_deployed_one(world: World, types: tuple[str, str, str]) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP, types=types))

    world.build(order)

    manifest = world.read(order.destination).manifest
    assert (manifest.media_type, manifest.config.media_type) == types[:2]
    assert {layer.media_type for layer in manifest.layers} == {types[2]}


def test_many_overlaps_are_counted_after_the_first_ones(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    own: Tree = {f"var/lib/rpm/{number}": b"" for number in range(10)}

    with pytest.raises(BuildError, match="/var/lib/rpm/2 is a package database in the function's layers and 7 more"):
        world.build(world.order(commit, world.deploy(commit, own)))


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"Dockerfile": NEW_TEXT}, id="its own Dockerfile"),
        pytest.param({"Dockerfile": NEW_TEXT, "other/Dockerfile": NEW_TEXT}, id="all Dockerfiles of a pull request"),
    ],
)
def test_a_commit_that_moves_bases_alone_is_rebased(world: World, files: dict[str, bytes]) -> None:
    before = world.source.commit({"Dockerfile": OLD_TEXT, "other/Dockerfile": OLD_TEXT, "app.py": b"1"})
    deployed = world.deploy(before, APP)
    after = world.source.commit(files)

    order = world.order(after, deployed)
    built = world.build(order)

    image = world.read(order.destination)
    assert (image.digest, image.config.labels[REVISION_LABEL]) == (built.digest, after)


def test_what_was_built_by_another_recipe_is_built_and_not_rebased(world: World) -> None:
    """Swapping layers would keep the old program under the tag and the labels of the new one."""
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    first = world.order(commit, world.deploy(commit, APP))
    first = replace(first, labels={**first.labels, RECIPE_LABEL: "one stage"})
    built = world.build(first)
    again = replace(
        first,
        deployed=first.destination.with_digest(built.digest),
        deployed_base=first.base,
        destination=world.place("functions/orders:refrom-2"),
    )

    with pytest.raises(BuildError, match="was built from another Dockerfile, context, stage, build argument or platf"):
        world.build(replace(again, labels={**again.labels, RECIPE_LABEL: "another stage"}))

    assert world.build(again).how.startswith("rebased")


@pytest.mark.parametrize(
    ("files", "executable", "path"),
    [
        pytest.param({"app.py": b"2"}, [], "app.py", id="code"),
        pytest.param({"Dockerfile": NEW_TEXT, "app.py": b"2"}, [], "app.py", id="code and base"),
        pytest.param({"Dockerfile": NEW_TEXT + b"RUN true\n"}, [], "Dockerfile", id="an instruction"),
        pytest.param({"Dockerfile": b"\xff"}, [], "Dockerfile", id="no text"),
        pytest.param({"Dockerfile": b"\n" * (1 << 21)}, [], "Dockerfile", id="a huge file"),
        pytest.param({"Dockerfile": None, "app.py": b"1"}, [], "Dockerfile", id="deleted"),
        pytest.param({"new.py": b""}, [], "new.py", id="added"),
        pytest.param({}, ["app.py"], "app.py", id="mode"),
    ],
)
def test_a_commit_that_changes_more_is_refused_by_path(
    world: World, files: dict[str, bytes | None], executable: list[str], path: str
) -> None:
    before = world.source.commit({"Dockerfile": OLD_TEXT, "app.py": b"1"})
    deployed = world.deploy(before, APP)
    after = world.source.commit(files, executable=executable)

    with pytest.raises(
        BuildError, match=f"{path} of acme/orders changed between {before[:12]} and {after[:12]}; use a"
    ):
        world.build(world.order(after, deployed))


@pytest.mark.parametrize("revision", ["", "main", "--output=/etc/passwd"], ids=["none", "a branch", "an option"])
def test_an_image_that_does_not_say_its_commit_is_refused(world: World, revision: str) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})

    with pytest.raises(BuildError, match="does not say its commit in the label "):
        world.build(world.order(commit, world.deploy(revision, APP)))


class Factory:
    """A builder elsewhere, which writes down what it was asked for."""

    def __init__(self, answer: Built | Building) -> None:
        self.answer, self.orders = answer, list[BuildOrder]()

    def build(self, order: BuildOrder) -> Built | Building:
        self.orders.append(order)
        return self.answer


@pytest.fixture
def factory() -> Factory:
    return Factory(Built(digest=Digest.of(b"built"), log="Step 1/2"))


@pytest.fixture
def careful(tmp_path: Path, factory: Factory) -> World:
    """A world that builds what it cannot rebase."""
    return make_world(LayoutRegistry(tmp_path / "layouts"), "registry.example", tmp_path, factory)


def test_what_is_refused_is_built_otherwise_and_says_why(careful: World, factory: Factory) -> None:
    commit = careful.source.commit({"Dockerfile": OLD_TEXT})
    order = careful.order(commit, careful.deploy(commit, APP, {"etc/.wh.hosts": b""}))

    built = careful.build(order)

    assert (factory.orders, built.digest) == ([order], Digest.of(b"built"))
    assert "/etc/hosts of the base is deleted by the function's layers" in built.how
    assert built.log == f"{built.how}\nStep 1/2"
    assert "otherwise" not in built.how


def test_what_is_built_elsewhere_for_want_of_a_proof_is_waited_for_with_the_reason(
    careful: World, factory: Factory
) -> None:
    factory.answer = Building(why="run 7 goes on")
    commit = careful.source.commit({"Dockerfile": OLD_TEXT})

    built = careful.builder.build(careful.order(commit, None))

    assert built == Building(
        why="run 7 goes on (not rebased: registry.example/functions/orders:refrom-1 cannot be rebased, "
        "the deployed image is not known)"
    )


def test_what_is_safe_is_not_built(careful: World, factory: Factory) -> None:
    commit = careful.source.commit({"Dockerfile": OLD_TEXT})

    careful.build(careful.order(commit, careful.deploy(commit, APP)))

    assert not factory.orders


@pytest.mark.parametrize("gone", ["deployed", "deployed_base"])
def test_an_image_of_the_proof_that_is_gone_is_no_proof(careful: World, factory: Factory, gone: str) -> None:
    commit = careful.source.commit({"Dockerfile": OLD_TEXT})
    order = careful.order(commit, careful.deploy(commit, APP))

    careful.build(replace(order, **{gone: careful.place("gone:1")}))  # type: ignore[arg-type]  # a reference

    assert factory.orders


def test_a_registry_that_cannot_be_asked_is_no_reason_to_build(careful: World, factory: Factory) -> None:
    """Nobody knows yet whether it may be rebased."""
    commit = careful.source.commit({"Dockerfile": OLD_TEXT})
    order = careful.order(commit, careful.deploy(commit, APP))
    index = put_index(careful.store, careful.place("functions/orders:index"), [])

    with pytest.raises(RegistryError, match="has no image for linux/amd64"):
        careful.build(replace(order, deployed=careful.place("functions/orders").with_digest(index.digest)))

    assert not factory.orders


def test_a_layer_that_cannot_be_read_is_no_proof(careful: World, factory: Factory) -> None:
    commit = careful.source.commit({"Dockerfile": OLD_TEXT})
    order = careful.order(commit, careful.deploy(commit, {"a": b"", "a/b": b""}))

    built = careful.build(order)

    assert "which is no directory" in built.how
    assert factory.orders


def test_the_proof_is_told(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})

    built = world.build(world.order(commit, world.deploy(commit, APP)))

    assert built.how == "rebased, 2 paths of the function, 3 that differ between the bases, nothing overlaps"
    assert "by layers: 3 of 4 are the old base's\n" in built.log
    assert "  /var/task\n  /var/task/app.py\n" in built.log


def test_layers_are_mounted_inside_a_registry_and_a_base_is_copied_once_between_registries(tmp_path: Path) -> None:
    """Functions of one stream in repositories of their own: the base is elsewhere, the deployed images are here."""
    with (
        closing(Transport(WoundClock())) as transport,
        docker_registry(tmp_path / "here") as here,
        docker_registry(tmp_path / "there") as there,
    ):
        world = make_world(HttpRegistry(transport), here.host, tmp_path)
        commit = world.source.commit({"Dockerfile": OLD_TEXT})
        base = put_image(world.store, Reference(there.host, "lambda/python", "new"), NEW, NEW_BASE)
        order = world.order(commit, world.deploy(commit, APP), base=base)
        places = [world.place(f"functions/{name}:refrom-1") for name in ("orders", "billing", "mailer")]
        uploads = len(here.asked("PUT"))

        logs = [world.build(replace(order, destination=place)).log for place in places]

        layers = [layer.digest for layer in world.read(base).manifest.layers]
        stored = [path for path in here.asked("PUT")[uploads:] if "/blobs/uploads/" in path]
        copied = [path for path in stored if any(digest.hex in path for digest in layers)]
        assert len(copied) == len(layers) - 1  # the layer of /var/task is the old base's too
        assert [log.rpartition("\n")[2].startswith("0 bytes of layers copied") for log in logs] == [False, True, True]
        assert len(stored) - len(copied) == len(places)  # the configs


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        pytest.param({"deployed": None}, "the deployed image is not known", id="image"),
        pytest.param({"deployed_base": None}, "the proven base of the deployed image is not known", id="base"),
    ],
)
def test_what_is_not_known_is_said(world: World, unknown: dict[str, Any], said: str) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})

    with pytest.raises(BuildError, match=said):
        world.build(world.order(commit, **{"deployed": world.deploy(commit, APP), **unknown}))


def test_an_image_that_has_only_some_of_the_bases_layers_is_refused(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    deployed = put_image(world.store, world.place("functions/orders:live"), [OLD[0], APP], FUNCTION)

    with pytest.raises(BuildError, match=r"does not stand on .*lambda/python:old"):
        world.build(world.order(commit, deployed))


def test_images_of_another_platform_are_refused(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    base = put_image(world.store, world.place("lambda/python:arm"), NEW, NEW_BASE, platform=ARM64)

    with pytest.raises((BuildError, RegistryError), match="linux/amd64"):
        world.build(world.order(commit, world.deploy(commit, APP), base=base))

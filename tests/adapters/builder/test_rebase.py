"""Rebases of true images in true registries, from commits in true git."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.contents import LayerReader
from bot.adapters.forge.local import LocalForge
from bot.adapters.registry import HttpRegistry, LayoutRegistry, Store
from bot.adapters.transport import Transport
from bot.core.dockerfile import same_but_for_bases
from bot.core.errors import BuildError, RegistryError
from bot.core.gate import check_image
from bot.core.image import BASE_DIGEST_LABEL, DOCKER_MANIFEST, OCI_MANIFEST, REVISION_LABEL, Image
from bot.core.reference import Reference
from bot.ports.builder import BuildOrder
from tests.adapters.builder.rebase_lab import Link, SourceFolder, Tree, base_layers, os_layer, put_image
from tests.lab.clock import WoundClock
from tests.lab.images import AMD64, ARM64, CONFIG_TYPE, LAYER_TYPE
from tests.lab.registry import docker_registry

DOCKER_TYPES = (
    DOCKER_MANIFEST,
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
OCI_TYPES = (OCI_MANIFEST, CONFIG_TYPE, LAYER_TYPE)
OLD, NEW = base_layers("3.0.8", "3.13.9"), base_layers("3.0.9", "3.13.11")
APP: Tree = {"var/task": None, "var/task/app.py": b"def handler(): ..."}
OLD_BASE = {
    "Env": ["PATH=/var/lang/bin", "SSL=3.0.8"],
    "Entrypoint": ["/lambda-entrypoint.sh"],
    "WorkingDir": "/var/task",
}
NEW_BASE = {**OLD_BASE, "Env": ["PATH=/var/lang/bin", "SSL=3.0.9"]}
FUNCTION = {**OLD_BASE, "Cmd": ["app.handler"], "Env": [*OLD_BASE["Env"], "STAGE=live"]}
DOCKERFILE = b'FROM public.ecr.aws/lambda/python:3.13@sha256:%s\nCOPY app.py ${LAMBDA_TASK_ROOT}\nCMD ["app.handler"]\n'
OLD_TEXT, NEW_TEXT = DOCKERFILE % (b"1" * 64), DOCKERFILE % (b"2" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A registry, a source repository, and a builder over both."""

    store: Store
    host: str
    source: SourceFolder
    builder: RebaseBuilder

    def place(self, name: str) -> Reference:
        return Reference.parse(f"{self.host}/{name}")

    def deploy(self, revision: str, *own: Tree, **more: Any) -> Reference:
        """Put an image on the old base into the registry, as if it served."""
        container = {**FUNCTION, "Labels": {REVISION_LABEL: revision} if revision else {}}
        return put_image(self.store, self.place("functions/orders:live"), [*OLD, *own], container, **more)

    def order(self, commit: str, deployed: Reference | None, **changes: Any) -> BuildOrder:
        old = put_image(self.store, self.place("lambda/python:old"), OLD, OLD_BASE)
        new = put_image(self.store, self.place("lambda/python:new"), NEW, NEW_BASE)
        order = BuildOrder(
            repository="acme/orders",
            commit=commit,
            dockerfile="Dockerfile",
            context=".",
            platform=AMD64,
            base=new,
            destination=self.place("functions/orders:refrom-1"),
            labels={BASE_DIGEST_LABEL: str(new.digest), REVISION_LABEL: commit},
            deployed=deployed,
            deployed_base=old,
        )
        return replace(order, **changes)

    def read(self, reference: Reference) -> Image:
        return self.store.image(reference)


def make_world(store: Store, host: str, folder: Path) -> World:
    source = SourceFolder(folder, "acme/orders")
    forge = LocalForge(folder, WoundClock())
    builder = RebaseBuilder(
        registry=store,
        writer=store,
        contents=LayerReader(store),
        sources=forge,
        same_but_for_bases=same_but_for_bases,
    )
    return World(store=store, host=host, source=source, builder=builder)


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

    built = world.builder.build(order)

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

    world.builder.build(order)

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
    first = world.builder.build(order)

    second = world.builder.build(replace(order, deployed=None))

    assert second.digest == first.digest


def test_a_rebase_done_twice_gives_the_same_bytes(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP))

    first = world.builder.build(order)
    second = world.builder.build(replace(order, destination=world.place("functions/orders:refrom-2")))

    assert first.digest == second.digest


def test_an_image_of_another_order_under_the_tag_is_replaced(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    deployed = world.deploy(commit, APP)
    put_image(world.store, world.place("functions/orders:refrom-1"), OLD, {"Labels": {REVISION_LABEL: "other"}})

    built = world.builder.build(world.order(commit, deployed))

    assert world.read(world.place("functions/orders:refrom-1")).digest == built.digest


def test_recompressed_layers_are_recognised_by_their_diff_ids(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP, level=1))

    world.builder.build(order)

    assert world.read(order.destination).layer_digests[:-1] == world.read(order.base).layer_digests


@pytest.mark.parametrize("types", [DOCKER_TYPES, OCI_TYPES], ids=["docker", "oci"])
def test_the_image_keeps_the_media_types_of_the_deployed_one(world: World, types: tuple[str, str, str]) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP, types=types))

    world.builder.build(order)

    manifest = world.read(order.destination).manifest
    assert (manifest.media_type, manifest.config.media_type) == types[:2]
    assert {layer.media_type for layer in manifest.layers} == {types[2]}


@pytest.mark.parametrize(
    ("own", "path"),
    [
        pytest.param({"usr/lib/libssl.so.3": b"mine"}, "/usr/lib/libssl.so.3", id="overwritten file"),
        pytest.param({"etc/.wh.hosts": b""}, "/etc/hosts", id="whiteout"),
        pytest.param({"etc/.wh..wh..opq": b""}, "/etc", id="opaque folder"),
        pytest.param({"opt/hosts": Link("etc/hosts", hard=True)}, "/opt/hosts", id="hard link"),
        pytest.param({"var/lang": Link("/opt/lang")}, "/var/lang", id="symlink over a folder"),
        pytest.param({"lib/libssl.so.3": b"mine"}, "/lib", id="through a symlink"),
        pytest.param({"var/lib/rpm/rpmdb.sqlite": b"x"}, "/var/lib/rpm/rpmdb.sqlite", id="package database"),
    ],
)
def test_an_overlap_is_refused_by_path_before_anything_is_written(world: World, own: Tree, path: str) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    order = world.order(commit, world.deploy(commit, APP, own))

    with pytest.raises(BuildError, match=f"{path} .*; use a builder that runs the Dockerfile"):
        world.builder.build(order)

    with pytest.raises(RegistryError, match="refrom-1") as fault:
        world.read(order.destination)
    assert fault.value.status == 404


def test_another_language_line_is_refused(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    base = put_image(world.store, world.place("lambda/python:next"), base_layers("3.0.9", "3.14.0"), NEW_BASE)

    with pytest.raises(BuildError, match=r"python 3\.13\.9 becomes python 3\.14\.0"):
        world.builder.build(world.order(commit, world.deploy(commit, APP), base=base))


def test_another_operating_system_is_refused_though_no_language_shows(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    bases = [
        put_image(world.store, world.place(f"lambda/provided:{tag}"), [os_layer(tag)], {}) for tag in ("al2", "al2023")
    ]
    deployed = put_image(world.store, world.place("functions/orders:live"), [os_layer("al2"), APP], FUNCTION)

    with pytest.raises(BuildError, match=r"provided:al2@.* is of another runtime than .*provided:al2023@"):
        world.builder.build(world.order(commit, deployed, deployed_base=bases[0], base=bases[1]))


def test_many_overlaps_are_counted_after_the_first_ones(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    own: Tree = {f"var/lib/rpm/{number}": b"" for number in range(10)}

    with pytest.raises(BuildError, match="/var/lib/rpm/2 is a package database in the function's layers and 7 more"):
        world.builder.build(world.order(commit, world.deploy(commit, own)))


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
    built = world.builder.build(order)

    image = world.read(order.destination)
    assert (image.digest, image.config.labels[REVISION_LABEL]) == (built.digest, after)


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
        world.builder.build(world.order(after, deployed))


@pytest.mark.parametrize("revision", ["", "main", "--output=/etc/passwd"], ids=["none", "a branch", "an option"])
def test_an_image_that_does_not_say_its_commit_is_refused(world: World, revision: str) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})

    with pytest.raises(BuildError, match="does not say its commit in the label "):
        world.builder.build(world.order(commit, world.deploy(revision, APP)))


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
        world.builder.build(world.order(commit, **{"deployed": world.deploy(commit, APP), **unknown}))


def test_an_image_that_has_only_some_of_the_bases_layers_is_refused(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    deployed = put_image(world.store, world.place("functions/orders:live"), [OLD[0], APP], FUNCTION)

    with pytest.raises(BuildError, match=r"does not stand on .*lambda/python:old"):
        world.builder.build(world.order(commit, deployed))


def test_images_of_another_platform_are_refused(world: World) -> None:
    commit = world.source.commit({"Dockerfile": OLD_TEXT})
    base = put_image(world.store, world.place("lambda/python:arm"), NEW, NEW_BASE, platform=ARM64)

    with pytest.raises((BuildError, RegistryError), match="linux/amd64"):
        world.builder.build(world.order(commit, world.deploy(commit, APP), base=base))

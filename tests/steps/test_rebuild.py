"""Rebuild: what is ordered, and what of a builder's work is taken."""

from dataclasses import dataclass, replace

import pytest

from bot.adapters.builder.recording import RecordingBuilder
from bot.adapters.contents import LayerReader
from bot.core.digest import Digest
from bot.core.errors import BuildError
from bot.core.image_tag import TagTemplate
from bot.core.observation import KnownBase
from bot.entrypoints.demo.fleet import AMD64, ARM64
from bot.entrypoints.demo.images import BaseSpec, publish_function
from bot.ports.builder import Builder, Building, BuildOrder, Built
from bot.steps.rebuild import NothingNew, Rebuilt, order, rebuild
from tests.steps.shop import PYTHON, SAME, CountingRegistry, Shop, pinned


@dataclass(slots=True)
class Bench:
    """A function on an old base, and the newer base that is merged for it."""

    shop: Shop
    old: KnownBase
    goal: KnownBase
    commit: str

    def rebuild(self, wanted: BuildOrder, builder: Builder | None = None) -> Rebuilt | NothingNew | Building:
        world = self.shop.world()
        return rebuild(wanted, self.goal, self.old, replace(world, builder=builder or world.builder))

    def order(self) -> BuildOrder:
        target = self.shop.targets[0]
        return order(target, self.commit, self.goal, self.shop.functions.function(target.function), self.old)


@dataclass(frozen=True, slots=True)
class Another:
    """A builder whose work is done already, and wrong."""

    digest: Digest

    def build(self, order: BuildOrder) -> Built:
        assert order.destination.tag
        return Built(digest=self.digest)


@pytest.fixture
def bench(shop: Shop) -> Bench:
    first = shop.publish()
    commit = shop.push("acme/orders", pinned(first))
    old = shop.watch().platforms[AMD64]
    shop.deploy("orders", first, commit)
    shop.move()
    return Bench(shop, old, shop.watch().platforms[AMD64], commit)


def test_an_image_on_the_goal_is_returned_by_digest(bench: Bench) -> None:
    wanted = bench.order()

    built = bench.rebuild(wanted)

    assert isinstance(built, Rebuilt)
    assert built.how.startswith("rebased, ")
    image = built.image
    assert (image.name, image.tag, image.digest is None) == (wanted.destination.name, None, False)
    labels = bench.shop.writer.image(image).config.labels
    assert labels["org.opencontainers.image.base.digest"] == str(bench.goal.reference.digest)
    assert labels["org.opencontainers.image.revision"] == bench.commit


def test_the_same_order_has_the_same_tag_and_another_order_another(bench: Bench) -> None:
    wanted, target = bench.order(), bench.shop.targets[0]
    function = bench.shop.functions.function("orders")

    def tag(**changes: object) -> str | None:
        return order(replace(target, **changes), bench.commit, bench.goal, function, None).destination.tag  # type: ignore[arg-type]

    assert tag() == wanted.destination.tag
    others = [tag(stage="prod"), tag(context="app"), tag(dockerfile="x/Dockerfile"), tag(build_args={"A": "1"})]
    others.append(order(target, "f" * 40, bench.goal, function, None).destination.tag)
    others.append(order(target, bench.commit, bench.old, function, None).destination.tag)
    others.append(order(target, bench.commit, bench.goal, replace(function, platform=ARM64), None).destination.tag)
    assert len({wanted.destination.tag, *others}) == len(others) + 1


def test_an_image_that_comes_later_is_waited_for(bench: Bench) -> None:
    built = bench.rebuild(bench.order(), RecordingBuilder())

    assert isinstance(built, Building)
    assert "would build Dockerfile" in built.why


def test_an_index_is_refused_because_lambda_takes_none(bench: Bench) -> None:
    shop, wanted = bench.shop, bench.order()
    index = shop.writer.manifest(PYTHON.with_tag("3.13"))
    for platform in (AMD64, ARM64):
        files = {"var/task/app.py": b"x"}
        base = PYTHON.with_digest(index.digest)
        publish_function(shop.writer, shop.writer, base, platform, files, wanted.destination, {})
        image = shop.writer.image(PYTHON.with_digest(index.digest), platform)
        for each in (image.manifest.config, *image.manifest.layers):
            shop.writer.copy_blob(PYTHON, each, wanted.destination)
        manifest = image.manifest
        shop.writer.put_manifest(wanted.destination.with_tag(None), manifest.media_type, manifest.raw)
    shop.writer.put_manifest(wanted.destination, index.media_type, index.raw)

    with pytest.raises(BuildError, match="Lambda takes only a single image"):
        bench.rebuild(wanted, Another(index.digest))


def test_an_image_on_another_base_is_refused(bench: Bench) -> None:
    deployed = bench.shop.functions.function("orders").image
    assert deployed
    assert deployed.digest

    with pytest.raises(BuildError, match="does not stand on"):
        bench.rebuild(bench.order(), Another(deployed.digest))


def test_an_image_for_another_platform_is_refused(bench: Bench) -> None:
    shop, wanted = bench.shop, bench.order()
    base = bench.goal.reference
    digest = publish_function(shop.writer, shop.writer, base, ARM64, {"a": b"x"}, wanted.destination, {})

    with pytest.raises(BuildError, match="build with --platform linux/amd64"):
        bench.rebuild(wanted, Another(digest))


def furnish(shop: Shop, after: BaseSpec) -> Bench:
    """A function on a base, and that base published again as `after`."""
    first = shop.publish()
    commit = shop.push("acme/orders", pinned(first))
    old = shop.watch().platforms[AMD64]
    shop.deploy("orders", first, commit)
    shop.move(after)
    return Bench(shop, old, shop.watch().platforms[AMD64], commit)


def test_an_image_that_differs_in_times_alone_is_nothing_new(shop: Shop) -> None:
    bench = furnish(shop, SAME)

    assert isinstance(bench.rebuild(bench.order()), NothingNew)
    assert isinstance(bench.rebuild(bench.order()), NothingNew)


def test_the_functions_own_layers_are_fetched_only_where_the_bases_are_the_same(bench: Bench) -> None:
    wanted, counting = bench.order(), CountingRegistry(bench.shop.registry)
    bench.rebuild(wanted)
    own = {layer.digest for layer in bench.shop.writer.image(wanted.destination).manifest.layers} - set(
        bench.goal.layers
    )

    world = replace(bench.shop.world(), contents=LayerReader(counting))
    assert isinstance(rebuild(wanted, bench.goal, bench.old, world), Rebuilt)

    assert own
    assert not [asked for asked in counting.asked if any(digest.hex in asked for digest in own)]


@pytest.mark.parametrize(
    "files",
    [{"var/task/app.py": b"handler = repr\n"}, {"var/task/app.py": b"handler = print\n", "var/task/b": b""}],
    ids=["a changed file", "a further file"],
)
def test_other_files_of_the_function_are_something_new_though_the_base_is_not(
    shop: Shop, files: dict[str, bytes]
) -> None:
    bench = furnish(shop, SAME)
    wanted = bench.order()
    digest = publish_function(
        shop.writer, shop.writer, bench.goal.reference, AMD64, files, wanted.destination, wanted.labels
    )

    assert isinstance(bench.rebuild(wanted, Another(digest)), Rebuilt)


def test_an_image_whose_deployed_one_is_gone_is_something_new(shop: Shop) -> None:
    bench = furnish(shop, SAME)
    wanted = bench.order()
    bench.rebuild(wanted)

    gone = replace(wanted, deployed=wanted.destination.with_tag(None).with_digest(Digest.of(b"gone")))

    assert isinstance(bench.rebuild(gone), Rebuilt)


def test_the_tag_follows_the_template(bench: Bench) -> None:
    target, function = bench.shop.targets[0], bench.shop.functions.function("orders")
    template = TagTemplate.parse("{function}-{runtime}-{commit}-{base}-{recipe}")

    tag = order(target, bench.commit, bench.goal, function, bench.old, template).destination.tag

    assert tag
    assert tag.startswith(f"orders-python3.13-{bench.commit[:12]}-")

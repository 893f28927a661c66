"""Judge: what differs between two bases, and what need not be fetched to know it."""

import json
from dataclasses import replace

import pytest

from bot.core.change import BaseChange, FileChanges, Significance
from bot.core.digest import Digest
from bot.core.errors import ContentsError, RegistryError
from bot.core.image import Descriptor, to_json
from bot.entrypoints.demo.fleet import AMD64, ARM64
from bot.steps.judge import judge
from tests.lab.images import put_document, put_image
from tests.steps.shop import AFTER, BEFORE, PYTHON, SAME, Shop


def judged(shop: Shop, old: Digest, new: Digest) -> BaseChange:
    shop.registry.asked.clear()
    return judge(PYTHON.with_digest(old), PYTHON.with_digest(new), shop.registry, shop.contents)


def blobs(shop: Shop) -> list[str]:
    return [asked for asked in shop.registry.asked if asked.startswith("blob ")]


def test_a_newer_language_and_package_are_found_on_every_platform(shop: Shop) -> None:
    change = judged(shop, shop.publish(), shop.publish(AFTER))

    assert [platform.platform for platform in change.platforms] == [AMD64, ARM64]
    assert change.significance is Significance.LANGUAGE
    assert {package.name for platform in change.platforms for package in platform.packages} == {"openssl-libs"}


def test_a_new_digest_with_the_same_contents_is_no_change(shop: Shop) -> None:
    change = judged(shop, shop.publish(), shop.publish(SAME))

    assert change.old != change.new
    assert change.significance is Significance.NONE


def test_layers_that_both_have_are_not_fetched(shop: Shop) -> None:
    one, other = shop.publish(), shop.publish(replace(BEFORE, extra={"opt/new": b"more"}))

    change = judged(shop, one, other)

    assert change.significance is Significance.FILES
    assert len(blobs(shop)) <= 2 * len(BEFORE.platforms), "the top layer alone, before and after"


def test_an_image_compared_with_itself_costs_no_layer(shop: Shop) -> None:
    digest = shop.publish()

    assert judged(shop, digest, digest).significance is Significance.NONE
    assert not blobs(shop)


def test_a_layer_once_read_is_not_fetched_again(shop: Shop) -> None:
    old, new = shop.publish(), shop.publish(AFTER)
    first = judged(shop, old, new)
    assert blobs(shop)

    assert judged(shop, old, new) == first
    assert not blobs(shop)


def test_only_platforms_that_both_have_are_compared(shop: Shop) -> None:
    change = judged(shop, shop.publish(replace(BEFORE, platforms=(AMD64,))), shop.publish(AFTER))

    assert [platform.platform for platform in change.platforms] == [AMD64]


def test_a_single_image_is_compared_with_its_platform_of_an_index(shop: Shop) -> None:
    old, new = shop.publish(), shop.publish(AFTER)
    arm = shop.writer.image(PYTHON.with_digest(old), ARM64).digest

    for change in (judged(shop, arm, new), judged(shop, new, arm)):
        assert [platform.platform for platform in change.platforms] == [ARM64]
        assert change.significance is Significance.LANGUAGE


def test_what_is_gone_is_not_called_equal(shop: Shop) -> None:
    with pytest.raises(RegistryError, match="is not there"):
        judged(shop, Digest.of(b"gone"), shop.publish())


def stored(shop: Shop, *layers: dict[str, bytes]) -> Digest:
    return put_image(shop.writer, PYTHON, layers).digest


def test_a_file_of_a_shared_layer_that_one_image_deletes_is_a_difference(shop: Shop) -> None:
    shared = {"etc/motd": b"welcome", "etc/os-release": b"ID=amzn"}
    one, other = stored(shop, shared, {"a": b"1"}), stored(shop, shared, {"a": b"1", "etc/.wh.motd": b""})

    (platform,) = judged(shop, one, other).platforms

    assert platform.files == FileChanges(removed=1)
    assert platform.significance is Significance.FILES


def test_a_database_that_one_image_adds_upon_the_shared_one_changes_what_it_changes(shop: Shop) -> None:
    bash, curl = b"Package: bash\nVersion: 5.2\n\n", b"Package: curl\nVersion: 8.1\n\n"
    shared = {"var/lib/dpkg/status": bash}
    one, other = stored(shop, shared, {"a": b"1"}), stored(shop, shared, {"var/lib/dpkg/status": bash + curl})

    (platform,) = judged(shop, one, other).platforms

    assert [package.name for package in platform.packages] == ["curl"]


def test_a_component_that_one_image_renews_upon_the_shared_one_has_both_versions(shop: Shop) -> None:
    emulator = "usr/local/bin/aws-lambda-rie"
    one = stored(shop, {emulator: b"1"}, {"a": b"1"})
    other = stored(shop, {emulator: b"1"}, {emulator: b"2"})

    (platform,) = judged(shop, one, other).platforms

    assert [(c.name, bool(c.old), bool(c.new)) for c in platform.components] == [("aws-lambda-rie", True, True)]


def test_a_database_that_cannot_be_read_removes_no_packages(shop: Shop) -> None:
    bash = b"Package: bash\nVersion: 5.2\n\n"
    one, other = (
        stored(shop, {"var/lib/dpkg/status": bash}),
        stored(shop, {"var/lib/dpkg/status": b"Package: b c\nVersion: 1\n"}),
    )

    (platform,) = judged(shop, one, other).platforms

    assert (platform.packages, platform.significance) == ((), Significance.PACKAGES)
    assert platform.unread


def test_an_image_whose_config_lies_about_a_layer_is_refused(shop: Shop) -> None:
    one = stored(shop, {"a": b"1"})
    image = shop.writer.image(PYTHON.with_digest(one))
    lie = {**image.config.document, "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(b"something else"))]}}
    written = shop.writer.put_blob(PYTHON, image.manifest.config.media_type, to_json(lie))
    manifest = {**json.loads(image.manifest.raw), "config": pointer(written)}
    other = put_document(shop.writer, PYTHON, image.manifest.media_type, manifest).digest

    with pytest.raises(ContentsError, match="the image config says"):
        judged(shop, one, other)


def pointer(descriptor: Descriptor) -> dict[str, object]:
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}

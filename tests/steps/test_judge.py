"""Judge: what differs between two bases, and what need not be fetched to know it."""

from dataclasses import replace

import pytest

from bot.core.change import BaseChange, Significance
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.entrypoints.demo.fleet import AMD64, ARM64
from bot.steps.judge import judge
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

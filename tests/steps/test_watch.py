"""Watch: what it asks of a registry, what reaches the ledger, and when a base counts as first seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.decision import Waiting
from bot.core.digest import Digest
from bot.core.errors import HalfPublished, InvalidImage, RegistryError
from bot.core.image import OCI_INDEX, Index, Manifest, to_json
from bot.core.outcome import Result
from bot.core.reference import Reference
from bot.core.tags import LambdaTag
from bot.entrypoints.demo.fleet import AMD64, ARM64, START
from bot.steps.watch import dated_tag, watch
from tests.steps.shop import AFTER, BEFORE, PYTHON, RUNTIME, SAME, CountingRegistry, Shop

MOVING = f"manifest {PYTHON}:3.13"
TAG = LambdaTag(version="3.13")


def images(shop: Shop, digest: Digest) -> dict[str, Digest]:
    """The digests of an index's images, by platform."""
    index = shop.writer.manifest(PYTHON.with_digest(digest))
    assert isinstance(index, Index)
    return {str(platform): image.digest for platform, image in index.images.items()}


def test_a_new_stream_costs_one_manifest_and_two_documents_for_each_platform(shop: Shop) -> None:
    digest = shop.publish()

    seen = shop.watch()

    assert shop.registry.asked == [MOVING, *(f"image {each}" for each in images(shop, digest).values())]
    assert (seen.digest, set(seen.platforms)) == (digest, {AMD64, ARM64})


def test_a_stream_that_stays_costs_one_manifest(shop: Shop) -> None:
    shop.publish()
    shop.watch()
    shop.registry.asked.clear()

    shop.watch()

    assert shop.registry.asked == [MOVING]


def test_a_platform_that_stays_is_not_fetched_again_and_is_known_under_the_new_index(shop: Shop) -> None:
    shop.publish()
    shop.watch()
    packages = {**BEFORE.packages, ARM64: AFTER.packages[ARM64]}
    moved = shop.publish(replace(BEFORE, packages=packages))
    shop.registry.asked.clear()

    seen = shop.watch()

    assert shop.registry.asked == [MOVING, f"image {images(shop, moved)['linux/arm64']}"]
    assert {base.reference.digest for base in seen.bases} == {moved}


def test_a_half_published_set_is_refused_and_does_not_reach_the_ledger(shop: Shop) -> None:
    shop.publish(replace(BEFORE, platforms=(AMD64,)))

    with pytest.raises(HalfPublished, match="no image for linux/arm64 yet") as refused:
        shop.watch()

    assert refused.value.retryable
    assert not shop.store.ledger.history(RUNTIME)


def test_a_stream_that_is_half_published_stays_at_the_complete_set_that_it_had_last(shop: Shop) -> None:
    """That is not the one first seen last: a tag may move back."""
    first = shop.publish()
    shop.watch()
    shop.move()
    shop.watch()
    shop.clock.advance(timedelta(days=1))
    shop.publish()
    shop.watch()
    shop.publish(replace(SAME, platforms=(AMD64,)))
    inquiry = shop.inquiry()

    assert inquiry.observe(RUNTIME, shop.now).digest == first
    assert "no image for linux/arm64 yet" in inquiry.waiting[RUNTIME]
    assert inquiry.failed_streams == ()


@pytest.mark.parametrize("known", [True, False], ids=["was complete", "never complete"])
def test_a_set_that_stays_half_published_fails_after_three_days(shop: Shop, known: bool) -> None:
    """It may be so for good, which only a person can say."""
    if known:
        shop.publish()
        shop.watch()
        shop.publish(replace(SAME, platforms=(AMD64,), created=shop.now))
    else:
        shop.publish(replace(BEFORE, platforms=(AMD64,)))
    shop.clock.advance(timedelta(days=3) - timedelta(hours=1))
    with pytest.raises(HalfPublished):
        shop.watch()
    shop.clock.advance(timedelta(hours=2))

    with pytest.raises(RegistryError, match=r"has had no image for linux/arm64 since 20.*; if there is none") as fault:
        shop.watch()

    assert not isinstance(fault.value, HalfPublished)
    assert not fault.value.retryable


def test_an_entry_that_is_an_index_again_is_refused(shop: Shop) -> None:
    """An index of one image reads as that image, so that its digest is not the one that is listed."""
    inner = shop.publish(replace(BEFORE, platforms=(AMD64,)))
    entries = [
        {
            "mediaType": OCI_INDEX,
            "digest": str(inner),
            "size": len(shop.writer.manifest(PYTHON.with_digest(inner)).raw),
            "platform": {"os": "linux", "architecture": "amd64"},
        }
    ]
    index = to_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
    shop.writer.put_manifest(PYTHON.with_tag("3.13"), OCI_INDEX, index)

    with pytest.raises(InvalidImage, match="which is an index and no image"):
        shop.watch()

    assert not shop.store.ledger.history(RUNTIME)


def test_an_index_that_offers_an_image_for_a_platform_it_is_not_for_is_refused(shop: Shop) -> None:
    entries = images(shop, shop.publish())
    swapped = {"linux/amd64": entries["linux/arm64"], "linux/arm64": entries["linux/amd64"]}
    manifests = [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": str(digest),
            "size": len(shop.writer.manifest(PYTHON.with_digest(digest)).raw),
            "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
        }
        for platform, digest in swapped.items()
    ]
    index = to_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
    shop.writer.put_manifest(PYTHON.with_tag("3.13"), OCI_INDEX, index)

    with pytest.raises(InvalidImage, match="but its config says linux/arm64"):
        shop.watch()

    assert not shop.store.ledger.history(RUNTIME)


def test_without_history_a_base_was_first_seen_when_it_was_created(shop: Shop) -> None:
    shop.publish()
    shop.clock.advance(timedelta(days=9))

    seen = shop.watch()

    assert (seen.first_seen, seen.first_seen_by) == (START, "created")


def test_with_history_a_base_was_first_seen_when_it_was_seen(shop: Shop) -> None:
    shop.publish()
    shop.watch()
    shop.move(SAME)
    shop.clock.advance(timedelta(days=9))

    seen = shop.watch()

    assert (seen.first_seen, seen.first_seen_by) == (shop.now, "watch")
    shop.clock.advance(timedelta(days=1))
    assert shop.watch().first_seen == seen.first_seen


def test_a_base_from_the_future_was_first_seen_now(shop: Shop) -> None:
    shop.publish(replace(BEFORE, created=START + timedelta(days=400)))

    assert shop.watch().first_seen == shop.now


def test_a_builders_zero_is_no_time_of_creation(shop: Shop) -> None:
    shop.publish(replace(BEFORE, created=datetime(1980, 1, 1, tzinfo=UTC)))

    seen = shop.watch()

    assert (seen.first_seen, seen.first_seen_by) == (shop.now, "watch")


def test_without_history_a_date_stamp_says_more_than_the_time_of_creation(shop: Shop) -> None:
    """The stamp is the hour of publication."""
    published = START.replace(minute=0, second=0) + timedelta(hours=2)
    stamped = str(TAG.with_stamp(published))
    shop.publish()
    index = shop.writer.manifest(PYTHON.with_tag("3.13"))
    shop.writer.put_manifest(PYTHON.with_tag(stamped), OCI_INDEX, index.raw)
    shop.clock.advance(timedelta(days=9))
    stream = replace(shop.catalogue.get(RUNTIME), tag=stamped)

    seen = watch(stream, shop.registry, shop.store.ledger, shop.now)

    assert (seen.first_seen, seen.first_seen_by) == (published, "stamp")


@pytest.mark.parametrize("late", [0, 1, -1, 2, 3], ids=lambda hours: f"{hours} hours later")
def test_a_dated_tag_is_found_around_the_hour_of_creation(shop: Shop, late: int) -> None:
    """The stamp is the hour of publication; the config's time is that of the build."""
    digest = shop.publish()
    index = shop.writer.manifest(PYTHON.with_digest(digest))
    stamped = str(TAG.with_stamp(START + timedelta(hours=late)))
    shop.publish(replace(AFTER, created=START))
    shop.writer.put_manifest(PYTHON.with_tag("3.13"), OCI_INDEX, index.raw)
    shop.writer.put_manifest(PYTHON.with_tag(stamped), OCI_INDEX, index.raw)

    assert dated_tag(TAG, digest, shop.watch(), shop.registry) == stamped


def test_a_dated_tag_of_other_contents_is_none(shop: Shop) -> None:
    shop.publish()
    seen = shop.watch()
    shop.publish(replace(AFTER, created=START))
    shop.registry.asked.clear()

    assert dated_tag(TAG, seen.digest, seen, shop.registry) is None
    assert len(shop.registry.asked) == 5


def test_a_dated_tag_of_one_platform_is_none_of_the_whole_set(shop: Shop) -> None:
    """The set may be half published: the stamp must name the very digest that is written."""
    index, moving = shop.publish(), PYTHON.with_tag(str(TAG.with_stamp(START)))
    seen = shop.watch()
    image = shop.writer.manifest(PYTHON.with_digest(seen.platforms[ARM64].digest))
    shop.writer.put_manifest(moving, image.media_type, image.raw)
    suffixed = LambdaTag(version="3.13", architecture="arm64")
    shop.writer.put_manifest(PYTHON.with_tag(str(suffixed.with_stamp(START))), image.media_type, image.raw)

    assert dated_tag(TAG, index, seen, shop.registry) is None
    assert dated_tag(suffixed, image.digest, seen, shop.registry) == str(suffixed.with_stamp(START))


def test_a_registry_that_fails_is_no_missing_date(shop: Shop) -> None:
    shop.publish()
    seen = shop.watch()

    class Failing(CountingRegistry):
        def manifest(self, reference: Reference) -> Manifest | Index:
            raise RegistryError(f"{reference}: try later", status=429, retryable=True)

    with pytest.raises(RegistryError, match="try later"):
        dated_tag(TAG, seen.digest, seen, Failing(shop.writer))


def test_uses_of_a_stream_that_was_never_complete_wait_and_nothing_failed(shop: Shop) -> None:
    shop.publish(replace(BEFORE, platforms=(AMD64,)))
    shop.push("acme/orders")

    report = shop.cycle()

    (decision,) = report.decisions
    assert isinstance(decision, Waiting)
    assert "no image for linux/arm64 yet" in decision.reason
    assert [(outcome.step, outcome.result) for outcome in report.outcomes] == [("watch", Result.WAITING)]
    assert not report.needs_attention

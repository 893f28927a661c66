"""Prove: the layers decide on which base an image stands; labels only say where to look."""

from collections.abc import Mapping

import pytest

from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, Image
from bot.core.lineage import Lineage
from bot.core.reference import Reference
from bot.entrypoints.demo.fleet import AMD64, ARM64
from bot.entrypoints.demo.images import publish_function
from bot.steps.prove import lineage
from bot.steps.seek import Seeker, fetch_base
from tests.steps.shop import PYTHON, RUNTIME, CountingRegistry, Shop

IMAGE = Reference("registry.example", "orders", "first")


def built(shop: Shop, base: Digest, labels: Mapping[str, str] | None = None) -> Image:
    """An image of a function on a base, as it is read from its registry."""
    files = {"var/task/app.py": b"x"}
    publish_function(shop.writer, shop.writer, PYTHON.with_digest(base), AMD64, files, IMAGE, labels or {})
    return shop.writer.image(IMAGE)


def proven(shop: Shop, image: Image) -> Lineage:
    seeker = Seeker(shop.registry, shop.catalogue)
    return lineage(image, observations=(), runtimes=(RUNTIME,), seeker=seeker, ledger=shop.store.ledger)


def labels(name: str, digest: object) -> Mapping[str, str]:
    return {BASE_NAME_LABEL: name, BASE_DIGEST_LABEL: str(digest)}


def test_a_base_is_proven_by_the_ledger(shop: Shop) -> None:
    old = shop.publish()
    shop.watch()
    shop.move()
    shop.watch()

    found = proven(shop, built(shop, old))

    assert found.base
    assert (found.verdict, found.by, found.base.reference.digest) == ("proven", "layers", old)


def test_without_a_ledger_the_label_says_which_base_to_fetch(shop: Shop) -> None:
    old = shop.publish()
    shop.move()

    found = proven(shop, built(shop, old, labels(f"{PYTHON}:3.13", old)))

    assert found.base
    assert (found.base.reference.digest, found.base.runtime, found.base.platform) == (old, RUNTIME, AMD64)
    assert [(lead.source, lead.outcome) for lead in found.leads] == [("label", "fetched")]


def test_without_a_ledger_and_a_label_the_dates_of_the_history_say_which_bases_to_fetch(shop: Shop) -> None:
    old = shop.publish()
    shop.move()

    found = proven(shop, built(shop, old))

    assert found.base
    assert (found.base.reference.digest, found.base.reference.tag) == (old, "3.13.2026.11.01.15")
    assert [lead.source for lead in found.leads] == ["date"]


def test_a_label_that_lies_is_not_believed(shop: Shop) -> None:
    """The dates lead to the base that lies there in truth."""
    old, new = shop.publish(), shop.move()

    found = proven(shop, built(shop, old, labels(f"{PYTHON}:3.13", new)))

    assert found.base
    assert found.base.reference.digest == old


def test_the_stream_beside_a_digest_in_a_label_is_not_believed(shop: Shop) -> None:
    """A digest of Python 3.13 under the name of Python 3.12 is a base of 3.13."""
    old = shop.publish()
    shop.move()

    found = proven(shop, built(shop, old, labels(f"{PYTHON}:3.12", old)))

    assert found.base
    assert (found.base.runtime, found.base.reference.tag) == (RUNTIME, "3.13.2026.11.01.15")


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        pytest.param(f"{PYTHON}:3.13", Digest.of(b"gone"), id="a base that is gone"),
        pytest.param(f"{PYTHON}:3.13", "sha256:../..", id="a malformed digest"),
        pytest.param("not a reference", Digest.of(b"x"), id="a malformed name"),
        pytest.param("evil.example/x/python:3.13", Digest.of(b"x"), id="a stranger's registry"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_hostile_label_breaks_nothing(shop: Shop, name: str, digest: object) -> None:
    old = shop.publish()
    shop.watch()
    image = built(shop, old, labels(name, digest))
    shop.registry.asked.clear()

    assert proven(shop, image).verdict == "proven"
    assert not any("evil" in asked for asked in shop.registry.asked)


def test_a_label_that_names_an_image_for_another_platform_breaks_nothing(shop: Shop) -> None:
    old = shop.publish()
    arm = shop.watch().platforms[ARM64].digest

    assert proven(shop, built(shop, old, labels(f"{PYTHON}:3.13", arm))).verdict == "proven"


def test_a_registry_that_fails_is_no_proof_that_the_base_is_gone(shop: Shop) -> None:
    class Down(CountingRegistry):
        def image(self, reference: Reference, platform: object = None) -> Image:
            raise RegistryError(f"{reference} for {platform}: try again later", status=503, retryable=True)

    image = built(shop, shop.publish(), labels(f"{PYTHON}:3.13", Digest.of(b"x")))
    shop.registry = Down(shop.writer)

    with pytest.raises(RegistryError, match="try again later"):
        proven(shop, image)


def test_a_base_is_fetched_from_where_its_name_leads(shop: Shop) -> None:
    index = shop.publish()

    base = fetch_base(PYTHON.with_tag("3.13").with_digest(index), ARM64, shop.registry)

    assert (base.runtime, base.platform, base.digest) == (RUNTIME, ARM64, shop.watch().platforms[ARM64].digest)

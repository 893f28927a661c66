"""Prove: the layers decide on which base an image stands; labels only say where to look."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, Image
from bot.core.layer import Language
from bot.core.leads import NamedBase
from bot.core.lineage import Lineage
from bot.core.reference import Reference
from bot.entrypoints.demo.fleet import AMD64, ARM64
from bot.entrypoints.demo.images import publish_function
from bot.steps.prove import lineage
from bot.steps.seek import MOST_NAMED, Seeker, fetch_base
from tests.steps.shop import BEFORE, PYTHON, RUNTIME, CountingRegistry, Shop

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


def test_a_label_under_the_name_of_a_mirror_leads_to_the_base_it_stands_for(shop: Shop) -> None:
    old = shop.publish()
    shop.move()
    image = built(shop, old, labels("registry.example/bases/python:3.13", old))
    seeker = Seeker(shop.registry, shop.catalogue, ["registry.example/bases"])

    found = lineage(image, observations=(), runtimes=(), seeker=seeker, ledger=shop.store.ledger)

    assert found.base
    assert (found.base.reference.name, found.base.reference.digest) == (str(PYTHON), old)
    assert [lead.source for lead in found.leads] == ["label"]


def test_a_digest_that_no_tag_leads_to_keeps_the_name_beside_it_and_that_is_told(shop: Shop) -> None:
    """As in a copy of AWS's registry that has no date stamps."""
    old = shop.publish(replace(BEFORE, tag="copied"))

    found = proven(shop, built(shop, old, labels(f"{PYTHON}:3.13", old)))

    assert found.base
    assert (found.base.runtime, found.base.reference.digest) == (RUNTIME, old)
    assert [lead.outcome for lead in found.leads] == ["fetched; no tag leads to it, the name is the hint's"]


def test_a_digest_that_no_tag_leads_to_has_no_stream_where_there_are_date_stamps(shop: Shop) -> None:
    """Any name could stand beside it."""
    old = shop.publish(replace(BEFORE, tag="copied"))
    shop.publish(replace(BEFORE, language=Language("python", "3.12.9"), tag="3.12"))

    found = proven(shop, built(shop, old, labels(f"{PYTHON}:3.13", old)))

    assert found.base
    assert (found.base.runtime, found.base.reference) == ("", PYTHON.with_digest(old))


def test_a_date_stamp_in_a_label_is_as_good_as_a_digest(shop: Shop) -> None:
    old = shop.publish()
    shop.move()

    found = proven(shop, built(shop, old, {BASE_NAME_LABEL: f"{PYTHON}:3.13.2026.11.01.15"}))

    assert found.base
    assert found.base.reference.digest == old
    assert [lead.source for lead in found.leads] == ["label"]


def test_an_image_names_a_few_bases_at_most(shop: Shop) -> None:
    """The rest is told as not asked for."""
    image = built(shop, shop.publish())
    named = [
        NamedBase(source="provenance", text=f"{number}", reference=PYTHON.with_digest(Digest.of(bytes([number]))))
        for number in range(30)
    ]

    found = list(Seeker(shop.registry, shop.catalogue).named(named, image.platform, frozenset()))

    assert len(found) == 20
    assert [lead.outcome for lead, _ in found].count(f"not asked for; {MOST_NAMED} others were") == 20 - MOST_NAMED
    assert len(shop.registry.asked) == MOST_NAMED


def test_within_one_inquiry_nothing_is_asked_for_twice(shop: Shop) -> None:
    old = shop.publish()
    shop.move()
    images = [built(shop, old), built(shop, old, labels(f"{PYTHON}:3.13", old))]
    seeker = Seeker(shop.registry, shop.catalogue)

    def ask() -> int:
        shop.registry.asked.clear()
        for image in images:
            assert lineage(image, observations=(), runtimes=(), seeker=seeker, ledger=shop.store.ledger).base
        return len(shop.registry.asked)

    assert (ask() > 0, ask()) == (True, 0)


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

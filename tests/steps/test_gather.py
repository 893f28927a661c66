"""Gather: what is in use, what it would become, how the two differ, and since when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.carriers import scan_file
from bot.core.change import Significance
from bot.core.decision import BaseUse, Known, Unwatched
from bot.core.digest import Digest
from bot.core.observation import KnownBase
from bot.entrypoints.demo.fleet import AMD64, ARM64, MOVED
from bot.steps.gather import behind_since, gather
from tests.steps.shop import AFTER, BEFORE, PYTHON, SAME, UNPINNED, Shop, pinned


def use(dockerfile: str) -> BaseUse:
    located = scan_file("Dockerfile", dockerfile.encode()).uses[0]
    return BaseUse(repository="acme/orders", commit="c" * 40, located=located)


def gathered(shop: Shop, dockerfile: str, *deployed: KnownBase, dated: bool = False) -> Known | Unwatched:
    inquiry = shop.inquiry()
    find_date = inquiry.find_date if dated else None
    return gather(use(dockerfile), shop.watch(), deployed, shop.registry, shop.store.ledger, inquiry.judge, find_date)


def dated() -> str:
    return f"FROM {PYTHON}:3.13.{BEFORE.created:%Y.%m.%d.%H}\n"


def known(shop: Shop, dockerfile: str, *deployed: KnownBase, dated: bool = False) -> Known:
    facts = gathered(shop, dockerfile, *deployed, dated=dated)
    assert isinstance(facts, Known), facts
    return facts


def test_a_pinned_digest_is_in_use_and_compared_with_the_latest(shop: Shop) -> None:
    old, new = shop.publish(), shop.move()

    facts = known(shop, pinned(old))

    assert (facts.in_use, facts.candidate, facts.dated_tag, facts.fault) == (old, new, None, "")
    assert facts.change
    assert facts.change.significance is Significance.LANGUAGE


@pytest.mark.parametrize("image", [None, AMD64], ids=["index", "platform image"])
def test_a_current_digest_is_compared_with_nothing(shop: Shop, image: object) -> None:
    index = shop.publish()
    digest = shop.writer.image(PYTHON.with_digest(index), AMD64).digest if image else index

    assert known(shop, pinned(digest)).change is None


def test_without_a_digest_what_the_functions_prove_is_in_use(shop: Shop) -> None:
    shop.publish()
    old = shop.watch().platforms[AMD64]
    shop.move()

    assert known(shop, UNPINNED).in_use is None
    assert known(shop, UNPINNED, old).in_use == old.reference.digest


def test_of_several_functions_the_one_that_is_behind_counts(shop: Shop) -> None:
    shop.publish()
    old = shop.watch().platforms[AMD64]
    shop.move()
    current = shop.watch().platforms[AMD64]

    assert known(shop, UNPINNED, current, old).in_use == old.reference.digest


def test_a_function_on_another_runtime_says_nothing_about_this_use(shop: Shop) -> None:
    shop.publish()
    other = replace(shop.watch().platforms[AMD64], runtime="python3.12")

    assert known(shop, UNPINNED, other).in_use is None


def test_a_tag_for_one_architecture_leads_to_that_image(shop: Shop) -> None:
    shop.publish()

    facts = known(shop, "FROM public.ecr.aws/lambda/python:3.13-arm64\n")

    assert facts.candidate == shop.watch().platforms[ARM64].digest


def test_a_dated_tag_leads_to_the_dated_tag_of_the_latest(shop: Shop) -> None:
    old, new = shop.publish(), shop.move()

    facts = known(shop, dated(), dated=True)

    assert (facts.in_use, facts.candidate, facts.dated_tag) == (old, new, f"3.13.{MOVED:%Y.%m.%d.%H}")


def test_a_moving_tag_leads_to_the_dated_tag_of_the_latest_if_dates_are_wanted(shop: Shop) -> None:
    shop.publish()

    assert known(shop, UNPINNED, dated=True).dated_tag == f"3.13.{BEFORE.created:%Y.%m.%d.%H}"
    assert known(shop, UNPINNED).dated_tag is None


def test_a_date_is_looked_for_only_where_there_is_something_newer(shop: Shop) -> None:
    shop.publish()
    shop.watch()
    shop.registry.asked.clear()

    facts = known(shop, dated(), dated=True)

    assert facts.dated_tag is None
    assert shop.registry.asked == [f"manifest {PYTHON}:3.13", f"manifest {PYTHON}:3.13.{BEFORE.created:%Y.%m.%d.%H}"]


def test_a_dated_tag_without_a_newer_one_has_none(shop: Shop) -> None:
    """The hour of the newer base names another digest."""
    old = shop.publish()
    shop.watch()
    index = shop.writer.manifest(PYTHON.with_digest(shop.move()))
    shop.publish(replace(BEFORE, created=AFTER.created))
    shop.writer.put_manifest(PYTHON.with_tag("3.13"), index.media_type, index.raw)

    facts = known(shop, dated(), dated=True)

    assert (facts.in_use, facts.candidate, facts.dated_tag) == (old, index.digest, None)


def test_a_dated_tag_that_is_gone_is_a_fact_and_no_failure(shop: Shop) -> None:
    shop.publish()

    facts = known(shop, f"FROM {PYTHON}:3.13.2020.01.01.00\n", dated=True)

    assert (facts.in_use, facts.change) == (None, None)
    assert facts.fault == f"the base in use, {PYTHON}:3.13.2020.01.01.00, is gone"


def test_a_reference_without_version_is_not_watched(shop: Shop) -> None:
    shop.publish()

    facts = gathered(shop, "FROM public.ecr.aws/lambda/python\n")

    assert isinstance(facts, Unwatched)
    assert "write one, such as python:3.13" in facts.fault


def test_a_base_in_use_that_is_gone_is_a_fact_and_no_failure(shop: Shop) -> None:
    shop.publish()

    facts = known(shop, pinned(Digest.of(b"gone")))

    assert facts.change is None
    assert "is gone from" in facts.fault


def test_platforms_that_were_not_compared_are_not_called_equal(shop: Shop) -> None:
    """The base in use has no image for the platform of this use, so nothing is known of the difference."""
    old = shop.publish(replace(BEFORE, platforms=(AMD64,)))
    shop.move(SAME)

    facts = known(shop, pinned(old).replace("FROM", "FROM --platform=linux/arm64"))

    assert facts.change is None
    assert "no platform in common" in facts.fault


def test_only_platforms_of_the_use_are_compared(shop: Shop) -> None:
    old = shop.publish()
    shop.move(replace(SAME, packages={**BEFORE.packages, ARM64: AFTER.packages[ARM64]}))

    change = known(shop, pinned(old).replace("FROM", "FROM --platform=linux/amd64")).change

    assert change
    assert change.significance is Significance.NONE


def test_a_base_is_behind_since_the_first_newer_one_appeared(shop: Shop) -> None:
    old = shop.publish()
    shop.watch()
    shop.move(SAME)
    first = shop.watch().first_seen
    shop.clock.advance(timedelta(days=3))
    shop.publish(replace(AFTER, created=shop.now))
    latest = shop.watch()

    assert behind_since(old, latest, shop.store.ledger) == first
    assert behind_since(latest.digest, latest, shop.store.ledger) == latest.first_seen

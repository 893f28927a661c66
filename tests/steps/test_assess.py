"""Assess: what advisories say about a change now, each feed asked at most once, and never an error."""

from dataclasses import replace

import pytest

from bot.core.advisories import Advisory, Bulletin, Severity
from bot.core.change import BaseChange, Significance
from bot.core.decision import Update
from bot.core.digest import Digest
from bot.core.errors import AdvisoryError
from bot.core.outcome import Result
from bot.core.platforms import Platform
from bot.core.policy import Policy, UpdateOn
from bot.entrypoints.demo.fleet import AMD64, ARM64
from bot.steps.assess import Assessor
from bot.steps.judge import judge
from tests.steps.shop import AFTER, BEFORE, PYTHON, RUNTIME, SAME, Shop, pinned

FIXED = {
    package.arch: package for packages in AFTER.packages.values() for package in packages if "openssl" in package.name
}


class Feeds:
    """Feeds that say what a test tells them, and remember what they were asked for."""

    def __init__(self, *advisories: Advisory) -> None:
        self.advisories = list(advisories)
        self.fault: AdvisoryError | None = None
        self.asked: list[tuple[str, Platform]] = []

    def bulletin(self, system: str, platform: Platform) -> Bulletin:
        self.asked.append((system, platform))
        if self.fault:
            raise self.fault
        return Bulletin(system, self.advisories)


PACKAGES = [package for packages in AFTER.packages.values() for package in packages]
ADVISORY = Advisory(
    identifier="ALAS2023-2026-001",
    severity=Severity.IMPORTANT,
    packages=tuple(package for package in PACKAGES if package.name == "openssl-libs"),
)


def compared(shop: Shop, old: Digest, new: Digest) -> BaseChange:
    return judge(PYTHON.with_digest(old), PYTHON.with_digest(new), shop.registry, shop.contents)


def test_a_fix_is_found_on_every_platform_by_one_question_each(shop: Shop) -> None:
    feeds, change = Feeds(ADVISORY), compared(shop, shop.publish(), shop.publish(AFTER))
    assessor = Assessor(feeds)

    assessed = assessor.assess(change, "AL2023")

    assert assessed.significance is Significance.SECURITY
    assert [fix.packages for platform in assessed.platforms for fix in platform.security.fixes] == [
        ("openssl-libs",)
    ] * 2
    assert assessor.assess(change, "AL2023") == assessed
    assert feeds.asked == [("AL2023", AMD64), ("AL2023", ARM64)]


@pytest.mark.parametrize("spec", [SAME, replace(BEFORE, extra={"opt/new": b"more"})], ids=["times", "files"])
def test_no_feed_is_asked_where_no_package_moved(shop: Shop, spec: object) -> None:
    feeds = Feeds(ADVISORY)

    assessed = Assessor(feeds).assess(compared(shop, shop.publish(), shop.publish(spec)), "AL2023")  # type: ignore[arg-type]

    assert (assessed.unassessed, feeds.asked) == ("", [])


def test_a_feed_that_fails_is_told_and_not_asked_again(shop: Shop) -> None:
    feeds = Feeds()
    feeds.fault = AdvisoryError("the mirror is down; try again later", retryable=True)
    change = compared(shop, shop.publish(), shop.publish(AFTER))
    assessor = Assessor(feeds)

    assessed = assessor.assess(assessor.assess(change, "AL2023"), "AL2023")

    assert assessed.unassessed == "the mirror is down; try again later"
    assert feeds.asked == [("AL2023", AMD64)], "the other platform is spared the same wait"


def test_the_catalogue_says_whose_advisories_count(shop: Shop) -> None:
    feeds = shop.advisories = Feeds(ADVISORY)
    shop.policy = Policy(update_on=UpdateOn.SECURITY)
    shop.push("acme/orders", pinned(shop.publish()))
    shop.move()

    (decision,) = shop.cycle().decisions

    assert isinstance(decision, Update)
    assert decision.reason == "security: important, ALAS2023-2026-001 (openssl-libs)"
    assert {system for system, _ in feeds.asked} == {shop.catalogue.get(RUNTIME).os} == {"AL2023"}


def test_what_advisories_say_is_asked_anew_in_every_cycle(shop: Shop) -> None:
    """Though the comparison of the two images is the same, and its layers are not fetched again."""
    feeds = shop.advisories = Feeds()
    shop.policy = Policy(update_on=UpdateOn.SECURITY)
    shop.push("acme/orders", pinned(shop.publish()))
    shop.move()
    assert not shop.cycle().outcomes
    shop.registry.asked.clear()

    feeds.advisories.append(ADVISORY)
    report = shop.cycle()

    assert [f"{outcome.step} {outcome.result}" for outcome in report.outcomes] == ["propose opened"]
    assert not [asked for asked in shop.registry.asked if asked.startswith("blob ")]


def test_an_open_pull_request_learns_of_an_advisory_that_comes_late_and_keeps_it_through_an_outage(shop: Shop) -> None:
    feeds = shop.advisories = Feeds()
    shop.push("acme/orders", pinned(shop.publish()))
    shop.move()
    shop.cycle()
    feeds.advisories.append(ADVISORY)

    told = [outcome.result for _ in range(2) for outcome in shop.cycle().outcomes]
    feeds.fault = AdvisoryError("the mirror is down; try again later", retryable=True)
    told += [outcome.result for outcome in shop.cycle().outcomes]

    assert told == [Result.REFRESHED, Result.UNCHANGED, Result.UNCHANGED]
    (pull,) = shop.pull_requests("acme/orders")
    assert "[ALAS2023-2026-001](https://alas.aws.amazon.com/AL2023/ALAS2023-2026-001.html)" in pull.body

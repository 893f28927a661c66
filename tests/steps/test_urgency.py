"""Urgency and burn: a fix is owed from the first base that brings it, and a day has one sample at most."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.advisories import Advisory, Severity
from bot.core.change import BaseChange, Significance
from bot.core.layer import Language, Package
from bot.core.reference import Reference
from bot.core.responsibility import Duty, State
from bot.core.slo import Agreement, Rule
from bot.entrypoints.demo.fleet import MOVED
from bot.ports.world import World
from bot.steps.audit import audit
from bot.steps.burn import SPAN, burn, keep_sample
from bot.steps.inquire import Inquiry
from bot.steps.rules import Rules
from tests.steps.shop import AFTER, BEFORE, Shop, pinned
from tests.steps.test_assess import Feeds

DAY = timedelta(days=1)
FIXED = "1:3.0.8-1.amzn2023.0.26"
MOVES = 6
"""Bases after the one in use, a day apart."""


def advisory(severity: Severity, issued: datetime | None = None) -> Advisory:
    package = Package("openssl-libs", "x86_64", FIXED)
    return Advisory(identifier="ALAS2023-2026-7", severity=severity, packages=(package,), issued=issued)


def fleet_behind(shop: Shop, *, fixed_by: int, then: int = 0) -> None:
    """Six bases come a day apart, one language patch each; from one on they have the package that is fixed."""
    shop.deploy("orders", base := shop.publish(), shop.push("acme/orders", pinned(base)))
    shop.clock.wait_until(MOVED)
    for move in range(MOVES):
        packages = AFTER.packages if move >= fixed_by else BEFORE.packages
        language = Language("python", f"3.13.{10 + move}")
        shop.publish(replace(AFTER, packages=packages, language=language, created=shop.now))
        shop.watch()
        shop.clock.advance(DAY)
    shop.clock.advance(then * DAY)


def duty(shop: Shop) -> Duty:
    rules = replace(shop.rules(), slo=AGREED)
    inquiry = shop.inquiry()
    inquiry.rules = rules
    ((finding,),) = (audit(inquiry, shop.now).findings,)
    return finding.duties[0]


AGREED = Agreement(security_critical=3 * DAY, security_important=7 * DAY, any=30 * DAY)


@pytest.mark.parametrize("fixed_by", range(MOVES))
def test_a_critical_fix_is_owed_from_the_first_base_that_brings_it(shop: Shop, fixed_by: int) -> None:
    shop.advisories = Feeds(advisory(Severity.CRITICAL))
    fleet_behind(shop, fixed_by=fixed_by)

    owed = duty(shop)

    late = (MOVES - fixed_by) - 3
    expected = (State.OVERDUE, late) if late > 0 else (State.DUE, -late)
    assert (owed.state, owed.days, owed.rule) == (*expected, Rule.SECURITY_CRITICAL)


def test_a_fix_is_not_owed_before_its_advisory_was_issued(shop: Shop) -> None:
    """The base had the package for days; nobody could know that it was a fix."""
    shop.advisories = Feeds(advisory(Severity.CRITICAL, MOVED + 5 * DAY))
    fleet_behind(shop, fixed_by=0)

    assert (duty(shop).state, duty(shop).days) == (State.DUE, 2)


@pytest.mark.parametrize(
    ("severity", "rule"),
    [
        pytest.param(Severity.MEDIUM, Rule.ANY, id="less than agreed on"),
        pytest.param(Severity.IMPORTANT, Rule.SECURITY_IMPORTANT, id="important"),
        pytest.param(Severity.UNRATED, Rule.SECURITY_CRITICAL, id="without a rating"),
    ],
)
def test_the_severity_says_which_time_holds(shop: Shop, severity: Severity, rule: Rule) -> None:
    shop.advisories = Feeds(advisory(severity))
    fleet_behind(shop, fixed_by=0)

    assert duty(shop).rule is rule


class Counting(Inquiry):
    """An inquiry that writes down which bases it was asked to compare with."""

    def __init__(self, world: World, rules: Rules) -> None:
        super().__init__(world, rules)
        self.compared: set[Reference] = set()

    def judge(self, old: Reference, new: Reference, runtime: str) -> BaseChange:
        self.compared.add(new)
        return super().judge(old, new, runtime)


def test_of_many_bases_a_few_are_compared(shop: Shop) -> None:
    shop.advisories = Feeds(advisory(Severity.CRITICAL))
    fleet_behind(shop, fixed_by=3)
    inquiry = Counting(shop.world(), replace(shop.rules(), slo=Agreement(security_critical=DAY)))

    (finding,) = audit(inquiry, shop.now).findings

    assert finding.evidence.change
    assert finding.evidence.change.significance is Significance.SECURITY
    assert len(inquiry.compared) <= 1 + 3


def test_a_base_that_is_gone_gives_no_time_for_nothing(shop: Shop) -> None:
    """Whether it had the fix cannot be read any more, so it counts as if."""
    shop.advisories = Feeds(advisory(Severity.CRITICAL))
    fleet_behind(shop, fixed_by=MOVES - 1)
    for seen in shop.store.ledger.history("python3.13")[1:-1]:
        for base in seen.bases:
            (shop.folder / "registry/lambda/python/blobs" / str(base.digest).replace(":", "/")).unlink()
        (shop.folder / "registry/lambda/python/blobs" / str(seen.digest).replace(":", "/")).unlink()

    assert (duty(shop).state, duty(shop).rule) == (State.OVERDUE, Rule.SECURITY_CRITICAL)


def test_a_day_has_one_sample_and_a_series_is_oldest_first(shop: Shop) -> None:
    fleet_behind(shop, fixed_by=0)
    journal, findings = shop.store.journal, audit(shop.inquiry(), shop.now).findings
    for _ in range(5):
        keep_sample(journal, findings, shop.now)
        shop.clock.advance(timedelta(hours=9))

    days = [(sample.day, sample.functions, sample.within, sample.overdue) for sample in burn(journal, shop.now)]

    assert [day - days[0][0] for day, *_ in days] == [0 * DAY, DAY, 2 * DAY]
    assert {tuple(counts) for _, *counts in days} == {(1, 1, 0)}


def test_nothing_to_count_is_no_sample(shop: Shop) -> None:
    keep_sample(shop.store.journal, (), shop.now)

    assert burn(shop.store.journal, shop.now) == ()


def test_a_report_looks_a_quarter_back(shop: Shop) -> None:
    fleet_behind(shop, fixed_by=0)
    findings = audit(shop.inquiry(), shop.now).findings
    keep_sample(shop.store.journal, findings, shop.now)

    assert len(burn(shop.store.journal, shop.now + SPAN)) == 1
    assert burn(shop.store.journal, shop.now + SPAN + DAY) == ()

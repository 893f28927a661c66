"""Discovery in the loop: what rules find is looked after as what the settings name; what cannot be listed is told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.engine.memory import MemoryEngine
from bot.core.decision import Skip, Update
from bot.core.deployment import Strategy
from bot.core.image import ORIGIN_LABELS
from bot.core.mapping import ByImage, ByLabel, ByTag, Candidate, MappingRule
from bot.core.outcome import Result
from bot.core.policy import Style
from bot.core.responsibility import Verdict
from bot.ports.deployer import Listing
from bot.ports.examination import Check, State
from bot.steps.audit import audit, audit_after
from bot.steps.cycle import Cycle, Report
from bot.steps.discover import discover
from bot.steps.doctor import MAP, examine
from bot.steps.inquire import Inquiry
from bot.steps.rules import Rules
from tests.steps.shop import UNPINNED, Shop, pinned
from tests.steps.test_doctor import patient

ORDERS = "arn:local:lambda:::function:orders"
BY_IMAGE = ByImage(image="*", repository="acme/*", alias="live")


@dataclass(frozen=True, slots=True)
class PartlyListed:
    """Functions of which one place cannot be listed."""

    functions: Any
    place: str = "account 210987654321 in eu-west-1"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.functions, name)

    def listed(self) -> Listing:
        return Listing(self.functions.listed().functions, ((self.place, "no right to list; allow it"),))


@dataclass(frozen=True, slots=True)
class Listed:
    """Functions of which nothing but this listing is known."""

    functions: tuple[Candidate, ...]

    def listed(self) -> Listing:
        return Listing(self.functions)


@pytest.fixture
def found(shop: Shop) -> Shop:
    """One function whose repository pins its base, and which the settings do not name."""
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets.clear()
    return shop


def rules_of(shop: Shop, *rules: MappingRule) -> Rules:
    return discover(replace(shop.rules(), discovery=rules), shop.world().functions, shop.registry)


def run(shop: Shop, *rules: MappingRule) -> Report:
    return Cycle(shop.world(), rules_of(shop, *rules)).run(MemoryEngine(shop.clock, timedelta(minutes=5)))


def map_of(shop: Shop, *rules: MappingRule) -> Mapping[str, Check]:
    examined = replace(patient(shop), rules=replace(shop.rules(), discovery=rules), functions=shop.world().functions)
    return {check.subject: check for check in examine(examined) if check.name == MAP}


def test_a_function_that_is_found_is_brought_to_the_merged_base(found: Shop) -> None:
    newer = found.move()
    found.cycle()
    found.forge.merge("acme/orders", 1)

    report = run(found, BY_IMAGE)

    assert found.base_of("orders") == newer
    assert [(o.subject, o.result) for o in report.outcomes][-1] == (ORDERS, Result.PROVEN)


def test_what_is_to_be_watched_is_not_put_into_service_at_once_where_there_is_no_alias(found: Shop) -> None:
    """The settings refuse such a target; of one that is found the run and the doctor say it, and it stays."""
    found.move()
    found.cycle()
    found.forge.merge("acme/orders", 1)
    before = found.functions.function("orders").image
    canary = Strategy.parse("LambdaCanary10Percent5Minutes")
    rules = replace(found.rules(), discovery=(replace(BY_IMAGE, alias=None),), strategy=canary)
    examined = replace(patient(found), rules=rules, functions=found.world().functions)

    report = Cycle(found.world(), discover(rules, found.world().functions, found.registry)).run(
        MemoryEngine(found.clock, timedelta(minutes=5))
    )
    checks = [check for check in examine(examined) if (check.name, check.subject) == ("function", ORDERS)]

    (told,) = [outcome for outcome in report.outcomes if outcome.subject == ORDERS]
    assert (told.result, told.message.partition(",")[0]) == (Result.FAILED, f"{ORDERS} has no alias")
    assert found.functions.function("orders").image == before
    assert [check.state for check in checks] == [State.FAILED]


def test_an_image_that_we_built_tells_where_it_is_from(found: Shop) -> None:
    found.move()
    found.cycle()
    found.forge.merge("acme/orders", 1)
    run(found, BY_IMAGE)

    (target,) = rules_of(found, ByLabel(alias="live")).targets

    assert (target.function, target.repository, target.dockerfile) == (ORDERS, "acme/orders", "Dockerfile")
    image = found.functions.function("orders").image
    assert image is not None
    assert found.registry.image(image).config.labels[f"{ORIGIN_LABELS}context"] == "."


def test_tags_are_read_from_the_listing(found: Shop) -> None:
    running = found.functions.function("orders")
    assert running.image is not None
    found.functions.create("search", running.image, running.platform, tags={"refrom:repository": "acme/orders"})

    assert [t.function for t in rules_of(found, ByTag()).targets] == ["arn:local:lambda:::function:search"]


def test_regions_stand_in_the_order_of_the_settings_and_functions_in_that_of_their_names(found: Shop) -> None:
    """The first Region is the one that somebody chose to be first, not the first one by name."""
    image = found.functions.function("orders").image
    listed = [("us-east-1", "2"), ("us-east-1", "1"), ("eu-west-1", "1"), ("us-east-1", "3")]
    arns = [f"arn:aws:lambda:{region}:{account * 12}:function:orders" for region, account in listed]
    found.ports["functions"] = Listed(tuple(Candidate(names=(arn,), image=image) for arn in arns))

    targets = discover(replace(found.rules(), discovery=(BY_IMAGE,)), found.world().functions, found.registry).targets

    assert [target.region for target in targets] == ["us-east-1", "us-east-1", "us-east-1", "eu-west-1"]
    assert [target.function.split(":")[4][0] for target in targets] == ["1", "2", "3", "1"]


def test_an_image_that_serves_many_functions_is_read_once(found: Shop) -> None:
    running = found.functions.function("orders")
    assert running.image is not None
    for number in range(5):
        found.functions.create(f"copy{number}", running.image, running.platform)
    found.registry.asked.clear()

    rules_of(found, ByLabel())

    assert [asked for asked in found.registry.asked if asked.startswith("image")] == [f"image {running.image.digest}"]


def test_an_image_whose_labels_cannot_be_read_is_a_gap_with_the_reason(found: Shop) -> None:
    rules = replace(found.rules(), discovery=(ByLabel(),))
    found.ports["registry"] = type(found.writer)(found.folder / "nothing")

    (gap,) = discover(rules, found.functions, found.world().registry).found.gaps

    assert gap.why.startswith("its image's labels cannot be read: registry.example/orders")


def test_without_rules_nothing_is_listed(shop: Shop) -> None:
    rules = shop.rules()

    assert discover(rules, None, shop.registry) is rules  # type: ignore[arg-type] # nobody is asked


def test_the_doctor_prints_the_map_and_its_gaps(found: Shop) -> None:
    running = found.functions.function("orders")
    assert running.image is not None
    found.functions.create("stray", running.image, running.platform, tags={"refrom:repository": "acme/gone"})
    found.functions.create("other", running.image, running.platform)
    found.ports["functions"] = PartlyListed(found.functions)
    tagged = ByImage(image="orders", repository="acme/orders")

    checks = map_of(found, ByTag(), tagged)
    unmapped = map_of(found, ByTag())["arn:local:lambda:::function:other"]

    assert checks[ORDERS].message == "built from Dockerfile of acme/orders, by image"
    stray = checks["arn:local:lambda:::function:stray"]
    assert (stray.state, stray.message) == (
        State.FAILED,
        "its tag says acme/gone, its image says Dockerfile of acme/orders; the first is taken",
    )
    assert (unmapped.state, unmapped.message.partition(";")[0]) == (
        State.SKIPPED,
        "no rule under deploy.discover fits it",
    )
    unlisted = checks["account 210987654321 in eu-west-1"]
    assert (unlisted.state, unlisted.message, unlisted.cure) == (State.FAILED, "no right to list", "allow it")


def test_a_repository_that_is_not_there_is_a_gap_of_the_doctor(found: Shop) -> None:
    check = map_of(found, ByImage(image="*", repository="elsewhere/*"))[ORDERS]

    assert (check.state, check.message) == (
        State.FAILED,
        "its source repository elsewhere/orders is in no forge of the settings",
    )


def test_the_audit_judges_what_is_found_and_lists_the_gaps(found: Shop) -> None:
    found.ports["functions"] = PartlyListed(found.functions)

    report = audit(Inquiry(found.world(), rules_of(found, BY_IMAGE)), found.now)
    without = audit(Inquiry(found.world(), rules_of(found, ByTag())), found.now)

    assert [(f.evidence.function, f.verdict) for f in report.findings] == [(ORDERS, Verdict.CURRENT)]
    assert report.needs_attention
    assert [gap.function for gap in without.found.gaps] == [ORDERS]


def test_a_place_that_cannot_be_listed_fails_the_run_and_the_rest_goes_on(found: Shop) -> None:
    found.ports["functions"] = PartlyListed(found.functions)
    cycle = Cycle(found.world(), rules_of(found, BY_IMAGE))

    report = cycle.run(MemoryEngine(found.clock))

    failed = [(o.step, o.subject) for o in report.outcomes if o.result is Result.FAILED]
    assert failed == [("discover", "account 210987654321 in eu-west-1")]
    assert [f.verdict for f in audit_after(cycle, MemoryEngine(found.clock)).findings] == [Verdict.CURRENT]


def test_no_function_known_is_not_no_function_where_a_place_could_not_be_listed(found: Shop) -> None:
    """A Dockerfile without a pin is judged by what runs; an outage of a Region must not decide it."""
    found.push("acme/search", UNPINNED)
    found.policy = replace(found.policy, style=Style.TAG)
    listed = run(found, BY_IMAGE)
    found.ports["functions"] = PartlyListed(found.functions)

    partly = run(found, BY_IMAGE)

    by_name = {decision.use.repository: decision for decision in partly.decisions}
    assert isinstance(by_name["acme/search"], Skip)
    assert "could not be listed" in by_name["acme/search"].reason
    assert [type(d) for d in listed.decisions if d.use.repository == "acme/search"] == [Update]

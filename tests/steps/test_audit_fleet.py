"""What a whole account adds to the audit: functions that no target names, further aliases, and what was unreadable."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.deployment import Alias
from bot.core.digest import Digest
from bot.core.errors import DeployError
from bot.core.management import Management, UpdateRuntimeOn
from bot.core.mapping import Candidate
from bot.core.modes import Mode, UpdateMode
from bot.core.policy import Declarations, FunctionMode, Hold
from bot.core.responsibility import Finding, State, Verdict
from bot.core.rows import Row
from bot.ports.deployer import Function
from bot.ports.fleet import Listed, SeenFunction, SeenVersion
from bot.steps.audit import Audit, audit
from bot.steps.fleet import FleetView, Recalled
from bot.steps.inquire import Inquiry
from tests.steps.shop import Shop, pinned

PLACE = "eu-west-1"
LEGACY = f"arn:aws:lambda:{PLACE}:123456789012:function:legacy"


@pytest.fixture
def base(shop: Shop) -> Digest:
    return shop.publish()


def alias(name: str, version: str, **weights: float) -> Alias:
    return Alias(name=name, version=version, revision="1", weights=tuple((k[1:], v) for k, v in weights.items()))


def image(shop: Shop, name: str, *aliases: Alias, **fields: Any) -> SeenFunction:
    """What is read of a function of the shop."""
    versions = {number: shop.functions.function(name, number) for number in ("$LATEST", *shop_versions(shop, name))}
    arn = versions["$LATEST"].arn
    listed = Listed(place=PLACE, names=(arn, name), is_image=True, revision="1")
    return SeenFunction(
        listed=listed,
        candidate=Candidate(names=listed.names),
        aliases=aliases,
        **{"versions": {number: SeenVersion(function=function) for number, function in versions.items()}, **fields},
    )


def shop_versions(shop: Shop, name: str) -> Sequence[str]:
    return shop.functions.versions(shop.functions.function(name))


def legacy(shop: Shop, modes: Mapping[str, UpdateRuntimeOn], *aliases: Alias, **fields: Any) -> SeenFunction:
    """A function with a managed runtime that changed ten days ago."""
    listed = Listed(place=PLACE, names=(LEGACY, "legacy"), is_image=False, revision="1", runtime="python3.13")
    template = shop.functions.function("orders")
    versions = {
        number: SeenVersion(
            function=_zip(template, number, shop), runtime="python3.13", management=Management(update_on=mode)
        )
        for number, mode in modes.items()
    }
    return SeenFunction(
        listed=listed, candidate=Candidate(names=listed.names), aliases=aliases, versions=versions, **fields
    )


def _zip(template: Function, number: str, shop: Shop) -> Function:
    return replace(
        template, name="legacy", arn=LEGACY, image=None, version=number, modified=shop.now - timedelta(days=10)
    )


def audited(shop: Shop, *functions: SeenFunction, **fields: Any) -> Audit:
    view = FleetView(functions=functions, **fields)
    world = replace(shop.world(), functions=Recalled(view, shop.functions))
    return audit(Inquiry(world, shop.rules()), shop.now, view)


def by_alias(report: Audit) -> dict[tuple[str, str | None], Finding]:
    return {(f.evidence.function.rpartition(":")[2], f.evidence.alias): f for f in report.findings}


def test_a_function_of_a_target_is_there_once_and_its_other_aliases_besides(shop: Shop, base: Digest) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))

    found = by_alias(audited(shop, image(shop, "orders", alias("live", "1"), alias("beta", "1"))))

    assert found.keys() == {("orders", "live"), ("orders", "beta")}
    assert {f.evidence.repository for f in found.values()} == {"acme/orders"}
    assert {f.verdict for f in found.values()} == {Verdict.CURRENT}


def test_aliases_of_one_function_that_serve_several_images_say_so(shop: Shop, base: Digest) -> None:
    """The other alias, which no target names, serves what another function's repository holds."""
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    seen = image(shop, "orders", alias("live", "1"), alias("beta", "2"))
    first = seen.versions["1"].function
    assert first.image is not None
    shop.deploy("other", shop.move(), shop.push("acme/other", pinned(base)))
    second = replace(first, version="2", image=shop.functions.function("other").image)
    seen = replace(seen, versions={**seen.versions, "2": SeenVersion(function=second)})

    found = by_alias(audited(shop, seen))

    assert found["orders", "beta"].evidence.consistency.startswith("one source, several images: ")
    assert found["orders", "beta"].evidence.consistency == found["orders", "live"].evidence.consistency
    assert found["other", "live"].evidence.consistency == ""


def test_an_image_that_nobody_mapped_is_proven_all_the_same(shop: Shop, base: Digest) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets.clear()

    (found,) = audited(shop, image(shop, "orders", alias("live", "1"))).findings

    assert (found.row, found.verdict, found.evidence.repository) == (Row.CONTAINER_IMAGE, Verdict.CURRENT, None)
    assert found.evidence.lineage is not None
    assert found.evidence.lineage.base is not None


def test_without_an_alias_latest_is_what_serves(shop: Shop, base: Digest) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)), alias=None)
    shop.targets.clear()

    assert by_alias(audited(shop, image(shop, "orders"))).keys() == {("orders", None)}


@pytest.mark.parametrize(
    "fields", [{"aliases_unread": "not allowed"}, {"versions": {}, "unread": {"1": "not allowed"}}], ids=str
)
def test_an_image_of_which_something_is_unread_is_unknown(shop: Shop, base: Digest, fields: dict[str, Any]) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets.clear()
    aliases = () if "aliases_unread" in fields else (alias("live", "1"),)

    report = audited(shop, image(shop, "orders", *aliases, **fields))

    (found,) = report.findings
    assert (found.verdict, found.duties[0].state, found.duties[0].why) == (
        Verdict.UNKNOWN, State.UNKNOWN, "not allowed",
    )  # fmt: skip
    assert report.needs_attention


def test_each_version_of_an_alias_is_in_the_row_of_its_own_mode(shop: Shop, base: Digest) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets.clear()
    modes = {"$LATEST": UpdateRuntimeOn.AUTO, "1": UpdateRuntimeOn.FUNCTION_UPDATE, "2": UpdateRuntimeOn.MANUAL}

    report = audited(shop, legacy(shop, modes, alias("live", "1", v2=0.1)))

    assert [(f.evidence.alias, f.evidence.version, f.row) for f in report.findings] == [
        (None, "$LATEST", Row.MANAGED_AUTO),
        ("live", "1", Row.MANAGED_FUNCTION_UPDATE),
        ("live", "2", Row.MANAGED_MANUAL),
    ]


def test_a_managed_function_whose_aliases_are_unread_needs_attention(shop: Shop, base: Digest) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets.clear()

    report = audited(shop, legacy(shop, {"$LATEST": UpdateRuntimeOn.AUTO}, aliases_unread="not allowed"))

    assert [f.evidence.fault for f in report.findings] == ["not allowed"]
    assert report.needs_attention


def test_a_managed_version_that_is_unread_is_told_from_the_listing(shop: Shop, base: Digest) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets.clear()

    (found,) = audited(shop, legacy(shop, {}, unread={"$LATEST": "not allowed"})).findings

    assert (found.row, found.evidence.runtime, found.duties[0].why) == (
        Row.MANAGED_UNKNOWN, "python3.13", "not allowed",
    )  # fmt: skip


@pytest.mark.parametrize("tagged", [True, False], ids=["in a tag", "in the file"])
@pytest.mark.parametrize(
    ("days", "state", "left"), [(3, State.EXCEPTED, None), (-3, State.OVERDUE, 3)], ids=["lasts", "is over"]
)
def test_a_declared_mode_excepts_manual_until_its_end(
    shop: Shop, base: Digest, days: int, state: State, left: int | None, tagged: bool
) -> None:
    """It may be declared in its tags, or by any name that the function goes by."""
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets.clear()
    until = shop.now.date() + timedelta(days=days)
    seen = legacy(shop, {"$LATEST": UpdateRuntimeOn.MANUAL})
    if tagged:
        tags = {"refrom:mode": "manual", "refrom:until": str(until), "refrom:reason": "v70 breaks us"}
        latest = seen.versions["$LATEST"]
        seen = replace(seen, versions={"$LATEST": replace(latest, function=replace(latest.function, tags=tags))})
    else:
        mode = UpdateMode(mode=Mode.MANUAL, said_by="a test", reason="v70 breaks us", until=until)
        shop.declared = Declarations(modes=(FunctionMode(function="legacy", mode=mode),))

    (found,) = audited(shop, seen).findings

    (duty,) = [duty for duty in found.duties if duty.duty == "return to Auto or Function update"]
    assert (duty.state, duty.days, duty.until) == (state, left, until if days > 0 else None)


def test_a_hold_excepts_a_regular_update(shop: Shop, base: Digest) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets.clear()
    shop.declared = Declarations(holds=(Hold(reason="freeze", function=LEGACY),))

    (found,) = audited(shop, legacy(shop, {"$LATEST": UpdateRuntimeOn.FUNCTION_UPDATE})).findings

    assert next((duty.state, duty.why) for duty in found.duties) == (State.EXCEPTED, "freeze")


def test_a_target_in_a_place_that_does_not_answer_is_not_asked_for_again(shop: Shop, base: Digest) -> None:
    """The shop's functions know no such ARN, and would say that."""
    target = shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))
    shop.targets[:] = [replace(target, function=LEGACY)]
    silent = DeployError(f"functions of {PLACE}: AWS cannot be reached", retryable=True)

    report = audited(shop, faults=((PLACE, silent),))

    assert [f.evidence.fault for f in report.findings] == [str(silent)]
    assert report.unlisted == ((PLACE, str(silent)),)


def test_a_target_in_a_place_that_may_not_be_listed_is_asked_for(shop: Shop, base: Digest) -> None:
    shop.deploy("orders", base, shop.push("acme/orders", pinned(base)))

    report = audited(shop, faults=((PLACE, DeployError("ListFunctions is not allowed")),))

    assert [f.verdict for f in report.findings] == [Verdict.CURRENT]
    assert report.needs_attention

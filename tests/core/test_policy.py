"""Policy: overrides apply part by part, holds and blocks cover what they name and end when they say."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.advisories import Severity
from bot.core.digest import Digest
from bot.core.policy import Block, Declarations, Hold, Narrowing, OnUnknown, Override, Policy, Style, UpdateOn

TODAY = date(2026, 11, 23)
ORDERS = {"repository": "acme/orders", "path": "services/a/Dockerfile", "runtime": "python3.13"}
BAD, GOOD = Digest.of(b"bad"), Digest.of(b"good")
small_budget = settings(max_examples=80, deadline=None, derandomize=True)
texts = st.text(st.sampled_from("ab/*?[]!-"), max_size=6)
parts = st.fixed_dictionaries({key: st.none() | texts for key in ("repository", "path", "function", "runtime")})


def test_the_default_takes_language_updates_at_once_and_all_others_within_a_month() -> None:
    assert Policy() == Policy(
        update_on=UpdateOn.LANGUAGE,
        max_age=timedelta(days=30),
        soak=timedelta(0),
        style=Style.DIGEST,
        on_unknown=OnUnknown.PIN,
    )


@pytest.mark.parametrize(
    ("globs", "covered"),
    [
        pytest.param({}, True, id="none: all"),
        pytest.param({"repository": "acme/*"}, True, id="repository"),
        pytest.param({"repository": "ACME/*"}, False, id="case matters"),
        pytest.param({"repository": "orders"}, False, id="the whole name"),
        pytest.param({"path": "services/*"}, True, id="a star spans folders"),
        pytest.param({"runtime": "python3.1[0-3]"}, True, id="runtime"),
        pytest.param({"repository": "acme/*", "runtime": "nodejs*"}, False, id="all of them must match"),
    ],
)
def test_an_override_covers_what_all_its_globs_match(globs: dict[str, str], covered: bool) -> None:
    assert Override(**globs).covers(**ORDERS) is covered  # type: ignore[arg-type]  # globs alone


def test_an_override_changes_only_the_parts_that_it_has() -> None:
    changed = Override(soak=timedelta(days=3), style=Style.TAG).apply(Policy(update_on=UpdateOn.ANY))

    assert changed == Policy(update_on=UpdateOn.ANY, soak=timedelta(days=3), style=Style.TAG)


def test_a_soak_of_nothing_overrides_another() -> None:
    changed = Override(soak=timedelta(0)).apply(Policy(soak=timedelta(days=3)))

    assert changed.soak == timedelta(0)


@pytest.mark.parametrize(
    ("hold", "asked", "held"),
    [
        pytest.param({"repository": "acme/*"}, ORDERS, True, id="a use by its repository"),
        pytest.param({"path": "*/Dockerfile"}, ORDERS, True, id="a use by its path"),
        pytest.param({"runtime": "python3.13"}, ORDERS, True, id="a use by its runtime"),
        pytest.param({"runtime": "python3.*"}, ORDERS, False, id="a runtime is no glob"),
        pytest.param({"repository": "acme/*", "runtime": "ruby3.4"}, ORDERS, False, id="not both parts"),
        pytest.param({"function": "orders"}, {"function": "orders"}, True, id="a function"),
        pytest.param({"function": "orders"}, ORDERS, False, id="a function without its use"),
        pytest.param({"repository": "*"}, {"function": "orders"}, False, id="a repository without its function"),
        pytest.param({"repository": "*"}, {"function": "orders", **ORDERS}, True, id="a function with its source"),
    ],
)  # fmt: skip
def test_a_hold_covers_what_it_names(hold: dict[str, Any], asked: dict[str, str], held: bool) -> None:
    declared = Declarations(holds=(Hold(reason="freeze", **hold),))

    assert (declared.hold_for(today=TODAY, **asked) is not None) is held


@pytest.mark.parametrize(
    ("until", "lasts"),
    [
        pytest.param(None, True, id="without end"),
        pytest.param(TODAY, True, id="through its last day"),
        pytest.param(TODAY - timedelta(days=1), False, id="expired"),
    ],
)
def test_what_expired_does_nothing(until: date | None, lasts: bool) -> None:
    declared = Declarations(
        holds=(Hold(reason="freeze", until=until, function="orders"),),
        blocks=(Block(digest=BAD, reason="breaks dnf", until=until),),
    )

    assert (declared.hold_for(today=TODAY, function="orders") is not None) is lasts
    assert declared.is_blocked(BAD, TODAY) is lasts
    assert not declared.is_blocked(GOOD, TODAY)


def test_of_several_holds_the_first_that_lasts_is_told() -> None:
    old = Hold(reason="old", until=TODAY - timedelta(days=1), function="orders")
    first, second = Hold(reason="first", function="orders"), Hold(reason="second", function="orders")

    assert Declarations(holds=(old, first, second)).hold_for(today=TODAY, function="orders") is first


@small_budget
@given(hold=parts, asked=parts)
def test_a_hold_with_fewer_parts_covers_no_less(hold: dict[str, Any], asked: dict[str, Any]) -> None:
    narrow = Declarations(holds=(Hold(reason="freeze", **hold),))
    wide = Declarations(holds=(Hold(reason="freeze", **{**hold, "path": None, "runtime": None}),))

    if narrow.hold_for(today=TODAY, **asked):
        assert wide.hold_for(today=TODAY, **asked)


@small_budget
@given(days=st.integers(-400, 400), later=st.integers(0, 400))
def test_what_has_expired_never_comes_back(days: int, later: int) -> None:
    declared = Declarations(blocks=(Block(digest=BAD, reason="bad", until=TODAY),))
    day = TODAY + timedelta(days=days)

    assert declared.is_blocked(BAD, day) or not declared.is_blocked(BAD, day + timedelta(days=later))


@pytest.mark.parametrize("settings", UpdateOn)
@pytest.mark.parametrize("own", [None, *UpdateOn])
def test_a_repository_narrows_what_is_taken_and_never_widens_it(settings: UpdateOn, own: UpdateOn | None) -> None:
    policy = Policy(update_on=settings, min_severity=Severity.MEDIUM, soak=timedelta(days=2))

    narrowed = Narrowing(update_on=own, min_severity=Severity.LOW, soak=timedelta(days=1)).apply(policy)

    strictness = [UpdateOn.SECURITY, UpdateOn.LANGUAGE, UpdateOn.PACKAGES, UpdateOn.ANY]
    assert strictness.index(narrowed.update_on) <= strictness.index(settings)
    assert narrowed.update_on in (settings, own)
    assert (narrowed.min_severity, narrowed.soak) == (Severity.MEDIUM, timedelta(days=2))
    stricter = Narrowing(min_severity=Severity.CRITICAL, soak=timedelta(days=9)).apply(policy)
    assert (stricter.min_severity, stricter.soak) == (Severity.CRITICAL, timedelta(days=9))
    assert Narrowing().apply(policy) == policy


def test_a_repository_says_what_it_leaves_out() -> None:
    narrowing = Narrowing(ignore=("legacy/*", "*.sh"))

    assert narrowing.why_skipped("legacy/a/Dockerfile") == ".github/refrom.yaml of the repository ignores legacy/*"
    assert narrowing.why_skipped("Dockerfile") == ""
    assert "enabled: false" in Narrowing(enabled=False).why_skipped("Dockerfile")

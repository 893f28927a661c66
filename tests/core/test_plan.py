"""The plan: every rule of `decide`, over uses as they are read from Dockerfiles."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.core.advisories import Assessment, Severity
from bot.core.change import Significance
from bot.core.decision import Decision, Held, Known, Unwatched, Update, Waiting
from bot.core.digest import Digest
from bot.core.plan import decide, describe, plan, platforms_of
from bot.core.platforms import Platform
from bot.core.policy import Block, Declarations, Hold, OnUnknown, Policy, Style, UpdateOn
from tests.core.facts import (
    AMD64,
    ARM64,
    CHANGES,
    DATE,
    DATED,
    FIX,
    NEW,
    NEW_ARM64,
    NOTHING,
    NOW,
    OLD,
    PINNED,
    SEEN,
    UNEDITABLE,
    UNPINNED,
    change,
    known,
    latest,
    unassessed,
    use,
)


def shown(decision: Decision) -> str:
    """A decision as one word, with the action where there is one."""
    name = type(decision).__name__.lower()
    return f"{name} {decision.action}" if isinstance(decision, Update) else name


UNKNOWN = replace(known(significance=None), in_use=None)
CURRENT = replace(known(significance=None), in_use=NEW)


@pytest.mark.parametrize(
    ("facts", "policy", "expected"),
    [
        pytest.param(Unwatched(use=use(), fault="no version"), Policy(), "skip", id="not watched"),
        pytest.param(CURRENT, Policy(), "current", id="on the current index"),
        pytest.param(replace(CURRENT, in_use=NEW_ARM64), Policy(), "current", id="on a current platform image"),
        pytest.param(known(), Policy(), "update bump", id="a digest is replaced"),
        pytest.param(known(UNPINNED), Policy(), "update pin", id="a digest is added"),
        pytest.param(known(UNPINNED), Policy(style=Style.TAG), "update rebuild", id="a tag is rebuilt"),
        pytest.param(known(), Policy(style=Style.TAG), "update bump", id="a pinned use is bumped in any style"),
        pytest.param(known(significance=Significance.NONE), Policy(), "current", id="only the digest moved"),
        pytest.param(known(significance=Significance.PACKAGES), Policy(), "waiting", id="below the threshold"),
        pytest.param(known(), Policy(soak=timedelta(days=4)), "waiting", id="still soaking"),
        pytest.param(known(), Policy(soak=timedelta(days=3)), "update bump", id="soaked"),
        pytest.param(
            known(), Policy(soak=timedelta(days=4), max_age=timedelta()), "update bump", id="too old to soak on"
        ),
        pytest.param(known(UNEDITABLE), Policy(), "skip", id="cannot be edited"),
        pytest.param(known(UNEDITABLE), Policy(style=Style.TAG), "update rebuild", id="a rebuild edits nothing"),
        pytest.param(known(significance=None), Policy(), "update bump", id="cannot be compared"),
        pytest.param(
            known(significance=None), Policy(on_unknown=OnUnknown.WAIT), "waiting", id="cannot be compared, wait"
        ),
    ],
)
def test_the_first_rule_that_applies_decides(facts: Known | Unwatched, policy: Policy, expected: str) -> None:
    assert shown(decide(facts, policy, NOTHING, NOW)) == expected


@pytest.mark.parametrize(
    ("on_unknown", "style", "expected"),
    [
        pytest.param(OnUnknown.PIN, Style.DIGEST, "update pin", id="pin"),
        pytest.param(OnUnknown.PIN, Style.TAG, "update rebuild", id="pin, but tags are the style"),
        pytest.param(OnUnknown.REBUILD, Style.DATED, "update rebuild", id="rebuild, dates"),
        pytest.param(OnUnknown.REBUILD, Style.DIGEST, "update rebuild", id="rebuild"),
        pytest.param(OnUnknown.REBUILD, Style.TAG, "update rebuild", id="rebuild, tags"),
        pytest.param(OnUnknown.WAIT, Style.DIGEST, "waiting", id="wait"),
        pytest.param(OnUnknown.WAIT, Style.TAG, "waiting", id="wait, tags"),
    ],
)
def test_policy_says_what_follows_where_the_base_in_use_is_unknown(
    on_unknown: OnUnknown, style: Style, expected: str
) -> None:
    facts = replace(UNKNOWN, use=use(UNPINNED))

    assert shown(decide(facts, Policy(on_unknown=on_unknown, style=style), NOTHING, NOW)) == expected


LEAST = {
    UpdateOn.ANY: Significance.METADATA,
    UpdateOn.PACKAGES: Significance.PACKAGES,
    UpdateOn.LANGUAGE: Significance.LANGUAGE,
    UpdateOn.SECURITY: Significance.SECURITY,
}


@pytest.mark.parametrize("significance", [s for s in CHANGES if s is not Significance.NONE])
@pytest.mark.parametrize("update_on", UpdateOn)
def test_a_change_is_taken_at_once_from_the_threshold_on(update_on: UpdateOn, significance: Significance) -> None:
    decision = decide(known(significance=significance), Policy(update_on=update_on), NOTHING, NOW)

    assert isinstance(decision, Update if significance >= LEAST[update_on] else Waiting)


@pytest.mark.parametrize("least", [severity for severity in Severity if severity is not Severity.UNRATED])
@pytest.mark.parametrize("severity", Severity)
def test_only_a_fix_of_the_least_severity_is_security(severity: Severity, least: Severity) -> None:
    """What nobody rated may be the worst."""
    what = change(Significance.SECURITY, security=Assessment(fixes=(replace(FIX, severity=severity),)))
    policy = Policy(update_on=UpdateOn.SECURITY, min_severity=least)

    decision = decide(replace(known(), change=what), policy, NOTHING, NOW)

    assert isinstance(decision, Update if severity >= least else Waiting)
    reason = f"security: {severity}, ALAS2023-2026-001 (openssl)"
    minor = f"packages: openssl 1 -> 2; fixes nothing worse than {severity}; policy updates on security of at least"
    assert decision.reason.startswith(reason if severity >= least else minor)


@pytest.mark.parametrize("on_unknown", OnUnknown)
@pytest.mark.parametrize("update_on", [UpdateOn.SECURITY, UpdateOn.LANGUAGE])
def test_a_package_that_may_be_a_fix_is_taken_as_one_unless_policy_says_to_wait(
    update_on: UpdateOn, on_unknown: OnUnknown
) -> None:
    facts = replace(known(), change=unassessed())

    decision = decide(facts, Policy(update_on=update_on, on_unknown=on_unknown), NOTHING, NOW)

    assert isinstance(decision, Waiting if on_unknown is OnUnknown.WAIT else Update)
    assert decision.reason.startswith("packages: openssl 1 -> 2; advisories unknown: the feed is out of reach")


def test_advisories_that_nobody_read_do_not_matter_where_no_package_moved() -> None:
    decision = decide(replace(known(), change=unassessed(Significance.FILES)), Policy(), NOTHING, NOW)

    assert isinstance(decision, Waiting)
    assert decision.reason == "files; policy updates on language, or at 30 days"


def test_packages_that_cannot_be_read_may_be_a_fix() -> None:
    what = change(Significance.FILES, unread=("var/lib/rpm/Packages is damaged",))

    decision = decide(replace(known(), change=what), Policy(), NOTHING, NOW)

    assert isinstance(decision, Update)
    assert decision.reason.endswith("; advisories unknown: var/lib/rpm/Packages is damaged")


def test_a_small_change_waits_until_the_base_in_use_has_been_behind_for_max_age() -> None:
    facts, policy = known(significance=Significance.FILES), Policy(max_age=timedelta(days=30))

    waiting = decide(facts, policy, NOTHING, NOW)

    assert isinstance(waiting, Waiting)
    assert waiting.until == SEEN + timedelta(days=30)
    due = decide(facts, policy, NOTHING, waiting.until)
    assert isinstance(due, Update)
    assert due.reason == "age: behind for 30 days (files)"


def test_an_update_says_from_what_to_what_and_why() -> None:
    decision = decide(known(), Policy(), NOTHING, NOW)

    assert isinstance(decision, Update)
    assert (decision.old, decision.new, decision.tag, decision.writes_digest) == (OLD, NEW, None, True)
    assert decision.reason == "language: python 3.13.9 -> 3.13.11"


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        pytest.param(UNPINNED, Style.DATED, ("update pin", DATE, False), id="a date is added"),
        pytest.param(PINNED, Style.DATED, ("update bump", DATE, True), id="a digest that is there is kept in step"),
        pytest.param(DATED, Style.DATED, ("update bump", DATE, False), id="a date is renewed"),
        pytest.param(DATED, Style.DIGEST, ("update bump", DATE, True), id="a digest is added after the new date"),
        pytest.param(DATED, Style.TAG, ("update bump", DATE, False), id="no rebuild alone renews a date"),
        pytest.param(UNPINNED, Style.DIGEST, ("update pin", None, True), id="digests want no date"),
        pytest.param(PINNED, Style.TAG, ("update bump", None, True), id="nor do tags"),
    ],
)
@pytest.mark.parametrize("in_use", [OLD, None], ids=["known", "gone"])
def test_style_and_reference_say_what_is_written(
    text: str, style: Style, expected: tuple[str, str | None, bool], in_use: Digest | None
) -> None:
    facts = replace(known(text), dated_tag=DATE, in_use=in_use)

    decision = decide(facts, Policy(style=style), NOTHING, NOW)

    assert isinstance(decision, Update)
    assert (shown(decision), decision.tag, decision.writes_digest) == expected


@pytest.mark.parametrize(
    ("text", "tag"), [(UNPINNED, None), (PINNED, None), (DATED, "3.13")], ids=["tag", "pin", "date"]
)
def test_where_no_date_is_found_it_is_awaited_for_max_age_and_then_a_digest_pinned(text: str, tag: str | None) -> None:
    facts, policy = known(text), Policy(style=Style.DATED, max_age=timedelta(days=30))

    waiting = decide(facts, policy, NOTHING, NOW)

    assert isinstance(waiting, Waiting)
    assert "no date-stamped tag names what public.ecr.aws/lambda/python:3.13 has now" in waiting.reason
    assert waiting.until == SEEN + timedelta(days=30)
    due = decide(facts, policy, NOTHING, waiting.until)
    assert isinstance(due, Update)
    assert (due.tag, due.new, due.writes_digest) == (tag, NEW, True)
    assert due.reason.endswith("so it is pinned by digest")


def test_where_digests_are_the_style_no_date_is_awaited() -> None:
    decision = decide(known(DATED), Policy(style=Style.DIGEST), NOTHING, NOW)

    assert isinstance(decision, Update)
    assert (decision.tag, decision.writes_digest) == ("3.13", True)


def test_a_tag_that_another_image_shares_is_not_dated_though_its_digest_is_renewed() -> None:
    text = f"ARG V=3.13\nFROM public.ecr.aws/lambda/python:$V@{OLD}\nFROM python:$V\n"
    facts = replace(known(text), dated_tag=DATE)

    assert decide(facts, Policy(style=Style.DATED), NOTHING, NOW).reason == (
        "cannot be edited: ARG V also gives python:$V on line 3"
    )
    assert isinstance(decide(facts, Policy(style=Style.DIGEST), NOTHING, NOW), Update)


@pytest.mark.parametrize(
    ("hold", "held"),
    [
        pytest.param(Hold(reason="freeze"), True, id="for ever"),
        pytest.param(Hold(reason="freeze", until=NOW.date()), True, id="through today"),
        pytest.param(Hold(reason="freeze", until=date(2026, 11, 23)), False, id="expired"),
        pytest.param(Hold(reason="freeze", repository="acme/*", path="Docker*"), True, id="by globs"),
        pytest.param(Hold(reason="freeze", repository="other/*"), False, id="of others"),
        pytest.param(Hold(reason="freeze", runtime="python3.13"), True, id="by runtime"),
        pytest.param(Hold(reason="freeze", function="orders"), False, id="of a function"),
    ],
)
@pytest.mark.parametrize("facts", [known(), CURRENT, Unwatched(use=use(), fault="?")], ids=["due", "current", "skip"])
def test_a_hold_comes_before_every_other_rule(facts: Known | Unwatched, hold: Hold, *, held: bool) -> None:
    decision = decide(facts, Policy(), Declarations(holds=(hold,)), NOW)

    assert isinstance(decision, Held) == held
    assert ("freeze" in decision.reason) == held


@pytest.mark.parametrize(
    ("text", "digest", "blocked"),
    [
        pytest.param(PINNED, NEW, True, id="the index"),
        pytest.param(PINNED, NEW_ARM64, True, id="one of its images"),
        pytest.param(PINNED.replace("FROM", "FROM --platform=linux/amd64"), NEW_ARM64, False, id="one not used here"),
        pytest.param(PINNED, OLD, False, id="the base in use"),
    ],
)
def test_a_blocked_base_is_taken_by_nobody_and_a_base_in_use_may_be_left(
    text: str, digest: Digest, *, blocked: bool
) -> None:
    declared = Declarations(blocks=(Block(digest=digest, reason="breaks TLS"),))

    assert shown(decide(known(text), Policy(), declared, NOW)) == ("held" if blocked else "update bump")


def test_a_block_ends_with_its_last_day() -> None:
    declared = Declarations(blocks=(Block(digest=NEW, reason="breaks TLS", until=NOW.date() - timedelta(days=1)),))

    assert isinstance(decide(known(), Policy(), declared, NOW), Update)


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        pytest.param("", (AMD64, ARM64), id="no flag"),
        pytest.param("--platform=linux/arm64/v8 ", (ARM64,), id="one platform"),
        pytest.param("--platform=amd64 ", (AMD64,), id="an architecture"),
        pytest.param("--platform=Linux ", (AMD64, ARM64), id="an operating system"),
        pytest.param("--platform=windows ", (), id="another operating system"),
        pytest.param("--platform=$BUILDPLATFORM ", (AMD64, ARM64), id="not known before the build"),
    ],
)
def test_a_use_matters_for_the_platforms_that_it_may_be_built_for(flag: str, expected: tuple[Platform, ...]) -> None:
    assert platforms_of(use(f"FROM {flag}public.ecr.aws/lambda/python:3.13\n"), latest()) == expected


def test_an_architecture_in_the_tag_names_the_platform() -> None:
    assert platforms_of(use("FROM public.ecr.aws/lambda/python:3.13-arm64\n"), latest()) == (ARM64,)


@pytest.mark.parametrize(
    ("significance", "text"),
    [
        pytest.param(Significance.SECURITY, "security: important, ALAS2023-2026-001 (openssl)", id="security"),
        pytest.param(Significance.LANGUAGE, "language: python 3.13.9 -> 3.13.11", id="language"),
        pytest.param(Significance.PACKAGES, "packages: openssl 1 -> 2", id="packages"),
        pytest.param(Significance.FILES, "files", id="files"),
        pytest.param(Significance.NONE, "none", id="none"),
    ],
)
def test_a_change_is_described_in_one_line(significance: Significance, text: str) -> None:
    assert describe(change(significance)) == text


def test_a_plan_is_ordered_by_place() -> None:
    places = [replace(known(), use=use(path=path)) for path in ("b/Dockerfile", "a/Dockerfile")]

    decided = plan([(facts, Policy()) for facts in places], NOTHING, NOW)

    assert [decision.use.located.path for decision in decided] == ["a/Dockerfile", "b/Dockerfile"]

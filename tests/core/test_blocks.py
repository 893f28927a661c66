"""Around blocked bases: what is bad for a use, what is to be left, and what was seen since, by each kind of digest."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.blocks import is_bad, is_sick, seen_since
from bot.core.digest import Digest
from tests.core.facts import NEW, NEW_AMD64, NEW_ARM64, OLD, PINNED, SEEN, latest, use

ARM = PINNED.replace("FROM ", "FROM --platform=linux/arm64 ")
OTHER = Digest.of(b"other")


@pytest.mark.parametrize(
    ("text", "blocked", "bad"),
    [
        pytest.param(PINNED, NEW, True, id="the set"),
        pytest.param(PINNED, NEW_ARM64, True, id="a platform of a use for all"),
        pytest.param(ARM, NEW_ARM64, True, id="the platform of the use"),
        pytest.param(ARM, NEW_AMD64, False, id="another platform"),
        pytest.param(PINNED, OTHER, False, id="something else"),
    ],
)
def test_a_base_is_bad_for_a_use_that_needs_what_is_blocked(text: str, blocked: Digest, bad: bool) -> None:
    assert is_bad(use(text), latest(), {blocked}) is bad


@pytest.mark.parametrize(
    ("in_use", "blocked", "sick"),
    [
        pytest.param(NEW, NEW, True, id="the set itself"),
        pytest.param(NEW, NEW_AMD64, True, id="a platform of the set"),
        pytest.param(NEW_AMD64, NEW_AMD64, True, id="a platform's own digest"),
        pytest.param(NEW_AMD64, NEW, True, id="a platform whose set is blocked"),
        pytest.param(NEW_AMD64, NEW_ARM64, False, id="a platform beside the blocked one"),
        pytest.param(OTHER, OTHER, True, id="a digest that no stream had"),
        pytest.param(OLD, NEW, False, id="another base"),
    ],
)
def test_the_base_in_use_is_left_where_it_or_what_it_belongs_to_is_blocked(
    in_use: Digest, blocked: Digest, sick: bool
) -> None:
    assert is_sick(use(), in_use, [latest()], {blocked}) is sick


def test_what_was_seen_since_a_base_is_all_that_is_newer_but_itself() -> None:
    good = replace(latest(), digest=OLD, bases=latest().bases[:1], first_seen=SEEN - timedelta(days=1))

    assert seen_since(good, [latest(), good]) == {NEW, NEW_ARM64}
    assert seen_since(latest(), [latest(), good]) == frozenset()

"""The order of versions is rpm's own, whatever the versions look like."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.packages import compare_evr
from tests.conftest import Figure
from tests.lab.rpm import compare

ORDERED = (
    "1.0~rc1-1",
    "1.0-1",
    "1.0^git1-1",
    "1.0a-1",
    "1.0.1-1",
    "1.9-1.amzn2023",
    "1.10-1.amzn2023.0.1",
    "1.10-1.amzn2023.0.2",
    "1.10-1.amzn2023.0.10",
    "1:0.1-1",
)
VERSIONS = st.text("019abZ.-:~^+_ä", max_size=12)


@pytest.mark.parametrize("older", range(len(ORDERED) - 1), ids=lambda at: f"{ORDERED[at]} < {ORDERED[at + 1]}")
def test_each_version_is_older_than_the_next(older: int) -> None:
    assert compare_evr(ORDERED[older], ORDERED[older + 1]) == -1
    assert compare_evr(ORDERED[older + 1], ORDERED[older]) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("1.0-1", "0:1.0-1", id="a missing epoch is 0"),
        pytest.param("1.01-1", "1.1-1", id="leading zeros"),
        pytest.param("1.0-1", "1_0-1", id="separators"),
        pytest.param("1.0.-1", "1.0-1", id="a separator at the end"),
    ],
)
def test_versions_that_only_look_different_are_equal(one: str, other: str) -> None:
    assert compare_evr(one, other) == 0


def test_a_missing_release_is_older_than_any() -> None:
    assert compare_evr("1.0", "1.0-~") == -1


def test_numbers_of_any_length_compare() -> None:
    assert compare_evr("9" * 10_000, "1" + "0" * 10_000) == -1


def test_a_thousand_generated_pairs_compare_as_rpm_compares_them(figure: Figure) -> None:
    pairs = generated_pairs(1000)

    ours = [compare_evr(one, other) for one, other in pairs]

    theirs = compare(pairs)
    right = sum(1 for one, other in zip(ours, theirs, strict=True) if one == other)
    figure("pairs of versions ordered as rpm orders them", f"{right} of {len(pairs)}", "1000 of 1000")
    assert dict(zip(pairs, ours, strict=True)) == dict(zip(pairs, theirs, strict=True))
    assert {-1, 0, 1} == set(ours)


@given(VERSIONS, VERSIONS)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_swapping_a_pair_turns_the_answer_round(one: str, other: str) -> None:
    assert compare_evr(one, other) == -compare_evr(other, one)


@given(st.lists(VERSIONS, min_size=3, max_size=3))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_order_is_transitive(versions: list[str]) -> None:
    one, two, three = versions

    if compare_evr(one, two) <= 0 and compare_evr(two, three) <= 0:
        assert compare_evr(one, three) <= 0


def generated_pairs(count: int) -> list[tuple[str, str]]:
    """Pairs of versions that are often near each other; rpm takes no empty version."""
    dice = random.Random(2023)  # noqa: S311 -- the same pairs in every run
    pairs: dict[tuple[str, str], None] = {}
    while len(pairs) < count:
        one = _version(dice)
        pairs[one, _changed(dice, one) if dice.random() < 0.7 else _version(dice)] = None
    return list(pairs)


def _version(dice: random.Random) -> str:
    epoch = dice.choice(("", "", "0:", "1:", ":", "007:"))
    release = dice.choice(("", "-1", f"-{dice.randrange(12)}.amzn2023.0.{dice.randrange(12)}", "-"))
    pieces = [dice.choice(("1", "01", "10", "2", "a", "rc", "Z", "~", "^", ".", "..", "_", "+")) for _ in range(6)]
    return f"{epoch}1{''.join(pieces[: dice.randrange(1, 7)])}{release}"


def _changed(dice: random.Random, version: str) -> str:
    at = dice.randrange(len(version))
    piece = dice.choice(("", "0", "1", "9", "a", "~", "^", ".", "-", ":"))
    return f"{version[:at]}{piece}{version[at + dice.randrange(2) :]}" or "1"

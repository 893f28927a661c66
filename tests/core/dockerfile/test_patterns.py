"""The patterns of `#`, `%` and `/`: as Go's regular expressions decide, in bounded time."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.dockerfile.patterns import PatternError, occurrences, trimmed_prefix, trimmed_suffix

PATTERNS = st.text(alphabet="ab*?", max_size=5)
TEXTS = st.text(alphabet="abc", max_size=10)
BUDGET = settings(max_examples=200, deadline=None, derandomize=True)


def as_regex(pattern: str, *, greedy: bool) -> re.Pattern[str]:
    star = ".*" if greedy else ".*?"
    return re.compile("".join(star if c == "*" else "." if c == "?" else re.escape(c) for c in pattern))


@BUDGET
@given(PATTERNS, TEXTS, st.booleans())
def test_a_prefix_is_what_an_anchored_expression_matches(pattern: str, text: str, longest: bool) -> None:
    found = as_regex(pattern, greedy=longest).match(text)

    assert trimmed_prefix(pattern, text, longest=longest) == (found.end() if found else 0)


@BUDGET
@given(PATTERNS, TEXTS, st.booleans())
def test_a_suffix_is_a_prefix_of_everything_reversed(pattern: str, text: str, longest: bool) -> None:
    assert trimmed_suffix(pattern, text, longest=longest) == trimmed_prefix(pattern[::-1], text[::-1], longest=longest)


@BUDGET
@given(PATTERNS.filter(lambda pattern: pattern.strip("*")), TEXTS)
def test_occurrences_are_the_matches_from_left_to_right(pattern: str, text: str) -> None:
    every = [found.span() for found in as_regex(pattern, greedy=True).finditer(text)]

    assert occurrences(pattern, text, every=True) == every
    assert occurrences(pattern, text, every=False) == every[:1]


def test_an_empty_match_does_not_follow_another_match() -> None:
    assert occurrences("", "ab", every=True) == [(0, 0), (1, 1), (2, 2)]
    assert occurrences("*", "ab", every=True) == [(0, 2)]


@pytest.mark.parametrize(
    ("pattern", "text", "length"),
    [("\\*", "*a", 1), ("\\?", "?a", 1), ("\\\\", "\\a", 1), ("\\}", "}a", 1), ("\\/", "/a", 1), ("\\*", "aa", 0)],
)
def test_an_escaped_character_stands_for_itself(pattern: str, text: str, length: int) -> None:
    assert trimmed_prefix(pattern, text, longest=True) == length


@pytest.mark.parametrize("pattern", ["\\a", "a\\"])
def test_other_escapes_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="invalid escape"):
        trimmed_prefix(pattern, "a", longest=False)


def test_work_is_bounded() -> None:
    with pytest.raises(PatternError, match="too long; shorten"):
        occurrences("*a" * 50, "a" * 2_000, every=True)

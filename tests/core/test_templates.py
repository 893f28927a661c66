"""Templates: named fields and nothing else; branch names as git takes them."""

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.templates import Template, is_branch

FIELDS = ("summary", "group")


@pytest.mark.parametrize(
    ("text", "filled", "prefix"),
    [
        ("chore: {summary} {{x}}", "chore: {a}{group} {x}", "chore: "),
        ("refrom/{group}/x", "refrom/py/x", "refrom/"),
        ("bots/refrom", "bots/refrom", "bots/refrom"),
        ("{{a}}{group}", "{a}py", "{a}"),
    ],
)
def test_fields_are_filled_in_and_what_they_hold_is_text(text: str, filled: str, prefix: str) -> None:
    template = Template.parse(text, FIELDS)

    assert template.render({"summary": "{a}{group}", "group": "py"}) == filled
    assert template.prefix == prefix


@pytest.mark.parametrize("text", ["{other}", "{}", "{0}", "{summary.x}", "{summary[0]}", "{summary!r}", "{summary:>9}"])
def test_what_is_more_than_a_known_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"use \{summary\}, \{group\}"):
        Template.parse(text, FIELDS)


@pytest.mark.parametrize("text", ["{", "}", "{summary", "{{{summary}}"])
def test_a_brace_alone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has a brace alone"):
        Template.parse(text, FIELDS)


@settings(max_examples=60, deadline=None)
@given(name=st.text("aZ0/.-@{}~^:?*[\\ \t\x7fé_", max_size=12))
@example("refrom/lambda-base-images")
@example("a.lock/b")
@example("@")
def test_a_branch_that_is_taken_is_one_to_git(name: str) -> None:
    if is_branch(name):
        subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=True)


@pytest.mark.parametrize("name", ["refrom/python3.13", "bots/refrom/java8.al2", "é/x"])
def test_plain_names_are_branches(name: str) -> None:
    assert is_branch(name)


@pytest.mark.parametrize(
    "name", ["", "/a", "a//b", "a/", "a/.b", "a/-b", "a..b", "a.lock", "a b", "a\\b", "@", "x" * 201]
)
def test_other_names_are_none(name: str) -> None:
    assert not is_branch(name)

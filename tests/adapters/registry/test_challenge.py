"""WWW-Authenticate headers, as servers write them and as an attacker might."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.registry.challenge import Challenge, parse_challenges

ECR = 'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            ECR,
            [
                Challenge(
                    "bearer",
                    {"realm": "https://public.ecr.aws/token/", "service": "public.ecr.aws", "scope": "aws"},
                )
            ],
        ),
        ('Basic realm="lab"', [Challenge("basic", {"realm": "lab"})]),
        ("Basic", [Challenge("basic", {})]),
        (
            'BEARER Realm = "x" , Service=y, Basic realm="a, b"',
            [Challenge("bearer", {"realm": "x", "service": "y"}), Challenge("basic", {"realm": "a, b"})],
        ),
        (r'Basic realm="a \"b\" c"', [Challenge("basic", {"realm": 'a "b" c'})]),
        ('Bearer realm="one",realm="two"', [Challenge("bearer", {"realm": "one"})]),
        ('Bearer scope=""', [Challenge("bearer", {"scope": ""})]),
        ('realm="nobody\'s"', []),
        ('Bearer realm="open', [Challenge("bearer", {})]),
        ("", []),
    ],
    ids=["ecr", "basic", "bare", "two", "escapes", "twice", "empty value", "no scheme", "unclosed", "empty"],
)
def test_challenges_are_read_in_order(header: str, expected: list[Challenge]) -> None:
    assert list(parse_challenges(header)) == expected


TOKENS = st.text("abcdefgXYZ0123456789-_.", min_size=1, max_size=8).filter(lambda text: text[0].isalpha())
VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.tuples(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, max_size=3)), max_size=3))
def test_what_is_written_by_the_grammar_is_read_back(challenges: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'

    header = ", ".join(
        f"{scheme} " + ", ".join(f"{name}={quoted(value)}" for name, value in parameters.items())
        for scheme, parameters in challenges
    )

    found = [(each.scheme, dict(each.parameters)) for each in parse_challenges(header)]

    assert found == [(scheme.lower(), parameters) for scheme, parameters in challenges]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_no_header_is_too_odd_to_read(header: str) -> None:
    for each in parse_challenges(header):
        assert each.scheme == each.scheme.lower()

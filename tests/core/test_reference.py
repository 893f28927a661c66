"""Image references: distribution's grammar and normalisation, tag and digest both kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.errors import InvalidReference
from bot.core.reference import Reference

DIGEST = f"sha256:{'0f' * 32}"
OTHER = Digest.of(b"other")


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("python", "docker.io/library/python"),
        ("python:3.13", "docker.io/library/python:3.13"),
        ("amazon/aws-lambda-python", "docker.io/amazon/aws-lambda-python"),
        ("docker.io/python", "docker.io/library/python"),
        ("index.docker.io/a/b", "docker.io/a/b"),
        ("public.ecr.aws/lambda/python:3.13", "public.ecr.aws/lambda/python:3.13"),
        (f"public.ecr.aws/lambda/python@{DIGEST}", f"public.ecr.aws/lambda/python@{DIGEST}"),
        (f"public.ecr.aws/lambda/python:3.13@{DIGEST}", f"public.ecr.aws/lambda/python:3.13@{DIGEST}"),
        ("localhost/a:b", "localhost/a:b"),
        ("registry.example:5000/a", "registry.example:5000/a"),
        ("[::1]:5000/a:b", "[::1]:5000/a:b"),
        ("Host/a", "Host/a"),
        ("0", "docker.io/library/0"),
        ("a/b/c/d:e", "docker.io/a/b/c/d:e"),
    ],
)
def test_parsing_normalises_as_docker_pull_does(text: str, full: str) -> None:
    assert str(Reference.parse(text)) == full


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "repository"),
        ("UPPER", "a repository is lower-case"),
        ("a/Upper", "a repository is lower-case"),
        ("a:", "tag"),
        ("a:b c", "tag"),
        (f"a:{'t' * 129}", "tag"),
        ("a//b", "repository"),
        ("a/b/", "repository"),
        ("-a", "repository"),
        ("a_-b", "repository"),
        ("ho_st.x/a", "registry"),
        ("a@sha256:00", "digest"),
        (f"a@{DIGEST}@{DIGEST}", "digest"),
        (f"a:@{DIGEST}", "tag"),
        ("a" * 256, "more than 255"),
        ("0f" * 32, "image ID"),
        ("a b", "repository"),
        ("https://public.ecr.aws/lambda/python", "repository"),
    ],
)
def test_what_is_no_reference_is_refused_by_the_part_that_is_wrong(text: str, part: str) -> None:
    with pytest.raises(InvalidReference, match=part):
        Reference.parse(text)


def test_another_tag_drops_the_digest_and_another_digest_keeps_the_tag() -> None:
    reference = Reference.parse(f"python:3.13@{DIGEST}")

    assert str(reference.with_tag("3.14")) == "docker.io/library/python:3.14"
    assert str(reference.with_digest(OTHER)) == f"docker.io/library/python:3.13@{OTHER}"
    assert str(reference.with_digest(None)) == "docker.io/library/python:3.13"
    assert reference.name == "docker.io/library/python"


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.from_regex(r"\A(?:[a-z0-9]{1,8}\.[a-z]{2,3}(?::[0-9]{2,4})?/)?[a-z0-9]{1,9}(?:[._-][a-z0-9]{1,5})?\Z"),
    st.none() | st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z"),
    st.none() | st.binary(max_size=4).map(Digest.of),
)
def test_the_full_form_parses_to_itself(name: str, tag: str | None, digest: Digest | None) -> None:
    text = name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")

    reference = Reference.parse(text)

    assert Reference.parse(str(reference)) == reference
    assert (reference.tag, reference.digest) == (tag, digest)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="aA0./:@-_[]% \n\0é", max_size=40))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return
    assert Reference.parse(str(reference)) == reference

"""What holds for any Dockerfile: reading never fails, an edit touches only what it names, twice is once."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.dockerfile import Repoint, read_uses, repoint, same_but_for_bases
from bot.core.dockerfile.instructions import parse
from bot.core.errors import DockerfileError
from tests.property.dockerfiles import generate

BUDGET = settings(max_examples=60, deadline=None, derandomize=True)
DIGESTS = st.binary(min_size=1, max_size=4).map(Digest.of)
_TAIL = "COPY --from=b x y\nRUN --mount=from=public.ecr.aws/lambda/python:3.12,target=/x true\n"
_FORMS = (
    "FROM public.ecr.aws/lambda/python:3.12",
    "FROM --platform=linux/arm64 public.ecr.aws/lambda/python:3.12-arm64 AS b",
    "FROM public.ecr.aws/lambda/nodejs@sha256:" + "1" * 64,
    "FROM public.ecr.aws/lambda/java:21@sha256:" + "2" * 64 + " \\\n  AS c",
    "FROM \\\n # why\n public.ecr.aws/lambda/ruby:3.\\\n4",
    "FROM public.ecr.aws/lambda/python:${PY}",
    "FROM ${BASE}",
    "FROM ${NONE:-public.ecr.aws/lambda/go:1}",
    'FROM "amazon/aws-lambda-provided:al2023"',
    "FROM alpine:3.20 AS b",
    "COPY --from=public.ecr.aws/lambda/provided:al2023 /a /b",
)


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    """Dockerfiles with Lambda bases in many forms, with LF or CRLF, with or without a byte order mark."""
    head = 'ARG PY=3.12\nARG BASE="public.ecr.aws/lambda/nodejs:22" # a comment\n'
    forms = draw(st.lists(st.sampled_from(_FORMS), min_size=1, max_size=6))
    body = "\n".join(["FROM alpine AS b", *forms, draw(st.sampled_from(("", "# end", "RUN <<E\nFROM x\nE\n")))])
    newline = draw(st.sampled_from(("\n", "\r\n")))
    text = (head + body).replace("\n", newline)
    return draw(st.sampled_from(("", "\ufeff"))) + text + draw(st.sampled_from(("", newline)))


def changes(text: str, digest: Digest) -> list[Repoint]:
    """Another digest for every Lambda base that can be edited."""
    uses = read_uses(text).uses
    return [Repoint(use=use, tag=None, digest=digest) for use in uses if use.lambda_image and not use.cannot_edit]


@BUDGET
@given(st.text(max_size=400) | st.integers(0, 10**6).map(generate))
def test_reading_never_fails_and_says_why_a_file_is_rejected(text: str) -> None:
    reading = read_uses(text)

    assert all(use.line >= 1 for use in reading.uses)
    assert all(unread.reason for unread in reading.skipped)
    assert not (reading.uses and any("rejected" in unread.reason for unread in reading.skipped))


@BUDGET
@given(st.text(max_size=400) | st.integers(0, 10**6).map(generate))
def test_every_character_of_an_instruction_stands_where_its_place_says(text: str) -> None:
    """The tree is lossless: text and places give the file back."""
    try:
        instructions = parse(text).instructions
    except DockerfileError:
        return

    for instruction in instructions:
        joined = instruction.line.joined
        traced = joined.trace(0, len(joined.text))
        assert "".join(text[place] for place in traced.places) == joined.text


@BUDGET
@given(dockerfiles())
def test_an_edit_without_changes_is_the_identity(text: str) -> None:
    assert repoint(text, []) == text


@BUDGET
@given(dockerfiles(), DIGESTS)
def test_an_edit_changes_only_the_references_it_names(text: str, digest: Digest) -> None:
    wanted = changes(text, digest)

    edited = repoint(text, wanted)

    assert same_but_for_bases(text, edited)
    before, after = read_uses(text).uses, read_uses(edited).uses
    named = {(change.use.line, change.use.kind, change.use.raw) for change in wanted}
    for old, new in zip(before, after, strict=True):
        if (old.line, old.kind, old.raw) in named:
            assert new.reference
            assert old.reference
            assert (new.reference.name, new.reference.tag) == (old.reference.name, old.reference.tag)
            assert new.reference.digest == digest
        else:
            assert (new.raw, new.resolved) == (old.raw, old.resolved)


@BUDGET
@given(dockerfiles(), DIGESTS, DIGESTS)
def test_editing_twice_is_editing_once_and_no_digest_is_doubled(text: str, first: Digest, second: Digest) -> None:
    once = repoint(text, changes(text, first))

    assert repoint(once, changes(text, first)) == once
    assert repoint(once, changes(once, first)) == once
    again = repoint(once, changes(once, second))
    assert again == repoint(text, changes(text, second))
    assert again.count("@") == once.count("@")


@BUDGET
@given(dockerfiles(), DIGESTS, st.integers(0, 10**6))
def test_any_other_change_is_seen(text: str, digest: Digest, seed: int) -> None:
    edited = repoint(text, changes(text, digest))
    cut = {index for change in (str(digest),) for index in _spans(edited, change)}
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    outside = [index for index in range(len(edited) + 1) if index not in cut]
    at = dice.choice(outside)

    assert not same_but_for_bases(text, f"{edited[:at]} #{edited[at:]}")


def _spans(text: str, part: str) -> list[int]:
    """The inner places of every occurrence of a digest."""
    found: list[int] = []
    start = text.find(part)
    while start >= 0:
        found += range(start - 8, start + len(part) + 1)
        start = text.find(part, start + 1)
    return found

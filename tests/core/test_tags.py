"""The tags of Lambda bases, and which runtime identifier a reference belongs to."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.reference import Reference
from bot.core.tags import LambdaTag, lambda_image, runtime_identifier

DIGEST = f"sha256:{'0f' * 32}"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("3.12", LambdaTag(version="3.12")),
        ("22", LambdaTag(version="22")),
        ("3.12-x86_64", LambdaTag(version="3.12", architecture="x86_64")),
        ("3.12.2024.06.14.17", LambdaTag(version="3.12", stamp=datetime(2024, 6, 14, 17, tzinfo=UTC))),
        (
            "3.12.2024.07.10.11-arm64",
            LambdaTag(version="3.12", stamp=datetime(2024, 7, 10, 11, tzinfo=UTC), architecture="arm64"),
        ),
        ("latest", LambdaTag(version="latest")),
        ("latest-arm64", LambdaTag(version="latest", architecture="arm64")),
        ("3", LambdaTag(version="3")),
        ("al2023.2026.02.27.21", LambdaTag(version="al2023", stamp=datetime(2026, 2, 27, 21, tzinfo=UTC))),
        ("al2", LambdaTag(version="al2")),
        ("alami.2023.03.21.19", LambdaTag(version="alami", stamp=datetime(2023, 3, 21, 19, tzinfo=UTC))),
        ("8.al2", LambdaTag(version="8.al2")),
        ("17.al2023-x86_64", LambdaTag(version="17.al2023", architecture="x86_64")),
        ("core3.1", LambdaTag(version="core3.1")),
        ("26-preview", LambdaTag(version="26", preview=True)),
        (
            "26-preview.2026.08.21.22",
            LambdaTag(version="26", preview=True, stamp=datetime(2026, 8, 21, 22, tzinfo=UTC)),
        ),
    ],
)
def test_tags_of_aws_parse_and_print_back(text: str, tag: LambdaTag) -> None:
    assert LambdaTag.parse(text) == tag
    assert str(tag) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "v3.12", "3.12-slim", "3.12.1.2", "3.12-amd64", "3.12.2024.13.14.17", "3.12.2024.06.31.17", "22.x",
        "3.12.2024.06.14.24", "3.12.2024.6.14.17", "3.12-arm64-preview", "latest-x", "3.12\n", "٣.١٢",
        "al2022", "3.12.2024.06.14",
    ],
)  # fmt: skip
def test_other_tags_are_none_of_aws(text: str) -> None:
    assert LambdaTag.parse(text) is None


def test_a_stamp_is_the_hour_in_utc() -> None:
    moment = datetime(2026, 11, 20, 23, 59, 58, tzinfo=timezone(timedelta(hours=-3)))

    tag = LambdaTag(version="3.13", architecture="arm64").with_stamp(moment)

    assert str(tag) == "3.13.2026.11.21.02-arm64"
    assert tag.with_stamp(None) == LambdaTag(version="3.13", architecture="arm64")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.sampled_from(["3.12", "22", "8.al2", "core3.1", "al2023", "latest", "alami"]),
    st.booleans(),
    st.none() | st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.sampled_from([None, "x86_64", "arm64"]),
)
def test_every_tag_parses_back(version: str, preview: bool, stamp: datetime | None, architecture: str | None) -> None:
    tag = LambdaTag(version=version, preview=preview, architecture=architecture).with_stamp(stamp)

    assert LambdaTag.parse(str(tag)) == tag


@pytest.mark.parametrize(
    ("text", "runtime"),
    [
        ("public.ecr.aws/lambda/python:3.13", "python3.13"),
        ("public.ecr.aws/lambda/python:3.13.2026.06.13.12-arm64", "python3.13"),
        ("public.ecr.aws/lambda/nodejs:22", "nodejs22.x"),
        ("public.ecr.aws/lambda/nodejs:26-preview", "nodejs26.x"),
        ("public.ecr.aws/lambda/java:8.al2", "java8.al2"),
        ("public.ecr.aws/lambda/java:11.al2023", "java11.al2023"),
        ("public.ecr.aws/lambda/java:21", "java21"),
        ("public.ecr.aws/lambda/dotnet:8", "dotnet8"),
        ("public.ecr.aws/lambda/dotnet:core3.1", "dotnetcore3.1"),
        ("public.ecr.aws/lambda/dotnet:5.0", "dotnet5.0"),
        ("public.ecr.aws/lambda/ruby:4.0", "ruby4.0"),
        ("public.ecr.aws/lambda/go:1", "go1.x"),
        ("public.ecr.aws/lambda/provided:alami", "provided"),
        ("public.ecr.aws/lambda/provided:al2", "provided.al2"),
        ("public.ecr.aws/lambda/provided:al2023-arm64", "provided.al2023"),
        ("amazon/aws-lambda-python:3.12-x86_64", "python3.12"),
        ("docker.io/amazon/aws-lambda-provided:al2", "provided.al2"),
        ("123.dkr.ecr.eu-west-1.amazonaws.com/ecr-public/lambda/java:17", "java17"),
        ("123.dkr.ecr.eu-west-1.amazonaws.com/lambda/java:17", "java17"),
        ("registry.example:8443/x/public.ecr.aws/lambda/python:3.14", "python3.14"),
        ("public.ecr.aws/lambda/python:latest", None),
        ("public.ecr.aws/lambda/python", None),
        (f"public.ecr.aws/lambda/python@{DIGEST}", None),
        ("public.ecr.aws/lambda/python:3", None),
        ("public.ecr.aws/lambda/go:1.23", None),
        ("public.ecr.aws/lambda/provided:22", None),
        ("public.ecr.aws/lambda/nodejs:22.1", None),
        ("public.ecr.aws/lambda/python:3.12-slim", None),
        ("public.ecr.aws/lambda/adapter:1", None),
        ("public.ecr.aws/lambda/provided.al2023", None),
    ],
)
def test_a_lambda_base_has_the_runtime_that_its_tag_names(text: str, runtime: str | None) -> None:
    reference = Reference.parse(text)

    image = lambda_image(reference)

    assert image
    assert image.runtime == runtime
    assert image.upstream.name == f"public.ecr.aws/lambda/{image.name}"
    assert (image.upstream.tag, image.upstream.digest) == (reference.tag, reference.digest)


@pytest.mark.parametrize(
    "text",
    [
        "python:3.13", "lambda/python:3.13", "public.ecr.aws/sam/build-python3.13", "lambci/lambda:python3.8",
        "public.ecr.aws/docker/library/python:3.13", "acme/aws-lambda-python:3.13", "ghcr.io/acme/lambda-python:3.13",
        "registry.example/lambda/adapter:1", "public.ecr.aws/lambda-python", "registry.example/python:3.13",
    ],
)  # fmt: skip
def test_look_alikes_are_none(text: str) -> None:
    assert lambda_image(Reference.parse(text)) is None


def test_a_mirror_stands_for_the_lambda_folder_of_ecr_public() -> None:
    reference = Reference.parse(f"registry.example/bases/aws/python:3.13@{DIGEST}")

    image = lambda_image(reference, mirrors=["registry.example/bases/aws/"])

    assert image
    assert str(image.upstream) == f"public.ecr.aws/lambda/python:3.13@{DIGEST}"
    assert lambda_image(reference, mirrors=["registry.example/bases/awsx"]) is None


def test_an_unknown_repository_has_no_runtime() -> None:
    assert runtime_identifier("adapter", "1") is None

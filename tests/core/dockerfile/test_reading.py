"""Which images a build pulls, from which line, for which stage, on which platform."""

import pytest

from bot.core.dockerfile import Use, read_uses

PY = "public.ecr.aws/lambda/python:3.12"


def read(text: str, **given: object) -> tuple[Use, ...]:
    reading = read_uses(text, **given)  # type: ignore[arg-type] # a table of keyword arguments
    assert reading.skipped == ()
    return reading.uses


def resolved(text: str, **given: object) -> list[str | None]:
    return [use.resolved for use in read(text, **given)]


def test_a_use_says_all_about_one_image() -> None:
    (use,) = read(f"# why\nFROM --platform=linux/arm64 {PY} AS Base\n")

    assert (use.line, use.kind, use.raw, use.resolved) == (2, "from", PY, PY)
    assert (use.stage, use.final, use.base, use.platform) == ("Base", True, True, "linux/arm64")
    assert use.reference
    assert str(use.reference) == PY
    assert use.lambda_image
    assert use.lambda_image.runtime == "python3.12"


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM a\nFROM b\n", ["a", "b"]),
        ("FROM a AS x\nFROM x\n", ["a"]),
        ("FROM x AS y\nFROM a AS x\n", ["x", "a"]),
        ("FROM a\nFROM 0\n", ["a", "0"]),
        ("FROM scratch\nCOPY --from=a b c\n", ["a"]),
        ("FROM scratch\nCOPY --from=scratch b c\n", []),
        ("FROM a AS X\nFROM b\nCOPY --from=x c d\nCOPY --from=0 c d\nCOPY --from=c:1 e f\n", ["a", "b", "c:1"]),
        ("FROM b\nCOPY --from=later c d\nFROM a AS later\n", ["b", "a"]),
        ("FROM a\nCOPY --link --chown=1:1 --from='c:1' x y\n", ["a", "c:1"]),
        ("FROM a\nCOPY --from= x y\n", ["a"]),
        ("FROM a\nRUN --mount=type=bind,from=c:1,target=/c --mount=type=cache,target=/d true\n", ["a", "c:1"]),
        ("FROM a\nRUN --mount=from=c:1,from=d:1 true\n", ["a", "d:1"]),
        ("FROM a AS b\nFROM c\nRUN --mount=from=B,target=/c true\n", ["a", "c"]),
        ("FROM a\nRUN --mount=type=secret,id=x --mount=target=/x,readonly true\n", ["a"]),
        ("FROM a\nONBUILD COPY --from=b c d\n", ["a"]),
        ("FROM a\nADD --chmod=1 --checksum=sha256:0 --keep-git-dir b c\n", ["a"]),
        ("# syntax=docker/dockerfile:1\nFROM a\n", ["a"]),
        ("FROM a\nRUN <<A <<B\nFROM x\nA\nFROM y\nB\nFROM c\n", ["a", "c"]),
        ("FROM a\nRUN cat \\\n# c\n\n  x\nFROM b\n", ["a", "b"]),
        ("FROM\\\n a \\\n AS \\\n b\nFROM b\n", ["a"]),
        ("# escape=`\nFROM a `\n AS b\nRUN x \\\nFROM c\n", ["a", "c"]),
        ("# first\n# escape=`\nFROM a\nRUN x `\nFROM c\n", ["a", "c"]),
        ("\ufefffrom a\r\nrun x \\\r\n y\r\nfrom b", ["a", "b"]),
        ("FROM a \\", ["a"]),
        ('FROM "a" AS b\n', ["a"]),
        ("FROM a:1\nFROM a:1\n", ["a:1", "a:1"]),
    ],
)  # fmt: skip
def test_images_that_a_build_pulls(text: str, images: list[str]) -> None:
    assert resolved(text) == images


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ARG V=1\nFROM a:$V\n", "a:1"),
        ("ARG V='1'\nFROM a:${V}\n", "a:1"),
        ('ARG V="1" W=2\nFROM a:${V}${W}\n', "a:12"),
        ("ARG V=1\nARG V=2\nFROM a:$V\n", "a:2"),
        ("ARG V=1\nARG V\nFROM a:$V\n", "a:1"),
        ("ARG V=1\nARG W=$V.2\nARG V=3\nFROM a:$W\n", "a:1.2"),
        ("ARG V=1 # V=2 then\nFROM a:$V\n", "a:2"),
        ("ARG v=1\nFROM a:$V\n", None),
        ("FROM a:$V\n", None),
        ("ARG V\nFROM a:$V\n", None),
        ("ARG W=$V\nARG V=1\nFROM a:$W\n", None),
        ("FROM a:${V:-1}\n", "a:1"),
        ("FROM a:${V-1}\n", "a:1"),
        ("ARG V=\nFROM a:${V:-1}\n", "a:1"),
        ("ARG V=\nFROM a:1${V-2}\n", "a:1"),
        ("ARG V=2\nFROM a:${V:-1}\n", "a:2"),
        ("ARG V=x\nFROM a:1${V:+-arm64}\n", "a:1-arm64"),
        ("FROM a:1${V:+-arm64}\n", "a:1"),
        ("ARG V=\nFROM a:1${V+-arm64}\n", "a:1-arm64"),
        ("ARG V=1\nFROM a:${V:?must}\n", "a:1"),
        ("FROM a:${V:?must}\n", None),
        ("ARG V=v1.2-x\nFROM a:${V#v}\n", "a:1.2-x"),
        ("ARG V=v1.2-x\nFROM a:${V%-*}\n", "a:v1.2"),
        ("ARG V=1-2-3\nFROM a:${V%%-*}\n", "a:1"),
        ("ARG V=1-2-3\nFROM a:${V##*-}\n", "a:3"),
        ("ARG V=1-2-3\nFROM a:${V/-/.}\n", "a:1.2-3"),
        ("ARG V=1-2-3\nFROM a:${V//-/.}\n", "a:1.2.3"),
        ("FROM ${A:-${B:-a:1}}\n", "a:1"),
        ("ARG B=a:1\nFROM ${A:-$B}\n", "a:1"),
        ("FROM a:$TARGETARCH\n", None),
        ("FROM a:${TARGETARCH:-arm64}\n", None),
        ("FROM a:1${TARGETARCH:+-x}\n", "a:1-x"),
        ("ARG TARGETARCH=arm64\nFROM a:1-$TARGETARCH\n", "a:1-arm64"),
        ("FROM b AS c\nARG V=1\nFROM a:$V\n", None),
    ],
)
def test_arguments_by_buildkits_rules(text: str, value: str | None) -> None:
    assert resolved(text)[-1] == value


def test_build_arguments_win_over_defaults_but_only_where_they_are_declared() -> None:
    text = "ARG V=1\nARG W=$V\nFROM a:$W$U\nFROM b:${TARGETARCH}\n"

    assert resolved(text, build_args={"V": "2", "U": "3", "TARGETARCH": "arm64"}) == [None, "b:arm64"]
    assert resolved("ARG V=1\nARG W=$V\nFROM a:$W\n", build_args={"V": "2"}) == ["a:2"]


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--platform=linux/arm64 ", "linux/arm64"),
        ("--platform='linux/arm64' ", "linux/arm64"),
        ("--platform=$P ", "linux/amd64"),
        ("--platform=$BUILDPLATFORM ", "$BUILDPLATFORM"),
        ("--platform=linux/${TARGETARCH} ", "linux/${TARGETARCH}"),
        ("--platform=arm64 ", "arm64"),
        ("", None),
    ],
)
def test_the_platform_is_that_of_the_flag(flag: str, value: str | None) -> None:
    (use,) = read(f"ARG P=linux/amd64\nFROM {flag}a\n")

    assert use.platform == value


@pytest.mark.parametrize(
    ("target", "final", "base"),
    [
        (None, ["a", "b", "c", "d", "e"], "d"),
        ("two", ["a", "b", "c"], "c"),
        ("TEST", ["a", "x"], "a"),
        ("one", ["a"], "a"),
    ],
)
def test_final_is_what_the_target_needs_and_base_what_it_starts_from(
    target: str | None, final: list[str], base: str
) -> None:
    text = (
        "FROM a AS one\nFROM one AS test\nCOPY --from=x y z\nFROM c AS two\nCOPY --from=one x y\nCOPY --from=b x y\n"
        "FROM d AS three\nCOPY --from=two x y\nFROM three\nRUN --mount=from=e,target=/e true\n"
    )

    uses = read(text, target=target)

    assert sorted(use.resolved or "" for use in uses if use.final) == final
    assert [use.resolved for use in uses if use.base] == [base]


@pytest.mark.parametrize(
    ("text", "raw", "reason"),
    [
        ("ARG B\nFROM ${B}\n", "${B}", "ARG B has no default"),
        ("FROM $B\n", "$B", "B is not declared before the first FROM"),
        ("ARG R\nFROM ${R}:${T}\n", "${R}:${T}", "ARG R has no default"),
        ("ARG B=$C\nFROM $B\n", "$B", "C is used by ARG B before it is declared"),
        ("FROM ${B:?give}\n", "${B:?give}", "B is required: give"),
        ("FROM $TARGETPLATFORM\n", "$TARGETPLATFORM", "TARGETPLATFORM is set by each build"),
    ],
)
def test_of_what_is_not_known_at_all_the_reason_is_told(text: str, raw: str, reason: str) -> None:
    reading = read_uses(text)

    assert reading.uses == ()
    assert [(unread.raw, unread.reason) for unread in reading.skipped] == [(raw, reason)]


@pytest.mark.parametrize(
    ("tag", "runtime"),
    [
        ("${T}", None),
        ("3.12-${A}", "python3.12"),
        ("3.12.${D}", "python3.12"),
        ("3.12.2026.${D}", "python3.12"),
        ("3.12-preview-${A}", "python3.12"),
        ("3.1${T}", None),
        ("3.${T}", None),
        ("latest-${A}", None),
        ("3.12@${D}", "python3.12"),
    ],
)
def test_what_is_known_of_a_tag_tells_the_runtime(tag: str, runtime: str | None) -> None:
    (use,) = read(f"FROM public.ecr.aws/lambda/python:{tag}\n")

    assert use.resolved is None
    assert use.lambda_image
    assert use.lambda_image.runtime == runtime


@pytest.mark.parametrize(
    ("name", "is_lambda"),
    [
        ("${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/x/lambda/python:3.12", True),
        ("${REGISTRY}/lambda/python:3.12", True),
        ("public.ecr.aws/lambda/${NAME}:3.12", True),
        ("public.ecr.aws/${NAME}:3.12", False),
        ("${PREFIX}lambda/python:3.12", False),
    ],
)
def test_a_lambda_base_is_known_by_what_is_written_of_its_name(name: str, is_lambda: bool) -> None:
    (use,) = read(f"FROM {name}\n")

    assert (use.lambda_image is not None) == is_lambda


def test_mirrors_are_lambda_bases_too() -> None:
    (use,) = read("FROM registry.example/bases/python:3.12\n", mirrors=["registry.example/bases"])

    assert use.lambda_image
    assert str(use.lambda_image.upstream) == PY


def test_the_line_is_where_the_instruction_starts_and_the_raw_text_is_put_together() -> None:
    (use,) = read("\n\nFROM \\\n  # which\n  public.ecr.aws/lambda/python:3.\\\n12 AS x\n")

    assert (use.line, use.raw) == (3, PY)


@pytest.mark.parametrize(
    ("flag", "raw"),
    [("--from='c:1'", "'c:1'"), ("--from=c:1", "c:1"), ("--from=c\\:1", "c\\:1")],
)
def test_the_raw_text_of_a_flag_keeps_its_quotes(flag: str, raw: str) -> None:
    _, use = read(f"FROM a\nCOPY {flag} x y\n")

    assert (use.raw, use.resolved) == (raw, "c:1")

"""Where an edit of a reference would go, and why it may not."""

import pytest

from bot.core.dockerfile import ArgDefault, Literal, Unresolvable, read_uses

PY = "public.ecr.aws/lambda/python"
DIGEST = f"sha256:{'0f' * 32}"


@pytest.mark.parametrize(
    ("text", "site"),
    [
        (f"FROM {PY}:3.12\n", Literal(line=1)),
        (f"FROM {PY}\n", Literal(line=1)),
        (f"FROM {PY}@{DIGEST}\n", Literal(line=1)),
        (f"FROM \\\n  {PY}:3.12\n", Literal(line=2)),
        (f"FROM {PY}:3.1\\\n2\n", Literal(line=1)),
        (f"ARG V=3.12\nFROM {PY}:$V\n", ArgDefault(line=1, arg="V")),
        (f"ARG A B=1 \\\n  V=3.12\nFROM {PY}:$V\n", ArgDefault(line=2, arg="V")),
        (f"ARG V='3.12'\nFROM {PY}:$V\n", ArgDefault(line=1, arg="V")),
        (f"ARG V=3.9\nARG V=3.12\nFROM {PY}:$V\n", ArgDefault(line=2, arg="V")),
        (f"ARG V=3.12\nARG B={PY}:$V\nFROM $B\n", ArgDefault(line=1, arg="V")),
        (f"ARG B={PY}:3.12\nFROM $B\n", ArgDefault(line=1, arg="B")),
        (f"ARG B={PY}\nFROM $B\n", ArgDefault(line=1, arg="B")),
        ("ARG N=python\nARG B=public.ecr.aws/lambda/$N\nFROM $B\n", ArgDefault(line=2, arg="B")),
        ("ARG N=python\nFROM public.ecr.aws/lambda/$N\n", Literal(line=2)),
        ("ARG N=python\nFROM public.ecr.aws/lambda/$N:3.12\n", Literal(line=2)),
        ("ARG R=public.ecr.aws\nFROM $R/lambda/python:3.12\n", Literal(line=2)),
        ("ARG S=python:3.12\nFROM public.ecr.aws/lambda/$S\n", ArgDefault(line=1, arg="S")),
        (f"FROM {PY}:${{V:-3.12}}\n", Literal(line=1)),
        (f"FROM ${{B:-{PY}:3.12}}\n", Literal(line=1)),
        (f"ARG B=${{B:-{PY}:3.12}}\nFROM $B\n", ArgDefault(line=1, arg="B")),
        (f"ARG D={DIGEST}\nFROM {PY}@$D\n", ArgDefault(line=1, arg="D")),
        (
            f"ARG V=3.12\nARG D={DIGEST}\nFROM {PY}:$V@$D\n",
            ArgDefault(line=1, arg="V", also=(ArgDefault(line=2, arg="D"),)),
        ),
        (f"ARG D={DIGEST}\nFROM {PY}:3.12@$D\n", Literal(line=2, also=(ArgDefault(line=1, arg="D"),))),
        (f"ARG V=3.12\nFROM {PY}:$V@{DIGEST}\n", ArgDefault(line=1, arg="V", also=(Literal(line=2),))),
        (f"FROM {PY}:$V\n", Unresolvable(reason="V is not declared before the first FROM")),
        (f"ARG V\nFROM {PY}:$V\n", Unresolvable(reason="ARG V has no default")),
        ("ARG N\nFROM public.ecr.aws/lambda/$N\n", Unresolvable(reason="ARG N has no default")),
        (f"ARG D\nFROM {PY}@$D\n", Unresolvable(reason="ARG D has no default")),
    ],
)  # fmt: skip
def test_the_site_is_where_the_text_stands_that_an_update_replaces(
    text: str, site: Literal | ArgDefault | Unresolvable
) -> None:
    (use,) = read_uses(text).uses

    assert use.edit == site
    assert use.cannot_edit == (site.reason if isinstance(site, Unresolvable) else "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"ARG V=3.11\nFROM {PY}:$V\nFROM python:$V-slim\n", "ARG V also gives python:$V-slim on line 3"),
        (f"ARG V=3.11\nFROM {PY}:$V\nFROM amazon/aws-lambda-ruby:$V\n", "ARG V also gives amazon/aws-lambda-ruby"),
        (f"ARG V=3.11\nFROM {PY}:$V\nARG V\nRUN echo $V\n", "ARG V is used again inside a stage on line 3"),
        (f"ARG V=3.11\nARG W=x$V\nFROM {PY}:$V\nARG W\n", "ARG V is used again inside a stage on line 4"),
        (f"ARG V=arm64\nFROM --platform=$V {PY}:$V\n", "ARG V also gives a platform on line 2"),
        ("ARG V=22\nFROM public.ecr.aws/lambda/nodejs:$V-arm64\n", "ARG V, which gives a part of the tag"),
        (f"ARG A=arm64\nFROM {PY}:3.12-$A\n", "ARG A, which gives a part of the tag"),
        (f"FROM {PY}:3.12-$TARGETARCH\n", "a part of the tag that is not known: TARGETARCH is set by each build"),
        (f"ARG T=3.12-slim\nFROM {PY}:${{T%-*}}\n", "ARG T goes on after the tag with '-slim'"),
        (f"FROM {PY}:3.12${{X:+-arm64}}\n", "goes on after the tag with '${X:+-arm64'"),
        (f"ARG D\nFROM {PY}:3.12@$D\n", "ARG D has no default"),
        ("FROM public.ecr.aws/lambda/$N:3.12\n", "the name of the image is not known: N is not declared"),
    ],
)  # fmt: skip
def test_an_obstacle_is_told_in_words(text: str, reason: str) -> None:
    use = read_uses(text).uses[0]

    assert reason in use.cannot_edit


def test_an_argument_with_a_value_from_outside_is_edited_outside() -> None:
    (use,) = read_uses(f"ARG V=3.11\nFROM {PY}:$V\n", build_args={"V": "3.12"}).uses

    assert use.edit == Unresolvable(reason="it is given from outside the file")


def test_uses_of_the_same_text_may_share_an_argument() -> None:
    uses = read_uses(f"ARG V=3.12\nFROM {PY}:$V AS a\nFROM {PY}:$V\nCOPY --from=a x y\n").uses

    assert [use.cannot_edit for use in uses] == ["", ""]

"""The edit: the bytes of the references meant, and no other."""

from datetime import UTC, datetime

import pytest

from bot.core.digest import Digest
from bot.core.dockerfile import Repoint, Use, read_uses, repoint, same_but_for_bases
from bot.core.errors import DockerfileError

PY = "public.ecr.aws/lambda/python"
OLD, NEW = Digest.of(b"old"), Digest.of(b"new")


def lambda_uses(text: str) -> list[Use]:
    return [use for use in read_uses(text).uses if use.lambda_image]


def pin(text: str, digest: Digest | None = NEW, tag: str | None = None) -> str:
    """Give every Lambda base another digest, and another tag if one is named."""
    return repoint(text, [Repoint(use=use, tag=tag, digest=digest) for use in lambda_uses(text)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"FROM {PY}:3.12\n", f"FROM {PY}:3.12@{NEW}\n"),
        (f"FROM {PY}:3.12@{OLD} AS x\n", f"FROM {PY}:3.12@{NEW} AS x\n"),
        (f"FROM {PY}@{OLD}\n", f"FROM {PY}@{NEW}\n"),
        (f"FROM {PY}\n", f"FROM {PY}@{NEW}\n"),
        (f"FROM '{PY}' AS x\n", f"FROM '{PY}@{NEW}' AS x\n"),
        (f'FROM "{PY}:3.12"\n', f'FROM "{PY}:3.12@{NEW}"\n'),
        (f"FROM\t{PY}:3.1\\\n2 \\\n AS x", f"FROM\t{PY}:3.1\\\n2@{NEW} \\\n AS x"),
        (f"from {PY}:3.12\r\n", f"from {PY}:3.12@{NEW}\r\n"),
        (f"\ufeffFROM {PY}:3.12", f"\ufeffFROM {PY}:3.12@{NEW}"),
        (f"ARG V=3.12 # why\nFROM {PY}:$V\n", f"ARG V=3.12@{NEW} # why\nFROM {PY}:$V\n"),
        (f'ARG V="3.12"\nFROM {PY}:$V\n', f'ARG V="3.12@{NEW}"\nFROM {PY}:$V\n'),
        (f"ARG B='{PY}'\nFROM $B\n", f"ARG B='{PY}@{NEW}'\nFROM $B\n"),
        ("ARG N=python\nFROM public.ecr.aws/lambda/$N\n", f"ARG N=python\nFROM public.ecr.aws/lambda/$N@{NEW}\n"),
        (f"ARG D={OLD}\nFROM {PY}:3.12@$D\n", f"ARG D={NEW}\nFROM {PY}:3.12@$D\n"),
        (f"ARG V=3.12\nARG D={OLD}\nFROM {PY}:$V@$D\n", f"ARG V=3.12\nARG D={NEW}\nFROM {PY}:$V@$D\n"),
        (f"ARG V=3.12@{OLD}\nFROM {PY}:$V\n", f"ARG V=3.12@{NEW}\nFROM {PY}:$V\n"),
        (f"FROM {PY}:${{V:-3.12}}\n", f"FROM {PY}:${{V:-3.12@{NEW}}}\n"),
        (f'FROM ${{B:-"{PY}:3.12"}}\n', f'FROM ${{B:-"{PY}:3.12@{NEW}"}}\n'),
        (f"ARG V=v3.12\nFROM {PY}:${{V#v}}\n", f"ARG V=v3.12@{NEW}\nFROM {PY}:${{V#v}}\n"),
        (f"FROM a\nCOPY --from={PY}:3.12 x y\n", f"FROM a\nCOPY --from={PY}:3.12@{NEW} x y\n"),
        (f"FROM a\nRUN --mount=from={PY}:3.12,target=/x y", f"FROM a\nRUN --mount=from={PY}:3.12@{NEW},target=/x y"),
        ("FROM $R/lambda/python:3.12\n", f"FROM $R/lambda/python:3.12@{NEW}\n"),
    ],
)  # fmt: skip
def test_a_digest_is_added_or_replaced_where_it_belongs(before: str, after: str) -> None:
    assert pin(before) == after
    assert pin(after) == after
    assert same_but_for_bases(before, after)


@pytest.mark.parametrize(
    ("before", "tag", "digest", "after"),
    [
        (f"FROM {PY}:3.12.2026.01.02.03\n", "3.12.2026.02.03.04", None, f"FROM {PY}:3.12.2026.02.03.04\n"),
        (f"FROM {PY}:3.12@{OLD}\n", "3.12.2026.02.03.04", NEW, f"FROM {PY}:3.12.2026.02.03.04@{NEW}\n"),
        (f"FROM {PY}:3.12@{OLD}\n", None, None, f"FROM {PY}:3.12\n"),
        (f"FROM {PY}@{OLD}\n", "3.12", NEW, f"FROM {PY}:3.12@{NEW}\n"),
        (f"FROM {PY}@{OLD}\n", "3.12", None, f"FROM {PY}:3.12\n"),
        (f"FROM {PY}\n", "3.12", NEW, f"FROM {PY}:3.12@{NEW}\n"),
        (f"ARG V=3.12\nFROM {PY}:$V\n", "3.12.2026.02.03.04", None, f"ARG V=3.12.2026.02.03.04\nFROM {PY}:$V\n"),
        (
            f"ARG V=3.12\nARG D={OLD}\nFROM {PY}:$V@$D AS a\nFROM {PY}:$V@$D\n", "3.12.2026.02.03.04", NEW,
            f"ARG V=3.12.2026.02.03.04\nARG D={NEW}\nFROM {PY}:$V@$D AS a\nFROM {PY}:$V@$D\n",
        ),
        (
            f"ARG V=3.12\nARG I={PY}:$V@{OLD}\nFROM $I\n", "3.12.2026.02.03.04", NEW,
            f"ARG V=3.12.2026.02.03.04\nARG I={PY}:$V@{NEW}\nFROM $I\n",
        ),
        (
            f"FROM {PY}:3.12 AS a\nFROM {PY}:3.12\nCOPY --from={PY}:3.12 x y\n", "3.12.2026.02.03.04", None,
            (f"FROM {PY}:3.12.2026.02.03.04 AS a\nFROM {PY}:3.12.2026.02.03.04\n"
            f"COPY --from={PY}:3.12.2026.02.03.04 x y\n"),
        ),
        (f"FROM {PY}:3.12-arm\\\n64\n", "3.12.2026.02.03.04-arm64", None, f"FROM {PY}:3.12.2026.02.03.04-arm64\\\n\n"),
    ],
)  # fmt: skip
def test_a_tag_and_a_digest_are_what_the_change_says(
    before: str, tag: str | None, digest: Digest | None, after: str
) -> None:
    assert pin(before, digest, tag) == after
    assert same_but_for_bases(before, after)


def test_one_argument_that_feeds_several_references_is_edited_once() -> None:
    text = f"ARG V=3.12\nFROM {PY}:$V AS a\nFROM {PY}:$V\nCOPY --from={PY}:3.12 x y\n"

    assert pin(text) == f"ARG V=3.12@{NEW}\nFROM {PY}:$V AS a\nFROM {PY}:$V\nCOPY --from={PY}:3.12@{NEW} x y\n"


def test_a_use_that_shares_its_argument_goes_with_the_one_that_is_named() -> None:
    text = f"ARG V=3.12\nFROM {PY}:$V AS a\nFROM {PY}:$V\n"

    edited = repoint(text, [Repoint(use=lambda_uses(text)[0], tag=None, digest=NEW)])

    assert edited == f"ARG V=3.12@{NEW}\nFROM {PY}:$V AS a\nFROM {PY}:$V\n"


def test_only_the_uses_that_are_named_change() -> None:
    text = f"FROM {PY}:3.12@{OLD} AS a\nFROM {PY}:3.12@{OLD}\n"

    edited = repoint(text, [Repoint(use=lambda_uses(text)[1], tag=None, digest=NEW)])

    assert edited == f"FROM {PY}:3.12@{OLD} AS a\nFROM {PY}:3.12@{NEW}\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"ARG V=3.11\nFROM {PY}:$V\nFROM python:$V\n", "ARG V also gives python:"),
        (f"ARG V=3.11@{OLD}\nFROM {PY}:$V\nFROM python:$V\n", "ARG V also gives python:"),
        (f"ARG D={OLD}\nFROM {PY}:3.12@$D\nFROM {PY}:3.13@$D\n", "ARG D also gives .*:3.13@"),
        (f"ARG V=3.12\nARG S=\nFROM {PY}:$V$S\n", r"goes on after the tag with '\$S'"),
        (f"ARG V=3.12\nARG S\nARG T=$V${{S:-}}\nFROM {PY}:${{T}}\n", r"ARG T goes on after the tag with '\$\{S:-'"),
        (f"ARG V=v3\nFROM {PY}:${{V#v}}.12\n", "ARG V, which gives a part of the tag"),
        (f"FROM {PY}:$V\n", "V is not declared"),
        (f"FROM {PY}:3.12@{str(OLD)[:20]}\\{str(OLD)[20:]}\nCOPY a b\n", "the edit would break the file"),
    ],
    ids=[
        "shared",
        "shared-with-digest",
        "shared-digest",
        "suffix",
        "inner-suffix",
        "trimmed",
        "unknown",
        "escape-in-a-digest",
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DockerfileError, match=reason):
        repoint(text, [Repoint(use=lambda_uses(text)[0], tag=None, digest=NEW)])


def test_an_edit_that_would_change_another_use_is_refused() -> None:
    text = f"ARG V=3.11\nFROM {PY}:$V@{OLD}\nFROM python:$V\n"
    (use,) = lambda_uses(text)

    with pytest.raises(DockerfileError, match=r"the edit would make python:"):
        repoint(text, [Repoint(use=use, tag="3.11.2026.02.03.04", digest=NEW)])
    assert use.cannot_retag == "ARG V also gives python:$V on line 3"
    assert not use.cannot_edit


def test_two_changes_that_want_different_things_of_one_place_are_refused() -> None:
    text = f"ARG V=3.12\nFROM {PY}:$V AS a\nFROM {PY}:$V\n"
    first, second = lambda_uses(text)

    with pytest.raises(DockerfileError, match="shares its text"):
        repoint(text, [Repoint(use=first, tag=None, digest=NEW), Repoint(use=second, tag=None, digest=OLD)])
    with pytest.raises(DockerfileError, match="two different things"):
        repoint(text, [Repoint(use=first, tag=None, digest=NEW), Repoint(use=first, tag=None, digest=OLD)])


def test_a_file_that_changed_meanwhile_is_not_edited() -> None:
    (use,) = lambda_uses(f"FROM {PY}:3.12\n")

    with pytest.raises(DockerfileError, match="not there any more; read the file again"):
        repoint(f"# new\nFROM {PY}:3.12\n", [Repoint(use=use, tag=None, digest=NEW)])
    with pytest.raises(DockerfileError, match="not there any more"):
        repoint(f"FROM {PY}:3.13\n", [Repoint(use=use, tag=None, digest=NEW)])


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (f"FROM {PY}:3.12\n", f"FROM {PY}:3.13@{NEW}\n", True),
        (f"FROM {PY}:3.12\n", f"FROM {PY}:3.12\nRUN x\n", False),
        (f"FROM {PY}:3.12\n", "FROM public.ecr.aws/lambda/ruby:3.12\n", False),
        (f"FROM {PY}:3.12\n", f"FROM {PY}:3.12 AS x\n", False),
        ("FROM python:3.12\n", "FROM python:3.13\n", False),
        (f"FROM {PY}:3.12\nRUN a\n", f"FROM {PY}:3.12\nRUN b\n", False),
        (f"ARG V=3.12\nFROM {PY}:$V\n", f"ARG V=3.13@{NEW}\nFROM {PY}:$V\n", True),
        (f"ARG V=3.12\nFROM {PY}:$V\n", f"FROM {PY}:3.12\n", False),
        ("not a Dockerfile\n", "not a Dockerfile\n", True),
        ("not a Dockerfile\n", f"FROM {PY}:3.12\n", False),
    ],
)
def test_two_files_are_the_same_but_for_their_bases_or_not(old: str, new: str, same: bool) -> None:
    assert same_but_for_bases(old, new) == same
    assert same_but_for_bases(new, old) == same


def test_a_mirror_is_a_base_where_the_settings_say_so() -> None:
    old, new = "FROM registry.example/b/python:3.12\n", "FROM registry.example/b/python:3.13\n"

    assert same_but_for_bases(old, new, mirrors=["registry.example/b"])
    assert not same_but_for_bases(old, new)


def test_the_dated_style_replaces_the_tag_by_the_tag_of_the_same_stream() -> None:
    text = f"FROM {PY}:3.12.2026.01.02.03-arm64\n"
    (use,) = lambda_uses(text)
    assert use.lambda_image
    assert use.lambda_image.tag

    tag = use.lambda_image.tag.with_stamp(datetime(2026, 2, 3, 4, 5, tzinfo=UTC))

    assert repoint(text, [Repoint(use=use, tag=str(tag), digest=None)]) == f"FROM {PY}:3.12.2026.02.03.04-arm64\n"

"""Digests: an algorithm and its hexadecimal digits, nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.errors import InvalidReference

HEX = "ab" * 32


@pytest.mark.parametrize("text", [f"sha256:{HEX}", f"sha512:{HEX}{HEX}"], ids=["sha256", "sha512"])
def test_text_and_value_are_the_same(text: str) -> None:
    assert str(Digest.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "sha256", "sha256:", f"sha256:{HEX[1:]}", f"sha256:{HEX}0", f"sha256:{HEX.upper()}", f"md5:{HEX}",
     f" sha256:{HEX}", f"sha256:{HEX}\n", f"sha512:{HEX}", f"sha256:sha256:{HEX}", f"sha256:{'é' * 64}"],
)  # fmt: skip
def test_anything_else_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(InvalidReference, match="write sha256: and 64"):
        Digest.parse(text)


def test_a_message_holds_no_more_of_a_long_text_than_helps() -> None:
    with pytest.raises(InvalidReference) as caught:
        Digest.parse("x" * 100_000)

    assert len(str(caught.value)) < 300


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.binary(max_size=64), st.binary(max_size=64))
def test_a_digest_verifies_its_own_content_alone(content: bytes, other: bytes) -> None:
    digest = Digest.of(content)

    assert digest.verifies(content)
    assert digest.verifies(other) == (content == other)
    assert Digest.parse(str(digest)) == digest
    assert digest.short == digest.hex[:12]

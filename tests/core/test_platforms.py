"""Platforms: normalised as containerd does, in Lambda's words where Lambda has them."""

import pytest

from bot.core.errors import InvalidReference
from bot.core.platforms import Platform


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("Linux/ARM64", "linux/arm64"),
        ("arm64", "linux/arm64"),
        ("x86-64", "linux/amd64"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_parsing_normalises(text: str, normal: str) -> None:
    platform = Platform.parse(text)

    assert str(platform) == normal
    assert Platform.parse(str(platform)) == platform


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "//"])
def test_what_is_no_platform_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(InvalidReference, match="write os/architecture"):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("platform", "word"),
    [("linux/amd64", "x86_64"), ("linux/arm64/v8", "arm64"), ("linux/arm/v7", None), ("windows/amd64", None)],
)
def test_lambda_has_two_words(platform: str, word: str | None) -> None:
    assert Platform.parse(platform).lambda_architecture == word
    if word:
        assert Platform.of_function(word) == Platform.parse(platform)

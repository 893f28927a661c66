"""Reasons that Lambda gives for a function that does not run."""

import pytest

from bot.adapters.deployer.aws_errors import explained


@pytest.mark.parametrize(
    ("code", "text", "line"),
    [
        pytest.param("", "", "", id="no-reason"),
        pytest.param("", "The function is being updated.", "The function is being updated", id="text-only"),
        pytest.param("Brandnew", "Something.", "Brandnew: Something", id="unknown-code-is-passed-on"),
        pytest.param("InternalError", "", "InternalError; Lambda failed; update the function again", id="no-text"),
        pytest.param(
            "FunctionError.InitTimeout",
            "Init took too long.",
            "FunctionError.InitTimeout: Init took too long; the container does not start; "
            "run the image locally with its entry point",
            id="detail-after-a-dot",
        ),
    ],
)
def test_a_reason_is_one_line_with_its_cure(code: str, text: str, line: str) -> None:
    assert explained(code, text) == line


@pytest.mark.parametrize("code", ["ImageDeleted", "ImageAccessDenied", "InvalidImage", "KMSKeyAccessDenied"])
def test_a_reason_that_lies_with_the_image_or_its_key_has_a_cure(code: str) -> None:
    assert explained(code, "text").startswith(f"{code}: text; ")

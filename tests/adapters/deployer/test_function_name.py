"""Names of functions, as people write them and as Lambda answers them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.deployer.function_name import FunctionName
from bot.core.errors import DeployError

HOME = "eu-west-1"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"


@pytest.mark.parametrize(
    ("text", "region", "account"),
    [
        pytest.param("orders", HOME, None, id="name"),
        pytest.param("Orders_2-b", HOME, None, id="all-kinds-of-characters"),
        pytest.param("123456789012:function:orders", HOME, "123456789012", id="partial-arn"),
        pytest.param(ARN, "us-east-1", "123456789012", id="arn"),
        pytest.param(
            "arn:aws-us-gov:lambda:us-gov-west-1:210987654321:function:orders",
            "us-gov-west-1",
            "210987654321",
            id="partition",
        ),
    ],
)
def test_a_name_lies_in_the_default_region_and_an_arn_in_its_own(text: str, region: str, account: str | None) -> None:
    name = FunctionName.parse(text, default_region=HOME)

    assert (name.text, name.region, name.account) == (text, region, account)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("orders:live", id="alias"),
        pytest.param("orders:$LATEST", id="version"),
        pytest.param(f"{ARN}:7", id="arn-with-version"),
        pytest.param("orders\n", id="newline"),
        pytest.param("o" * 65, id="too-long"),
        pytest.param("arn:aws:lambda:evil.example/#:123456789012:function:orders", id="region-that-is-a-host"),
        pytest.param("arn:aws:s3:::orders", id="other-service"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(DeployError, match="write its name or its ARN, without version or alias"):
        FunctionName.parse(text, default_region=HOME)


@pytest.mark.parametrize("qualifier", ["", ":7", ":live", ":$LATEST"])
def test_an_answered_arn_is_read_without_its_version_or_alias(qualifier: str) -> None:
    assert FunctionName.of_arn(ARN + qualifier) == FunctionName(text=ARN, region="us-east-1", account="123456789012")


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.text(max_size=80) | st.from_regex(r"(arn:aws:lambda:)?[a-z0-9:-]{0,60}", fullmatch=True))
def test_no_text_leads_to_a_region_that_is_no_word(text: str) -> None:
    """The Region becomes part of a host name, to which credentials go."""
    try:
        name = FunctionName.parse(text, default_region=HOME)
    except DeployError:
        return

    assert name.region.replace("-", "").isalnum()
    assert name.text == text

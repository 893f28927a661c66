"""The tag of a built image: what a template may hold, and what it gives."""

import pytest

from bot.core.errors import InvalidReference
from bot.core.image_tag import DEFAULT_TAG, TagTemplate

VALUES = {"commit": "c0ffee", "base": "ba5e", "recipe": "4ec1", "runtime": "nodejs22.x", "function": "orders"}


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        (DEFAULT_TAG.text, "refrom-c0ffee-ba5e-4ec1"),
        ("{function}.{runtime}_{recipe}-{base}-{commit}", "orders.nodejs22.x_4ec1-ba5e-c0ffee"),
        ("{commit}{commit}{base}{recipe}", "c0ffeec0ffeeba5e4ec1"),
    ],
)
def test_fields_are_filled_in(text: str, tag: str) -> None:
    assert TagTemplate.parse(text).fill(**VALUES) == tag


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{commit}", r"lacks \{base\}, \{recipe\}; two images must not share a tag", id="too little"),
        pytest.param("latest", r"lacks \{commit\}", id="no field"),
        pytest.param("{commit}{base}{recipe}{date}", r"has \{date\}; the fields are \{commit\}, ", id="unknown field"),
        pytest.param("{commit}{base}{recipe}{}", r"has \{\}", id="field without a name"),
        pytest.param("{commit.__class__}{base}{recipe}", r"has \{commit.__class__\}", id="attribute"),
        pytest.param("{commit[0]}{base}{recipe}", r"has \{commit\[0\]\}", id="index"),
        pytest.param("{commit:>99}{base}{recipe}", "has a format", id="format"),
        pytest.param("{commit!r}{base}{recipe}", "has a format", id="conversion"),
        pytest.param("{commit}{base}{recipe", "cannot be filled in", id="open brace"),
        pytest.param("{commit}{base}{recipe}{{", "malformed tag", id="a brace in the tag"),
        pytest.param("{commit}/{base}/{recipe}", "malformed", id="slash"),
        pytest.param("-{commit}-{base}-{recipe}", "malformed tag", id="begins with a hyphen"),
        pytest.param("{commit}-{base}-{recipe}" + "x" * 100, "malformed tag", id="too long"),
        pytest.param("x@{commit}{base}{recipe}", "digest", id="at sign"),
    ],
)
def test_what_is_no_template_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(InvalidReference, match=said):
        TagTemplate.parse(text)

"""Runtimes: each names its stream, and an identifier that is not known is told with the closest one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import InvalidReference
from bot.core.platforms import Platform
from bot.core.runtimes import Catalogue, Runtime


def runtime(identifier: str, tag: str = "1") -> Runtime:
    return Runtime(
        identifier=identifier,
        repository="lambda/python",
        tag=tag,
        os="AL2023",
        platforms=(Platform.parse("linux/amd64"),),
    )


CATALOGUE = Catalogue([runtime("python3.13", "3.13"), runtime("nodejs22.x"), runtime("provided.al2023")])


def test_the_stream_is_the_moving_tag_of_the_public_registry() -> None:
    assert str(CATALOGUE.get("python3.13").reference) == "public.ecr.aws/lambda/python:3.13"


def test_a_catalogue_lists_its_identifiers_in_order() -> None:
    assert list(CATALOGUE) == ["python3.13", "nodejs22.x", "provided.al2023"]
    assert len(CATALOGUE) == 3
    assert "python3.13" in CATALOGUE
    assert "python3.14" not in CATALOGUE


@pytest.mark.parametrize(
    ("identifier", "hint"),
    [
        pytest.param("python3.31", "did you mean python3.13?", id="digits swapped"),
        pytest.param("nodejs22", "did you mean nodejs22.x?", id="without .x"),
        pytest.param("provided.al23", "did you mean provided.al2023?", id="a short form"),
        pytest.param("cobol", "add it to the file that runtimes.catalogue names", id="nothing close"),
    ],
)
def test_an_unknown_identifier_is_told_with_the_cure(identifier: str, hint: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        CATALOGUE.get(identifier)

    assert str(caught.value) == f"runtime {identifier!r} is unknown; {hint}"


def test_an_overlay_adds_rows_and_replaces_those_of_the_same_identifier() -> None:
    changed = CATALOGUE.overlay([runtime("nodejs22.x", "22-mine"), runtime("cobol85")])

    assert list(changed) == ["python3.13", "nodejs22.x", "provided.al2023", "cobol85"]
    assert changed.get("nodejs22.x").tag == "22-mine"
    assert CATALOGUE.get("nodejs22.x").tag == "1"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=st.text(max_size=300))
def test_any_text_is_a_runtime_or_a_short_error(text: str) -> None:
    closest = CATALOGUE.closest(text)

    assert closest is None or closest in CATALOGUE
    if text not in CATALOGUE:
        with pytest.raises(InvalidReference) as caught:
            CATALOGUE.get(text)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 1000

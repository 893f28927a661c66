"""Image references: the cases of distribution/reference and go-containerregistry that have an answer here.

We follow distribution's ParseNormalizedNamed, as `docker pull` and BuildKit do. On purpose different:
the weak parsing of go-containerregistry takes an empty registry for Docker Hub; we refuse it.
distribution's tests run without sha512; we know it.
"""

from typing import Any

import pytest

from bot.core.errors import InvalidReference
from bot.core.reference import Reference
from tests.corpus.place import cases, needs_corpus

pytestmark = needs_corpus

ALL = [case for case in cases("reference.json", "cases") if isinstance(case["input"], str)]
SHA512 = "validname@sha512:"


def of(*functions: str) -> list[Any]:
    return [case for case in ALL if case["func"] in functions]


def parse(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except InvalidReference:
        return None


@pytest.mark.parametrize("case", of("Parse"), ids=lambda case: case["input"][:60])
def test_parts(case: dict[str, Any]) -> None:
    reference, expected = parse(case["input"]), case["expected"]

    if case["input"].startswith(SHA512):
        assert reference
    elif "error" in expected:
        assert reference is None
    else:
        assert reference
        assert (reference.tag or "") == expected["tag"]
        assert (str(reference.digest) if reference.digest else "") == expected["digest"]


@pytest.mark.parametrize("case", of("ParseNormalizedNamed"), ids=lambda case: case["input"][:60])
def test_normalisation(case: dict[str, Any]) -> None:
    reference, expected = parse(case["input"]), case["expected"]

    if expected.get("ok") or "full" in expected:
        assert reference
        assert expected.get("full", str(reference)) in (str(reference), reference.name)
    else:
        assert reference is None


@pytest.mark.parametrize("case", of("ParseNormalizedNamed+Split"), ids=lambda case: case["input"])
def test_registry_and_repository(case: dict[str, Any]) -> None:
    reference = Reference.parse(case["input"])

    assert (reference.registry, reference.repository) == (case["expected"]["domain"], case["expected"]["path"])


@pytest.mark.parametrize("case", of("ReferenceRegexp"), ids=lambda case: case["input"][:60])
def test_whole_grammar(case: dict[str, Any]) -> None:
    assert (parse(case["input"]) is not None) == case["expected"]["match"]


@pytest.mark.parametrize("case", of("DomainRegexp"), ids=lambda case: case["input"])
def test_registries(case: dict[str, Any]) -> None:
    assert (parse(f"{case['input']}/x") is not None) == case["expected"]["match"]


@pytest.mark.parametrize("case", of("NewDigest", "NewTag", "NewRepository"), ids=lambda case: case["input"][:60])
def test_go_containerregistry_agrees(case: dict[str, Any]) -> None:
    assert (parse(case["input"]) is not None) == (case["expected"]["weak"] == "ok")


@pytest.mark.parametrize("case", of("ParseAnyReference"), ids=lambda case: case["input"][:60])
def test_any_reference_but_image_ids(case: dict[str, Any]) -> None:
    reference, equivalent = parse(case["input"]), case["expected"].get("Equivalent", "")

    if reference and "/" in equivalent:
        assert str(reference) == equivalent

"""Leads: what an image says of its base is read as hints, however hostile the text is."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, ImageConfig, parse_config
from bot.core.leads import BUILDINFO, agrees, hours, materials, moments, named_bases, streams
from bot.core.platforms import Platform
from bot.core.runtimes import Catalogue, Runtime
from bot.core.tags import stamps

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
PYTHON = "public.ecr.aws/lambda/python:3.13"
DIGEST = Digest.of(b"base")
HOUR = datetime(2026, 11, 20, 14, tzinfo=UTC)


def config(**more: object) -> ImageConfig:
    return parse_config(json.dumps({"architecture": "amd64", "os": "linux", **more}).encode())


def labelled(labels: Mapping[str, str]) -> ImageConfig:
    return config(config={"Labels": dict(labels)})


def buildinfo(*sources: object) -> str:
    return b64encode(json.dumps({"sources": sources}).encode()).decode()


def statement(**predicate: object) -> bytes:
    return json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "predicate": predicate}).encode()


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        pytest.param({BASE_NAME_LABEL: PYTHON, BASE_DIGEST_LABEL: str(DIGEST)}, [f"{PYTHON}@{DIGEST}"], id="both"),
        pytest.param({BASE_NAME_LABEL: PYTHON}, [PYTHON], id="a name alone"),
        pytest.param({BASE_DIGEST_LABEL: str(DIGEST)}, [], id="a digest of nothing"),
        pytest.param({}, [], id="none"),
    ],
)
def test_labels_name_a_base(labels: Mapping[str, str], named: list[str]) -> None:
    assert [str(base.reference) for base in named_bases(labelled(labels))] == named


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({BASE_NAME_LABEL: "Not A Reference"}, id="name"),
        pytest.param({BASE_NAME_LABEL: PYTHON, BASE_DIGEST_LABEL: "sha256:../.."}, id="digest"),
        pytest.param({BASE_NAME_LABEL: "x" * 100_000 + "!"}, id="long"),
    ],
)
def test_a_label_that_is_no_reference_is_told_and_cut(labels: Mapping[str, str]) -> None:
    (base,) = named_bases(labelled(labels))

    assert base.reference is None
    assert len(base.text) <= 300


def test_build_information_names_bases() -> None:
    source = {"type": "docker-image", "ref": PYTHON, "pin": str(DIGEST)}

    found = named_bases(config(**{BUILDINFO: buildinfo({"type": "git", "ref": "https://x"}, source)}))

    assert [(base.source, str(base.reference)) for base in found] == [("buildinfo", f"{PYTHON}@{DIGEST}")]


@pytest.mark.parametrize(
    "predicate",
    [
        pytest.param({"materials": [{"uri": "URI", "digest": {"sha256": DIGEST.hex}}]}, id="SLSA 0.2"),
        pytest.param(
            {"buildDefinition": {"resolvedDependencies": [{"uri": "URI", "digest": {"sha256": DIGEST.hex}}]}},
            id="SLSA 1",
        ),
    ],
)
@pytest.mark.parametrize(
    "uri",
    [
        "pkg:docker/public.ecr.aws/lambda/python@3.13",
        "pkg:docker/public.ecr.aws/lambda/python@3.13?platform=linux%2Famd64",
        "pkg:docker/public.ecr.aws%2Flambda%2Fpython@3.13",
    ],
)
def test_provenance_names_its_materials(predicate: Mapping[str, Any], uri: str) -> None:
    text = statement(**predicate).replace(b"URI", uri.encode())

    assert [(base.source, str(base.reference)) for base in materials(text)] == [("provenance", f"{PYTHON}@{DIGEST}")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values, json_values, st.binary())
def test_what_is_not_of_the_expected_shape_names_nothing(value: object, other: object, content: bytes) -> None:
    """Shapes that Hypothesis thinks of in the place of each document."""
    wrong = {"sources": value, "predicate": {"materials": other, "buildDefinition": value}}

    assert materials(content) == ()
    materials(json.dumps(wrong).encode())
    named_bases(config(**{BUILDINFO: value, "history": other}))
    named_bases(config(**{BUILDINFO: b64encode(json.dumps(wrong).encode()).decode()}))
    assert moments(config(history=[value, {"created": other}])) == ()


def history(*times: object) -> ImageConfig:
    return config(history=[{"created": time} for time in times])


@pytest.mark.parametrize(
    ("times", "found"),
    [
        pytest.param(["2026-11-20T14:02:11Z", "2026-11-20T14:59:59Z"], [HOUR], id="one hour"),
        pytest.param(["2026-11-20T15:02:11+01:00"], [HOUR], id="another zone"),
        pytest.param(["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"], [], id="reproducible builds"),
        pytest.param(["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "yesterday", 7, None], [], id="nonsense"),
        pytest.param(
            ["2026-11-20T14:02:11Z", "2026-11-21T10:00:00Z", "2026-11-22T10:00:00Z"],
            [HOUR, datetime(2026, 11, 21, 10, tzinfo=UTC)],
            id="the lowest two",
        ),
    ],
)
def test_the_history_says_in_which_hours_its_lowest_entries_were_made(
    times: list[object], found: list[datetime]
) -> None:
    assert list(moments(history(*times))) == found


@given(st.lists(st.datetimes(timezones=st.just(UTC))))
def test_any_hours_have_stamps_that_can_be_written(times: list[datetime]) -> None:
    found = stamps(hours(times))

    assert len(set(found)) == len(found) <= 5 * len(set(times))
    assert all(stamp.year >= 2020 for stamp in found)


def test_a_history_agrees_with_a_base_of_a_time_in_it() -> None:
    made = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)
    image = history("2026-11-20T14:02:11Z", "2026-11-21T10:00:00Z")

    assert agrees(image, made)
    assert agrees(image, None)
    assert agrees(history(), made)
    assert not agrees(image, HOUR)


def runtime(identifier: str, platforms: tuple[Platform, ...] = (AMD64, ARM64), ended: str = "2030-01-01") -> Runtime:
    deprecation = datetime.fromisoformat(ended).date()
    return Runtime(
        identifier=identifier, repository="lambda/x", tag="1", os="AL2023", platforms=platforms, deprecation=deprecation
    )


def test_streams_are_looked_at_by_likelihood() -> None:
    """What a hint names, then languages before systems, then what had ended by then; none without the platform."""
    catalogue = Catalogue(
        [
            runtime("python2.7", (AMD64,)),
            runtime("nodejs18.x", ended="2025-09-01"),
            runtime("provided.al2023"),
            runtime("java21"),
            runtime("python3.13"),
        ]
    )

    found = streams(catalogue, ARM64, ["python3.13"], HOUR)

    names = [[runtime.identifier for runtime in group] for group in found]
    assert names == [["python3.13"], ["java21", "provided.al2023"], ["nodejs18.x"]]

"""Manifests, indexes and image configs as documents from strangers."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.errors import InvalidImage
from bot.core.image import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Index,
    Manifest,
    parse_config,
    parse_manifest,
    parse_time,
    to_json,
)
from bot.core.platforms import Platform

DIGEST = str(Digest.of(b"content"))
POINTER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 7}
MANIFEST = {"schemaVersion": 2, "config": POINTER, "layers": [POINTER, POINTER]}
INDEX: dict[str, Any] = {"schemaVersion": 2, "manifests": [POINTER]}
CONFIG = {"architecture": "arm64", "os": "linux", "variant": "v8", "rootfs": {"type": "layers", "diff_ids": [DIGEST]}}


def raw(document: object, **changes: object) -> bytes:
    return json.dumps({**document, **changes} if isinstance(document, dict) else document).encode()


@pytest.mark.parametrize(
    ("document", "served", "expected"),
    [
        pytest.param(MANIFEST, None, OCI_MANIFEST, id="a manifest by its fields"),
        pytest.param(INDEX, None, OCI_INDEX, id="an index by its fields"),
        pytest.param(MANIFEST, f"{DOCKER_MANIFEST}; charset=utf-8", DOCKER_MANIFEST, id="as the server says"),
        pytest.param(MANIFEST, "text/plain", OCI_MANIFEST, id="by its fields where the server says nothing useful"),
        pytest.param({**MANIFEST, "mediaType": DOCKER_MANIFEST}, OCI_MANIFEST, DOCKER_MANIFEST, id="the document wins"),
        pytest.param({**INDEX, "mediaType": DOCKER_INDEX}, OCI_MANIFEST, DOCKER_INDEX, id="the document wins, index"),
    ],
)
def test_a_document_is_of_the_type_that_it_states_or_else_was_served_as(
    document: dict[str, Any], served: str | None, expected: str
) -> None:
    read = parse_manifest(raw(document), media_type=served)

    assert read.media_type == expected
    assert isinstance(read, Index if expected in (OCI_INDEX, DOCKER_INDEX) else Manifest)
    assert read.digest == Digest.of(raw(document))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="deeper than can be read"),
        pytest.param(b'{"schemaVersion": ' + b"9" * 5000 + b"}", id="a number too long to read"),
        pytest.param(raw([MANIFEST]), id="a list"),
        pytest.param(raw({"schemaVersion": 1, "fsLayers": []}), id="schema 1"),
        pytest.param(raw({"errors": [{"code": "DENIED"}]}), id="an error"),
        pytest.param(raw(MANIFEST, mediaType="application/vnd.oci.artifact.manifest.v1+json"), id="another document"),
        pytest.param(raw(MANIFEST, mediaType=["x"]), id="a type that is no text"),
        pytest.param(raw({**MANIFEST, **INDEX}), id="manifest and index at once"),
        pytest.param(raw({**MANIFEST, **INDEX}, mediaType=OCI_INDEX), id="an index with layers"),
        pytest.param(raw(INDEX, mediaType=OCI_MANIFEST), id="an index that says it is a manifest"),
        pytest.param(raw(MANIFEST, layers={"0": POINTER}), id="layers that are no list"),
        pytest.param(raw(MANIFEST, layers=[DIGEST]), id="a layer that is no object"),
        pytest.param(raw(MANIFEST, config=None), id="no config"),
        pytest.param(raw(MANIFEST, config={**POINTER, "size": -1}), id="a size below zero"),
        pytest.param(raw(MANIFEST, config={**POINTER, "size": True}), id="a size that is no number"),
        pytest.param(raw(MANIFEST, config={**POINTER, "size": "7"}), id="a size as text"),
        pytest.param(raw(MANIFEST, config={**POINTER, "digest": "sha256:../../etc"}), id="a digest that is a path"),
        pytest.param(raw(MANIFEST, config={**POINTER, "digest": DIGEST.upper()}), id="a digest in upper case"),
        pytest.param(raw(MANIFEST, config={**POINTER, "annotations": ["x"]}), id="annotations that are no object"),
    ],
)
def test_what_is_no_manifest_is_refused_by_its_digest(content: bytes) -> None:
    with pytest.raises(InvalidImage, match=r"manifest|media type"):
        parse_manifest(content)


def test_an_index_offers_images_by_platform_and_keeps_attestations_apart() -> None:
    def entry(seed: str, os: str, architecture: str, **more: object) -> dict[str, object]:
        digest = str(Digest.of(seed.encode()))
        return {**POINTER, "digest": digest, "platform": {"os": os, "architecture": architecture}, **more}

    attestation = {"vnd.docker.reference.type": "attestation-manifest"}
    entries = [
        entry("first", "linux", "amd64"),
        entry("second", "linux", "amd64"),
        entry("arm", "linux", "arm64"),
        entry("proof", "unknown", "unknown", annotations=attestation),
        POINTER,
    ]

    index = parse_manifest(raw(INDEX, manifests=entries))

    assert isinstance(index, Index)
    assert {platform: image.digest for platform, image in index.images.items()} == {
        Platform("linux", "amd64"): Digest.of(b"first"),
        Platform("linux", "arm64"): Digest.of(b"arm"),
    }
    assert [each.digest for each in index.attestations] == [Digest.of(b"proof")]


def test_a_config_is_read_with_its_gaps() -> None:
    config = parse_config(raw(CONFIG, created="2026-11-20T14:02:11.123456789Z", config={"Cmd": "app.handler"}))

    assert (config.platform, config.diff_ids) == (Platform("linux", "arm64"), (Digest.of(b"content"),))
    assert config.created == datetime(2026, 11, 20, 14, 2, 11, 123456, tzinfo=UTC)
    assert (config.env, config.entrypoint, config.cmd, config.labels) == ((), (), ("app.handler",), {})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"{", id="no JSON"),
        pytest.param(raw([]), id="a list"),
        pytest.param(raw({"os": "linux"}), id="no architecture"),
        pytest.param(raw(CONFIG, rootfs=[DIGEST]), id="layers that are no object"),
        pytest.param(raw(CONFIG, rootfs={"diff_ids": ["sha256:00"]}), id="a malformed diff ID"),
        pytest.param(raw(CONFIG, rootfs={"diff_ids": 7}), id="diff IDs that are no list"),
        pytest.param(raw(CONFIG, config=["x"]), id="settings that are no object"),
        pytest.param(raw(CONFIG, config={"Env": {"A": "B"}}), id="an environment that is no list"),
        pytest.param(raw(CONFIG, config={"Labels": ["x"]}), id="labels that are no object"),
    ],
)
def test_what_is_no_config_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidImage, match="image config"):
        parse_config(content)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("2026-11-20T14:02:11Z", datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC), id="UTC"),
        pytest.param("2026-11-20T14:00:00+02:00", datetime(2026, 11, 20, 12, tzinfo=UTC), id="another zone"),
        pytest.param("2026-11-20T14:00:00", datetime(2026, 11, 20, 14, tzinfo=UTC), id="no zone"),
        pytest.param("0001-01-01T00:00:00+01:00", None, id="before the first year once in UTC"),
        pytest.param("9999-12-31T23:59:59-01:00", None, id="after the last year once in UTC"),
        pytest.param("yesterday", None, id="no time"),
        pytest.param(1_700_000_000, None, id="a number"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_a_time_that_cannot_be_read_is_no_time(value: object, expected: datetime | None) -> None:
    assert parse_time(value) == expected


def test_a_document_with_half_a_character_can_be_written_again() -> None:
    """JSON can escape a lone surrogate, UTF-8 cannot hold one."""
    content = b'{"config": {"Labels": {"by": "\\ud800"}}}'

    assert json.loads(to_json(json.loads(content))) == json.loads(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([DIGEST, POINTER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("schemaVersion", "mediaType", "manifests", "layers", "config", "created", "os", "architecture", "rootfs")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    changes=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3), start=st.sampled_from([MANIFEST, INDEX, CONFIG])
)
def test_any_json_is_read_or_refused(changes: dict[str, Any], start: dict[str, Any]) -> None:
    for parse in (parse_manifest, parse_config):
        with suppress(InvalidImage):
            parse(raw({**start, **changes}))

"""What Lambda takes: every refusal with its cure, nothing against a good image."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.digest import Digest
from bot.core.gate import LARGEST_IMAGE, MOST_LAYERS, Refusal, check_image
from bot.core.image import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    ImageConfig,
    Manifest,
    parse_config,
    parse_manifest,
)
from bot.core.platforms import Platform

AMD64, ARM64 = Platform.of("linux", "amd64"), Platform.of("linux", "arm64")
OCI_CONFIG, DOCKER_CONFIG = "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CHILD = Digest.of(b"child")


def manifest(
    *,
    kind: str = OCI_MANIFEST,
    config: str = OCI_CONFIG,
    layers: tuple[str, ...] = (OCI_LAYER,),
    size: int = 10,
    **more: Any,
) -> Manifest:
    document = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {"mediaType": config, "digest": str(Digest.of(b"config")), "size": 2},
        "layers": [{"mediaType": layer, "digest": str(Digest.of(b"layer")), "size": size} for layer in layers],
        **more,
    }
    parsed = parse_manifest(json.dumps(document).encode())
    assert isinstance(parsed, Manifest)
    return parsed


def config(architecture: str = "amd64", **container: Any) -> ImageConfig:
    document = {"os": "linux", "architecture": architecture, "config": container or {"Cmd": ["app.handler"]}}
    return parse_config(json.dumps(document).encode())


def index(kind: str, *, attested: bool) -> bytes:
    entries: list[dict[str, Any]] = [
        {
            "mediaType": OCI_MANIFEST,
            "digest": str(CHILD),
            "size": 9,
            "platform": {"os": "linux", "architecture": "amd64"},
        }
    ]
    if attested:
        unknown = {"os": "unknown", "architecture": "unknown"}
        mark = {"vnd.docker.reference.type": "attestation-manifest"}
        entries.append({**entries[0], "platform": unknown, "annotations": mark})
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()


@pytest.mark.parametrize(
    ("kind", "config_type", "layer"),
    [
        pytest.param(OCI_MANIFEST, OCI_CONFIG, OCI_LAYER, id="oci"),
        pytest.param(DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER, id="docker schema 2"),
        pytest.param(OCI_MANIFEST, OCI_CONFIG, "application/vnd.oci.image.layer.v1.tar", id="uncompressed"),
    ],
)
def test_takes_what_lambda_takes(kind: str, config_type: str, layer: str) -> None:
    image = manifest(kind=kind, config=config_type, layers=(layer, layer))

    assert check_image(image, config(), AMD64) == ()


@pytest.mark.parametrize("kind", [OCI_INDEX, DOCKER_INDEX])
@pytest.mark.parametrize("attested", [True, False], ids=["attested", "bare"])
def test_refuses_an_index_and_names_the_image_inside(kind: str, *, attested: bool) -> None:
    (refusal,) = check_image(parse_manifest(index(kind, attested=attested)), None, AMD64)

    assert ("with attestations" in str(refusal)) is attested
    assert "--provenance=false --sbom=false" in str(refusal)
    assert f"deploy its linux/amd64 image {CHILD}" in str(refusal)
    assert not refusal.advice


def test_an_index_without_the_platform_offers_no_image() -> None:
    (refusal,) = check_image(parse_manifest(index(OCI_INDEX, attested=False)), None, ARM64)

    assert "or deploy" not in str(refusal)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        pytest.param(manifest(config="application/vnd.cncf.helm.config.v1+json"), "config type", id="an artifact"),
        pytest.param(
            manifest(layers=("application/vnd.in-toto+json",) * 2), "an attestation of an image", id="attestation"
        ),
        pytest.param(manifest(layers=("text/plain",)), "layer type 'text/plain' is none", id="no layer"),
        pytest.param(
            manifest(layers=(OCI_LAYER, "application/vnd.oci.image.layer.v1.tar+zstd")), "with gzip", id="oci zstd"
        ),
        pytest.param(
            manifest(layers=("application/vnd.docker.image.rootfs.diff.tar.zstd",)), "with gzip", id="docker zstd"
        ),
        pytest.param(
            manifest(layers=("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",)),
            "layer type",
            id="foreign layer",
        ),
        pytest.param(manifest(size=LARGEST_IMAGE + 1), "leave files out", id="too large"),
        pytest.param(manifest(layers=(OCI_LAYER,) * (MOST_LAYERS + 1)), "join instructions", id="too many layers"),
    ],
)
def test_refuses_what_lambda_does_not_take(image: Manifest, said: str) -> None:
    (refusal,) = (each for each in check_image(image, config(), AMD64) if not each.advice)

    assert said in str(refusal)


@pytest.mark.parametrize(
    ("read", "platform", "said"),
    [
        pytest.param(config("arm64"), AMD64, "build with --platform linux/amd64", id="other architecture"),
        pytest.param(config("amd64", WorkingDir="/"), AMD64, "neither ENTRYPOINT nor CMD", id="nothing to start"),
        pytest.param(
            config("s390x"), Platform.of("linux", "s390x"), "Lambda does not run linux/s390x", id="no platform"
        ),
    ],
)
def test_refuses_an_image_that_could_not_start(read: ImageConfig, platform: Platform, said: str) -> None:
    (refusal,) = check_image(manifest(), read, platform)

    assert said in str(refusal)


@pytest.mark.parametrize(
    "container", [{"Entrypoint": ["/bootstrap"]}, {"Cmd": ["app.handler"]}], ids=["entry point", "cmd"]
)
def test_an_entry_point_or_a_command_is_enough(container: dict[str, Any]) -> None:
    assert check_image(manifest(), config("amd64", **container), AMD64) == ()


def test_a_large_manifest_is_only_advised_against() -> None:
    (refusal,) = check_image(manifest(annotations={"note": "x" * 25_400}), config(), AMD64)

    assert refusal.advice
    assert "fewer layers and annotations" in str(refusal)


def test_every_fault_is_told_at_once() -> None:
    refusals = check_image(manifest(config="text/a", layers=("text/b", "text/b", "text/c")), config("arm64"), AMD64)

    assert [str(refusal).split(" type ")[0].split(" is for ")[0] for refusal in refusals] == [
        "config",
        "layer",
        "layer",
        "the image",
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=400), st.text(max_size=400), st.integers(0, 2**63))
def test_whatever_a_registry_names_its_types_the_answer_is_short_sentences(kind: str, layer: str, size: int) -> None:
    image = manifest(config=kind, layers=(layer,), size=size)

    for refusal in check_image(image, None, AMD64):
        assert isinstance(refusal, Refusal)
        assert len(str(refusal)) < 2000
        assert "\n" not in str(refusal)
        assert "; " in str(refusal)

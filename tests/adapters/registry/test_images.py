"""Streams that check themselves, and documents from somebody who wishes us ill."""

import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.registry import LayoutRegistry
from bot.adapters.registry.images import checked_manifest, verified
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST, Descriptor, Index, Manifest, to_json
from bot.core.platforms import Platform
from bot.core.reference import Reference
from tests.lab.images import AMD64, CONFIG_TYPE, put_document, put_image

APP = Reference("r.example", "app", "1")


def blob(content: bytes) -> Descriptor:
    return Descriptor(media_type="", digest=Digest.of(content), size=len(content))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_true_bytes_pass_in_any_portions(content: bytes, portions: list[int]) -> None:
    sizes = iter(portions * 400)
    source = BytesIO(content)
    stream = verified(APP, blob(content), lambda size: source.read(min(size, next(sizes))))

    assert b"".join(iter(lambda: stream.read(7), b"")) == content


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_other_bytes_never_reach_their_end(promised: bytes, given_instead: bytes) -> None:
    stream = verified(APP, blob(promised), BytesIO(given_instead).read)

    if promised == given_instead:
        assert stream.read() == promised
    else:
        with pytest.raises(RegistryError, match="it is not used"):
            stream.read()


def test_wrong_bytes_of_the_right_size_are_held_back() -> None:
    stream = verified(APP, blob(b"right"), BytesIO(b"wrong").read)

    with pytest.raises(RegistryError, match="other bytes"):
        stream.read(5)


def test_a_stream_without_end_is_cut_at_its_size() -> None:
    given_out = []

    def endless(size: int) -> bytes:
        given_out.append(size)
        return bytes(size)

    with pytest.raises(RegistryError, match="more than 100 bytes"):
        verified(APP, Descriptor(media_type="", digest=Digest.of(b""), size=100), endless).read()
    assert len(given_out) == 1


def test_sha512_is_checked_too() -> None:
    digest = Digest.parse(f"sha512:{'0' * 128}")

    with pytest.raises(RegistryError, match="other bytes"):
        verified(APP, Descriptor(media_type="", digest=digest, size=3), BytesIO(b"abc").read).read()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
DESCRIPTORS = st.fixed_dictionaries(
    {},
    optional={
        "mediaType": JSON,
        "digest": st.just(str(Digest.of(b""))) | JSON,
        "size": st.just(0) | JSON,
        "platform": st.fixed_dictionaries({}, optional={"os": JSON, "architecture": JSON, "variant": JSON}) | JSON,
        "annotations": JSON,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "schemaVersion": st.just(2) | JSON,
        "mediaType": st.sampled_from([OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST]) | JSON,
        "config": DESCRIPTORS | JSON,
        "layers": st.lists(DESCRIPTORS, max_size=2) | JSON,
        "manifests": st.lists(DESCRIPTORS, max_size=2) | JSON,
    },
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(DOCUMENTS | JSON)
def test_any_document_is_a_manifest_or_a_registry_error(document: object) -> None:
    content = json.dumps(document).encode()

    with suppress(RegistryError):
        assert isinstance(checked_manifest(APP, content, media_type=OCI_MANIFEST), Manifest | Index)


@pytest.fixture
def layout(tmp_path: Path) -> LayoutRegistry:
    return LayoutRegistry(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: {**config, "size": 5 << 20}, "has a config of 5242880 bytes; 4194304 are allowed"),
        (lambda config: {**config, "size": config["size"] + 1}, "only"),
        (lambda config: {**config, "size": config["size"] - 1}, "more than"),
    ],
    ids=["too large", "too short", "too long"],
)
def test_a_config_that_is_not_what_its_manifest_says_is_refused(
    layout: LayoutRegistry, change: Callable[[dict[str, object]], dict[str, object]], message: str
) -> None:
    put_image(layout, APP)
    manifest = layout.manifest(APP)
    document = json.loads(manifest.raw)
    put_document(layout, APP, OCI_MANIFEST, {**document, "config": change(document["config"])})

    with pytest.raises(RegistryError, match=message):
        layout.image(APP)


def test_a_config_without_a_platform_is_an_error_that_names_the_reference(layout: LayoutRegistry) -> None:
    config = layout.put_blob(APP, CONFIG_TYPE, b"{}")
    written = {"mediaType": CONFIG_TYPE, "digest": str(config.digest), "size": config.size}
    put_document(layout, APP, OCI_MANIFEST, {"schemaVersion": 2, "config": written, "layers": []})

    with pytest.raises(RegistryError, match=f"{APP}: image config .* is malformed"):
        layout.image(APP)


@pytest.mark.parametrize("nested", [True, False], ids=["an index in an index", "another size"])
def test_an_index_must_list_manifests_as_they_are(layout: LayoutRegistry, *, nested: bool) -> None:
    inner: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    child = put_document(layout, APP, OCI_INDEX, inner) if nested else put_image(layout, APP)
    entry = {
        "mediaType": child.media_type,
        "digest": str(child.digest),
        "size": child.size if nested else child.size + 1,
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    put_document(layout, APP, OCI_INDEX, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]})

    with pytest.raises(RegistryError, match="for linux/amd64, which is not that manifest"):
        layout.image(APP, AMD64)


def test_attestations_are_no_images(layout: LayoutRegistry) -> None:
    image = put_image(layout, APP)
    common = {"mediaType": OCI_MANIFEST, "digest": str(image.digest), "size": image.size}
    entries = [
        {**common, "platform": {"os": "unknown", "architecture": "unknown"}},
        {**common, "platform": {"os": "linux", "architecture": "x86_64"}},
    ]
    put_document(layout, APP, OCI_INDEX, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})

    assert layout.image(APP).platform == Platform.parse("linux/amd64")


def test_docker_documents_are_read_as_well() -> None:
    document = to_json({"schemaVersion": 2, "mediaType": DOCKER_INDEX, "manifests": []})

    assert checked_manifest(APP, document, media_type="application/json").media_type == DOCKER_INDEX

"""What every registry of ours promises, whatever stands behind it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest

from bot.adapters.registry import HttpRegistry, LayoutRegistry, Registries, Store
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import OCI_INDEX, OCI_MANIFEST, Descriptor, Index, Manifest, to_json
from bot.core.platforms import Platform
from bot.core.reference import Reference
from tests.lab.images import AMD64, ARM64, CONFIG_TYPE, CREATED, put_document, put_image, put_index

ABSENT = Digest.of(b"nowhere")


@pytest.fixture(params=["http", "layout", "routes"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def target(kind: str, request: pytest.FixtureRequest, fresh: Callable[[str], Reference]) -> Reference:
    """A tag in an empty repository."""
    return fresh("folder.example" if kind == "layout" else request.getfixturevalue("plain").host)


@pytest.fixture
def store(kind: str, http: HttpRegistry, tmp_path: Path) -> Store:
    layout = LayoutRegistry(tmp_path)
    stores: dict[str, Store] = {
        "http": http,
        "layout": layout,
        "routes": Registries({"folder.example": layout}, default=http),
    }
    return stores[kind]


def another(target: Reference) -> Reference:
    return replace(target, repository=f"{target.repository}-other")


def test_an_image_is_read_back_by_tag_and_by_digest(store: Store, target: Reference) -> None:
    stored = put_image(store, target, [{"a": b"1"}, {"b": b"2"}])

    by_tag = store.image(target)
    by_digest = store.image(target.with_digest(stored.digest))

    assert by_tag == by_digest
    assert by_tag.digest == stored.digest == Digest.of(by_tag.manifest.raw)
    assert (by_tag.platform, by_tag.config.created) == (AMD64, CREATED)
    assert len(by_tag.layer_digests) == len(by_tag.config.diff_ids) == 2


def test_a_manifest_keeps_its_bytes_and_its_kind(store: Store, target: Reference) -> None:
    stored = put_image(store, target)

    manifest = store.manifest(target)

    assert isinstance(manifest, Manifest)
    assert (manifest.digest, manifest.media_type, len(manifest.raw)) == (stored.digest, OCI_MANIFEST, stored.size)


def test_an_index_gives_each_platform_its_image(store: Store, target: Reference) -> None:
    images = {
        platform: put_image(store, target.with_tag(None), [{"arch": str(platform).encode()}], platform=platform)
        for platform in (AMD64, ARM64)
    }
    stored = put_index(store, target, list(images.values()))

    document = store.manifest(target)
    found = {platform: store.image(target, platform).digest for platform in images}

    assert isinstance(document, Index)
    assert document.digest == stored.digest
    assert found == {platform: image.digest for platform, image in images.items()}


def test_an_index_of_several_images_needs_a_platform(store: Store, target: Reference) -> None:
    images = [put_image(store, target.with_tag(None), platform=platform) for platform in (AMD64, ARM64)]
    put_index(store, target, images)

    with pytest.raises(RegistryError, match=r"is an index; name a platform \(it offers: linux/amd64, linux/arm64\)"):
        store.image(target)
    with pytest.raises(RegistryError, match="has no image for linux/s390x"):
        store.image(target, Platform.parse("linux/s390x"))


def test_an_index_of_one_image_is_one_image(store: Store, target: Reference) -> None:
    image = put_image(store, target.with_tag(None))
    put_index(store, target, [image])

    assert store.image(target).digest == image.digest


def test_an_image_for_another_platform_is_refused(store: Store, target: Reference) -> None:
    put_image(store, target, platform=ARM64)

    with pytest.raises(RegistryError, match="is for linux/arm64, not for linux/amd64"):
        store.image(target, AMD64)


def test_a_config_that_does_not_fit_its_manifest_is_refused(store: Store, target: Reference) -> None:
    put_image(store, target)
    manifest = store.manifest(target)
    assert isinstance(manifest, Manifest)
    config = {"mediaType": CONFIG_TYPE, "digest": str(manifest.config.digest), "size": manifest.config.size}
    put_document(
        store, target, OCI_MANIFEST, {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
    )

    with pytest.raises(RegistryError, match="has 0 layers, its config 1 diff IDs"):
        store.image(target)


@pytest.mark.parametrize("stated", [True, False], ids=["repository-there", "nothing-there"])
def test_what_is_absent_is_a_404_that_names_the_reference(store: Store, target: Reference, *, stated: bool) -> None:
    if stated:
        put_image(store, target)
    blob = Descriptor(media_type="", digest=ABSENT, size=7)

    for reference in (target.with_tag("2"), target.with_digest(ABSENT)):
        with pytest.raises(RegistryError, match=r"is not there|has no tag|is empty") as raised:
            store.manifest(reference)
        assert (raised.value.status, raised.value.retryable) == (404, False)
        assert str(reference) in str(raised.value)
    with pytest.raises(RegistryError, match="is not there") as raised, store.blob(target, blob):
        pass
    assert raised.value.status == 404


def test_a_reference_without_tag_and_digest_is_refused(store: Store, target: Reference) -> None:
    with pytest.raises(RegistryError, match="names neither a tag nor a digest; add one, such as :latest"):
        store.manifest(target.with_tag(None))


def test_a_tag_moves_and_the_old_digest_stays(store: Store, target: Reference) -> None:
    old = put_image(store, target, [{"v": b"1"}])
    new = put_image(store, target, [{"v": b"2"}])

    assert store.manifest(target).digest == new.digest
    assert store.image(target.with_digest(old.digest)).digest == old.digest


def test_a_tag_that_still_names_what_is_known_is_told_so(store: Store, target: Reference) -> None:
    old = put_image(store, target, [{"v": b"1"}])

    assert store.moved(target, old.digest) is None

    new = put_image(store, target, [{"v": b"2"}])
    moved = store.moved(target, old.digest)
    assert moved is not None
    assert moved.digest == new.digest


def test_two_tags_may_name_one_image(store: Store, target: Reference) -> None:
    put_image(store, target)
    again = put_image(store, target.with_tag("latest"))

    assert store.manifest(target).digest == store.manifest(target.with_tag("latest")).digest == again.digest


def test_writing_again_changes_nothing(store: Store, target: Reference) -> None:
    first = put_image(store, target)
    second = put_image(store, target)

    assert first == second
    assert store.image(target).digest == first.digest


def test_a_manifest_whose_parts_are_missing_is_refused(store: Store, target: Reference) -> None:
    absent = {"mediaType": OCI_MANIFEST, "digest": str(ABSENT), "size": 7}
    image = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": absent, "layers": []}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [absent]}

    for kind, document in ((OCI_MANIFEST, image), (OCI_INDEX, index)):
        with pytest.raises(RegistryError, match=r"needs sha256|MANIFEST_BLOB_UNKNOWN"):
            put_document(store, target, kind, document)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, c: (t.with_digest(ABSENT), OCI_MANIFEST, c), "cannot be stored: its manifest is sha256"),
        (lambda t, c: (t, "text/html", c), "cannot be stored as 'text/html'"),
        (lambda t, c: (t, OCI_MANIFEST, c + b" " * (4 << 20)), "4194304 are allowed"),
    ],
    ids=["another digest", "another type", "too large"],
)
def test_a_manifest_that_no_reader_would_accept_is_not_stored(
    store: Store,
    target: Reference,
    change: Callable[[Reference, bytes], tuple[Reference, str, bytes]],
    message: str,
) -> None:
    content = to_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})

    with pytest.raises(RegistryError, match=message):
        store.put_manifest(*change(target, content))


def test_a_blob_streams_in_any_portions(store: Store, target: Reference) -> None:
    content = bytes(range(256)) * 2000
    blob = store.put_blob(target, "application/octet-stream", content)

    with store.blob(target, blob) as stream:
        portions = list(iter(lambda: stream.read(100_001), b""))

    assert b"".join(portions) == content
    assert blob.digest == Digest.of(content)


@pytest.mark.parametrize(("difference", "message"), [(-1, "more than 3"), (1, "only 4 of 5")], ids=["more", "less"])
def test_a_blob_of_another_size_is_refused(store: Store, target: Reference, difference: int, message: str) -> None:
    blob = store.put_blob(target, "application/octet-stream", b"four")
    claimed = replace(blob, size=blob.size + difference)

    with pytest.raises(RegistryError, match=message), store.blob(target, claimed) as stream:
        stream.read()


def test_a_blob_is_copied_to_another_repository(store: Store, target: Reference) -> None:
    blob = store.put_blob(target, "application/octet-stream", b"shared")

    store.copy_blob(target, blob, another(target))
    store.copy_blob(target, blob, another(target))

    with store.blob(another(target), blob) as stream:
        assert stream.read() == b"shared"


def test_a_blob_that_the_source_lacks_cannot_be_copied(store: Store, target: Reference) -> None:
    absent = Descriptor(media_type="", digest=ABSENT, size=7)

    with pytest.raises(RegistryError, match="is not there"):
        store.copy_blob(target, absent, another(target))


def test_a_stream_is_opened_only_for_a_blob_that_is_missing(store: Store, target: Reference) -> None:
    blob = store.put_blob(target, "application/octet-stream", b"there")

    def fail() -> AbstractContextManager[BinaryIO]:
        raise AssertionError("opened")

    store.add_blob(target, blob, fail)

    with store.blob(target, blob) as stream:
        assert stream.read() == b"there"


def test_a_stream_of_other_bytes_is_not_kept(store: Store, target: Reference) -> None:
    claimed = Descriptor(media_type="", digest=Digest.of(b"right"), size=5)

    with pytest.raises(RegistryError, match=r"DIGEST_INVALID|holds other bytes than its digest says"):
        store.add_blob(target, claimed, lambda: BytesIO(b"wrong"))

    with pytest.raises(RegistryError, match="is not there"), store.blob(target, claimed):
        pass

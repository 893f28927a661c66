"""Layouts as files: crash-safe, shared between writers, and the same to skopeo."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from bot.adapters.registry import LayoutRegistry, single_layout
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import Descriptor, Manifest
from bot.core.reference import Reference
from tests.lab.images import AMD64, ARM64, put_image, put_index
from tests.lab.need import need

APP = Reference("folder.example", "lambda/python", "3.13")
NAMELESS = Reference("oci", "folder")


@pytest.fixture
def layout(tmp_path: Path) -> LayoutRegistry:
    return LayoutRegistry(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lambda" / "python"


@pytest.fixture
def skopeo() -> Callable[..., str]:
    program = need("skopeo", "apt-get install skopeo")

    def run(*arguments: str) -> str:
        command = [program, "--insecure-policy", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return run


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_folder_is_laid_out_by_the_specification(layout: LayoutRegistry, folder: Path) -> None:
    stored = put_image(layout, APP)
    manifest = layout.manifest(APP)
    assert isinstance(manifest, Manifest)

    digests = [stored.digest, manifest.config.digest, *(layer.digest for layer in manifest.layers)]
    blobs = {f"blobs/sha256/{digest.hex}" for digest in digests}
    assert files(folder) == {"oci-layout", "index.json", ".lock", *blobs}
    assert json.loads((folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((folder / "index.json").read_bytes())["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "3.13"}


def test_skopeo_reads_what_we_write(layout: LayoutRegistry, folder: Path, skopeo: Callable[..., str]) -> None:
    stored = put_image(layout, APP, [{"a": b"1"}, {"b": b"2"}])
    put_image(layout, APP.with_tag("3.12"))

    seen = json.loads(skopeo("inspect", f"oci:{folder}:3.13"))

    assert seen["Digest"] == str(stored.digest)
    assert seen["Layers"] == [str(digest) for digest in layout.image(APP).layer_digests]


def test_we_read_what_skopeo_writes(
    layout: LayoutRegistry, folder: Path, tmp_path: Path, skopeo: Callable[..., str]
) -> None:
    images = [put_image(layout, APP.with_tag(None), platform=platform) for platform in (AMD64, ARM64)]
    put_index(layout, APP, images)

    skopeo("copy", "--all", "--quiet", f"oci:{folder}:3.13", f"oci:{tmp_path / 'copied'}:latest")

    copied = LayoutRegistry(tmp_path)
    reference = replace(APP, repository="copied", tag="latest")
    assert {copied.image(reference, platform).digest for platform in (AMD64, ARM64)} == {i.digest for i in images}
    assert single_layout(tmp_path / "copied", None).image(NAMELESS, ARM64).digest == images[1].digest


def test_many_writers_lose_no_tag(layout: LayoutRegistry) -> None:
    tags = [f"t{number}" for number in range(24)]

    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda tag: put_image(LayoutRegistry(layout._root), APP.with_tag(tag)), tags))

    assert {layout.manifest(APP.with_tag(tag)).digest for tag in tags} == {each.digest for each in stored}


def test_a_write_that_breaks_off_leaves_nothing_behind(layout: LayoutRegistry, folder: Path) -> None:
    descriptor = Descriptor(media_type="", digest=Digest.of(b"whole"), size=5)

    with pytest.raises(RegistryError, match="only 3 of 5 bytes"):
        layout.add_blob(APP, descriptor, lambda: BytesIO(b"who"))

    assert files(folder) == {"oci-layout"}


def test_entries_of_others_survive_our_writing(layout: LayoutRegistry, folder: Path) -> None:
    put_image(layout, APP)
    index = json.loads((folder / "index.json").read_bytes())
    foreign = {**index["manifests"][0], "annotations": {"org.example.note": "keep"}, "artifactType": "a/b"}
    (folder / "index.json").write_text(json.dumps({**index, "manifests": [foreign], "annotations": {"k": "v"}}))

    put_image(layout, APP)

    rewritten = json.loads((folder / "index.json").read_bytes())
    assert rewritten["manifests"][0] == foreign
    assert len(rewritten["manifests"]) == 2
    assert rewritten["annotations"] == {"k": "v"}


def test_bytes_changed_on_disk_are_not_used(layout: LayoutRegistry, folder: Path) -> None:
    stored = put_image(layout, APP)
    path = folder / "blobs" / "sha256" / stored.digest.hex
    path.write_bytes(path.read_bytes().replace(b"layer", b"lawyer"))

    for reference in (APP, APP.with_digest(stored.digest)):
        with pytest.raises(RegistryError, match=r"the bytes are sha256:.*; they are not used"):
            layout.manifest(reference)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "is not JSON"),
        (b'{"schemaVersion":2,"manifests":[{"digest":"../../etc/passwd","size":1}]}', "is malformed"),
        (b'{"schemaVersion":2,"manifests":{}}', "no image manifest or index|is malformed"),
        (b" " * (4 << 20) + b"{}", "more than 4194304 bytes"),
    ],
    ids=["text", "a path for a digest", "an object", "too long"],
)
def test_an_index_that_cannot_be_used_is_named(
    layout: LayoutRegistry, folder: Path, content: bytes, message: str
) -> None:
    put_image(layout, APP)
    (folder / "index.json").write_bytes(content)

    with pytest.raises(RegistryError, match=message) as read:
        layout.manifest(APP)
    with pytest.raises(RegistryError, match=message):
        put_image(layout, APP)
    assert str(APP) in str(read.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "lambda").write_text("a file where a folder should be")

    with pytest.raises(RegistryError, match=f"{APP}: .*lambda.*; check the folder"):
        LayoutRegistry(tmp_path).put_blob(APP, "text/plain", b"x")


def test_a_single_layout_answers_to_any_name(layout: LayoutRegistry, folder: Path) -> None:
    stored = put_image(layout, APP)
    registry = single_layout(folder, None)

    image = registry.image(NAMELESS)

    assert image.digest == registry.manifest(NAMELESS.with_digest(stored.digest)).digest == stored.digest
    with registry.blob(NAMELESS, image.manifest.layers[0]) as stream:
        assert Digest.of(stream.read()) == image.manifest.layers[0].digest


def test_a_single_layout_is_read_by_the_tag_it_was_opened_with(layout: LayoutRegistry, folder: Path) -> None:
    old, new = (put_image(layout, APP.with_tag(tag), [{"v": tag.encode()}]) for tag in ("3.12", "3.13"))

    found = [single_layout(folder, tag).manifest(NAMELESS.with_tag("ignored")).digest for tag in ("3.12", "3.13")]

    assert found == [old.digest, new.digest]


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        (None, "does not name one image; the layout holds 3.12, 3.13"),
        ("4", "has no tag 4; the layout holds 3.12, 3.13"),
    ],
    ids=["which one", "not there"],
)
def test_a_single_layout_says_what_it_holds(
    layout: LayoutRegistry, folder: Path, tag: str | None, message: str
) -> None:
    for each in ("3.12", "3.13"):
        put_image(layout, APP.with_tag(each))

    with pytest.raises(RegistryError, match=message):
        single_layout(folder, tag).manifest(NAMELESS)


def test_a_folder_that_is_no_layout_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=f"{tmp_path} is no OCI image layout; it has no index.json"):
        single_layout(tmp_path, None).manifest(NAMELESS)

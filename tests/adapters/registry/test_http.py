"""HttpRegistry against docker-registry, alone and behind a front that behaves like public.ecr.aws."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Traffic, Transport
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import MANIFEST_TYPES, OCI_MANIFEST, Descriptor, to_json
from bot.core.reference import Reference
from tests.lab.clock import WoundClock
from tests.lab.forward import forward
from tests.lab.images import AMD64, ARM64, CONFIG_TYPE, put_image
from tests.lab.registry import EcrPublicFront, LabRegistry, docker_registry, immutable_tags
from tests.lab.web import Answer, Asked, serve


def test_every_manifest_request_accepts_all_four_kinds(
    http: HttpRegistry, front: EcrPublicFront, base: Reference
) -> None:
    http.image(base, AMD64)

    accepted = {asked.headers["Accept"] for asked in front.web.log if "/manifests/" in asked.path}
    assert accepted == {", ".join(MANIFEST_TYPES)}


def test_what_is_known_is_not_sent_again(http: HttpRegistry, plain: LabRegistry, base: Reference) -> None:
    """docker-registry answers 304 without a body."""
    there = replace(base, registry=plain.host)
    known = http.manifest(there).digest
    with closing(Transport(WoundClock())) as fresh:
        again = HttpRegistry(fresh)

        assert again.moved(there, known) is None
        assert fresh.counts[plain.host] == Traffic(requests=1, received=0)


def test_a_registry_without_entity_tags_sends_it_and_it_is_compared(http: HttpRegistry) -> None:
    document = to_json({"schemaVersion": 2, "manifests": []})
    with serve(lambda _: Answer(body=document)) as web:
        target = Reference(web.host, "app", "1")

        assert http.moved(target, Digest.of(document)) is None
        moved = http.moved(target, Digest.of(b"other"))

    assert moved is not None
    assert moved.digest == Digest.of(document)
    assert [asked.headers["If-None-Match"] for asked in web.log] == [
        f'"{digest}"' for digest in (Digest.of(document), Digest.of(b"other"))
    ]


@pytest.mark.parametrize(("retry_after", "waits"), [(None, [1, 2]), ("3", [3, 3])], ids=["no hint", "Retry-After"])
def test_throttling_is_waited_out(
    http: HttpRegistry,
    front: EcrPublicFront,
    base: Reference,
    clock: WoundClock,
    retry_after: str | None,
    waits: list[float],
) -> None:
    front.throttle(2, retry_after)

    http.manifest(base)

    assert clock.waits == waits


def test_throttling_that_stays_is_a_retryable_error(http: HttpRegistry, front: EcrPublicFront, base: Reference) -> None:
    front.throttle(50)

    with pytest.raises(RegistryError, match=f"{base}: .* answered 429: .*Rate exceeded") as raised:
        http.manifest(base)

    assert (raised.value.status, raised.value.retryable) == (429, True)
    assert len(front.asked()) == 5


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_manifest_that_was_changed_on_its_way_is_not_used(
    http: HttpRegistry, front: EcrPublicFront, base: Reference, by: str
) -> None:
    reference = base if by == "tag" else base.with_digest(http.manifest(base).digest)
    front.tamper("/manifests/")

    with pytest.raises(RegistryError, match=r"should be sha256:.*, but the bytes are sha256:.*; they are not used"):
        http.manifest(reference)


def test_a_blob_that_was_changed_on_its_way_is_not_used(
    http: HttpRegistry, front: EcrPublicFront, base: Reference
) -> None:
    front.tamper("/blobs/")

    with pytest.raises(RegistryError, match="holds other bytes than its digest says; it is not used"):
        http.image(base, AMD64)


def test_a_blob_of_the_same_registry_is_mounted_and_not_moved(
    http: HttpRegistry, front: EcrPublicFront, base: Reference
) -> None:
    layer = http.image(base, AMD64).manifest.layers[0]
    target = replace(base, repository=f"{base.repository}-fn")
    source, before = base.repository.replace("/", "%2F"), len(front.asked())

    http.copy_blob(base, layer, target)
    http.copy_blob(base, layer, target)

    mount = f"POST /v2/{target.repository}/blobs/uploads/?mount=sha256%3A{layer.digest.hex}&from={source}"
    assert front.asked()[before:] == [mount, mount]


def test_a_blob_of_the_same_repository_is_not_asked_for(
    http: HttpRegistry, base: Reference, front: EcrPublicFront
) -> None:
    layer = http.image(base, AMD64).manifest.layers[0]
    before = len(front.asked())

    assert http.copy_blob(base, layer, base.with_tag("2")) == 0

    assert front.asked()[before:] == []


def test_a_registry_that_mounts_nothing_is_sent_the_bytes_and_later_asked_whether_it_has_them(
    http: HttpRegistry, plain: LabRegistry, base: Reference
) -> None:
    """As ECR does unless told otherwise: it begins an upload, whatever is asked for."""
    layer = http.image(base, AMD64).manifest.layers[0]

    def answer(asked: Asked) -> Answer:
        return forward(plain.host, replace(asked, path=asked.path.partition("?mount=")[0]))

    with serve(answer) as web:
        source = replace(base, registry=web.host)
        target = replace(source, repository=f"{base.repository}-fn")

        assert http.copy_blob(source, layer, target) == layer.size
        assert http.copy_blob(source, layer, target) == 0


def test_an_image_travels_between_two_registries(
    http: HttpRegistry, base: Reference, tmp_path: Path, fresh: Callable[[str], Reference]
) -> None:
    with docker_registry(tmp_path) as other:
        target, image = fresh(other.host), http.image(base, ARM64)

        for part in (image.manifest.config, *image.manifest.layers):
            http.copy_blob(base, part, target)
        http.put_manifest(target, image.manifest.media_type, image.manifest.raw)

        assert http.image(target) == image


def test_a_blob_changed_on_its_way_never_reaches_the_other_registry(
    http: HttpRegistry, front: EcrPublicFront, base: Reference, plain: LabRegistry
) -> None:
    layer = http.image(base, AMD64).manifest.layers[0]
    target = Reference(plain.host, f"{base.repository}-copy", "1")
    front.tamper("/blobs/")

    with pytest.raises(RegistryError, match="holds other bytes than its digest says"):
        http.copy_blob(base, layer, target)

    with pytest.raises(RegistryError, match="is not there"), http.blob(target, layer):
        pass


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            Answer(status=403, body=b'{"errors":[{"code":"DENIED","message":"not yours"}]}'),
            r"lets nobody without credentials at .* \(403 DENIED: not yours\); add registries",
        ),
        (Answer(status=400, body=b'{"errors":[{"code":"UNSUPPORTED"}]}'), "was answered 400 UNSUPPORTED"),
        (Answer(status=404, body=b'{"errors":[]}'), r"is not there \(404 .*\); check its name"),
        (Answer(status=500, body=b"\x1b[31mboom\x00"), r"was answered 500 \[31mboom$"),
        (Answer(status=301, headers={}), "was answered 301$"),
        (Answer(headers={"Docker-Content-Digest": "md5:1"}, body=b"{}"), "states a malformed digest"),
        (Answer(body=b"{}"), "is no image manifest or index"),
        (Answer(body=b"[" * 100_000), "is not JSON"),
        (Answer(body=b" " * (4 << 20) + b"{}"), "sends more than 4194304 bytes"),
    ],
    ids=["denied", "code alone", "no errors", "no document", "redirect", "digest", "not an image", "nested", "long"],
)
def test_what_a_registry_should_not_answer_is_explained(http: HttpRegistry, answer: Answer, message: str) -> None:
    with serve(lambda _: answer) as web, pytest.raises(RegistryError, match=message) as raised:
        http.manifest(Reference(web.host, "app", "1"))

    assert f"{web.host}/app:1" in str(raised.value)
    assert raised.value.retryable == (answer.status == 500)


def test_a_layer_that_breaks_off_is_a_retryable_error(http: HttpRegistry) -> None:
    blob = Descriptor(media_type="", digest=Digest.of(b"abcdef"), size=6)
    cut = Answer(headers={"Content-Length": "6"}, body=b"abc")

    with serve(lambda _: cut) as web:
        reference = Reference(web.host, "app", "1")
        with pytest.raises(RegistryError, match="broke off") as raised, http.blob(reference, blob) as stream:
            stream.read()

    assert raised.value.retryable


def test_an_upload_that_fails_starts_again_from_its_beginning(http: HttpRegistry) -> None:
    started: list[str] = []

    def registry(asked: Asked) -> Answer:
        if asked.method == "HEAD":
            return Answer(status=404)
        if asked.method == "POST":
            started.append(f"/v2/app/blobs/uploads/{len(started)}?_state=x")
            return Answer(status=202, headers={"Location": started[-1]})
        return Answer(status=503 if len(started) == 1 else 201)

    with serve(registry) as web:
        blob = http.put_blob(Reference(web.host, "app", "1"), "text/plain", b"layer")

    puts = [asked for asked in web.log if asked.method == "PUT"]
    assert [put.path for put in puts] == [f"{where}&digest=sha256%3A{blob.digest.hex}" for where in started]
    assert [put.body for put in puts] == [b"layer", b"layer"]


@pytest.mark.parametrize(
    ("begun", "message"),
    [
        (Answer(status=202), "began an upload without saying where"),
        (Answer(status=202, headers={"Location": "http://["}), "leads to Invalid"),
        (Answer(status=405), "POST for .* was answered 405"),
    ],
    ids=["no location", "bad location", "read-only"],
)
def test_an_upload_that_cannot_begin_is_explained(http: HttpRegistry, begun: Answer, message: str) -> None:
    with serve(lambda asked: Answer(status=404) if asked.method == "HEAD" else begun) as web:
        target = Reference(web.host, "app", "1")
        with pytest.raises(RegistryError, match=message):
            http.put_blob(target, "text/plain", b"layer")


def test_a_registry_that_stores_another_manifest_is_not_believed(http: HttpRegistry) -> None:
    other = Answer(status=201, headers={"Docker-Content-Digest": str(Digest.of(b"other"))})
    content = to_json({"schemaVersion": 2, "manifests": []})

    with (
        serve(lambda _: other) as web,
        pytest.raises(RegistryError, match=r"was stored as sha256:.*; do not use the tag"),
    ):
        http.put_manifest(Reference(web.host, "app", "1"), MANIFEST_TYPES[0], content)


def test_an_immutable_tag_that_names_the_manifest_is_no_fault_and_one_that_names_another_is_explained(
    plain: LabRegistry, fresh: Callable[[str], Reference]
) -> None:
    with immutable_tags(plain) as web, closing(Transport(WoundClock())) as transport:
        registry, target = HttpRegistry(transport), fresh(web.host)
        first = put_image(registry, target)
        image = registry.image(target)

        assert registry.put_manifest(target, image.manifest.media_type, image.manifest.raw) == first.digest
        with pytest.raises(RegistryError, match=rf"names {first.digest} already .*TAG_INVALID.*; where tags are immut"):
            put_image(registry, target, [{"other": b""}])

        assert registry.manifest(target).digest == first.digest


def test_a_manifest_that_is_refused_for_itself_is_not_taken_for_an_immutable_tag(
    http: HttpRegistry, plain: LabRegistry, fresh: Callable[[str], Reference]
) -> None:
    """The blobs of it are missing, and nothing has the tag."""
    target = fresh(plain.host)
    pointer = {"mediaType": CONFIG_TYPE, "digest": str(Digest.of(b"missing")), "size": 7}
    content = to_json({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": pointer, "layers": []})

    with pytest.raises(RegistryError, match="was answered 400 ") as fault:
        http.put_manifest(target, OCI_MANIFEST, content)

    assert "immutable" not in str(fault.value)

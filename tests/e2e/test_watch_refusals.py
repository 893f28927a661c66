"""What a watch does when public.ecr.aws throttles, refuses or lies: right behaviour, and no lie in the ledger.

The step, the adapter and the store are those of the product; docker-registry and the front of public.ecr.aws answer.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from bot.adapters.registry import Credentials, Endpoint, HttpRegistry
from bot.adapters.store.store import Store, open_store
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.errors import HalfPublished, InvalidImage, RegistryError
from bot.core.image import Index
from bot.core.observation import Observation
from bot.core.reference import Reference
from bot.settings import load_catalogue
from bot.steps.watch import watch
from tests.conftest import Figure
from tests.lab.clock import WoundClock
from tests.lab.images import AMD64, ARM64
from tests.lab.registry import EcrPublicFront, LabRegistry, docker_registry, ecr_public_front
from tests.lab.streams import put_set, put_stream
from tests.lab.web import Answer

RUNTIME: Final = load_catalogue().get("python3.13")
HOST: Final = "public.ecr.aws"
Tampering = Callable[[Answer], Answer]


@dataclass(slots=True)
class Shelf:
    """One stream at a stand-in for public.ecr.aws, and what watches it."""

    plain: LabRegistry
    front: EcrPublicFront
    store: Store
    clock: WoundClock
    transport: Transport
    registry: HttpRegistry = field(init=False)

    def __post_init__(self) -> None:
        self.sign_in(None)

    def sign_in(self, login: Credentials | None) -> None:
        """Begin anew, as a new process would."""
        url = self.front.web.url
        tokens = f"{url}/token/?service=public.ecr.aws&scope=aws"
        endpoint = Endpoint(host=HOST, url=url, tokens=tokens, credentials=(lambda: login) if login else None)
        self.registry = HttpRegistry(self.transport, [endpoint])

    @property
    def writer(self) -> HttpRegistry:
        return HttpRegistry(self.transport)

    @property
    def target(self) -> Reference:
        """Where the stream is written, past the front."""
        return Reference(self.plain.host, RUNTIME.repository, RUNTIME.tag)

    def publish(self, contents: str, **options: Any) -> Digest:
        return put_stream(self.writer, self.target, RUNTIME.platforms, contents, **options)

    def watch(self) -> Observation:
        return watch(RUNTIME, self.registry, self.store.ledger, self.clock.now())

    @property
    def kept(self) -> list[Observation]:
        return list(self.store.ledger.observations())

    @property
    def asked(self) -> list[str]:
        """What was asked since this was last looked at."""
        asked = self.front.asked()
        self.front.web.log.clear()
        return asked


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def shelf(plain: LabRegistry, request: pytest.FixtureRequest) -> Iterator[Shelf]:
    clock = WoundClock()
    with (
        ecr_public_front(plain) as front,
        open_store(":memory:") as store,
        closing(Transport(clock, timeouts=(5, 10))) as transport,
    ):
        shelf = Shelf(plain, front, store, clock, transport)
        shelf.publish(request.node.name)
        yield shelf


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("retry_after", "waits"), [(None, [1, 2]), ("3", [3, 3])], ids=["no hint", "Retry-After"])
def test_throttling_is_waited_out(
    shelf: Shelf, figure: Figure, status: int, retry_after: str | None, waits: list[float]
) -> None:
    shelf.front.throttle(2, retry_after, status)

    seen = shelf.watch()

    assert shelf.kept == [seen]
    figure(f"{status}, Retry-After {retry_after}: seconds waited", shelf.clock.waits, waits)


@pytest.mark.parametrize(
    ("times", "retry_after", "requests"),
    [
        pytest.param(50, None, 1 + 5, id="for good"),
        pytest.param(1, "3600", 1 + 1, id="for longer than is waited"),
    ],
)
def test_throttling_that_stays_ends_with_a_retryable_error(
    shelf: Shelf, figure: Figure, times: int, retry_after: str | None, requests: int
) -> None:
    shelf.front.throttle(times, retry_after)

    with pytest.raises(RegistryError, match=r"answered 429: .*Rate exceeded") as raised:
        shelf.watch()

    assert (raised.value.status, raised.value.retryable, shelf.kept) == (429, True, [])
    figure(f"429, {times} times, Retry-After {retry_after}: requests", len(shelf.asked), requests)


def test_stale_credentials_are_told_apart_from_an_absent_tag(shelf: Shelf, figure: Figure) -> None:
    shelf.sign_in(Credentials(username="AWS", password="ended-yesterday"))  # noqa: S106 - it opens nothing

    with pytest.raises(RegistryError, match=r"may be stale \(an ECR login ends after 12 hours\)") as stale:
        shelf.watch()
    shelf.sign_in(None)
    absent = replace(RUNTIME, tag="3.13-preview")
    with pytest.raises(RegistryError, match=r"3\.13-preview is not there .404 MANIFEST_UNKNOWN") as gone:
        watch(absent, shelf.registry, shelf.store.ledger, shelf.clock.now())

    assert "remove them to read anonymously" in str(stale.value)
    figure("stale login and absent tag: status", (stale.value.status, gone.value.status), (403, 404))
    assert shelf.kept == []
    assert shelf.watch().first_seen_by == "created"


def test_a_signed_in_watch_costs_no_more(shelf: Shelf, figure: Figure) -> None:
    shelf.front.logins["AWS"] = "today"
    shelf.sign_in(Credentials(username="AWS", password="today"))  # noqa: S106 - it opens nothing but the lab

    shelf.watch()

    figure("signed in, one new stream: requests", len(shelf.asked), 1 + 1 + 2 * 2)


def test_a_token_that_ends_on_the_way_is_renewed_once(shelf: Shelf, figure: Figure) -> None:
    shelf.watch()
    shelf.front.expire_tokens()
    assert shelf.asked

    shelf.watch()

    figure("token ended: requests", [line.split("/")[1] for line in shelf.asked], ["v2", "token", "v2"])


@pytest.mark.parametrize("docker", [True, False], ids=["docker types", "OCI types"])
@pytest.mark.parametrize("attested", [True, False], ids=["attested", "plain"])
def test_both_kinds_of_documents_are_read_and_attestations_are_none(shelf: Shelf, docker: bool, attested: bool) -> None:
    digest = shelf.publish(f"{docker} {attested}", docker=docker, attested=attested)

    seen = shelf.watch()

    assert (seen.digest, set(seen.platforms)) == (digest, {AMD64, ARM64})
    assert len(shelf.asked) == 1 + 1 + 2 * 2


def test_a_single_manifest_is_one_platform(shelf: Shelf, figure: Figure) -> None:
    stream = replace(RUNTIME, platforms=(AMD64,))
    digest = put_stream(shelf.writer, shelf.target, [AMD64], "single")

    seen = watch(stream, shelf.registry, shelf.store.ledger, shelf.clock.now())

    assert ([base.digest for base in seen.bases], list(seen.platforms)) == ([digest], [AMD64])
    figure("single manifest: requests", len(shelf.asked), 1 + 1 + 2)


@pytest.mark.parametrize("single", [True, False], ids=["a manifest", "an index of one"])
def test_a_half_published_set_does_not_reach_the_ledger(shelf: Shelf, single: bool) -> None:
    digest = put_stream(shelf.writer, shelf.target, [AMD64], "half")
    if not single:
        image = shelf.writer.manifest(shelf.target)
        index = shelf.writer.manifest(shelf.target.with_digest(shelf.publish("whole")))
        assert isinstance(index, Index)
        put_set(shelf.writer, shelf.target, [replace(index.images[AMD64], digest=digest, size=len(image.raw))])

    with pytest.raises(HalfPublished, match="has no image for linux/arm64 yet"):
        shelf.watch()

    assert shelf.kept == []


def cut(given: Answer) -> Answer:
    """Half of it, as if that were all."""
    return replace(given, body=given.body[: len(given.body) // 2])


def broken_off(given: Answer) -> Answer:
    """Half of it, under the length of the whole."""
    return replace(cut(given), headers={**given.headers, "Content-Length": str(len(given.body))})


def told_as(document: Mapping[str, object]) -> Tampering:
    """Other fields, under the right digest of what that gives: a registry that lies and knows how."""

    def told_as(given: Answer) -> Answer:
        body = json.dumps({**json.loads(given.body), **document}).encode()
        return replace(given, body=body, headers={**given.headers, "Docker-Content-Digest": str(Digest.of(body))})

    return told_as


ENTRY: Final = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(Digest.of(b"")), "size": 0}
SIGNED: Final = "application/vnd.docker.distribution.manifest.v1+prettyjws"
WRONG: Final = r"should be sha256:.*, but the bytes are sha256:"
SET, IMAGE, CONFIG = f"/manifests/{RUNTIME.tag}", "/manifests/sha256:", "/blobs/sha256:"
TAMPERED: Final = [
    pytest.param(SET, None, WRONG, id="set, one byte"),
    pytest.param(SET, cut, WRONG, id="set, truncated"),
    pytest.param(SET, broken_off, "broke off", id="set, broken off"),
    pytest.param(SET, told_as({"mediaType": SIGNED}), "is no image manifest or index", id="set, other media type"),
    pytest.param(SET, told_as({"layers": [], "config": ENTRY}), "is both a manifest and an index", id="set, both"),
    pytest.param(SET, told_as({"manifests": [{**ENTRY, "size": -1}]}), "is malformed", id="set, malformed"),
    pytest.param(IMAGE, None, WRONG, id="image, one byte"),
    pytest.param(IMAGE, cut, WRONG, id="image, truncated"),
    pytest.param(IMAGE, broken_off, "broke off", id="image, broken off"),
    pytest.param(IMAGE, told_as({"mediaType": SIGNED}), WRONG, id="image, other media type"),
    pytest.param(IMAGE, told_as({"manifests": []}), WRONG, id="image, both"),
    pytest.param(CONFIG, None, "holds other bytes than its digest says", id="config, one byte"),
    pytest.param(CONFIG, cut, "has only", id="config, truncated"),
    pytest.param(CONFIG, broken_off, "broke off", id="config, broken off"),
    pytest.param(CONFIG, told_as({"os": "windows", "rootfs": {}}), "has only|has more|other bytes", id="config, told"),
]


@pytest.mark.parametrize(("part", "how", "message"), TAMPERED)
def test_what_was_tampered_with_is_refused_and_does_not_reach_the_ledger(
    shelf: Shelf, figure: Figure, request: pytest.FixtureRequest, part: str, how: Tampering | None, message: str
) -> None:
    shelf.front.tamper(part, how)

    with pytest.raises((RegistryError, InvalidImage), match=message):
        shelf.watch()

    figure(f"tampered with: {request.node.callspec.id}: observations kept", len(shelf.kept), 0)
    index = shelf.writer.manifest(shelf.target)
    assert isinstance(index, Index)
    assert [shelf.store.ledger.base(image.digest) for image in index.images.values()] == [None, None]
    shelf.front.tamper(None)
    assert shelf.watch().digest == index.digest

"""`refrom lineage` without a store, over real servers: what it asks for, how often, and whom it never asks."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.adapters.engine.clock import SystemClock
from bot.adapters.registry import HttpRegistry
from bot.adapters.transport import Transport
from bot.core.digest import Digest
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, Descriptor, to_json
from bot.core.reference import Reference
from bot.entrypoints.demo.fleet import MOVES
from bot.entrypoints.demo.images import publish_base, publish_function
from bot.entrypoints.exits import ATTENTION, DONE
from bot.settings.catalogue import load_catalogue
from bot.steps.seek import DATED_REQUESTS, MOST_NAMED, NAMED_REQUESTS
from tests.conftest import Figure
from tests.entrypoints.conftest import Refrom
from tests.lab.images import AMD64, CREATED, put_attestation, put_document, put_image, put_index
from tests.lab.registry import EcrPublicFront, docker_registry, ecr_public_front
from tests.lab.web import Answer, Web, serve

OLD, NEW = next((move.before, move.after) for move in MOVES if move.before.name == "python" and move.after)
NAME = "public.ecr.aws/lambda/python"
DATED = "3.13.2026.11.01.15"
BY_DIGEST = 3
"""Requests for one platform of a base that is named by its digest: index, manifest, config."""


@dataclass(frozen=True, slots=True)
class Place:
    """Bases behind the front, images beside it, and a stranger's server for which the settings hold a password."""

    front: EcrPublicFront
    writer: HttpRegistry
    host: str
    base: Digest
    stranger: Web
    settings: Path

    @property
    def image(self) -> Reference:
        return Reference(self.host, "orders", "v1")

    def build(self, labels: Mapping[str, str]) -> None:
        """Build the image on the older base, as it is read from behind the front."""
        base = Reference(self.host, "lambda/python", digest=self.base)
        files = {"var/task/app.py": b"handler = print\n"}
        publish_function(self.writer, self.writer, base, AMD64, files, self.image, labels)

    def build_without_times(self) -> Descriptor:
        """Build the image with a builder that writes no history."""
        self.build({})
        image = self.writer.image(self.image)
        config = {name: value for name, value in image.config.document.items() if name != "history"}
        blob = self.writer.put_blob(self.image, image.manifest.config.media_type, to_json(config))
        pointer = {"mediaType": blob.media_type, "digest": str(blob.digest), "size": blob.size}
        manifest = {**json.loads(image.manifest.raw), "config": pointer}
        stored = put_document(self.writer, self.image, image.manifest.media_type, manifest)
        return replace(stored, platform=AMD64)

    def asked(self) -> list[str]:
        """What was asked for bases once the front knew us."""
        asked = self.front.asked("GET", "HEAD")
        return [path.removeprefix("GET /v2/lambda/") for path in asked[2:]]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The older base has left the moving tag."""
    with (
        docker_registry(tmp_path / "registry") as registry,
        ecr_public_front(registry) as front,
        serve(lambda _: Answer(status=500)) as stranger,
        closing(Transport(SystemClock())) as transport,
    ):
        writer, name = HttpRegistry(transport), Reference(registry.host, "lambda/python")
        old = publish_base(writer, name, OLD)
        publish_base(writer, name, NEW)
        settings = tmp_path / "refrom.yaml"
        (tmp_path / "password").write_text("s3cret")
        (tmp_path / "password").chmod(0o600)
        settings.write_text(
            "version: 1\nregistries:\n"
            f'  public.ecr.aws: {{url: "http://{front.host}"}}\n'
            f'  "{stranger.host}": {{credentials: {{username: me, password: {{file: password}}}}}}\n'
        )
        yield Place(front, writer, registry.host, old, stranger, settings)


def labels(name: str, digest: Digest) -> Mapping[str, str]:
    return {BASE_NAME_LABEL: name, BASE_DIGEST_LABEL: str(digest)}


def test_a_label_costs_the_base_and_the_tags_that_prove_its_name(refrom: Refrom, place: Place, figure: Figure) -> None:
    place.build(labels(f"{NAME}:3.13", place.base))

    ran = refrom("lineage", place.image, "--config", place.settings, "--format", "json")

    assert (ran.code, ran.document["base"]["reference"]) == (DONE, f"{NAME}:{DATED}")
    assert ran.document["base"]["digest"] == str(place.base)
    figure("lineage by label: requests for bases", len(place.asked()), BY_DIGEST + len(["3.13", DATED]))


def test_dates_cost_one_request_a_tag_and_two_for_the_base(refrom: Refrom, place: Place, figure: Figure) -> None:
    place.build({})

    ran = refrom("lineage", place.image, "--config", place.settings, "--format", "json")

    assert (ran.code, ran.document["base"]["reference"]) == (DONE, f"{NAME}:{DATED}")
    streams = list(load_catalogue())
    tags = streams.index("python3.13") - streams.index("python3.15") + 1
    figure("lineage by date: requests for bases", len(place.asked()), tags + 2)


def test_an_unknown_image_costs_a_bounded_number_of_requests(refrom: Refrom, place: Place, figure: Figure) -> None:
    put_image(
        place.writer,
        place.image,
        [{"etc/os-release": b"ID=squashed"}, {"app.py": b""}],
        labels=labels(f"{NAME}:3.13", place.base),
        history=[CREATED],
    )

    ran = refrom("lineage", place.image, "--config", place.settings, "--format", "json")

    assert (ran.code, ran.document["verdict"]) == (ATTENTION, "unknown")
    assert [lead["source"] for lead in ran.document["leads"]] == ["label", "date"]
    watched = len(load_catalogue()) + 2 * 2 * len(["3.13"])
    most = MOST_NAMED * NAMED_REQUESTS + DATED_REQUESTS + watched
    figure(
        f"unknown lineage: {len(place.asked())} requests for bases, {most} allowed", len(place.asked()) <= most, True
    )
    assert not any("tags/list" in asked for asked in place.asked())


def test_provenance_beside_the_image_says_which_base_to_fetch(refrom: Refrom, place: Place) -> None:
    """Neither a label nor a time in the history; the image is a multi-platform one of one platform."""
    material = {"uri": "pkg:docker/public.ecr.aws/lambda/python@3.13?platform=linux%2Famd64"}
    statement = {"predicate": {"materials": [{**material, "digest": {"sha256": place.base.hex}}]}}
    image = place.build_without_times()
    entry = put_attestation(place.writer, place.image, image, json.dumps(statement).encode())
    put_index(place.writer, place.image, [image, entry])

    ran = refrom("lineage", place.image, "--config", place.settings, "--format", "json")

    assert (ran.code, ran.document["base"]["digest"]) == (DONE, str(place.base))
    assert [(lead["source"], lead["outcome"]) for lead in ran.document["leads"]] == [("provenance", "fetched")]


@pytest.mark.parametrize("path", ["lambda/python", "x/y", "bases/python"])
def test_no_image_makes_refrom_talk_to_a_host_of_its_choice(refrom: Refrom, place: Place, path: str) -> None:
    """Although the settings hold a password for that host; the dates still lead to the base."""
    place.build(labels(f"{place.stranger.host}/{path}:3.13", place.base))

    ran = refrom("lineage", place.image, "--config", place.settings, "--format", "json")

    assert (ran.code, ran.document["base"]["digest"]) == (DONE, str(place.base))
    assert place.stranger.log == []


def test_an_image_for_several_platforms_wants_one_named(refrom: Refrom, place: Place) -> None:
    base = f"{place.host}/lambda/python:3.13"

    refused = refrom("lineage", base, "--config", place.settings)
    ran = refrom("lineage", base, "--platform", "arm64", "--config", place.settings)

    assert (refused.code, refused.out) == (ATTENTION, "")
    assert "is an index; name a platform (it offers: linux/amd64, linux/arm64)" in refused.err
    assert ran.code == DONE
    assert "linux/arm64, the image is this base itself" in ran.out

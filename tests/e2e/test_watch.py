"""All streams watched at public.ecr.aws under its own name: what a watch costs, counted at the server, and its pace."""

import json
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from bot.core.digest import Digest
from bot.core.platforms import Platform
from bot.core.runtimes import Runtime
from bot.settings import load_catalogue
from tests.conftest import Figure
from tests.lab.images import AMD64, ARM64
from tests.lab.public_ecr import PublicEcr, public_ecr
from tests.lab.streams import put_stream

ROOT: Final = Path(__file__).parents[2]
CATALOGUE: Final = load_catalogue()
STREAMS: Final = [CATALOGUE.get(name) for name in CATALOGUE]
MOVES: Final = CATALOGUE.get("python3.13")
# A wound clock waits without time passing, so that a second between requests need not be waited for.
REFROM: Final = """
import json, sys
from bot.entrypoints.cli import main
from tests.lab.clock import WoundClock
clock = WoundClock()
code = main(sys.argv[1:], clock=clock)
print(json.dumps(clock.waits), file=sys.stderr)
sys.exit(code)
"""


@dataclass(slots=True)
class Scene:
    """public.ecr.aws with some streams, and refrom that watches them; `published` is what each tag names."""

    ecr: PublicEcr
    folder: Path
    streams: Sequence[Runtime]
    registry: Mapping[str, object] = field(default_factory=dict)
    published: dict[str, Digest] = field(default_factory=dict)

    def __post_init__(self) -> None:
        registries = {"public.ecr.aws": dict(self.registry)}
        settings = {
            "version": 1,
            "registries": registries,
            "runtimes": {"watch": [runtime.identifier for runtime in self.streams]},
        }
        (self.folder / "refrom.yaml").write_text(json.dumps(settings))
        for runtime in self.streams:
            self.publish(runtime)

    def publish(self, runtime: Runtime, contents: str = "first", platforms: tuple[Platform, ...] = ()) -> None:
        """Publish as AWS does; some streams in Docker's types, some with attestations."""
        number = STREAMS.index(runtime)
        target = self.ecr.base(runtime.repository.removeprefix("lambda/")).with_tag(runtime.tag)
        self.published[runtime.identifier] = put_stream(
            self.ecr.writer,
            target,
            platforms or runtime.platforms,
            f"{runtime.identifier} {contents}",
            docker=number % 3 == 1,
            attested=number % 3 == 2,
        )

    def refrom(self, *arguments: str) -> tuple[dict[str, Any], list[str], list[float]]:
        """Run a command; return its document, what the server was asked, and how long it waited between requests."""
        self.ecr.front.web.log.clear()
        command = [sys.executable, "-c", REFROM, *arguments, "--format", "json"]
        ran = self.ecr.run(command, self.folder, PYTHONPATH=str(ROOT), DOCKER_CONFIG=str(self.folder))
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout), self.ecr.front.asked(), json.loads(ran.stderr)


@pytest.fixture
def ecr(tmp_path: Path) -> Iterator[PublicEcr]:
    (tmp_path / "ecr").mkdir()
    with public_ecr(tmp_path / "ecr") as ecr:
        yield ecr


@pytest.mark.soak
def test_all_streams_cost_what_is_promised_at_the_pace_that_is_allowed(
    ecr: PublicEcr, tmp_path: Path, figure: Figure
) -> None:
    scene = Scene(ecr, tmp_path, STREAMS)
    tags, images = len(STREAMS), sum(len(runtime.platforms) for runtime in STREAMS)

    told, asked, waits = scene.refrom("run")

    figure("streams watched without a failure", tags - len(told["outcomes"]), tags)
    figure("first watch of all streams: requests", len(asked), tags + 1 + 2 * images)
    figure("first watch: tokens fetched", sum("/token/" in line for line in asked), 1)
    figure("first watch: tag listings", [line for line in asked if "/tags/list" in line], [])
    figure("first watch: waits between requests", len(waits), len(asked) - 1)
    figure("first watch: seconds of each, anonymously", sorted(set(waits)), [1.0])

    _, asked, _ = scene.refrom("run")
    figure("next watch, nothing moved: requests", len(asked), tags + 1)

    scene.publish(MOVES, "second")
    _, asked, _ = scene.refrom("run")
    figure("next watch, one stream moved on two platforms: requests", len(asked), tags + 1 + 2 * 2)

    shown, asked, _ = scene.refrom("watch")
    seen = {each["runtime"]: each["digest"] for each in shown["observations"]}
    figure("streams shown with the digest that was published", seen == _text(scene.published), True)
    figure("watch after run: requests", len(asked), tags + 1)


def test_a_half_published_set_is_held_until_it_is_complete(ecr: PublicEcr, tmp_path: Path, figure: Figure) -> None:
    scene = Scene(ecr, tmp_path, [MOVES])
    scene.refrom("run")
    before = str(scene.published[MOVES.identifier])

    scene.publish(MOVES, "second", (AMD64,))
    told, _, _ = scene.refrom("run")
    shown, _, _ = scene.refrom("watch", MOVES.identifier)

    (outcome,) = told["outcomes"]
    figure("half-published set", (outcome["runtime"], outcome["result"]), (MOVES.identifier, "waiting"))
    assert "has no image for linux/arm64 yet; it is held until the set is complete" in outcome["message"]
    assert [each["digest"] for each in shown["observations"]] == [before]
    assert [each["runtime"] for each in shown["waiting"]] == [MOVES.identifier]

    scene.publish(MOVES, "second", (AMD64, ARM64))
    told, _, _ = scene.refrom("run")
    shown, _, _ = scene.refrom("watch", MOVES.identifier)

    after = [(each["digest"], each["first_seen_by"]) for each in shown["observations"]]
    figure("half-published set, once complete", after, [(str(scene.published[MOVES.identifier]), "watch")])
    assert (told["outcomes"], shown["waiting"]) == ([], [])


def test_who_is_signed_in_may_ask_ten_times_as_often(ecr: PublicEcr, tmp_path: Path, figure: Figure) -> None:
    """The login is the one that `docker login public.ecr.aws` leaves."""
    ecr.front.logins["AWS"] = "today"
    entry = {"auth": b64encode(b"AWS:today").decode()}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"public.ecr.aws": entry}}))
    scene = Scene(ecr, tmp_path, [MOVES], {"credentials": {"docker": True}})

    _, asked, waits = scene.refrom("watch")

    token = next(each for each in ecr.front.web.log if each.path.startswith("/token/"))
    assert token.headers["Authorization"] == f"Basic {entry['auth']}"
    figure("signed in: requests", len(asked), 1 + 1 + 2 * 2)
    figure("signed in: seconds between requests", waits, [0.1] * (len(asked) - 1))


def test_the_pace_is_what_the_settings_say(ecr: PublicEcr, tmp_path: Path, figure: Figure) -> None:
    scene = Scene(ecr, tmp_path, [MOVES], {"pace": 4})

    _, asked, waits = scene.refrom("watch")

    figure("pace 4: seconds between requests", waits, [0.25] * (len(asked) - 1))


def _text(digests: dict[str, Digest]) -> dict[str, str]:
    return {name: str(digest) for name, digest in digests.items()}

"""GitHub's rules that the forge relies on, asked for one by one at the lab's GitHub and at two emulators.

What each of them answers is written down, so that a changed one is noticed; `Rule.github` is what GitHub does.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.adapters.forge.emulator_world import EmulateWorld, MyWorldWorld
from tests.adapters.forge.github_world import GithubWorld
from tests.adapters.forge.world import File, World
from tests.lab.clock import WoundClock
from tests.lab.emulators.emulate import Emulate
from tests.lab.emulators.myworld import MyWorld
from tests.lab.emulators.rest import BOT, Rest
from tests.lab.github.fake import github_fake

REPOSITORY: Final = "acme/orders"
PATH: Final = f"/repos/{REPOSITORY}"
TOPIC: Final = "topic"
OLD: Final = b"FROM old\n"
_RAW: Final = "application/vnd.github.raw+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A repository with `first` on main and another commit on the branch `topic`; `bot` asks."""

    world: World
    bot: Rest
    stranger: Rest
    first: str
    tip: str

    def pull(self, head: str = TOPIC) -> Any:
        """Open a pull request."""
        return self.bot.do("POST", f"{PATH}/pulls", {"title": "Update", "head": head, "base": "main"})

    def status(self, method: str, path: str, body: object) -> int:
        """Ask for something, and tell the status alone."""
        return self.bot.send(method, path, body).status

    def shown(self, number: int) -> Any:
        """Look at a pull request."""
        return self.bot.get(f"{PATH}/pulls/{number}")


def second_pull_request(scene: Scene) -> object:
    scene.pull()
    return scene.status("POST", f"{PATH}/pulls", {"title": "Update", "head": TOPIC, "base": "main"})


def pull_request_from_nowhere(scene: Scene) -> object:
    status = scene.status("POST", f"{PATH}/pulls", {"title": "Update", "head": "nowhere", "base": "main"})
    return status, "nowhere" in scene.world.branches(REPOSITORY)


def pull_request_without_commits(scene: Scene) -> object:
    scene.bot.do("POST", f"{PATH}/git/refs", {"ref": "refs/heads/same", "sha": scene.first})
    return scene.status("POST", f"{PATH}/pulls", {"title": "Update", "head": "same", "base": "main"})


def unknown_token(scene: Scene) -> object:
    return scene.stranger.send("GET", PATH).status


def unknown_repository(scene: Scene) -> object:
    return scene.bot.send("GET", "/repos/acme/unknown/pulls").status


def blob_as_bytes(scene: Scene) -> object:
    oid = hashlib.sha1(b"blob %d\0" % len(OLD) + OLD, usedforsecurity=False).hexdigest()
    answer = scene.bot.send("GET", f"{PATH}/git/blobs/{oid}", accept=_RAW)
    return answer.status, answer.body == OLD


def commit_for_a_tree(scene: Scene) -> object:
    entry = {"path": "run", "mode": "100755", "type": "blob", "content": "x"}
    return scene.status("POST", f"{PATH}/git/trees", {"base_tree": scene.first, "tree": [entry]})


def existing_reference(scene: Scene) -> object:
    return scene.status("POST", f"{PATH}/git/refs", {"ref": f"refs/heads/{TOPIC}", "sha": scene.first})


def reference_without_commit(scene: Scene) -> object:
    return scene.status("POST", f"{PATH}/git/refs", {"ref": "refs/heads/new", "sha": "1" * 40})


def head_after_a_push(scene: Scene) -> object:
    number = scene.pull()["number"]
    pushed = scene.world.push(REPOSITORY, TOPIC, {"README.md": File(b"More\n")})
    return scene.shown(number)["head"]["sha"] == pushed


def state_after_its_branch_is_deleted(scene: Scene) -> object:
    number = scene.pull()["number"]
    scene.world.delete_branch(REPOSITORY, TOPIC)
    shown = scene.shown(number)
    return shown["state"], shown["head"]["sha"] == scene.tip


def merged_after_a_push_to_the_base(scene: Scene) -> object:
    number = scene.pull()["number"]
    scene.world.merge_with_git(REPOSITORY, TOPIC)
    return scene.shown(number)["merged"]


def closing_with_another_body(scene: Scene) -> object:
    number = scene.pull()["number"]
    scene.bot.do("PATCH", f"{PATH}/pulls/{number}", {"state": "closed", "body": "closed by us"})
    shown = scene.shown(number)
    return shown["state"], shown["body"]


def listing_by_head(scene: Scene) -> object:
    number = scene.pull()["number"]
    scene.bot.do("PATCH", f"{PATH}/pulls/{number}", {"state": "closed"})
    again = scene.pull()["number"]
    listed = scene.bot.get(f"{PATH}/pulls?head=acme:{TOPIC}&state=all")
    return {one["number"] for one in listed} == {number, again}


def labels_that_are_not_there(scene: Scene) -> object:
    number = scene.pull()["number"]
    labels = scene.bot.do("POST", f"{PATH}/issues/{number}/labels", {"labels": ["refrom"]})
    return [label["name"] for label in labels]


def commit_status(scene: Scene) -> object:
    return scene.status("POST", f"{PATH}/statuses/{scene.first}", {"state": "success", "context": "refrom"})


def graphql(scene: Scene) -> object:
    return scene.status("POST", "/graphql", {"query": "{ viewer { login } }"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is asked, and what the three answer."""

    ask: Callable[[Scene], object]
    github: object
    emulate: object
    myworld: object


RULES: Final = (
    Rule(ask=second_pull_request, github=422, emulate=201, myworld=422),
    Rule(ask=pull_request_from_nowhere, github=(422, False), emulate=(201, True), myworld=(422, False)),
    Rule(ask=pull_request_without_commits, github=422, emulate=201, myworld=422),
    Rule(ask=unknown_token, github=401, emulate=200, myworld=401),
    Rule(ask=unknown_repository, github=404, emulate=404, myworld=404),
    Rule(ask=blob_as_bytes, github=(200, True), emulate=(200, False), myworld=(404, False)),
    Rule(ask=commit_for_a_tree, github=422, emulate=422, myworld=404),
    Rule(ask=existing_reference, github=422, emulate=422, myworld=422),
    Rule(ask=reference_without_commit, github=422, emulate=422, myworld=422),
    Rule(ask=head_after_a_push, github=True, emulate=False, myworld=True),
    Rule(
        ask=state_after_its_branch_is_deleted, github=("closed", True), emulate=("open", True), myworld=("open", False)
    ),
    Rule(ask=merged_after_a_push_to_the_base, github=True, emulate=False, myworld=False),
    Rule(
        ask=closing_with_another_body,
        github=("closed", "closed by us"),
        emulate=("closed", "closed by us"),
        myworld=("closed", "closed by us"),
    ),
    Rule(ask=listing_by_head, github=True, emulate=True, myworld=True),
    Rule(ask=labels_that_are_not_there, github=["refrom"], emulate=["refrom"], myworld=["refrom"]),
    Rule(ask=commit_status, github=201, emulate=404, myworld=201),
    Rule(ask=graphql, github=200, emulate=404, myworld=200),
)
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.ask.__name__)


def scene(world: World, bot: Rest, stranger: Rest) -> Scene:
    first = world.create_repository(REPOSITORY, {"Dockerfile": File(OLD), "README.md": File(b"Orders\n")})
    tip = world.push(REPOSITORY, TOPIC, {"Dockerfile": File(b"FROM new\n")})
    return Scene(world=world, bot=bot, stranger=stranger, first=first, tip=tip)


@EACH
def test_the_labs_github_keeps_the_rule(tmp_path: Path, rule: Rule) -> None:
    (tmp_path / "desk").mkdir()
    with github_fake(tmp_path, clock=WoundClock()) as fake:
        bot, stranger = (
            Rest(host=fake.url.partition("//")[2], authorization=f"Bearer {token}")
            for token in (fake.token(), "unknown")
        )
        world = GithubWorld(fake, tmp_path / "desk", lambda: pytest.fail("no bot is needed here"))

        assert rule.ask(scene(world, bot, stranger)) == rule.github


@EACH
def test_emulate_does_as_is_written(emulate_server: Emulate, emulate_world: EmulateWorld, rule: Rule) -> None:
    stranger = emulate_server.rest("unknown")

    assert rule.ask(scene(emulate_world, emulate_world.rest(BOT), stranger)) == rule.emulate


@EACH
def test_myworld_does_as_is_written(myworld_server: MyWorld, myworld_world: MyWorldWorld, rule: Rule) -> None:
    stranger = myworld_server.rest("unknown")

    assert rule.ask(scene(myworld_world, myworld_world.rest(BOT), stranger)) == rule.myworld

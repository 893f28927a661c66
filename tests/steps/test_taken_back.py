"""What was taken back halts the rollout of its base and is told to the pull request that brought it, whoever died."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.forge.local import LocalForge
from bot.adapters.store.store import open_store
from bot.core.deployment import Mark
from bot.core.digest import Digest
from bot.core.errors import DeployError
from bot.core.outcome import Result
from bot.core.policy import Style
from bot.entrypoints.demo.fleet import MOVED
from bot.ports.deployer import Function
from bot.ports.forge import PullRequest
from bot.settings.catalogue import load_catalogue
from bot.steps.cycle import Cycle, Report
from tests.adapters.forge.world import File
from tests.steps.killing import Killed, Watched, Writes
from tests.steps.shop import AFTER, UNPINNED, Shop, pinned
from tests.steps.test_deployment_kill import STRATEGIES, Bell, Elsewhere

CANARY = replace(STRATEGIES["canary"], alarms=("errors",))
TOLD = "pull_requests.comment_once"


@dataclass(slots=True)
class Listening:
    """The shop's forge, and every comment that came about."""

    forge: LocalForge
    heard: list[tuple[str, str]] = field(default_factory=list)

    def comment_once(self, pull_request: PullRequest, *, mark: str, text: str) -> bool:
        said = self.forge.comment_once(pull_request, mark=mark, text=text)
        if said:
            self.heard.append((pull_request.url, text))
        return said


class Unreadable:
    """Functions of which one cannot be read for a while, or ever."""

    def __init__(self, shop: Shop, name: str, *, retryable: bool) -> None:
        self._inner, self._name, self._retryable = shop.functions, name, retryable

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def function(self, name: str, version: str = "$LATEST") -> Function:
        if name == self._name and version == "2":
            raise DeployError("version 2 cannot be read; look", retryable=self._retryable)
        return self._inner.function(name, version)


@dataclass(slots=True)
class Fleet:
    """`orders` and `later` on one base, which has moved."""

    shop: Shop
    ears: Listening
    new: Digest

    def cycle(self, writes: Writes | None = None, **ports: object) -> Report | None:
        """Run a process, which is killed where the writes say so; the alarm rings once `orders` shifts."""
        told = Watched("pull_requests", self.ears, writes or Writes(), (TOLD,))
        self.shop.ports = {"watcher": Bell(self.shop), "pull_requests": told, **ports}
        with suppress(Killed):
            return self.shop.cycle()
        return None

    def serving(self, name: str) -> str:
        alias = self.shop.functions.alias(name, "live")
        assert alias
        return alias.version

    def unmark(self) -> None:
        """A person takes the mark out of the alias's description."""
        alias = self.shop.functions.alias("orders", "live")
        assert alias
        assert Mark.read(alias.description)
        self.shop.functions.move_alias(self.shop.functions.function("orders"), replace(alias, description=""))


def told(report: Report | None, name: str) -> list[tuple[Result, str]]:
    assert report
    return [(o.result, o.message) for o in report.outcomes if o.subject == name and o.step != "propose"]


def furnish(folder: Path, dockerfile: Callable[[Digest], str]) -> Fleet:
    """Both functions stand on the old base; what is proposed for `orders` is merged, if anything is."""
    folder.mkdir()
    shop = Shop(folder=folder, store=open_store(":memory:"), catalogue=load_catalogue())
    base = shop.publish()
    for name in ("orders", "later"):
        shop.deploy(name, base, shop.push(f"acme/{name}", dockerfile(base)))
    orders, later = shop.targets
    shop.targets = [replace(orders, strategy=CANARY), later]
    shop.watch()
    new = shop.move()
    if dockerfile is pinned:
        shop.cycle()
        shop.forge.merge("acme/orders", 1)
    return Fleet(shop, Listening(shop.forge), new)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    made = furnish(tmp_path / "shop", pinned)
    made.cycle()
    made.shop.forge.merge("acme/later", 1)
    return made


def test_the_pull_request_that_brought_the_base_is_told_once(fleet: Fleet) -> None:
    again = fleet.cycle()

    [(url, text)] = fleet.ears.heard
    assert url == fleet.shop.pull_requests("acme/orders")[0].url
    for part in (
        "`orders`",
        "`live`",
        "version `1`",
        "version `2`",
        str(fleet.new),
        "alarm errors rings",
        "`refrom block`",
    ):
        assert part in text
    assert [result for result, _ in told(again, "orders")] == [Result.REFUSED], "it is not told again"


def test_another_function_does_not_begin_on_that_base_in_later_runs_either(fleet: Fleet) -> None:
    fleet.shop.forget()

    report = fleet.cycle()

    [(result, why)] = told(report, "later")
    assert (result, fleet.serving("later")) == (Result.WAITING, "1")
    assert "orders was rolled back; wait for a newer base" in why
    assert report is not None
    assert report.needs_attention, "of orders it is said that it was taken back"


def test_once_a_person_takes_the_mark_out_both_go_on(fleet: Fleet) -> None:
    fleet.unmark()
    orders, later = fleet.shop.targets
    fleet.shop.targets = [replace(orders, strategy=STRATEGIES["canary"]), later]
    fleet.shop.ports = {}

    fleet.shop.cycle()

    assert [fleet.serving(name) for name in ("orders", "later")] == ["2", "2"]


def test_a_person_redeploys_another_function_all_the_same(fleet: Fleet) -> None:
    shop = fleet.shop

    report = Cycle(shop.world(), shop.rules()).redeploy(MemoryEngine(shop.clock, CANARY.at_most), "later")

    assert Result.MOVED in [result for result, _ in told(report, "later")]
    assert fleet.serving("later") == "2"


def test_a_newer_base_is_not_halted(fleet: Fleet) -> None:
    newest = fleet.shop.move(replace(AFTER, created=fleet.shop.now))
    fleet.shop.people.push("acme/later", "main", {"Dockerfile": File(pinned(newest).encode())})

    fleet.cycle()

    assert (fleet.serving("later"), fleet.shop.base_of("later")) == ("2", newest)


@pytest.mark.parametrize("after", [False, True], ids=["before it is said", "after it is said"])
def test_a_process_that_dies_at_the_comment_leaves_it_to_the_next_one(tmp_path: Path, after: bool) -> None:
    fleet = furnish(tmp_path / "shop", pinned)

    fleet.cycle(Writes(fatal=(TOLD, 1, after)))
    assert (fleet.serving("orders"), len(fleet.ears.heard)) == ("1", int(after))
    fleet.shop.forget()
    fleet.cycle()

    [(_, text)] = fleet.ears.heard
    assert ("the log of the run that took it back says why" in text) is not after


def test_where_no_pull_request_brought_the_base_nobody_is_told(tmp_path: Path) -> None:
    fleet = furnish(tmp_path / "shop", lambda _: UNPINNED)
    fleet.shop.policy = replace(fleet.shop.policy, style=Style.TAG)

    report = fleet.cycle()

    assert Result.ROLLED_BACK in [result for result, _ in told(report, "orders")]
    assert fleet.ears.heard == []


def test_what_cannot_be_read_for_a_moment_lets_nothing_begin(fleet: Fleet) -> None:
    report = fleet.cycle(functions=Unreadable(fleet.shop, "orders", retryable=True))

    [(result, why)] = told(report, "later")
    assert (result, "whether orders was taken back cannot be read now" in why) == (Result.WAITING, True)


def test_a_version_that_is_gone_for_good_halts_nothing(fleet: Fleet) -> None:
    fleet.cycle(functions=Unreadable(fleet.shop, "orders", retryable=False))

    assert fleet.serving("later") == "2"


def test_what_waits_for_a_halted_base_keeps_no_other_base_from_the_next_region(fleet: Fleet) -> None:
    """`later` may wait for days; `far` goes to a base that nobody took back."""
    shop, there = fleet.shop, "arn:aws:lambda:us-east-1:123456789012:function:far"
    old = shop.publish()
    other = shop.publish(replace(AFTER, created=MOVED + timedelta(minutes=30), extra={"etc/motd": b"hello\n"}))
    shop.deploy("far", old, shop.push("acme/far", pinned(other)))
    shop.targets[-1] = replace(shop.targets[-1], function=there)

    report = fleet.cycle(functions=Elsewhere(shop.functions))

    assert [result for result, _ in told(report, "later")] == [Result.WAITING]
    assert Result.BUILT in [result for result, _ in told(report, there)], "it does not wait for the Region before"

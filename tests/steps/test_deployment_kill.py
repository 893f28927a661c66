"""A deployment that is killed at any write: its alias is old or on its way on, and at most one version is new."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.recording import RecordingDeployer, RecordingRetention
from bot.adapters.deployer.unwatched import Unwatched
from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.store.store import open_store
from bot.core.deployment import Alias, Mark, Strategy, handed_over, is_begun, underway
from bot.core.errors import DeployError, ForgeError
from bot.core.handover import DeploymentGroup, Handover, HandoverState
from bot.core.outcome import Result
from bot.core.policy import Block, Declarations, Style
from bot.core.reference import Reference
from bot.ports.builder import Building, BuildOrder
from bot.ports.deployer import Function
from bot.settings.catalogue import load_catalogue
from bot.steps.cycle import Cycle
from tests.conftest import Figure
from tests.steps.killing import Killed, Watched, Writes
from tests.steps.memory_forge import MemoryForge
from tests.steps.shop import Shop

MINUTES = timedelta(minutes=1)
WATCHED = (
    "deployer.update_code",
    "deployer.publish_version",
    "deployer.move_alias",
    "handovers.create",
    "retention.keep",
)
GROUP = DeploymentGroup(application="shop", name="live")
STRATEGIES = {
    "all-at-once": Strategy(),
    "baked": Strategy(bake=3 * MINUTES),
    "canary": replace(Strategy.parse("LambdaCanary10Percent5Minutes"), bake=3 * MINUTES),
    "linear": Strategy.parse("LambdaLinear25PercentEvery2Minutes"),
}
KILLS = {
    name: 2 * (len(("update_code", "publish_version", "keep")) + moves)
    for name, moves in {"all-at-once": 1, "baked": 2, "canary": 3, "linear": 4}.items()
}
CAREFUL = [name for name, strategy in STRATEGIES.items() if strategy.lasts]


@dataclass(frozen=True, slots=True)
class Bell(Unwatched):
    """An alarm that rings as soon as a new version of a function serves anything."""

    shop: Shop

    def ringing(self, function: Function, alarms: Sequence[str]) -> tuple[str, ...]:
        alias = self.shop.functions.alias(function.name, "live")
        return tuple(alarms) if alias and underway(alias) else ()


@dataclass(slots=True)
class Mover:
    """A CodeDeploy that moves on each time somebody looks; it takes the alias back if it `fails`."""

    shop: Shop
    fails: bool
    made: list[Handover] = field(default_factory=list)

    def create(self, group: DeploymentGroup, function: Function, alias: Alias, version: str) -> str:
        assert group == GROUP
        assert not [one for one in self.made if one.state is HandoverState.UNDERWAY], "a second deployment"
        self.made.append(Handover(id=f"d-{len(self.made)}", version=version, state=HandoverState.UNDERWAY))
        self._move(function, alias.version, (version, 0.1))
        return self.made[-1].id

    def seen(self, group: DeploymentGroup, function: Function, alias: str, since: datetime) -> Sequence[Handover]:
        del alias, since
        assert group == GROUP
        told = tuple(reversed(self.made))
        if told and told[0].state is HandoverState.UNDERWAY:
            new = told[0].version
            assert new
            self._move(function, "1" if self.fails else new)
            state = HandoverState.FAILED if self.fails else HandoverState.SUCCEEDED
            self.made[-1] = replace(told[0], state=state, why="stopped (ALARM_ACTIVE: errors)")
        return told

    def _move(self, function: Function, version: str, *weights: tuple[str, float]) -> None:
        moved = replace(alias_of(self.shop), version=version, weights=weights)
        self.shop.functions.move_alias(function, moved)


class Tags(Unwatched):
    """A registry that notes the tags it is given."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def keep(self, image: Reference, tag: str) -> bool:
        self.kept[tag] = str(image)
        return True


@dataclass(slots=True)
class Throttled:
    """Functions whose first change is refused."""

    functions: LocalFunctions
    retryable: bool = True
    refused: bool = False

    def move_alias(self, function: Function, alias: Alias) -> None:
        if not self.refused:
            self.refused = True
            raise DeployError("not now; later", retryable=self.retryable)
        self.functions.move_alias(function, alias)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Functions that are found by the ARN of another Region too."""

    functions: LocalFunctions

    def function(self, name: str, version: str = "$LATEST") -> Function:
        return self.functions.function(name.rpartition(":")[2], version)

    def alias(self, function: str, name: str) -> Alias | None:
        return self.functions.alias(function.rpartition(":")[2], name)


class Slow:
    """A builder that is never done."""

    def build(self, order: BuildOrder) -> Building:
        del order
        return Building(why="the build is not done")


def open_shop(folder: Path, strategy: Strategy, *, alarmed: bool = False, handed: bool = False) -> Shop:
    """A function on a base that has moved, with an unpinned file so that nobody has to merge anything."""
    folder.mkdir()
    shop = Shop(folder=folder, store=open_store(":memory:"), catalogue=load_catalogue())
    shop.policy = replace(shop.policy, style=Style.TAG)
    base = shop.publish()
    shop.deploy("orders", base, shop.push("acme/orders"))
    shop.watch()
    shop.move()
    (target,) = shop.targets
    if handed:
        shop.targets = [replace(target, keep_rollback_tag=True, codedeploy=GROUP)]
        shop.ports = {"handovers": Mover(shop, alarmed)}
        return shop
    alarms = ("errors",) if alarmed else ()
    shop.targets = [replace(target, strategy=replace(strategy, alarms=alarms), keep_rollback_tag=True)]
    return shop


def alias_of(shop: Shop) -> Alias:
    alias = shop.functions.alias("orders", "live")
    assert alias
    return alias


def versions(shop: Shop) -> int:
    """How many versions there are."""
    for number in range(1, 9):
        try:
            shop.functions.function("orders", str(number))
        except DeployError:
            return number - 1
    pytest.fail("there are versions without end")


def run(shop: Shop, writes: Writes) -> Alias:
    """Run a process that may be killed; return the alias as it left it."""
    bell, tags, mover = Bell(shop), Tags(), shop.ports.get("handovers", Unwatched())
    shop.ports = {
        "handovers": Watched("handovers", mover, writes, WATCHED),
        "watcher": bell,
        "deployer": Watched("deployer", shop.functions, writes, WATCHED),
        "retention": Watched("retention", tags, writes, WATCHED),
    }
    with suppress(Killed):
        shop.cycle()
    shop.ports["handovers"] = mover
    return alias_of(shop)


def boundaries(writes: Writes) -> list[tuple[str, int]]:
    """Each write of an undisturbed run, by its name and which of that name it is."""
    return [(name, writes.made[: place + 1].count(name)) for place, name in enumerate(writes.made)]


@dataclass(frozen=True, slots=True)
class Killings:
    """What was seen over all kills: how many, and the most versions that were new after any."""

    tried: int
    published: int

    def __str__(self) -> str:
        return f"{self.tried} kills, no alias half-weighted and forgotten, at most {self.published} version published"


def kill_everywhere(
    folder: Path, strategy: Strategy, *, alarmed: bool, check: Callable[[Shop], None], handed: bool = False
) -> Killings:
    """Kill one process before and after every write that an undisturbed one makes, start another, and look."""
    undisturbed = Writes()
    whole = open_shop(folder / "whole", strategy, alarmed=alarmed, handed=handed)
    run(whole, undisturbed)
    check(whole)
    tried = most = 0
    for name, number in boundaries(undisturbed):
        for after in (False, True):
            tried += 1
            shop = open_shop(folder / f"killed{tried}", strategy, alarmed=alarmed, handed=handed)
            left = run(shop, Writes(fatal=(name, number, after)))
            assert is_begun(left) or not left.weights, f"forgotten half way at {name} {number}"
            assert versions(shop) <= 2
            run(shop, Writes())
            check(shop)
            most = max(most, versions(shop) - 1)
            shop.store.close()
    whole.store.close()
    return Killings(tried, most)


def served(shop: Shop) -> None:
    """The new version serves alone, and nothing is left in the alias."""
    alias = alias_of(shop)
    assert (alias.version, alias.weights, alias.description, versions(shop)) == ("2", (), "", 2)


def back(shop: Shop) -> None:
    """The old version serves alone, and the alias says so."""
    alias = alias_of(shop)
    mark = Mark.read(alias.description)
    assert (alias.version, alias.weights, versions(shop)) == ("1", (), 2)
    assert mark is not None
    assert (mark.new, mark.old) == ("2", None)


@pytest.mark.soak
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_kill_at_any_write_leads_to_the_new_version(tmp_path: Path, figure: Figure, name: str) -> None:
    seen = kill_everywhere(tmp_path, STRATEGIES[name], alarmed=False, check=served)

    figure(f"{name}, a kill before and after every write, then on to the new version", seen, Killings(KILLS[name], 1))


@pytest.mark.soak
@pytest.mark.parametrize("name", CAREFUL)
def test_with_an_alarm_a_kill_at_any_write_leads_back_to_the_old_version(
    tmp_path: Path, figure: Figure, name: str
) -> None:
    seen = kill_everywhere(tmp_path, STRATEGIES[name], alarmed=True, check=back)

    kills = 2 * len(("update_code", "publish_version", "keep", "move_alias", "move_alias"))
    figure(f"{name} with an alarm, a kill before and after every write, then back", seen, Killings(kills, 1))


@pytest.mark.soak
@pytest.mark.parametrize("fails", [False, True], ids=["it ends well", "CodeDeploy takes it back"])
def test_a_kill_at_any_write_around_codedeploy_leads_to_one_deployment_and_its_end(
    tmp_path: Path, figure: Figure, fails: bool
) -> None:
    def once(shop: Shop) -> None:
        (back if fails else served)(shop)
        assert len(shop.ports["handovers"].made) == 1

    seen = kill_everywhere(tmp_path, Strategy(), alarmed=fails, check=once, handed=True)

    kills = 2 * len(("update_code", "publish_version", "move_alias", "keep", "create", "move_alias"))
    end = "back" if fails else "on to the new version"
    figure(f"CodeDeploy, a kill before and after every write, then {end}", seen, Killings(kills, 1))


def test_a_run_that_does_not_stay_says_that_codedeploy_goes_on_and_the_next_one_sees_the_end(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", Strategy(), handed=True)
    begun = shop.now

    first = Cycle(shop.world(), shop.rules(), stays=False).run(MemoryEngine(shop.clock, 5 * MINUTES))

    told = {outcome.result: outcome.message for outcome in first.outcomes if outcome.step == "redeploy"}
    assert Result.HANDED_OVER in told
    assert told[Result.WAITING].endswith("it goes on by itself, and a later run sees how it ends")
    assert (shop.now - begun < MINUTES, first.needs_attention) == (True, False)
    Cycle(shop.world(), shop.rules(), stays=False).run(MemoryEngine(shop.clock, 5 * MINUTES))
    last = Cycle(shop.world(), shop.rules(), stays=False).run(MemoryEngine(shop.clock, 5 * MINUTES))
    assert [outcome.result for outcome in last.outcomes] == [Result.SETTLED, Result.PROVEN]
    served(shop)


def test_a_forge_that_cannot_be_listed_leaves_no_alias_half_shifted(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"])
    assert run(shop, Writes(fatal=("deployer.move_alias", 1, True))).weights
    away = MemoryForge(shop.clock, listing=ForgeError("the forge is away; wait"))
    shop.ports = {"forge": away, "pull_requests": away}

    with pytest.raises(ForgeError, match="the forge is away"):
        shop.cycle()

    alias = alias_of(shop)
    assert (alias.version, alias.weights, alias.description) == ("2", (), "")
    last, before = shop.store.journal.entries(limit=2)
    assert [last[1].result, before[1].result] == [Result.SETTLED, Result.MOVED]


def test_the_writes_of_a_canary_are_these_and_each_is_told(tmp_path: Path) -> None:
    shop, writes = open_shop(tmp_path / "shop", STRATEGIES["canary"]), Writes()
    shop.ports = {"deployer": Watched("deployer", shop.functions, writes, WATCHED)}

    report = shop.cycle()

    moves = [name.partition(".")[2] for name in writes.made]
    assert moves == ["update_code", "publish_version", "move_alias", "move_alias", "move_alias"]
    told = [outcome.result for outcome in report.outcomes if outcome.step in ("redeploy", "prove")]
    assert told == [Result.UPDATED, Result.SHIFTED, Result.MOVED, Result.SETTLED, Result.PROVEN]


def test_a_rollback_is_told_once_and_left_alone_by_later_runs(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"], alarmed=True)
    shop.ports = {"watcher": Bell(shop)}

    first, second = shop.cycle(), shop.cycle()

    assert first.needs_attention
    back = [outcome for outcome in first.outcomes if outcome.result is Result.ROLLED_BACK]
    assert [outcome.message for outcome in back] == [
        "alias live is back on version 1 alone, from version 2: alarm errors rings"
    ]
    again = [outcome for outcome in second.outcomes if outcome.step == "redeploy"]
    assert [outcome.result for outcome in again] == [Result.REFUSED]
    assert versions(shop) == 2


def test_after_a_rollback_no_other_function_is_put_on_that_base_in_the_same_run(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"], alarmed=True)
    (orders,) = shop.targets
    base = shop.functions.function("orders")
    assert base.image
    shop.push("acme/later")
    shop.functions.create("later", base.image, base.platform, aliases=["live"])
    run(shop, Writes(fatal=("deployer.move_alias", 1, True)))
    shop.targets.append(replace(orders, function="later", repository="acme/later", strategy=Strategy()))
    shop.ports = {"watcher": Bell(shop)}

    report = shop.cycle()

    told = {outcome.subject: outcome for outcome in report.outcomes if outcome.result is Result.WAITING}
    alias = shop.functions.alias("later", "live")
    assert alias
    assert (alias.version, "orders was rolled back" in told["later"].message) == ("1", True)


def test_a_hold_and_a_lost_repository_do_not_leave_an_alias_half_shifted(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"])
    run(shop, Writes(fatal=("deployer.move_alias", 1, True)))
    assert underway(alias_of(shop))
    (target,) = shop.targets
    shop.targets = [replace(target, repository="acme/gone")]

    shop.cycle()

    assert (alias_of(shop).version, alias_of(shop).weights) == ("2", ())


def test_a_rollback_that_aws_throttles_is_tried_again_within_seconds(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"], alarmed=True)
    run(shop, Writes(fatal=("deployer.move_alias", 1, True)))
    begun = shop.now
    shop.ports = {"watcher": Bell(shop), "deployer": Throttled(shop.functions)}

    report = shop.cycle()

    assert (alias_of(shop).version, alias_of(shop).weights) == ("1", ())
    assert Result.ROLLED_BACK in [outcome.result for outcome in report.outcomes]
    assert shop.now - begun == timedelta(seconds=10)


def test_a_rollback_that_is_denied_is_a_failure_that_somebody_must_see(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"], alarmed=True)
    run(shop, Writes(fatal=("deployer.move_alias", 1, True)))
    shop.ports = {"watcher": Bell(shop), "deployer": Throttled(shop.functions, retryable=False)}

    report = shop.cycle()

    assert [outcome.message for outcome in report.outcomes if outcome.needs_attention] == ["not now; later"]
    assert underway(alias_of(shop)), "the next run tries again"


def test_a_region_begins_once_the_one_before_is_done(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"])
    (orders,) = shop.targets
    there = "arn:aws:lambda:us-east-1:123456789012:function:orders"
    shop.targets = [orders, replace(orders, function=there)]
    slow = Elsewhere(shop.functions)
    shop.ports = {"functions": slow, "builder": Slow()}

    report = shop.cycle()

    told = {outcome.subject: outcome.message for outcome in report.outcomes if outcome.step == "rebuild"}
    assert told == {"orders": "the build is not done", there: "orders in the Region before is not done"}


def test_a_function_that_is_named_alone_is_in_the_region_of_the_deployer(tmp_path: Path) -> None:
    """Else it would be before or behind the others of its Region, and what is behind that Region would not wait."""
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"])
    (orders,) = shop.targets
    here, there = (f"arn:aws:lambda:{region}:123456789012:function:orders" for region in ("eu-west-1", "us-east-1"))
    shop.region = "eu-west-1"
    shop.targets = [orders, replace(orders, function=there), replace(orders, function=here)]
    shop.ports = {"functions": Elsewhere(shop.functions), "builder": Slow()}

    report = shop.cycle()

    told = {outcome.subject: outcome.message for outcome in report.outcomes if outcome.step == "rebuild"}
    slow = "the build is not done"
    assert told == {"orders": slow, here: slow, there: "orders in the Region before is not done"}


@pytest.mark.parametrize("begun", [False, True])
def test_a_block_keeps_codedeploy_from_beginning_and_not_from_going_on(tmp_path: Path, *, begun: bool) -> None:
    """A process died after it marked the alias, or after CodeDeploy began; then somebody blocked the base."""
    shop = open_shop(tmp_path / "shop", Strategy(), handed=True)
    run(shop, Writes(fatal=("handovers.create", 1, begun)))
    assert handed_over(alias_of(shop))
    shop.declared = Declarations(blocks=(Block(digest=shop.watch().digest, reason="it hangs"),))

    shop.cycle()

    assert len(shop.ports["handovers"].made) == int(begun)
    assert (alias_of(shop).version, alias_of(shop).description) == ("2" if begun else "1", "")


def test_a_dry_run_of_a_canary_changes_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"])
    run(shop, Writes(fatal=("deployer.move_alias", 1, True)))
    before = (shop.folder / "functions.json").read_bytes()
    shop.clock.advance(timedelta(minutes=6))
    shop.ports = {"deployer": RecordingDeployer(shop.functions), "retention": RecordingRetention(Unwatched())}

    report = shop.cycle()

    assert (shop.folder / "functions.json").read_bytes() == before
    assert Result.MOVED in [outcome.result for outcome in report.outcomes]


def test_a_shift_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"])
    run(shop, Writes(fatal=("deployer.move_alias", 1, False)))
    theirs = replace(alias_of(shop), weights=(("2", 0.5),), description="a test of Ann's")
    shop.functions.move_alias(shop.functions.function("orders"), theirs)
    before = alias_of(shop)

    shop.cycle()

    assert alias_of(shop) == before


def test_a_shift_waits_for_no_longer_than_it_lasts(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", STRATEGIES["canary"])
    begun = shop.now

    shop.cycle()

    assert timedelta(minutes=8) <= shop.now - begun <= timedelta(minutes=9)

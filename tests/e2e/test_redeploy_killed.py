"""refrom killed with SIGKILL just before and just after every change that a redeploy makes in AWS, over the wire.

How many changes there are is counted in a run that nobody kills; the lab's AWS then kills the run that asked for it, at
each in turn, and a plain run follows.
"""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue

import pytest

from bot.core.deployment import Mark
from bot.core.digest import Digest
from bot.entrypoints.cli import DONE
from tests.conftest import Figure
from tests.e2e.redeploying import PYTHON, Shop, open_shop
from tests.lab.registry import docker_registry

pytestmark = pytest.mark.soak

STRATEGIES = ("all-at-once", "LambdaCanary10Percent5Minutes", "LambdaLinear50PercentEvery1Minute")


@dataclass(slots=True)
class Lab:
    """A base that has moved, and functions on the old one, each the scene of one kill."""

    shop: Shop
    old: Digest
    made: int = 0

    def function(self, strategy: str) -> str:
        """Deploy another function, which alone is in the settings from now on."""
        self.made += 1
        name = f"orders-{self.made}"
        self.shop.deploy(name, self.old)
        self.shop.write_settings([name], strategy)
        return name

    def run(self) -> None:
        """Run once, to a good end, an hour later: a run waits by a clock of its own."""
        self.shop.clock.advance(timedelta(hours=1))
        ran = self.shop.run()
        assert (ran.code, ran.outcomes("failed")) == (DONE, []), ran.out + ran.err

    def killed_at(self, number: int, *, after: bool) -> None:
        """Run, and let AWS kill the run at its n-th change."""
        begun: SimpleQueue[BaseProcess] = SimpleQueue()

        def kill() -> None:
            process = begun.get()
            os.kill(process.pid or 0, signal.SIGKILL)
            wait([process.sentinel])

        self.shop.aws.at_write(number, kill, after=after)
        self.shop.clock.advance(timedelta(hours=1))
        process = self.shop.begin()
        begun.put(process)
        process.join()
        assert process.exitcode == -signal.SIGKILL

    def is_whole_or_marked(self, name: str) -> bool:
        """Whether the alias serves one version, or says in its description that it is on its way."""
        alias = self.shop.aws.client("lambda").get_alias(FunctionName=name, Name="live")
        mark = Mark.read(alias["Description"])
        return "RoutingConfig" not in alias or (mark is not None and mark.old is not None)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("shop")
    with docker_registry(folder / "registry") as registry, open_shop(folder, registry) as shop:
        old = shop.publish(PYTHON.before)
        shop.publish(PYTHON.after)
        yield Lab(shop, old)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_after_a_kill_at_any_change_the_next_run_ends_it(lab: Lab, figure: Figure, strategy: str) -> None:
    name, before = lab.function(strategy), len(lab.shop.aws.writes)
    lab.run()
    writes = [write.operation for write in lab.shop.aws.writes[before:]]
    assert writes[:2] == ["UpdateFunctionCode", "PublishVersion"]
    assert set(writes[2:]) == {"UpdateAlias"}
    remembered, whole, versions = [], [], []

    for number in range(1, len(writes) + 1):
        for after in (False, True):
            name = lab.function(strategy)
            lab.killed_at(number, after=after)
            remembered.append(lab.is_whole_or_marked(name))
            lab.run()
            whole.append(lab.shop.served(name)[:2])
            versions.append(lab.shop.versions(name))

    kills = 2 * len(writes)
    how = f"kill -9 at {kills} places of a redeploy {strategy}"
    figure(f"{how}: aliases whole or on their way when it was killed", sum(remembered), kills)
    figure(f"{how}: aliases wholly on the new version after a restart", whole.count(("2", None)), kills)
    figure(f"{how}: versions published, at most", max(versions) - 1, 1)

"""Bare repositories with the local forge before them."""

from datetime import UTC, datetime

from bot.adapters.engine.clock import VirtualClock
from bot.adapters.forge.local import LocalForge
from tests.adapters.forge.world import BareRepositories, git

CLOCK = VirtualClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


class LocalWorld(BareRepositories):
    """The world of the local forge."""

    def bot(self) -> LocalForge:
        return LocalForge(self.root, CLOCK)

    def merge(self, name: str, number: int) -> None:
        self.bot().merge(name, number)

    def close(self, name: str, number: int) -> None:
        self.bot().close_by_person(name, number)

    def forget_pull_request(self, name: str, number: int) -> None:
        git(self.path(name), "update-ref", "-d", f"refs/refrom/pulls/{number}")

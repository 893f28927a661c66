"""Bare repositories with the local forge before them."""

from collections.abc import Sequence
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

    def add_reviewer(self, name: str, login: str) -> None:
        """Everybody may be asked: a folder knows no persons."""

    def label(self, name: str, number: int, labels: Sequence[str]) -> None:
        self.bot().label_by_person(name, number, labels)

    def reviewers(self, name: str, number: int) -> Sequence[str]:
        return self.bot().record(name, number).reviewers

    def comments(self, name: str, number: int) -> Sequence[str]:
        record = self.bot().record(name, number)
        return [*record.comments, *filter(None, [record.comment])]

    def is_draft(self, name: str, number: int) -> bool:
        return self.bot().record(name, number).draft

    def forget_pull_request(self, name: str, number: int) -> None:
        git(self.path(name), "update-ref", "-d", f"refs/refrom/pulls/{number}")

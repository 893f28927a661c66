"""Forges on the lab's GitHub."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.forge.github import AppTokens, FixedToken, GitHub, GitHubForge, Sender, Site, Tokens
from bot.adapters.forge.github.listing import Filters
from bot.adapters.forge.github.pulls import CommitWith
from bot.adapters.transport import Transport
from tests.adapters.forge.contract import FILES, REPOSITORY
from tests.adapters.forge.github_world import GithubWorld
from tests.lab.clock import WoundClock
from tests.lab.github.fake import FakeGitHub, github_fake

Make = Callable[..., GitHubForge]


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def fake(tmp_path: Path, clock: WoundClock) -> Iterator[FakeGitHub]:
    with github_fake(tmp_path, clock=clock) as fake:
        yield fake


@pytest.fixture
def make(fake: FakeGitHub, clock: WoundClock) -> Iterator[Make]:
    """Make a forge: with a token that may do everything, for all of acme, unless told otherwise."""
    with ExitStack() as stack:

        def make(
            include: Sequence[str] = ("acme/*",),
            *,
            token: str | None = None,
            app: tuple[int, str] | None = None,
            transport: Transport | None = None,
            commit_with: CommitWith = "api",
            checks: bool = False,
            **filters: Any,
        ) -> GitHubForge:
            transport = transport or stack.enter_context(closing(Transport(clock, timeouts=(5, 30))))
            sender = Sender(transport, Site.of(fake.enterprise_url), clock)
            tokens: Tokens = AppTokens(sender, *app, clock) if app else FixedToken(token or fake.token())
            return GitHubForge(
                GitHub(sender, tokens, checks=checks), include, Filters(**filters), commit_with=commit_with
            )

        yield make


@pytest.fixture
def world(tmp_path: Path, fake: FakeGitHub, make: Make) -> GithubWorld:
    (tmp_path / "desk").mkdir()
    return GithubWorld(fake, tmp_path / "desk", make)


@pytest.fixture
def commit(world: GithubWorld) -> str:
    return world.create_repository(REPOSITORY, FILES)

"""The worlds of the contract; asserts in its modules tell as much as those in a test module."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

pytest.register_assert_rewrite(
    "tests.adapters.forge.contract", "tests.adapters.forge.world", "tests.adapters.forge.emulator_world"
)

from bot.adapters.forge.github import FixedToken, GitHub, GitHubForge, Sender, Site  # noqa: E402 - see above
from bot.adapters.transport import Transport  # noqa: E402
from tests.adapters.forge.emulator_world import EmulateWorld, MakeBot, MyWorldWorld  # noqa: E402
from tests.adapters.forge.local_world import LocalWorld  # noqa: E402
from tests.lab.clock import WoundClock  # noqa: E402
from tests.lab.emulators.bridge import Bridge, bridged  # noqa: E402
from tests.lab.emulators.emulate import Emulate, emulate  # noqa: E402
from tests.lab.emulators.emulate_bridge import LackingInEmulate  # noqa: E402
from tests.lab.emulators.myworld import GITHUB, MyWorld, myworld  # noqa: E402
from tests.lab.emulators.myworld_bridge import LackingInMyWorld  # noqa: E402
from tests.lab.web import Web  # noqa: E402

Connect = Callable[[Web], MakeBot]


@pytest.fixture
def local(tmp_path: Path) -> LocalWorld:
    for folder in ("repositories", "desk"):
        (tmp_path / folder).mkdir()
    return LocalWorld(tmp_path / "repositories", tmp_path / "desk")


@pytest.fixture(scope="session")
def emulate_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulate]:
    with emulate(tmp_path_factory.mktemp("emulate")) as server:
        yield server


@pytest.fixture(scope="session")
def myworld_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MyWorld]:
    with myworld(tmp_path_factory.mktemp("myworld")) as server:
        yield server


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make bots, each with a transport of its own."""
    with ExitStack() as stack:

        def make_bot(web: Web, token: str, *include: str) -> GitHubForge:
            clock = WoundClock()
            transport = stack.enter_context(closing(Transport(clock)))
            sender = Sender(transport, Site.of(web.url), clock)
            return GitHubForge(GitHub(sender, FixedToken(token)), include or ["acme/*"])

        yield lambda web: partial(make_bot, web)


@pytest.fixture
def emulate_world(emulate_server: Emulate, connect: Connect) -> Iterator[EmulateWorld]:
    with bridged(Bridge(emulate_server.program.host, "", LackingInEmulate())) as web:
        world = EmulateWorld(emulate_server, connect(web))
        yield world
        world.end()


@pytest.fixture
def myworld_world(myworld_server: MyWorld, connect: Connect) -> Iterator[MyWorldWorld]:
    with bridged(Bridge(myworld_server.program.host, GITHUB, LackingInMyWorld())) as web:
        world = MyWorldWorld(myworld_server, connect(web))
        yield world
        world.end()

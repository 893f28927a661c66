"""The contract at two emulators of GitHub that others wrote, as far as these behave as GitHub does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from bot.adapters.forge.github import FixedToken, GitHub, GitHubForge, Sender, Site
from bot.adapters.transport import Transport
from tests.adapters.forge.contract import ForgeContract
from tests.adapters.forge.differences import EMULATE, MYWORLD, expect
from tests.adapters.forge.emulator_world import EmulateWorld, MyWorldWorld
from tests.adapters.forge.world import Bot
from tests.lab.clock import WoundClock
from tests.lab.emulators.bridge import Bridge, bridged
from tests.lab.emulators.emulate import Emulate, emulate
from tests.lab.emulators.emulate_bridge import LackingInEmulate
from tests.lab.emulators.myworld import GITHUB, MyWorld, myworld
from tests.lab.emulators.myworld_bridge import LackingInMyWorld
from tests.lab.web import Web


@pytest.fixture(scope="module")
def emulate_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulate]:
    with emulate(tmp_path_factory.mktemp("emulate")) as server:
        yield server


@pytest.fixture(scope="module")
def myworld_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MyWorld]:
    with myworld(tmp_path_factory.mktemp("myworld")) as server:
        yield server


@pytest.fixture
def connect() -> Iterator[Callable[[Web, str], Bot]]:
    """Make a bot with a transport of its own."""
    with ExitStack() as stack:

        def connect(web: Web, token: str) -> Bot:
            clock = WoundClock()
            transport = stack.enter_context(closing(Transport(clock)))
            sender = Sender(transport, Site.of(web.url), clock)
            return GitHubForge(GitHub(sender, FixedToken(token)), ["acme/*"])

        yield connect


@pytest.fixture
def emulate_world(emulate_server: Emulate, connect: Callable[[Web, str], Bot]) -> Iterator[EmulateWorld]:
    with bridged(Bridge(emulate_server.program.host, "", LackingInEmulate())) as web:
        world = EmulateWorld(emulate_server, lambda token: connect(web, token))
        yield world
        world.end()


@pytest.fixture
def myworld_world(
    request: pytest.FixtureRequest, myworld_server: MyWorld, connect: Callable[[Web, str], Bot]
) -> Iterator[MyWorldWorld]:
    with bridged(Bridge(myworld_server.program.host, GITHUB, LackingInMyWorld())) as web:
        world = MyWorldWorld(myworld_server, f"life-{id(request.node)}", lambda token: connect(web, token))
        yield world
        world.end()


class TestEmulate(ForgeContract):
    @pytest.fixture(autouse=True)
    def difference(self, request: pytest.FixtureRequest) -> None:
        expect(request, EMULATE)

    @pytest.fixture
    def world(self, emulate_world: EmulateWorld) -> EmulateWorld:
        return emulate_world


class TestMyWorld(ForgeContract):
    @pytest.fixture(autouse=True)
    def difference(self, request: pytest.FixtureRequest) -> None:
        expect(request, MYWORLD)

    @pytest.fixture
    def world(self, myworld_world: MyWorldWorld) -> MyWorldWorld:
        return myworld_world

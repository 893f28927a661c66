"""What the tests of a fleet act with: places of the stub, and readers of them that begin like a new process."""

from dataclasses import dataclass

from bot.adapters.deployer.fleet import LambdaFleet
from bot.adapters.deployer.lambda_functions import LambdaFunctions
from bot.adapters.deployer.listing import Clients, Place
from bot.adapters.deployer.run_memory import RunMemory
from bot.adapters.deployer.runtime_logs import RuntimeLogs
from bot.ports.clock import Clock
from bot.ports.fleet import SeenFunction
from bot.ports.store import Kept
from bot.steps.fleet import FleetView, read_fleet
from tests.lab.aws import REGION, AwsStub


class Documents(dict[str, Kept]):
    """A memory of documents that outlives the processes of one test."""

    def put(self, name: str, document: Kept) -> None:
        """Keep a document."""
        self[name] = document


class Cut(Exception):
    """The end of a process that is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process that reads places of the stub; another one may go on with the same documents."""

    aws: AwsStub
    clock: Clock
    documents: Documents
    places: tuple[Place, ...] = (Place(REGION),)
    clients: Clients | None = None
    workers: int = 1

    def fleet(self) -> LambdaFleet:
        """Open a fleet as a new process does."""
        functions = LambdaFunctions(
            self.clients or (lambda region: self.aws.client("lambda", region)),
            region=REGION,
            clock=self.clock,
            places=self.places,
        )
        logs = RuntimeLogs(lambda _, region: self.aws.client("logs", region), self.clock)
        scope = ", ".join(map(str, self.places))
        memory = RunMemory.begin(self.documents, self.clock, scope)
        return LambdaFleet(functions, logs, memory, workers=self.workers)

    def read(self, cut: int | None = None) -> FleetView:
        """Read it all, or be killed when so many functions are read."""

        def watch(what: str, done: int, total: int) -> None:
            if (what, done) == ("functions read", cut) and done <= total:
                raise Cut

        fleet = self.fleet()
        view = read_fleet(fleet, watch)
        fleet.end()
        return view

    def only(self) -> SeenFunction:
        """Read the one function that there is."""
        (seen,) = self.read().functions
        return seen

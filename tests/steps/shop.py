"""A small world for the steps: real small adapters over one folder, and what people and AWS do to it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.contents import LayerReader
from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.unwatched import Unwatched
from bot.adapters.engine.clock import VirtualClock
from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.forge.local import LocalForge
from bot.adapters.registry import LayoutRegistry
from bot.adapters.store.store import Store, open_store
from bot.core.advisories import Bulletin
from bot.core.digest import Digest
from bot.core.dockerfile import same_but_for_bases
from bot.core.errors import AdvisoryError, BuildError
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, REVISION_LABEL, Descriptor, Image, Index, Manifest
from bot.core.observation import Observation
from bot.core.pipeline import Pipeline, PipelineOrder
from bot.core.platforms import Platform
from bot.core.policy import Declarations, Policy, UpdateOn
from bot.core.proposals import PullRequestPolicy
from bot.core.pull_request import BRANCH
from bot.core.reference import Reference
from bot.core.rollout import RolloutPolicy
from bot.core.runtimes import Catalogue
from bot.core.target import Target
from bot.entrypoints.demo.fleet import AMD64, MOVED, MOVES, START
from bot.entrypoints.demo.images import BaseSpec, publish_base, publish_function
from bot.ports.advisories import Advisories
from bot.ports.forge import PullRequest, SourceRepository
from bot.ports.jobs import Job, JobState
from bot.ports.registry import WatchedRegistry
from bot.ports.smoke import Trial
from bot.ports.world import World
from bot.settings import load_narrowing
from bot.steps.cycle import Cycle, Report
from bot.steps.inquire import Inquiry
from bot.steps.rules import Rules
from bot.steps.survey import Survey, survey_alone
from bot.steps.watch import watch
from tests.adapters.forge.world import BareRepositories, File

PYTHON = Reference.parse("public.ecr.aws/lambda/python")
RUNTIME = "python3.13"
BEFORE, AFTER = next((move.before, move.after) for move in MOVES if move.before.name == "python" and move.after)
"""The same base before and after a move that brings another language version and another package."""
SAME = replace(BEFORE, created=MOVED)
"""The base under another digest, with the same contents."""
UNPINNED = "FROM public.ecr.aws/lambda/python:3.13\nCOPY app.py ./\n"


def pinned(digest: Digest) -> str:
    return UNPINNED.replace(":3.13", f":3.13@{digest}")


class CountingRegistry:
    """A registry that writes down what it is asked for; an image by digest is two documents."""

    def __init__(self, registry: WatchedRegistry) -> None:
        self._registry = registry
        self.asked: list[str] = []

    def manifest(self, reference: Reference) -> Manifest | Index:
        self.asked.append(f"manifest {reference}")
        return self._registry.manifest(reference)

    def moved(self, reference: Reference, known: Digest) -> Manifest | Index | None:
        self.asked.append(f"manifest {reference}")
        return self._registry.moved(reference, known)

    def image(self, reference: Reference, platform: Platform | None = None) -> Image:
        self.asked.append(f"image {reference.digest or reference.tag}")
        return self._registry.image(reference, platform)

    def blob(self, reference: Reference, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        self.asked.append(f"blob {descriptor.digest}")
        return self._registry.blob(reference, descriptor)


class Silence:
    """A distribution that says nothing, so that nobody knows what a package fixes."""

    def bulletin(self, system: str, platform: Platform) -> Bulletin:
        raise AdvisoryError(f"no feed of advisories for {system} on {platform}; name one")


class Trials:
    """Smoke tests that are written down, and that one can make fail."""

    def __init__(self) -> None:
        self.made: list[Trial] = []
        self.fault: BuildError | None = None

    def run(self, trial: Trial) -> None:
        self.made.append(trial)
        if self.fault:
            raise self.fault


@dataclass(slots=True)
class Runs:
    """A team's pipeline: what it was started for, and how a test lets that end."""

    started: list[PipelineOrder] = field(default_factory=list)
    state: JobState = JobState.RUNNING

    def find(self, pipeline: Pipeline, order: PipelineOrder) -> Job | None:
        return Job(state=self.state, where=f"{pipeline} run 1") if order in self.started else None

    def start(self, pipeline: Pipeline, order: PipelineOrder) -> str:
        assert order not in self.started, "started twice"
        self.started.append(order)
        return f"{pipeline} run 1"


OPENED: "list[Shop]" = []
"""The shops of the test that runs, whose stores are closed after it."""


@dataclass(slots=True)
class Shop:
    """One folder with everything in it, at one moment; `ports` replaces parts of the world."""

    folder: Path
    store: Store
    catalogue: Catalogue
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START + timedelta(hours=1)))
    policy: Policy = field(default_factory=lambda: Policy(update_on=UpdateOn.PACKAGES))
    declared: Declarations = field(default_factory=Declarations)
    targets: list[Target] = field(default_factory=list)
    region: str = ""
    rollout: RolloutPolicy | None = None
    proposing: PullRequestPolicy = field(default_factory=PullRequestPolicy)
    advisories: Advisories = field(default_factory=Silence)
    smoke: Trials = field(default_factory=Trials)
    pipelines: Runs = field(default_factory=Runs)
    ports: dict[str, Any] = field(default_factory=dict)
    writer: LayoutRegistry = field(init=False)
    registry: CountingRegistry = field(init=False)

    def __post_init__(self) -> None:
        OPENED.append(self)
        self.writer = LayoutRegistry(self.folder / "registry")
        self.registry = CountingRegistry(self.writer)
        (self.folder / "desk").mkdir()
        (self.folder / "repositories").mkdir()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def people(self) -> BareRepositories:
        """What persons do to source repositories, with plain git."""
        return BareRepositories(self.folder / "repositories", self.folder / "desk")

    @property
    def forge(self) -> LocalForge:
        return LocalForge(self.folder / "repositories", self.clock)

    @property
    def functions(self) -> LocalFunctions:
        return LocalFunctions(self.folder / "functions.json", self.registry, self.clock)

    @property
    def contents(self) -> LayerReader:
        return LayerReader(self.registry, self.store.layers)

    def publish(self, spec: BaseSpec = BEFORE) -> Digest:
        """Publish a base as AWS does."""
        return publish_base(self.writer, PYTHON, spec)

    def move(self, spec: BaseSpec = AFTER) -> Digest:
        """Publish a newer base, weeks later."""
        self.clock.wait_until(MOVED + timedelta(hours=1))
        return self.publish(spec)

    def watch(self) -> Observation:
        return watch(self.catalogue.get(RUNTIME), self.registry, self.store.ledger, self.now)

    def push(self, name: str, dockerfile: str = UNPINNED, **more: str) -> str:
        """Create a source repository with one commit of a person, and return the commit."""
        files = {"Dockerfile": dockerfile, "app.py": "handler = print\n", **more}
        return self.people.create_repository(name, {path: File(text.encode()) for path, text in files.items()})

    @staticmethod
    def files(**texts: str) -> Mapping[str, File]:
        """Python files as a person commits them, by their names without suffix."""
        return {f"{name}.py": File(text.encode()) for name, text in texts.items()}

    def forget(self) -> None:
        """Lose the store."""
        self.store.close()
        self.store = open_store(":memory:")

    def survey(self, name: str) -> Survey:
        """Survey one repository as it is now."""
        return survey_alone(self.listed()[name], self.forge)

    def listed(self) -> Mapping[str, SourceRepository]:
        return {repository.name: repository for repository in self.forge.repositories()}

    def deploy(self, name: str, base: Digest, commit: str, *, alias: str | None = "live", **tags: str) -> Target:
        """Let a function of the repository `acme/name` serve what a build of the commit on this base gives.

        Its tags begin with `refrom:`.
        """
        repository = Reference("registry.example", name)
        labels = {BASE_NAME_LABEL: f"{PYTHON}:3.13", BASE_DIGEST_LABEL: str(base), REVISION_LABEL: commit}
        files = {"var/task/app.py": b"handler = print\n"}
        built = publish_function(
            self.writer, self.writer, PYTHON.with_digest(base), AMD64, files, repository.with_tag("first"), labels
        )
        named = {f"refrom:{part}": text for part, text in tags.items()}
        self.functions.create(name, repository.with_digest(built), AMD64, aliases=(alias,) if alias else (), tags=named)
        target = Target(
            function=name, repository=f"acme/{name}", dockerfile="Dockerfile", destination=repository, alias=alias
        )
        self.targets.append(target)
        return target

    def world(self) -> World:
        builder = RebaseBuilder(
            registry=self.registry,
            writer=self.writer,
            contents=self.contents,
            sources=self.forge,
            same_but_for_bases=partial(same_but_for_bases),
        )
        world = World(
            registry=self.registry,
            contents=self.contents,
            advisories=self.advisories,
            forge=self.forge,
            sources=self.store.sources,
            functions=self.functions,
            ledger=self.store.ledger,
            pull_requests=self.forge,
            builder=builder,
            smoke=self.smoke,
            deployer=self.functions,
            watcher=Unwatched(),
            handovers=Unwatched(),
            pipelines=self.pipelines,
            retention=Unwatched(),
            journal=self.store.journal,
            rollouts=self.store.rollouts,
        )
        return replace(world, **self.ports)

    def rules(self) -> Rules:
        return Rules(
            catalogue=self.catalogue,
            policy_for=lambda _repository, _path, _runtime: self.policy,
            declared=self.declared,
            narrowing_of=load_narrowing,
            targets=tuple(self.targets),
            region=self.region,
            rollout=self.rollout,
            pull_requests=self.proposing,
        )

    def inquiry(self) -> Inquiry:
        return Inquiry(self.world(), self.rules())

    def cycle(self) -> Report:
        """Run one cycle as a new process would."""
        longest = max((target.strategy.at_most for target in self.targets), default=timedelta())
        return Cycle(self.world(), self.rules()).run(MemoryEngine(self.clock, timedelta(minutes=5) + longest))

    def pull_requests(self, name: str) -> list[PullRequest]:
        return list(self.forge.pull_requests(name, BRANCH))

    def dockerfile(self, name: str, branch: str = "main") -> str:
        """The Dockerfile at the tip of a branch."""
        commit = self.people.branches(name)[branch]
        return self.people.files(name, commit)["Dockerfile"].content.decode()

    def base_of(self, function: str) -> Digest | None:
        """The index of the base that a function's alias is proven to serve."""
        alias = self.functions.alias(function, "live")
        image = self.functions.function(function, alias.version if alias else "$LATEST").image
        proven = self.inquiry().lineage(image, AMD64).base if image else None
        return proven.reference.digest if proven else None

"""What one invocation works with: a workshop over all adapters, opened from settings and closed at the end."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.adapters.advisories import AmazonAdvisories
from bot.adapters.builder.pipelines import RecordingPipelines
from bot.adapters.builder.recording import RecordingBuilder
from bot.adapters.contents import LayerReader
from bot.adapters.deployer.lambda_functions import LambdaFunctions
from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.nothing import NoFleet
from bot.adapters.deployer.recording import RecordingDeployer, RecordingHandovers, RecordingRetention
from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.forge.github import Gate
from bot.adapters.forge.local import LocalForge
from bot.adapters.forge.nothing import NoForge
from bot.adapters.forge.recording import RecordingPullRequests
from bot.adapters.registry import (
    Readers,
    Registries,
    single_layout,
)
from bot.adapters.transport import Traffic, Transport
from bot.core.errors import SettingsError
from bot.core.reference import Reference
from bot.ports.clock import Clock
from bot.ports.contents import Contents
from bot.ports.engine import Engine, Stop
from bot.ports.fleet import Fleet
from bot.ports.registry import ImageWriter, Registry, WatchedRegistry
from bot.ports.store import LayerMemory
from bot.ports.world import World
from bot.settings import Settings, default_settings, load_declarations, load_narrowing, load_settings, values
from bot.steps.discover import discover
from bot.steps.doctor import Patient
from bot.steps.rules import Rules
from bot.wiring.adapters import (
    deployer_examinations,
    make_builder,
    make_fleet,
    make_forge,
    make_functions,
    make_gate,
    make_pipelines,
    make_registries,
    make_smoke,
    make_store,
    make_watch,
    own_examinations,
    paces,
)

STAY: Final = timedelta(minutes=5)
"""How long one run stays with functions that the service works on; Lambda's own waiter gives up then too.

A run stays longer by the longest deployment: what it began before that is watched to its end.
"""

_DEFAULT: Final = Path("refrom.yaml")
_FEED_ATTEMPTS: Final = 2
"""Without advisories a cycle goes on and the next one reads them, so a feed out of reach holds nobody up for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything that one invocation of a command works with."""

    settings: Settings
    world: World
    engine: Engine
    clock: Clock
    registries: Registries
    layers: LayerMemory
    transport: Transport
    feeds: Transport
    gate: Gate

    @property
    def rules(self) -> Rules:
        """What the settings say and, as of now, people declared: a hold needs no restart. Raises `SettingsError`."""
        return _rules(self.settings)

    def mapped_rules(self) -> Rules:
        """The rules with the functions that are discovered, listed anew. Raises `SettingsError`."""
        return discover(self.rules, self.world.functions, self.world.registry)

    @property
    def traffic(self) -> Mapping[str, Traffic]:
        """What each host was asked over our own HTTP so far, and what it sent."""
        return {**self.feeds.counts, **self.transport.counts}

    def watched(self) -> list[str]:
        """The runtimes that the settings name; where they name none, those whose deprecation date has not come."""
        today, catalogue = self.clock.now().date(), self.settings.catalogue
        dates = {name: catalogue.get(name).deprecation for name in catalogue}
        return list(self.settings.watch) or [name for name, date in dates.items() if date is None or today <= date]

    def locate(self, *names: str) -> "Located":
        """Find images named as in skopeo: a reference, `docker://REFERENCE`, or `oci:DIR[:TAG]`."""
        layouts: dict[str, WatchedRegistry] = {}
        references = []
        for number, name in enumerate(names):
            if name.startswith("oci:"):
                directory, _, tag = name.removeprefix("oci:").partition(":")
                reference = Reference(f"layout{number}.invalid", "image", tag or "latest")
                layouts[reference.registry] = single_layout(Path(directory), tag or None)
            else:
                reference = Reference.parse(name.removeprefix("docker://"))
                reference = reference if reference.tag or reference.digest else reference.with_tag("latest")
            references.append(reference)
        registry = Readers(layouts, self.registries)
        return Located(tuple(references), registry, LayerReader(registry, self.layers))


@dataclass(frozen=True, slots=True)
class Located:
    """Images that a command line names, and where to read them."""

    references: tuple[Reference, ...]
    registry: Registry
    contents: Contents


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A workshop whose forge and functions are local, with what a person and a pipeline do to them besides."""

    workshop: Workshop
    forge: LocalForge
    functions: LocalFunctions
    registry: Registry
    writer: ImageWriter


@contextmanager
def open_workshop(
    config: Path | None, clock: Clock, *, dry_run: bool = False, required: bool = False, stop: Stop | None = None
) -> Iterator[Workshop]:
    """Read the settings, build the adapters, and close them at the end.

    Without `config`, `refrom.yaml` here is read if it is there; with `required` it must be. Raises `SettingsError`.
    `stop` keeps the engine from starting further ticks once it is asked for.
    """
    settings = _settings(config, required=required)
    with (
        make_store(settings, dry_run=dry_run) as store,
        closing(Transport(clock, paces=paces(settings))) as transport,
        closing(Transport(clock, attempts=_FEED_ATTEMPTS)) as feeds,
    ):
        registries = make_registries(settings, transport, clock)
        gate = make_gate(settings, clock, store.pauses)
        forge, _ = make_forge(settings, transport, clock, gate)
        contents = LayerReader(registries, store.layers)
        functions = make_functions(settings, registries, clock)
        watcher, retention, handovers = make_watch(settings)
        pipelines = make_pipelines(settings, forge, clock)
        builder = make_builder(settings, registries, contents, forge, clock)
        world = World(
            registry=registries,
            contents=contents,
            advisories=AmazonAdvisories(settings.feeds, feeds, store.documents, clock),
            forge=forge,
            sources=store.sources,
            functions=functions,
            ledger=store.ledger,
            journal=store.journal,
            rollouts=store.rollouts,
            pull_requests=RecordingPullRequests() if dry_run or isinstance(forge, NoForge) else forge,
            builder=RecordingBuilder() if dry_run else builder,
            smoke=make_smoke(settings, forge, clock),
            deployer=RecordingDeployer(functions) if dry_run else functions,
            watcher=watcher,
            handovers=RecordingHandovers(handovers) if dry_run else handovers,
            pipelines=RecordingPipelines(pipelines) if dry_run else pipelines,
            retention=RecordingRetention(retention) if dry_run else retention,
        )
        engine = MemoryEngine(clock, timedelta() if dry_run else STAY + _longest(settings), stop)
        yield Workshop(
            settings=settings,
            world=world,
            engine=engine,
            clock=clock,
            registries=registries,
            layers=store.layers,
            transport=transport,
            feeds=feeds,
            gate=gate,
        )


@contextmanager
def open_fleet(workshop: Workshop) -> Iterator[Fleet]:
    """Give what reads every function of the accounts that the settings name; without accounts there is none.

    What it reads is kept in the store itself until the block ends well, so that an audit that was interrupted goes on.
    """
    match workshop.settings.deployer, workshop.world.functions:
        case values.LambdaDeployer(accounts=(_, *_)) as deployer, LambdaFunctions() as functions:
            with make_store(workshop.settings, dry_run=False) as store:
                fleet = make_fleet(deployer, functions, store.documents, workshop.clock)
                yield fleet
                fleet.end()
        case _:
            yield NoFleet()


@contextmanager
def open_rehearsal(config: Path, clock: Clock) -> Iterator[Rehearsal]:
    """Open a workshop over local settings together with what plays the people and the pipeline in it."""
    with open_workshop(config, clock, required=True) as workshop:
        functions = workshop.world.functions
        forge = workshop.world.forge
        if not isinstance(functions, LocalFunctions) or not isinstance(forge, LocalForge):
            raise SettingsError([f"{config}: a rehearsal needs a forge and a deployer of kind local"])
        yield Rehearsal(
            workshop=workshop,
            forge=forge,
            functions=functions,
            registry=workshop.registries,
            writer=workshop.registries,
        )


@contextmanager
def open_patient(config: Path | None, clock: Clock) -> Iterator[Patient]:
    """Read the settings, and give what a doctor examines; the store is left closed. Raises `SettingsError`.

    What a person asks by hand leaves no share to others; the doctor says what a run would.
    """
    settings = _settings(config, required=True)
    with closing(Transport(clock, paces=paces(settings), attempts=2)) as transport:
        registries = make_registries(settings, transport, clock)
        forge, examination = make_forge(settings, transport, clock, Gate(clock))
        yield Patient(
            own=own_examinations(settings, transport, clock),
            forges=[examination],
            deployers=deployer_examinations(settings, clock),
            forge=forge,
            functions=make_functions(settings, registries, clock),
            registry=registries,
            rules=_rules(settings),
        )


def has_settings(config: Path | None) -> bool:
    """Say whether there are settings, and with them a place for a store; a command that needs none leaves no trace."""
    return config is not None or _DEFAULT.exists()


def _settings(config: Path | None, *, required: bool) -> Settings:
    """Read the settings; a command that needs none works with the defaults."""
    path = config or _DEFAULT
    if required or has_settings(config):
        return load_settings(path, os.environ)
    return default_settings(path)


def files_of(config: Path | None) -> tuple[Path, Path]:
    """The settings file and the file of what people declared, which need not be there. Raises `SettingsError`."""
    path = config or _DEFAULT
    return path, load_settings(path, os.environ).holds


def mirrors_of(config: Path | None) -> tuple[str, ...]:
    """The mirrors that a settings file names; a scan reads none that it was not told of. Raises `SettingsError`."""
    return load_settings(config, os.environ).mirrors if config else ()


def _longest(settings: Settings) -> timedelta:
    found = [settings.strategy] if settings.discovery else []
    return max((each.at_most for each in (*(one.strategy for one in settings.targets), *found)), default=timedelta())


def _rules(settings: Settings) -> Rules:
    return Rules(
        catalogue=settings.catalogue,
        policy_for=settings.policy_for,
        declared=load_declarations(settings.holds),
        narrowing_of=load_narrowing,
        targets=settings.targets,
        region=settings.deployer.region if isinstance(settings.deployer, values.LambdaDeployer) else "",
        tag=settings.tag,
        smoke=settings.smoke,
        mirrors=settings.mirrors,
        watch=settings.watch,
        slo=settings.slo,
        rollout=settings.rollout,
        pull_requests=settings.pull_requests,
        discovery=settings.discovery,
        strategy=settings.strategy,
        keep_rollback_tag=settings.keep_rollback_tag,
        codedeploy=settings.codedeploy,
    )

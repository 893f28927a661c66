"""The one place that chooses and builds adapters, from settings.

A dry run is a choice made here: its writing ports leave everything as it is, and its store is a copy in memory.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from boto3.session import Session

from bot.adapters.builder.docker_engine import DockerBuilder, Login
from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.builder.recording import RecordingBuilder
from bot.adapters.contents import LayerReader
from bot.adapters.deployer.lambda_functions import LambdaFunctions, lambda_clients
from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.nothing import NoFunctions
from bot.adapters.deployer.recording import RecordingDeployer
from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.forge.local import LocalForge
from bot.adapters.forge.nothing import NoForge
from bot.adapters.forge.recording import RecordingPullRequests
from bot.adapters.forge.working_tree import read_working_trees
from bot.adapters.registry import (
    Credentials,
    EcrLogin,
    Endpoint,
    HttpRegistry,
    LayoutRegistry,
    Readers,
    Registries,
    Store,
    single_layout,
)
from bot.adapters.store.store import Store as SqlStore
from bot.adapters.store.store import open_store, snapshot
from bot.adapters.transport import Transport, host_of
from bot.core.dockerfile import same_but_for_bases
from bot.core.errors import SettingsError
from bot.core.reference import Reference
from bot.ports.builder import Builder
from bot.ports.clock import Clock
from bot.ports.contents import Contents
from bot.ports.engine import Engine
from bot.ports.registry import ImageWriter, Registry
from bot.ports.store import LayerMemory
from bot.ports.world import World
from bot.settings import Settings, default_settings, load_declarations, load_settings, values
from bot.steps.inquire import Rules

__all__ = [
    "Located",
    "Rehearsal",
    "SystemClock",
    "VirtualClock",
    "Workshop",
    "open_rehearsal",
    "open_workshop",
    "read_working_trees",
]

STAY: Final = timedelta(minutes=5)
"""How long one run stays with functions that the service works on; Lambda's own waiter gives up then too."""

_DEFAULT: Final = Path("refrom.yaml")
_PACES: Final = {"public.ecr.aws": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything that one invocation of a command works with."""

    settings: Settings
    world: World
    rules: Rules
    engine: Engine
    clock: Clock
    registries: Registries
    layers: LayerMemory

    def watched(self) -> list[str]:
        """The runtimes that the settings name; where they name none, those whose deprecation date has not come."""
        today, catalogue = self.clock.now().date(), self.rules.catalogue
        dates = {name: catalogue.get(name).deprecation for name in catalogue}
        return list(self.rules.watch) or [name for name, date in dates.items() if date is None or today <= date]

    def locate(self, *names: str) -> "Located":
        """Find images named as in skopeo: a reference, `docker://REFERENCE`, or `oci:DIR[:TAG]`."""
        layouts: dict[str, Registry] = {}
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
    config: Path | None, clock: Clock, *, dry_run: bool = False, required: bool = False
) -> Iterator[Workshop]:
    """Read the settings, build the adapters, and close them at the end.

    Without `config`, `refrom.yaml` here is read if it is there; with `required` it must be. Raises `SettingsError`.
    """
    settings = _settings(config, required=required)
    with _store(settings, dry_run=dry_run) as store, closing(_transport(settings, clock)) as transport:
        registries = _registries(settings, transport, clock)
        forge = _forge(settings, clock)
        contents = LayerReader(registries, store.layers)
        functions = _functions(settings, registries, clock)
        builder = _builder(settings, registries, contents, forge, clock)
        world = World(
            registry=registries,
            contents=contents,
            forge=forge,
            functions=functions,
            ledger=store.ledger,
            journal=store.journal,
            pull_requests=RecordingPullRequests() if dry_run or isinstance(forge, NoForge) else forge,
            builder=RecordingBuilder() if dry_run else builder,
            deployer=RecordingDeployer() if dry_run else functions,
        )
        engine = MemoryEngine(clock, timedelta() if dry_run else STAY)
        yield Workshop(
            settings=settings,
            world=world,
            rules=_rules(settings),
            engine=engine,
            clock=clock,
            registries=registries,
            layers=store.layers,
        )


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


def _settings(config: Path | None, *, required: bool) -> Settings:
    """Read the settings; a command that needs none works with the defaults."""
    path = config or _DEFAULT
    if config is None and not required and not path.exists():
        return default_settings(path)
    return load_settings(path, os.environ)


def mirrors_of(config: Path | None) -> tuple[str, ...]:
    """The mirrors that a settings file names; a scan reads none that it was not told of. Raises `SettingsError`."""
    return load_settings(config, os.environ).mirrors if config else ()


def _rules(settings: Settings) -> Rules:
    return Rules(
        catalogue=settings.catalogue,
        policy_for=settings.policy_for,
        declared=load_declarations(settings.holds),
        targets=settings.targets,
        mirrors=settings.mirrors,
        watch=settings.watch,
    )


def _registries(settings: Settings, transport: Transport, clock: Clock) -> Registries:
    """Registries of the settings; any other is read anonymously over https."""
    layouts: dict[str, Store] = {
        host: LayoutRegistry(entry.layout) for host, entry in settings.registries.items() if entry.layout
    }
    endpoints = [_endpoint(host, entry, clock) for host, entry in settings.registries.items() if not entry.layout]
    return Registries(layouts, HttpRegistry(transport, endpoints))


def _endpoint(host: str, entry: values.Registry, clock: Clock) -> Endpoint:
    return Endpoint(host=host, url=entry.url, credentials=_login(entry, clock), token_hosts=entry.token_hosts)


def _login(entry: values.Registry, clock: Clock) -> Callable[[], Credentials | None] | None:
    """How to log in to a registry; None for an anonymous reader."""
    if entry.ecr_region:
        return EcrLogin(entry.ecr_region, clock)
    if entry.username is None or entry.password is None:
        return None
    fixed = Credentials(username=entry.username, password=entry.password)
    return lambda: fixed


def _transport(settings: Settings, clock: Clock) -> Transport:
    """Our HTTP, no faster than each registry allows: an anonymous reader of ECR Public gets one request a second."""
    paces = dict(_PACES)
    for host, entry in settings.registries.items():
        address = host_of(Endpoint(host=host, url=entry.url).base)
        if entry.pace:
            paces[address] = entry.pace
    return Transport(clock, paces=paces)


def _store(settings: Settings, *, dry_run: bool) -> SqlStore:
    return snapshot(settings.store) if dry_run else open_store(settings.store)


def _forge(settings: Settings, clock: Clock) -> LocalForge | NoForge:
    if settings.forge is None:
        return NoForge()
    return LocalForge(settings.forge.root, clock, settings.forge.include)


def _functions(settings: Settings, registry: Registry, clock: Clock) -> LambdaFunctions | LocalFunctions | NoFunctions:
    match settings.deployer:
        case values.LambdaDeployer() as deployer:
            clients = lambda_clients(Session(), endpoint_url=deployer.endpoint_url)
            return LambdaFunctions(clients, region=deployer.region, clock=clock)
        case values.LocalDeployer() as deployer:
            return LocalFunctions(deployer.state, registry, clock)
        case None:
            return NoFunctions()


def _builder(
    settings: Settings, registries: Registries, contents: Contents, forge: LocalForge | NoForge, clock: Clock
) -> Builder:
    match settings.builder:
        case values.DockerBuilder() as builder:
            logins = {host: _login(entry, clock) for host, entry in settings.registries.items()}
            return DockerBuilder(
                checkout=forge.checkout,
                credentials=lambda host: _pair(logins.get(host)),
                registry=registries,
                host=builder.host,
                network=builder.network,
            )
        case values.RebaseBuilder():
            return RebaseBuilder(
                registry=registries,
                writer=registries,
                contents=contents,
                sources=forge,
                same_but_for_bases=partial(same_but_for_bases, mirrors=settings.mirrors),
            )
        case None:
            return RecordingBuilder()


def _pair(login: Callable[[], Credentials | None] | None) -> Login | None:
    credentials = login() if login else None
    return (credentials.username, credentials.password) if credentials else None

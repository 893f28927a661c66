"""The one place that chooses and builds adapters, from settings.

A dry run is a choice made here: its writing ports leave everything as it is, and its store is a copy in memory.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from boto3.session import Session

from bot.adapters.advisories import AmazonAdvisories
from bot.adapters.builder.docker_engine import DockerBuilder, Login
from bot.adapters.builder.examination import DockerExamination
from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.builder.recording import RecordingBuilder
from bot.adapters.contents import LayerReader
from bot.adapters.deployer.examination import AwsExamination
from bot.adapters.deployer.lambda_functions import LambdaFunctions, lambda_clients
from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.nothing import NoFunctions
from bot.adapters.deployer.recording import RecordingDeployer
from bot.adapters.engine.clock import SystemClock, VirtualClock
from bot.adapters.engine.memory import MemoryEngine
from bot.adapters.engine.stop import AskedStop
from bot.adapters.forge.github import (
    AppTokens,
    FixedToken,
    GitHub,
    GitHubExamination,
    GitHubForge,
    Sender,
    Site,
    Tokens,
)
from bot.adapters.forge.local import LocalForge
from bot.adapters.forge.local_examination import LocalExamination
from bot.adapters.forge.nothing import NoForge
from bot.adapters.forge.origin import read_origin
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
from bot.adapters.registry.examination import RegistriesExamination
from bot.adapters.store.examination import StoreExamination
from bot.adapters.store.store import Store as SqlStore
from bot.adapters.store.store import open_store, snapshot
from bot.adapters.transport import Traffic, Transport, host_of
from bot.core.dockerfile import same_but_for_bases
from bot.core.errors import SettingsError
from bot.core.reference import Reference
from bot.ports.builder import Builder
from bot.ports.clock import Clock
from bot.ports.contents import Contents
from bot.ports.engine import Engine, Stop
from bot.ports.examination import Examined, LeftOut
from bot.ports.registry import ImageWriter, Registry
from bot.ports.store import LayerMemory
from bot.ports.world import World
from bot.settings import Settings, default_settings, load_declarations, load_settings, values
from bot.steps.doctor import Patient
from bot.steps.inquire import Rules

__all__ = [
    "AskedStop",
    "Located",
    "Rehearsal",
    "SystemClock",
    "Traffic",
    "VirtualClock",
    "Workshop",
    "has_settings",
    "open_patient",
    "open_rehearsal",
    "open_workshop",
    "read_origin",
    "read_working_trees",
]

STAY: Final = timedelta(minutes=5)
"""How long one run stays with functions that the service works on; Lambda's own waiter gives up then too."""

_DEFAULT: Final = Path("refrom.yaml")
_FEED_ATTEMPTS: Final = 2
"""Without advisories a cycle goes on and the next one reads them, so a feed out of reach holds nobody up for long."""
_PACES: Final = {"public.ecr.aws": 1.0}


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

    @property
    def rules(self) -> Rules:
        """What the settings say and, as of now, people declared: a hold needs no restart. Raises `SettingsError`."""
        return _rules(self.settings)

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
    config: Path | None, clock: Clock, *, dry_run: bool = False, required: bool = False, stop: Stop | None = None
) -> Iterator[Workshop]:
    """Read the settings, build the adapters, and close them at the end.

    Without `config`, `refrom.yaml` here is read if it is there; with `required` it must be. Raises `SettingsError`.
    `stop` keeps the engine from starting further ticks once it is asked for.
    """
    settings = _settings(config, required=required)
    with (
        _store(settings, dry_run=dry_run) as store,
        closing(Transport(clock, paces=_paces(settings))) as transport,
        closing(Transport(clock, attempts=_FEED_ATTEMPTS)) as feeds,
    ):
        registries = _registries(settings, transport, clock)
        forge, _ = _forge(settings, transport, clock)
        contents = LayerReader(registries, store.layers)
        functions = _functions(settings, registries, clock)
        builder = _builder(settings, registries, contents, forge, clock)
        world = World(
            registry=registries,
            contents=contents,
            advisories=AmazonAdvisories(settings.feeds, feeds, store.documents, clock),
            forge=forge,
            functions=functions,
            ledger=store.ledger,
            journal=store.journal,
            pull_requests=RecordingPullRequests() if dry_run or isinstance(forge, NoForge) else forge,
            builder=RecordingBuilder() if dry_run else builder,
            deployer=RecordingDeployer() if dry_run else functions,
        )
        engine = MemoryEngine(clock, timedelta() if dry_run else STAY, stop)
        yield Workshop(
            settings=settings,
            world=world,
            engine=engine,
            clock=clock,
            registries=registries,
            layers=store.layers,
            transport=transport,
            feeds=feeds,
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


@contextmanager
def open_patient(config: Path | None, clock: Clock) -> Iterator[Patient]:
    """Read the settings, and give what a doctor examines; the store is left closed. Raises `SettingsError`."""
    settings = _settings(config, required=True)
    with closing(Transport(clock, paces=_paces(settings), attempts=2)) as transport:
        registries = _registries(settings, transport, clock)
        forge, examination = _forge(settings, transport, clock)
        yield Patient(
            own=_own_examinations(settings, transport, clock),
            forges=[examination],
            deployers=_deployer_examinations(settings, clock),
            forge=forge,
            functions=_functions(settings, registries, clock),
            registry=registries,
            rules=_rules(settings),
        )


def _own_examinations(settings: Settings, transport: Transport, clock: Clock) -> list[Examined]:
    endpoints = [_endpoint(host, entry, clock) for host, entry in settings.registries.items() if not entry.layout]
    registries = RegistriesExamination(transport=transport, endpoints=endpoints, paces=_paces(settings))
    builder = settings.builder
    docker = [DockerExamination(builder.host)] if isinstance(builder, values.DockerBuilder) else []
    return [StoreExamination(settings.store), registries, *docker]


def _deployer_examinations(settings: Settings, clock: Clock) -> list[Examined]:
    match settings.deployer:
        case values.LambdaDeployer() as deployer:
            return [AwsExamination(region=deployer.region, clock=clock, endpoint_url=deployer.endpoint_url)]
        case values.LocalDeployer():
            return []
        case None:
            return [LeftOut("functions", "the settings name no deployer, so refrom opens pull requests only")]


def has_settings(config: Path | None) -> bool:
    """Say whether there are settings, and with them a place for a store; a command that needs none leaves no trace."""
    return config is not None or _DEFAULT.exists()


def _settings(config: Path | None, *, required: bool) -> Settings:
    """Read the settings; a command that needs none works with the defaults."""
    path = config or _DEFAULT
    if required or has_settings(config):
        return load_settings(path, os.environ)
    return default_settings(path)


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


def _paces(settings: Settings) -> dict[str, float]:
    """How many requests a second a host is sent at most: an anonymous reader of ECR Public gets one."""
    paces = dict(_PACES)
    for host, entry in settings.registries.items():
        address = host_of(Endpoint(host=host, url=entry.url).base)
        if entry.pace:
            paces[address] = entry.pace
    return paces


def _store(settings: Settings, *, dry_run: bool) -> SqlStore:
    return snapshot(settings.store) if dry_run else open_store(settings.store)


def _forge(
    settings: Settings, transport: Transport, clock: Clock
) -> tuple[LocalForge | GitHubForge | NoForge, Examined]:
    """The forge, and what looks whether it is reached."""
    match settings.forge:
        case values.LocalForge() as entry:
            return LocalForge(entry.root, clock, entry.include), LocalExamination(entry.root)
        case values.GitHubForge() as entry:
            sender = Sender(transport, Site.of(entry.url), clock)
            tokens: Tokens = FixedToken(entry.token or "")
            if entry.app_id is not None:
                tokens = AppTokens(sender, entry.app_id, entry.private_key or "", clock)
            forge = GitHubForge(GitHub(sender, tokens), entry.include)
            return forge, GitHubExamination(
                forge=forge, sender=sender, tokens=tokens, include=entry.include, clock=clock
            )
        case None:
            why = "the settings name no forge, so there is no source to propose to"
            return NoForge(), LeftOut("source repositories", why)


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
    settings: Settings,
    registries: Registries,
    contents: Contents,
    forge: LocalForge | GitHubForge | NoForge,
    clock: Clock,
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

"""From settings to adapters: each function chooses one kind, and builds it."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from boto3.session import Session

from bot.adapters.builder.docker_engine import DockerBuilder, Login
from bot.adapters.builder.examination import DockerExamination
from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.builder.recording import RecordingBuilder
from bot.adapters.builder.smoke import DockerSmoke
from bot.adapters.deployer.examination import AwsExamination
from bot.adapters.deployer.lambda_functions import LambdaFunctions, lambda_clients
from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.nothing import NoFunctions
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
from bot.adapters.registry import (
    Credentials,
    DockerLogin,
    EcrLogin,
    Endpoint,
    HttpRegistry,
    LayoutRegistry,
    Registries,
    Store,
)
from bot.adapters.registry.examination import RegistriesExamination
from bot.adapters.store.examination import StoreExamination
from bot.adapters.store.store import Store as SqlStore
from bot.adapters.store.store import open_store, snapshot
from bot.adapters.transport import Transport, host_of
from bot.core.dockerfile import same_but_for_bases
from bot.ports.builder import Builder
from bot.ports.clock import Clock
from bot.ports.contents import Contents
from bot.ports.examination import Examined, LeftOut
from bot.ports.registry import Registry
from bot.ports.smoke import Smoke
from bot.settings import Settings, values

_PUBLIC_ECR: Final = "public.ecr.aws"
_ANONYMOUS_PACE: Final = 1.0
_SIGNED_IN_PACE: Final = 10.0
"""Pulls a second from ECR Public (docs.aws.amazon.com, Amazon ECR Public service quotas)."""


def make_registries(settings: Settings, transport: Transport, clock: Clock) -> Registries:
    """Registries of the settings; any other is read anonymously over https."""
    layouts: dict[str, Store] = {
        host: LayoutRegistry(entry.layout) for host, entry in settings.registries.items() if entry.layout
    }
    endpoints = [_endpoint(host, entry, clock) for host, entry in settings.registries.items() if not entry.layout]
    mirrors = {f"{_PUBLIC_ECR}/lambda/": f"{settings.read_from.rstrip('/')}/"} if settings.read_from else {}
    return Registries(layouts, HttpRegistry(transport, endpoints), mirrors)


def paces(settings: Settings) -> dict[str, float]:
    """How many requests a second a host is sent at most: ECR Public names what it allows, others do not."""
    public = settings.registries.get(_PUBLIC_ECR)
    paces = {_PUBLIC_ECR: _SIGNED_IN_PACE if public and public.signs_in else _ANONYMOUS_PACE}
    for host, entry in settings.registries.items():
        address = host_of(Endpoint(host=host, url=entry.url).base)
        if entry.pace:
            paces[address] = entry.pace
    return paces


def make_store(settings: Settings, *, dry_run: bool) -> SqlStore:
    """The store; for a dry run a copy in memory."""
    return snapshot(settings.store) if dry_run else open_store(settings.store)


def make_forge(
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


def make_functions(
    settings: Settings, registry: Registry, clock: Clock
) -> LambdaFunctions | LocalFunctions | NoFunctions:
    """Where functions are read and updated."""
    match settings.deployer:
        case values.LambdaDeployer() as deployer:
            clients = lambda_clients(Session(), endpoint_url=deployer.endpoint_url)
            return LambdaFunctions(clients, region=deployer.region, clock=clock)
        case values.LocalDeployer() as deployer:
            return LocalFunctions(deployer.state, registry, clock)
        case None:
            return NoFunctions()


def make_builder(
    settings: Settings,
    registries: Registries,
    contents: Contents,
    forge: LocalForge | GitHubForge | NoForge,
    clock: Clock,
) -> Builder:
    """What builds images."""
    logins = _logins(settings, clock)

    def docker(builder: values.DockerBuilder) -> DockerBuilder:
        return DockerBuilder(
            checkout=forge.checkout,
            credentials=lambda host: _pair(logins.get(host)),
            registry=registries,
            host=builder.host,
            network=builder.network,
        )

    match settings.builder:
        case values.DockerBuilder() as builder:
            return docker(builder)
        case values.RebaseBuilder(otherwise=otherwise):
            return RebaseBuilder(
                otherwise=docker(otherwise) if otherwise else None,
                registry=registries,
                writer=registries,
                contents=contents,
                sources=forge,
                same_but_for_bases=partial(same_but_for_bases, mirrors=settings.mirrors),
            )
        case None:
            return RecordingBuilder()


def make_smoke(settings: Settings, forge: LocalForge | GitHubForge | NoForge, clock: Clock) -> Smoke:
    """What starts images: the engine that builds, else the usual one."""
    engine = _engine(settings)
    logins = _logins(settings, clock)
    return DockerSmoke(
        sources=forge,
        credentials=lambda host: _pair(logins.get(host)),
        host=engine.host if engine else None,
    )


def _engine(settings: Settings) -> values.DockerBuilder | None:
    builder = settings.builder
    return builder.otherwise if isinstance(builder, values.RebaseBuilder) else builder


def _logins(settings: Settings, clock: Clock) -> Mapping[str, Callable[[], Credentials | None] | None]:
    return {host: _login(host, entry, clock) for host, entry in settings.registries.items()}


def own_examinations(settings: Settings, transport: Transport, clock: Clock) -> list[Examined]:
    """What doctor looks at that no other part of it asks: store, registries, builder."""
    endpoints = [_endpoint(host, entry, clock) for host, entry in settings.registries.items() if not entry.layout]
    registries = RegistriesExamination(transport=transport, endpoints=endpoints, paces=paces(settings))
    engine = _engine(settings)
    docker = [DockerExamination(engine.host)] if engine else []
    return [StoreExamination(settings.store), registries, *docker]


def deployer_examinations(settings: Settings, clock: Clock) -> list[Examined]:
    """What doctor looks at where functions are."""
    match settings.deployer:
        case values.LambdaDeployer() as deployer:
            return [AwsExamination(region=deployer.region, clock=clock, endpoint_url=deployer.endpoint_url)]
        case values.LocalDeployer():
            return []
        case None:
            return [LeftOut("functions", "the settings name no deployer, so refrom opens pull requests only")]


def _endpoint(host: str, entry: values.Registry, clock: Clock) -> Endpoint:
    return Endpoint(
        host=host,
        url=entry.url,
        credentials=_login(host, entry, clock),
        token_hosts=entry.token_hosts,
        renewal=f"run docker login {host}" if entry.docker else "",
    )


def _login(host: str, entry: values.Registry, clock: Clock) -> Callable[[], Credentials | None] | None:
    """How to log in to a registry; None for an anonymous reader."""
    if entry.ecr_region:
        return EcrLogin(entry.ecr_region, clock, public=host == _PUBLIC_ECR)
    if entry.docker:
        folder = os.environ.get("DOCKER_CONFIG")
        return DockerLogin(host, Path(folder) if folder else Path.home() / ".docker", clock)
    if entry.username is None or entry.password is None:
        return None
    fixed = Credentials(username=entry.username, password=entry.password)
    return lambda: fixed


def _pair(login: Callable[[], Credentials | None] | None) -> Login | None:
    credentials = login() if login else None
    return (credentials.username, credentials.password) if credentials else None

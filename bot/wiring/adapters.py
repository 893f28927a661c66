"""From settings to adapters: each function chooses one kind, and builds it."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Final

from boto3.session import Session

from bot.adapters.builder.codebuild import CodeBuild
from bot.adapters.builder.command import CommandBuilder
from bot.adapters.builder.docker_engine import DockerBuilder, Login
from bot.adapters.builder.elsewhere import ElsewhereBuilder
from bot.adapters.builder.examination import CodeBuildExamination, CommandExamination, DockerExamination
from bot.adapters.builder.pipelines import Runs, TeamPipelines
from bot.adapters.builder.rebase import RebaseBuilder
from bot.adapters.builder.recording import RecordingBuilder
from bot.adapters.builder.smoke import DockerSmoke
from bot.adapters.deployer.accounts import account_of, assume
from bot.adapters.deployer.clients import clients_by_place
from bot.adapters.deployer.cloudwatch import CloudWatch
from bot.adapters.deployer.codedeploy import CodeDeploy
from bot.adapters.deployer.codepipeline import CodePipelineRuns
from bot.adapters.deployer.ecr_images import EcrImages
from bot.adapters.deployer.examination import AwsExamination
from bot.adapters.deployer.fleet import LambdaFleet
from bot.adapters.deployer.lambda_functions import LambdaFunctions, lambda_clients
from bot.adapters.deployer.listing import Place
from bot.adapters.deployer.local_functions import LocalFunctions
from bot.adapters.deployer.nothing import NoFunctions
from bot.adapters.deployer.run_memory import RunMemory
from bot.adapters.deployer.runtime_logs import RuntimeLogs
from bot.adapters.deployer.unwatched import Unwatched
from bot.adapters.forge.github import (
    AppTokens,
    Filters,
    FixedToken,
    Gate,
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
from bot.core.errors import SettingsError
from bot.core.pipeline import CodePipeline, Pipeline
from bot.ports.builder import Builder
from bot.ports.clock import Clock
from bot.ports.contents import Contents
from bot.ports.examination import Examined, LeftOut
from bot.ports.registry import Registry
from bot.ports.smoke import Smoke
from bot.ports.store import DocumentMemory, Pauses
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


def make_gate(settings: Settings, clock: Clock, pauses: Pauses) -> Gate:
    """What keeps the forge's limits, as they are kept for the loop."""
    forge = settings.forge
    return Gate(clock, pauses, reserve=forge.reserve if isinstance(forge, values.GitHubForge) else 0)


def make_forge(
    settings: Settings, transport: Transport, clock: Clock, gate: Gate
) -> tuple[LocalForge | GitHubForge | NoForge, Examined]:
    """The forge, and what looks whether it is reached."""
    branches = settings.pull_requests.branch.prefix
    match settings.forge:
        case values.LocalForge() as entry:
            return LocalForge(entry.root, clock, entry.include, branches), LocalExamination(entry.root)
        case values.GitHubForge() as entry:
            sender = Sender(transport, Site.of(entry.url), clock, gate)
            tokens: Tokens = FixedToken(entry.token or "")
            if entry.app_id is not None:
                tokens = AppTokens(sender, entry.app_id, entry.private_key or "", clock)
            forge = GitHubForge(
                GitHub(sender, tokens, checks=settings.rollout is not None),
                entry.include,
                _filters(entry),
                branches=branches,
                commit_with=settings.commit_with,
            )
            return forge, GitHubExamination(
                forge=forge,
                sender=sender,
                tokens=tokens,
                include=entry.include,
                clock=clock,
                reserve=entry.reserve,
                asks_teams=any("/" in reviewer for reviewer in settings.pull_requests.reviewers),
                workflow=settings.builder.workflow if isinstance(settings.builder, values.WorkflowBuilder) else "",
                built=_built_by_workflow(settings),
            )
        case None:
            why = "the settings name no forge, so there is no source to propose to"
            return NoForge(), LeftOut("source repositories", why)


def _built_by_workflow(settings: Settings) -> Sequence[str]:
    """The source repositories that targets name, where a workflow builds them."""
    targets = settings.targets if isinstance(settings.builder, values.WorkflowBuilder) else ()
    return list(dict.fromkeys(target.repository for target in targets))


def _filters(entry: values.GitHubForge) -> Filters:
    return Filters(
        exclude=entry.exclude,
        topics=entry.topics,
        exclude_topics=entry.exclude_topics,
        forks=entry.forks,
        archived=entry.archived,
        visibility=entry.visibility,
    )


def make_functions(
    settings: Settings, registry: Registry, clock: Clock
) -> LambdaFunctions | LocalFunctions | NoFunctions:
    """Where functions are read and updated."""
    match settings.deployer:
        case values.LambdaDeployer() as deployer:
            places = [
                Place(region, account_of(entry.role) if entry.role else None)
                for entry in deployer.accounts
                for region in entry.regions
            ]
            sessions = _role_sessions(deployer)
            return LambdaFunctions(
                lambda_clients(Session(), endpoint_url=deployer.endpoint_url),
                region=deployer.region,
                clock=clock,
                roles={
                    account: lambda_clients(session, endpoint_url=deployer.endpoint_url)
                    for account, session in sessions.items()
                },
                places=places,
            )
        case values.LocalDeployer() as deployer:
            return LocalFunctions(deployer.state, registry, clock)
        case None:
            return NoFunctions()


def make_fleet(
    deployer: values.LambdaDeployer, functions: LambdaFunctions, documents: DocumentMemory, clock: Clock
) -> LambdaFleet:
    """What reads every function of the places in the settings, and goes on with a run that was interrupted."""
    own, roles = Session(), _role_sessions(deployer)
    logs = clients_by_place("logs", lambda account: roles.get(account, own), endpoint_url=deployer.endpoint_url)
    scope = ", ".join(str(place) for place in functions.places)
    return LambdaFleet(functions, RuntimeLogs(logs, clock), RunMemory.begin(documents, clock, scope))


def make_watch(
    settings: Settings,
) -> tuple[CloudWatch | Unwatched, EcrImages | Unwatched, CodeDeploy | Unwatched]:
    """What sees how a deployment goes, what keeps the images that a rollback needs, and what else moves aliases."""
    deployer = settings.deployer
    if not isinstance(deployer, values.LambdaDeployer):
        return Unwatched(), Unwatched(), Unwatched()
    own, roles = Session(), _role_sessions(deployer)
    cloudwatch, ecr, codedeploy = (
        clients_by_place(service, lambda account: roles.get(account, own), endpoint_url=deployer.endpoint_url)
        for service in ("cloudwatch", "ecr", "codedeploy")
    )
    return CloudWatch(cloudwatch), EcrImages(ecr), CodeDeploy(codedeploy)


def make_pipelines(settings: Settings, forge: LocalForge | GitHubForge | NoForge, clock: Clock) -> TeamPipelines:
    """What runs the teams' own pipelines; one that could never run is refused before anything is done."""
    endpoint = settings.deployer.endpoint_url if isinstance(settings.deployer, values.LambdaDeployer) else None
    clients = clients_by_place("codepipeline", lambda _account: Session(), endpoint_url=endpoint)

    @cache
    def runs_of(pipeline: Pipeline) -> Runs:
        if isinstance(pipeline, CodePipeline):
            return CodePipelineRuns(pipeline, clients)
        if not isinstance(forge, GitHubForge):
            raise SettingsError([f"deploy.targets: {pipeline} needs a forge of kind github; name one"])
        return forge.pipeline(pipeline.workflow)

    for target in settings.targets:
        if target.pipeline:
            runs_of(target.pipeline)
    return TeamPipelines(runs_of, clock)


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
            secrets=builder.secrets,
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
        case values.WorkflowBuilder(workflow=workflow):
            if not isinstance(forge, GitHubForge):
                raise SettingsError(["deploy.builder: github-actions needs a forge of kind github; name one"])
            return ElsewhereBuilder(forge.jobs(workflow), registries, clock)
        case values.CodeBuildBuilder() as entry:
            jobs = CodeBuild(entry.project, entry.region, endpoint_url=entry.endpoint_url)
            return ElsewhereBuilder(jobs, registries, clock)
        case values.CommandBuilder() as entry:
            return CommandBuilder(
                command=entry.command,
                checkout=forge.checkout,
                registry=registries,
                timeout=entry.timeout,
                passed=entry.passed,
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
    engine = builder.otherwise if isinstance(builder, values.RebaseBuilder) else builder
    return engine if isinstance(engine, values.DockerBuilder) else None


def _logins(settings: Settings, clock: Clock) -> Mapping[str, Callable[[], Credentials | None] | None]:
    return {host: _login(host, entry, clock) for host, entry in settings.registries.items()}


def own_examinations(settings: Settings, transport: Transport, clock: Clock) -> list[Examined]:
    """What doctor looks at that no other part of it asks: store, registries, builder."""
    endpoints = [_endpoint(host, entry, clock) for host, entry in settings.registries.items() if not entry.layout]
    registries = RegistriesExamination(transport=transport, endpoints=endpoints, paces=paces(settings))
    return [StoreExamination(settings.store), registries, *_builder_examinations(settings)]


def _builder_examinations(settings: Settings) -> list[Examined]:
    """What doctor looks at of the builder; a workflow of GitHub's is looked at with the forge."""
    match settings.builder:
        case values.CodeBuildBuilder() as entry:
            jobs = CodeBuild(entry.project, entry.region, endpoint_url=entry.endpoint_url)
            return [CodeBuildExamination(jobs, entry.project)]
        case values.CommandBuilder() as entry:
            return [CommandExamination(command=entry.command, passed=entry.passed)]
        case values.RebaseBuilder(otherwise=None):
            why = "it needs no engine; what is not safe to rebase is not built, unless otherwise names an engine"
            return [LeftOut("rebase", why)]
        case _:
            engine = _engine(settings)
            return [DockerExamination(engine.host)] if engine else []


def deployer_examinations(settings: Settings, clock: Clock) -> list[Examined]:
    """What doctor looks at where functions are."""
    match settings.deployer:
        case values.LambdaDeployer() as deployer:
            roles = [entry.role for entry in deployer.accounts if entry.role]
            return [
                AwsExamination(
                    region=deployer.region,
                    clock=clock,
                    endpoint_url=deployer.endpoint_url,
                    account=account_of(role) if role else "",
                    session=partial(_assume, role, deployer) if role else Session,
                )
                for role in (None, *roles)
            ]
        case values.LocalDeployer():
            return []
        case None:
            return [LeftOut("functions", "the settings name no deployer, so refrom opens pull requests only")]


def _role_sessions(deployer: values.LambdaDeployer) -> dict[str, Session]:
    """A session for each other account, by its id."""
    return {account_of(entry.role): _assume(entry.role, deployer) for entry in deployer.accounts if entry.role}


def _assume(role: str, deployer: values.LambdaDeployer) -> Session:
    return assume(role, region=deployer.region, endpoint_url=deployer.endpoint_url)


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

"""From files and environment to settings; every fault is reported at once, each with file, line and cure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.core.admission import Limits
from bot.core.deployment import AT_ONCE
from bot.core.digest import Digest
from bot.core.errors import SettingsError
from bot.core.image_tag import DEFAULT_TAG, TagTemplate
from bot.core.mapping import ByImage, ByLabel, ByTag, MappingRule
from bot.core.modes import UpdateMode
from bot.core.pipeline import CodePipeline, Pipeline, WorkflowPipeline
from bot.core.policy import (
    OWN_FILE,
    Block,
    Declarations,
    FunctionMode,
    Hold,
    Narrowing,
    Override,
    Policy,
)
from bot.core.proposals import PullRequestPolicy
from bot.core.pull_request import BODY_FIELDS, FIELDS, Wording
from bot.core.reference import Reference
from bot.core.rollout import RolloutPolicy, Wave
from bot.core.runtimes import Catalogue
from bot.core.slo import Agreement
from bot.core.target import SmokeTest, Target
from bot.core.templates import Template
from bot.core.windows import Window
from bot.settings import models, values
from bot.settings.catalogue import load_catalogue
from bot.settings.documents import check_document, parse_document, read_document
from bot.settings.fields import parse_hours
from bot.settings.surroundings import Surroundings

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DECLARED: Final = "the holds file"
"""What said a mode that a command or a person declared there."""
LARGEST_OWN: Final = 16 * 1024
"""Bytes of a source repository's own file, of which there may be thousands."""


def load_settings(path: Path, environ: Mapping[str, str]) -> values.Settings:
    """Read the settings file. Raises `SettingsError` with every fault of it."""
    folder, raw = path.absolute().parent, read_document(path)
    catalogue, faults = _catalogue(raw, folder)
    around = Surroundings(folder, environ, catalogue)
    try:
        model = check_document(path, raw, models.SettingsModel, around)
    except SettingsError as fault:
        raise SettingsError([*fault.faults, *faults]) from None
    if faults:
        raise SettingsError(faults)
    return _settings(model, around)


def default_settings(path: Path) -> values.Settings:
    """The settings of a command that needs none: public registries, and a store where the file would be."""
    return _settings(models.SettingsModel(version=1), Surroundings(path.absolute().parent, {}, load_catalogue()))


def load_declarations(path: Path) -> Declarations:
    """Read what people declared; a file that is not there declares nothing. Raises `SettingsError`."""
    if not path.exists():
        return Declarations()
    model = check_document(path, read_document(path), models.HoldsModel)
    return Declarations(
        holds=tuple(Hold(**hold.model_dump()) for hold in model.holds),
        blocks=tuple(
            Block(digest=Digest.parse(block.digest), reason=block.reason, until=block.until, by=block.by)
            for block in model.blocks
        ),
        modes=tuple(
            FunctionMode(function=one.function, mode=mode) for one in model.modes if (mode := _mode(one, DECLARED))
        ),
    )


def load_narrowing(name: str, content: bytes) -> Narrowing:
    """Read what a source repository says of itself; the name is for the faults. Raises `SettingsError`."""
    path = Path(name)
    model = check_document(path, parse_document(path, content, LARGEST_OWN), models.OwnModel)
    policy = model.policy
    return Narrowing(
        enabled=model.enabled,
        ignore=tuple(model.ignore),
        update_on=policy.update_on,
        min_severity=policy.min_severity,
        soak=policy.soak,
        mode=_mode(policy, f"{OWN_FILE} of the repository", narrows=True),
    )


def _catalogue(raw: Mapping[str, Any], folder: Path) -> tuple[Catalogue, Sequence[str]]:
    """Load the catalogue before the rest is checked against it; the faults of an overlay are told with the others."""
    runtimes = raw.get("runtimes")
    overlay = runtimes.get("catalogue") if isinstance(runtimes, Mapping) else None
    try:
        return load_catalogue(folder / overlay if isinstance(overlay, str) else None), ()
    except SettingsError as fault:
        return load_catalogue(), fault.faults


def _settings(model: models.SettingsModel, around: Surroundings) -> values.Settings:
    deploy = model.deploy
    return values.Settings(
        catalogue=around.catalogue,
        store=around.folder / model.store,
        holds=around.folder / model.holds,
        registries={host: _registry(entry, around) for host, entry in model.registries.items()},
        mirrors=tuple(mirror.rstrip("/") for mirror in model.mirrors),
        watch=tuple(model.runtimes.watch),
        feeds=model.advisories.feeds,
        read_from=model.runtimes.read_from,
        forge=_forge(model, around),
        policy=_override(model.policy, models.Match(), "policy").apply(Policy()),
        overrides=tuple(
            _override(override, override.match, f"policy.overrides[{number}]")
            for number, override in enumerate(model.policy.overrides)
        ),
        rollout=_rollout(model.rollout) if model.rollout else None,
        slo=Agreement(**model.slo.freshness.model_dump()),
        pull_requests=_pull_requests(model.pull_requests),
        commit_with=model.pull_requests.commit_with,
        builder=_builder(deploy.builder, around) if deploy else None,
        deployer=_deployer(deploy.deployer, around) if deploy else None,
        tag=TagTemplate.parse(deploy.tag) if deploy else DEFAULT_TAG,
        smoke=_smoke(deploy.smoke) if deploy else None,
        targets=tuple(_target(deploy, target) for target in deploy.targets) if deploy else (),
        discovery=tuple(_rule(rule, model) for rule in deploy.discover) if deploy else (),
        strategy=models.strategy_of(deploy, deploy) if deploy else AT_ONCE,
        keep_rollback_tag=bool(deploy and deploy.keep_rollback_tag),
        codedeploy=models.group_of(deploy, deploy) if deploy else None,
    )


def _forge(model: models.SettingsModel, around: Surroundings) -> values.LocalForge | values.GitHubForge | None:
    for forge in model.forges:
        if isinstance(forge, models.LocalForgeModel):
            return values.LocalForge(root=around.folder / forge.root, include=tuple(forge.include))
        return values.GitHubForge(
            url=forge.url,
            include=tuple(forge.include),
            exclude=tuple(forge.exclude),
            topics=tuple(forge.topics),
            exclude_topics=tuple(forge.exclude_topics),
            forks=forge.forks,
            archived=forge.archived,
            visibility=tuple(forge.visibility),
            token=_secret(forge.token, around),
            app_id=forge.app.id if forge.app else None,
            reserve=forge.reserve,
            private_key=_secret(forge.app.private_key if forge.app else None, around),
        )
    return None


def _registry(entry: models.RegistryModel, around: Surroundings) -> values.Registry:
    login, url = entry.credentials, entry.url
    layout = around.folder / url.removeprefix("oci:") if url is not None and url.startswith("oci:") else None
    return values.Registry(
        url=None if layout else url,
        layout=layout,
        username=login.username if login else None,
        password=_secret(login.password if login else None, around),
        ecr_region=login.ecr if login else None,
        docker=bool(login and login.docker),
        pace=entry.pace,
        token_hosts=tuple(entry.token_hosts),
    )


def _secret(place: models.Secret | None, around: Surroundings) -> str | None:
    return around.secret(place.env, place.file) if place else None


def _target(deploy: models.Deploy, target: models.TargetModel) -> Target:
    keeps = deploy.keep_rollback_tag if target.keep_rollback_tag is None else target.keep_rollback_tag
    return Target(
        function=target.function,
        repository=target.repository,
        dockerfile=target.dockerfile,
        context=target.context,
        stage=target.stage,
        alias=target.alias,
        destination=Reference.parse(target.image) if target.image else None,
        build_args=target.build_args,
        strategy=models.strategy_of(deploy, target),
        keep_rollback_tag=bool(keeps),
        smoke=_smoke(target.smoke),
        codedeploy=models.group_of(deploy, target) if target.alias and not target.pipeline else None,
        pipeline=_pipeline(target.pipeline),
    )


def _pipeline(model: models.WorkflowPipelineModel | models.CodePipelineModel | None) -> Pipeline | None:
    match model:
        case models.WorkflowPipelineModel():
            return WorkflowPipeline(model.workflow)
        case models.CodePipelineModel():
            return CodePipeline(model.name, model.region)
        case None:
            return None


def _rule(
    rule: models.ByTagModel | models.ByLabelModel | models.ByImageModel, model: models.SettingsModel
) -> MappingRule:
    match rule:
        case models.ByTagModel():
            return ByTag(dockerfile=rule.dockerfile, alias=rule.alias)
        case models.ByLabelModel():
            return ByLabel(dockerfile=rule.dockerfile, alias=rule.alias, host=_host_of_sources(model))
        case models.ByImageModel():
            return ByImage(
                image=rule.name,
                repository=rule.repository,
                dockerfile=rule.dockerfile,
                context=rule.context,
                alias=rule.alias,
            )


def _host_of_sources(model: models.SettingsModel) -> str | None:
    """The host in addresses of the forge's repositories; GitHub.com alone has its API on another one."""
    for forge in model.forges:
        if isinstance(forge, models.GitHubForgeModel):
            host = urlsplit(forge.url).hostname
            return "github.com" if host == "api.github.com" else host
    return None


def _smoke(model: models.SmokeModel | None) -> SmokeTest | None:
    return SmokeTest(events=tuple(model.events), timeout=model.timeout) if model else None


def _mode(model: models.UpdateModeModel, said_by: str, *, narrows: bool = False) -> UpdateMode | None:
    if model.mode is None:
        return None
    return UpdateMode(mode=model.mode, said_by=said_by, reason=model.reason or "", until=model.until, narrows=narrows)


def _override(model: models.PolicyModel, match: models.Match, said_by: str) -> Override:
    return Override(
        repository=match.repository,
        path=match.path,
        runtime=match.runtime,
        update_on=model.update_on,
        min_severity=model.min_severity,
        max_age=model.max_age,
        soak=model.soak,
        style=model.style,
        on_unknown=model.on_unknown,
        mode=_mode(model, said_by),
    )


def _rollout(model: models.RolloutModel) -> RolloutPolicy:
    waves = (Wave(share=wave.share or 0, repositories=tuple(wave.repositories)) for wave in model.waves)
    return RolloutPolicy(
        active=model.active,
        soak=model.soak,
        soaks=model.soak_by_severity,
        waves=tuple(waves),
        every=model.every,
        tolerated=model.tolerated,
    )


def _pull_requests(model: models.PullRequestsModel) -> PullRequestPolicy:
    return PullRequestPolicy(
        group_by=model.group_by,
        branch=Template.parse(model.branch, ("group",)),
        wording=Wording(
            title=Template.parse(model.title, FIELDS),
            message=Template.parse(model.message, FIELDS),
            body=Template.parse(model.body, BODY_FIELDS),
        ),
        labels=tuple(model.labels),
        reviewers=tuple(model.reviewers),
        draft=model.draft,
        auto_merge=model.auto_merge or "",
        limits=Limits(open=model.open, open_per_repository=model.open_per_repository, new_per_hour=model.new_per_hour),
        window=_window(model.schedule) if model.schedule else None,
    )


def _window(model: models.ScheduleModel) -> Window:
    start, end = parse_hours(model.hours)
    days = frozenset(_DAYS.index(day) for day in model.days)
    return Window(zone=ZoneInfo(model.timezone), days=days, start=start, end=end)


def _builder(
    model: models.DockerBuilderModel
    | models.RebaseBuilderModel
    | models.WorkflowBuilderModel
    | models.CodeBuildBuilderModel
    | models.CommandBuilderModel,
    around: Surroundings,
) -> values.Builder:
    match model:
        case models.DockerBuilderModel():
            return _docker(model, around)
        case models.RebaseBuilderModel(otherwise=otherwise):
            return values.RebaseBuilder(otherwise=_docker(otherwise, around) if otherwise else None)
        case models.WorkflowBuilderModel():
            return values.WorkflowBuilder(workflow=model.workflow)
        case models.CodeBuildBuilderModel():
            return values.CodeBuildBuilder(project=model.project, region=model.region, endpoint_url=model.endpoint_url)
        case models.CommandBuilderModel():
            return values.CommandBuilder(command=tuple(model.run), timeout=model.timeout, passed=tuple(model.pass_env))


def _docker(model: models.DockerBuilderModel, around: Surroundings) -> values.DockerBuilder:
    secrets = {name: around.secret(place.env, place.file) for name, place in model.secrets.items()}
    return values.DockerBuilder(host=model.host, network=model.network, secrets=secrets)


def _deployer(
    model: models.LambdaDeployerModel | models.LocalDeployerModel, around: Surroundings
) -> values.LambdaDeployer | values.LocalDeployer:
    if isinstance(model, models.LocalDeployerModel):
        return values.LocalDeployer(state=around.folder / model.state)
    accounts = tuple(values.Account(role=entry.role, regions=tuple(entry.regions)) for entry in model.accounts)
    return values.LambdaDeployer(region=model.region, endpoint_url=model.endpoint_url, accounts=accounts)

"""From files and environment to settings; every fault is reported at once, each with file, line and cure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.core.digest import Digest
from bot.core.errors import SettingsError
from bot.core.image_tag import DEFAULT_TAG, TagTemplate
from bot.core.policy import Block, Declarations, Hold, Override, Policy
from bot.core.reference import Reference
from bot.core.runtimes import Catalogue
from bot.core.target import SmokeTest, Target
from bot.settings import models, values
from bot.settings.catalogue import load_catalogue
from bot.settings.documents import check_document, read_document
from bot.settings.surroundings import Surroundings


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
            Block(digest=Digest.parse(block.digest), reason=block.reason, until=block.until) for block in model.blocks
        ),
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
        policy=_override(model.policy, models.Match()).apply(Policy()),
        overrides=tuple(_override(override, override.match) for override in model.policy.overrides),
        builder=_builder(deploy.builder) if deploy else None,
        deployer=_deployer(deploy.deployer, around) if deploy else None,
        tag=TagTemplate.parse(deploy.tag) if deploy else DEFAULT_TAG,
        smoke=_smoke(deploy.smoke) if deploy else None,
        targets=tuple(_target(target) for target in deploy.targets) if deploy else (),
    )


def _forge(model: models.SettingsModel, around: Surroundings) -> values.LocalForge | values.GitHubForge | None:
    for forge in model.forges:
        if isinstance(forge, models.LocalForgeModel):
            return values.LocalForge(root=around.folder / forge.root, include=tuple(forge.include))
        return values.GitHubForge(
            url=forge.url,
            include=tuple(forge.include),
            token=_secret(forge.token, around),
            app_id=forge.app.id if forge.app else None,
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


def _target(target: models.TargetModel) -> Target:
    return Target(
        function=target.function,
        repository=target.repository,
        dockerfile=target.dockerfile,
        context=target.context,
        stage=target.stage,
        alias=target.alias,
        destination=Reference.parse(target.image),
        build_args=target.build_args,
        smoke=_smoke(target.smoke),
    )


def _smoke(model: models.SmokeModel | None) -> SmokeTest | None:
    return SmokeTest(events=tuple(model.events), timeout=model.timeout) if model else None


def _override(model: models.PolicyModel, match: models.Match) -> Override:
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
    )


def _builder(
    model: models.DockerBuilderModel | models.RebaseBuilderModel,
) -> values.DockerBuilder | values.RebaseBuilder:
    if isinstance(model, models.RebaseBuilderModel):
        return values.RebaseBuilder(otherwise=_docker(model.otherwise) if model.otherwise else None)
    return _docker(model)


def _docker(model: models.DockerBuilderModel) -> values.DockerBuilder:
    return values.DockerBuilder(host=model.host, network=model.network)


def _deployer(
    model: models.LambdaDeployerModel | models.LocalDeployerModel, around: Surroundings
) -> values.LambdaDeployer | values.LocalDeployer:
    if isinstance(model, models.LocalDeployerModel):
        return values.LocalDeployer(state=around.folder / model.state)
    return values.LambdaDeployer(region=model.region, endpoint_url=model.endpoint_url)

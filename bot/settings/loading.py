"""From files and environment to settings; every fault is reported at once, each with file, line and cure."""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bot.core.digest import Digest
from bot.core.errors import InvalidReference, SettingsError
from bot.core.policy import Block, Declarations, Hold, Override, Policy
from bot.core.reference import Reference
from bot.core.runtimes import Catalogue
from bot.core.target import Target
from bot.settings import models, values
from bot.settings.catalogue import load_catalogue
from bot.settings.documents import Checked, Place, read_document

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def load_settings(path: Path, environ: Mapping[str, str]) -> values.Settings:
    """Read the settings file. Raises `SettingsError` with every fault of it."""
    reader = _Reader(read_document(path, models.SettingsModel), path.absolute().parent, environ)
    settings = reader.settings()
    if reader.faults:
        raise SettingsError(reader.faults)
    return settings


def default_settings(path: Path) -> values.Settings:
    """The settings of a command that needs none: public registries, and a store where the file would be."""
    folder = path.absolute().parent
    model = models.SettingsModel(version=1)
    return values.Settings(catalogue=load_catalogue(), store=folder / model.store, holds=folder / model.holds)


def load_declarations(path: Path) -> Declarations:
    """Read what people declared; a file that is not there declares nothing. Raises `SettingsError`."""
    if not path.exists():
        return Declarations()
    checked = read_document(path, models.HoldsModel)
    faults, blocks = list[str](), list[Block]()
    for number, block in enumerate(checked.model.blocks):
        try:
            blocks.append(Block(digest=Digest.parse(block.digest), reason=block.reason, until=block.until))
        except InvalidReference as fault:
            faults.append(checked.fault(("blocks", number, "digest"), str(fault)))
    if faults:
        raise SettingsError(faults)
    holds = tuple(Hold(**hold.model_dump()) for hold in checked.model.holds)
    return Declarations(holds=holds, blocks=tuple(blocks))


@dataclass(slots=True)
class _Reader:
    """Turns a checked document into values, and collects what is still wrong with it."""

    document: Checked[models.SettingsModel]
    folder: Path
    environ: Mapping[str, str]
    faults: list[str] = field(default_factory=list)

    def settings(self) -> values.Settings:
        model, deploy = self.document.model, self.document.model.deploy
        catalogue = self._catalogue()
        return values.Settings(
            catalogue=catalogue,
            store=self.folder / model.store,
            holds=self.folder / model.holds,
            registries={host: self._registry(host, entry) for host, entry in model.registries.items()},
            mirrors=tuple(mirror.rstrip("/") for mirror in model.mirrors),
            watch=tuple(self._watched(catalogue)),
            forge=self._forge(),
            policy=_override(model.policy, models.Match()).apply(Policy()),
            overrides=tuple(_override(override, override.match) for override in model.policy.overrides),
            builder=_builder(deploy.builder) if deploy else None,
            deployer=self._deployer(deploy.deployer) if deploy else None,
            targets=tuple(self._targets(deploy.targets)) if deploy else (),
        )

    def _fault(self, place: Place, what: str) -> None:
        self.faults.append(self.document.fault(place, what))

    def _catalogue(self) -> Catalogue:
        overlay = self.document.model.runtimes.catalogue
        try:
            return load_catalogue(self.folder / overlay if overlay else None)
        except SettingsError as fault:
            self.faults += fault.faults
            return load_catalogue()

    def _watched(self, catalogue: Catalogue) -> Iterator[str]:
        for number, identifier in enumerate(self.document.model.runtimes.watch):
            if identifier in catalogue:
                yield identifier
            else:
                what = f"runtime {identifier!r} is unknown; {catalogue.hint(identifier)}"
                self._fault(("runtimes", "watch", number), what)

    def _forge(self) -> values.LocalForge | None:
        for forge in self.document.model.forges:
            return values.LocalForge(root=self.folder / forge.root, include=tuple(forge.include))
        return None

    def _registry(self, host: str, entry: models.RegistryModel) -> values.Registry:
        place: Place = ("registries", host)
        url, layout = entry.url, None
        if url is not None and url.startswith("oci:"):
            layout, url = self.folder / url.removeprefix("oci:"), None
        elif url is not None:
            self._check_url((*place, "url"), url)
        login = entry.credentials
        return values.Registry(
            url=url,
            layout=layout,
            username=login.username if login else None,
            password=self._secret((*place, "credentials", "password"), login.password) if login else None,
            ecr_region=login.ecr if login else None,
            pace=entry.pace,
            token_hosts=tuple(entry.token_hosts),
        )

    def _check_url(self, place: Place, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            self._fault(place, "plain http is read from loopback only; write https://")
        elif parts.scheme not in ("http", "https") or not parts.hostname:
            self._fault(place, "is no address; write https://HOST or oci:DIR")
        elif parts.username or parts.password:
            self._fault(place, "holds a login; put it under credentials")

    def _secret(self, place: Place, secret: models.Secret | None) -> str | None:
        """Look a secret up where the settings say; its text is in no message."""
        if secret is None:
            return None
        if secret.env is not None:
            found = self.environ.get(secret.env)
            if not found:
                self._fault((*place, "env"), f"the environment variable {secret.env} is not set; set it")
            return found
        path = self.folder / (secret.file or "")
        try:
            if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
                self._fault((*place, "file"), f"{path} can be read by everybody; chmod 600 it")
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as reason:
            self._fault((*place, "file"), f"{path} cannot be read: {type(reason).__name__}")
            return None

    def _deployer(
        self, model: models.LambdaDeployerModel | models.LocalDeployerModel
    ) -> values.LambdaDeployer | values.LocalDeployer:
        if isinstance(model, models.LocalDeployerModel):
            return values.LocalDeployer(state=self.folder / model.state)
        return values.LambdaDeployer(region=model.region, endpoint_url=model.endpoint_url)

    def _targets(self, targets: list[models.TargetModel]) -> Iterator[Target]:
        seen = set[str]()
        for number, target in enumerate(targets):
            place: Place = ("deploy", "targets", number)
            if target.function in seen:
                self._fault((*place, "function"), f"{target.function} is named twice; take one out")
            seen.add(target.function)
            destination = self._destination((*place, "image"), target.image)
            if destination:
                yield Target(
                    function=target.function,
                    repository=target.repository,
                    dockerfile=target.dockerfile,
                    context=target.context,
                    stage=target.stage,
                    alias=target.alias,
                    destination=destination,
                    build_args=target.build_args,
                )

    def _destination(self, place: Place, image: str) -> Reference | None:
        try:
            reference = Reference.parse(image)
        except InvalidReference as fault:
            self._fault(place, str(fault))
            return None
        if reference.tag or reference.digest:
            self._fault(place, f"{image} has a tag or digest; refrom chooses the tag, so leave it out")
        return reference


def _override(model: models.PolicyModel, match: models.Match) -> Override:
    return Override(
        repository=match.repository,
        path=match.path,
        runtime=match.runtime,
        update_on=model.update_on,
        max_age=model.max_age,
        soak=model.soak,
        style=model.style,
        on_unknown=model.on_unknown,
    )


def _builder(
    model: models.DockerBuilderModel | models.RebaseBuilderModel,
) -> values.DockerBuilder | values.RebaseBuilder:
    if isinstance(model, models.RebaseBuilderModel):
        return values.RebaseBuilder()
    return values.DockerBuilder(host=model.host, network=model.network)

"""The files as a whole: the settings, a source repository's own file, and what people declared."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from bot.core.modes import Mode
from bot.settings.fields import Day, DigestText, Host, Mirror, PathGlob
from bot.settings.models.forges import GitHubForgeModel, LocalForgeModel, PullRequestsModel
from bot.settings.models.functions import Deploy
from bot.settings.models.model import Model
from bot.settings.models.policies import NarrowedPolicy, RolloutModel, RootPolicy, SloModel, UpdateModeModel
from bot.settings.models.registries import AdvisoriesModel, RegistryModel, Runtimes


class SettingsModel(Model):
    """refrom.yaml."""

    version: Literal[1] = Field(description="The version of this format.")
    registries: dict[Host, RegistryModel] = Field({}, description="Registries that need more than https, by host.")
    mirrors: list[Mirror] = Field(
        [], description="Names that stand for public.ecr.aws/lambda; one that ends in /lambda is known anyway."
    )
    runtimes: Runtimes = Field(Runtimes(), description="Which runtimes are watched.")
    advisories: AdvisoriesModel = Field(AdvisoriesModel(), description="Where advisories are read.")
    forges: list[Annotated[LocalForgeModel | GitHubForgeModel, Field(discriminator="kind")]] = Field(
        [], max_length=1, description="Where the source repositories are."
    )
    policy: RootPolicy = Field(RootPolicy(), description="When a newer base is taken.")
    rollout: RolloutModel | None = Field(
        None, description="In which order repositories take a new base; left out: all at once."
    )
    slo: SloModel = Field(SloModel(), description="What the audit holds functions to.")
    pull_requests: PullRequestsModel = Field(PullRequestsModel(), description="How updates become pull requests.")
    deploy: Deploy | None = Field(None, description="How functions are redeployed; left out: proposals only.")
    store: str = Field(".refrom/refrom.db", description="The store, relative to the settings. It may be lost.")
    holds: str = Field("refrom.holds.yaml", description="What people declared, relative to the settings.")

    @field_validator("registries")
    @classmethod
    def _public_region(cls, registries: dict[str, RegistryModel]) -> dict[str, RegistryModel]:
        public = registries.get("public.ecr.aws")
        if public and public.credentials and public.credentials.ecr not in (None, "us-east-1"):
            raise ValueError("public.ecr.aws gives logins in us-east-1 alone; write credentials: {ecr: us-east-1}")
        return registries


class OwnModel(Model):
    """.github/refrom.yaml of a source repository, which narrows what refrom does there."""

    version: Literal[1] = Field(description="The version of this format.")
    enabled: bool = Field(True, strict=True, description="false: refrom does nothing here, and closes what is open.")
    ignore: list[PathGlob] = Field([], max_length=100, description="Globs of paths whose bases are left alone.")
    policy: NarrowedPolicy = Field(NarrowedPolicy(), description="What is stricter here.")


class HoldModel(Model):
    """A person's no to some uses or to one function."""

    reason: str = Field(min_length=1, description="Why.")
    until: Day | None = Field(None, description="The last day on which it holds.")
    repository: str | None = Field(None, description="A glob of source repositories.")
    path: str | None = Field(None, description="A glob of paths.")
    runtime: str | None = Field(None, description="A runtime identifier.")
    function: str | None = Field(None, description="A function as in the targets, or its ARN where it is discovered.")
    by: str | None = Field(None, min_length=1, description="Who said it.")

    @model_validator(mode="after")
    def _names_something(self) -> "HoldModel":
        if not (self.repository or self.path or self.runtime or self.function):
            raise ValueError('names nothing; give repository, path, runtime or function (repository: "*" is all)')
        return self


class BlockModel(Model):
    """A person's no to one digest everywhere."""

    digest: DigestText = Field(description="The digest of a base image.")
    reason: str = Field(min_length=1, description="Why.")
    until: Day | None = Field(None, description="The last day on which it is blocked.")
    by: str | None = Field(None, min_length=1, description="Who said it.")


class ModeModel(UpdateModeModel):
    """The update mode of one function, such as one that was taken back by hand."""

    function: str = Field(min_length=1, description="A function as in the targets, or its ARN where it is discovered.")
    mode: Mode = Field(description="Its update mode.")


class HoldsModel(Model):
    """refrom.holds.yaml."""

    version: Literal[1] = Field(description="The version of this format.")
    holds: list[HoldModel] = Field([], description="Uses and functions that are held.")
    blocks: list[BlockModel] = Field([], description="Digests that are blocked.")
    modes: list[ModeModel] = Field([], description="Functions with an update mode of their own.")

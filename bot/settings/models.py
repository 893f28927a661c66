"""The settings file as pydantic models: what it may hold, and what each key means. The JSON schema comes from here."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from bot.core.image_tag import DEFAULT_TAG
from bot.core.policy import OnUnknown, Style, UpdateOn
from bot.settings.fields import (
    Address,
    Day,
    Destination,
    DigestText,
    Duration,
    Host,
    Mirror,
    MirrorList,
    PathInside,
    Patience,
    RatedSeverity,
    RepositoryGlob,
    RuntimeGlob,
    RuntimeIdentifier,
    SystemName,
    TagText,
    WebAddress,
)
from bot.settings.surroundings import Surroundings
from bot.settings.values import AMAZON_FEEDS


class Model(BaseModel):
    """What all parts share: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Model):
    """A secret's place: exactly one of an environment variable and a file."""

    env: str | None = Field(None, description="The environment variable that holds it.")
    file: str | None = Field(None, description="The file that holds it, relative to the settings.")

    @model_validator(mode="before")
    @classmethod
    def _not_itself(cls, value: object) -> object:
        """Refuse the secret in the place of its place; keys that are not known are not shown, for they may be it."""
        if not isinstance(value, Mapping) or not value.keys() <= cls.model_fields.keys():
            raise ValueError("is never written here; give env: NAME or file: PATH")
        return value

    @model_validator(mode="after")
    def _one_place(self, info: ValidationInfo) -> "Secret":
        if (self.env is None) == (self.file is None):
            raise ValueError("names no place, or two; give env: NAME or file: PATH")
        if isinstance(info.context, Surroundings):
            info.context.secret(self.env, self.file)
        return self


class Login(Model):
    """How to log in to a registry: a user name and a password, ECR's own tokens, or as the docker command does."""

    username: str | None = Field(None, description="The user name; AWS for ECR.")
    password: Secret | None = Field(None, description="Where the password is.")
    ecr: str | None = Field(
        None,
        description="The Region of a private ECR, us-east-1 for public.ecr.aws; AWS credentials give the login.",
    )
    docker: Literal[True] | None = Field(
        None, description="Take what docker login left: in docker's config.json, or with the helper that it names."
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Login":
        basic = [self.username is not None, self.password is not None]
        if [all(basic), self.ecr is not None, self.docker is not None].count(True) != 1 or any(basic) != all(basic):
            raise ValueError("is no login; give username and password, or ecr: REGION, or docker: true")
        return self


class RegistryModel(Model):
    """One registry, by the host that stands in references."""

    url: Address | None = Field(
        None, description="Where it is reached; https://HOST by default. oci:DIR is a folder of OCI image layouts."
    )
    credentials: Login | None = Field(None, description="The login; none means anonymous.")
    pace: float | None = Field(None, strict=True, gt=0, le=1000, description="Requests a second at most.")
    token_hosts: list[Host] = Field([], description="Other hosts that may see the login to give a token for it.")


class Runtimes(Model):
    """Which runtimes are watched, and what is known of them."""

    watch: list[RuntimeIdentifier] = Field(
        [], description="Runtime identifiers to watch although nothing may use them."
    )
    read_from: Mirror | None = Field(
        None,
        description="A full copy of public.ecr.aws/lambda that is read in its place, such as a pull-through cache.",
    )
    catalogue: str | None = Field(None, description="A file that adds or replaces rows of the runtime catalogue.")


class AdvisoriesModel(Model):
    """Where the advisories of the base images' operating systems are read."""

    feeds: dict[SystemName, MirrorList] = Field(
        dict(AMAZON_FEEDS),
        description="The mirror list of each operating system's packages; one that is left out is not read.",
    )


class LocalForgeModel(Model):
    """Source repositories in a folder of bare git repositories, OWNER/NAME.git."""

    kind: Literal["local"] = Field(description="The kind of forge.")
    root: str = Field(description="The folder, relative to the settings.")
    include: list[str] = Field(["*"], description="Globs of the repositories to handle, such as acme/*.")


class AppModel(Model):
    """A GitHub App."""

    id: int = Field(gt=0, description="The App's id.")
    private_key: Secret = Field(description="Where the App's private key is, in PEM.")


class GitHubForgeModel(Model):
    """Source repositories on GitHub.com or a GitHub Enterprise Server."""

    kind: Literal["github"] = Field(description="The kind of forge.")
    url: WebAddress = Field(
        "https://api.github.com", description="The REST API; https://HOST/api/v3 for an Enterprise Server."
    )
    token: Secret | None = Field(None, description="Where a token is: personal, or the GITHUB_TOKEN of a workflow.")
    app: AppModel | None = Field(None, description="A GitHub App, instead of a token.")
    include: list[RepositoryGlob] = Field(
        min_length=1, description="Repositories to handle, OWNER/NAME; the name may be a glob, such as acme/*."
    )

    @model_validator(mode="after")
    def _one_identity(self) -> "GitHubForgeModel":
        if (self.token is None) == (self.app is None):
            raise ValueError("names no token and no app, or both; give one of them")
        return self


class PolicyModel(Model):
    """When a newer base is taken."""

    update_on: UpdateOn | None = Field(None, description="The least significance that is taken before max_age.")
    min_severity: RatedSeverity | None = Field(None, description="The least severity of an advisory that is security.")
    max_age: Duration | None = Field(None, description="How long a base in use may be behind, whatever changed.")
    soak: Duration | None = Field(None, description="How long a new base is left to others first.")
    style: Style | None = Field(
        None,
        description="digest: pin it in the file; dated: write the date-stamped tag; tag: rebuild on the moving tag.",
    )
    on_unknown: OnUnknown | None = Field(
        None, description="What to do where the base in use or its advisories are not known."
    )


class Match(Model):
    """Which uses are meant: all the globs that are given must match."""

    repository: str | None = Field(None, description="A glob of source repositories.")
    path: str | None = Field(None, description="A glob of paths.")
    runtime: RuntimeGlob | None = Field(None, description="A glob of runtime identifiers.")


class OverrideModel(PolicyModel):
    """Another policy for some uses; of several that match, later ones win."""

    match: Match = Field(description="Which uses are meant.")


class RootPolicy(PolicyModel):
    """The policy for all uses."""

    overrides: list[OverrideModel] = Field([], description="Other policies for some uses.")


class DockerBuilderModel(Model):
    """Build on a Docker Engine with BuildKit."""

    kind: Literal["docker"] = Field(description="The kind of builder.")
    host: str | None = Field(None, description="The engine's address; DOCKER_HOST or the default socket if left out.")
    network: Literal["default", "host", "none"] | None = Field(None, description="The network of RUN instructions.")


class RebaseBuilderModel(Model):
    """Swap the base's layers under the deployed image, where that is proven safe."""

    kind: Literal["rebase"] = Field(description="The kind of builder.")
    otherwise: DockerBuilderModel | None = Field(
        None, description="What builds where a rebase is not proven safe; left out: that is an error."
    )


class LambdaDeployerModel(Model):
    """Functions on AWS Lambda."""

    kind: Literal["lambda"] = Field(description="The kind of deployer.")
    region: str = Field(description="The Region of functions that are named without ARN.")
    endpoint_url: WebAddress | None = Field(None, description="Another address of the Lambda API, for tests.")


class LocalDeployerModel(Model):
    """Functions in a file, for rehearsals."""

    kind: Literal["local"] = Field(description="The kind of deployer.")
    state: str = Field(description="The file, relative to the settings.")


class SmokeModel(Model):
    """Start each image on a Docker Engine before a function is pointed at it."""

    events: list[PathInside] = Field([], description="Files of the source repository; the image has to answer each.")
    timeout: Patience = Field(timedelta(seconds=30), description="How long the init, and each event, may take.")


class TargetModel(Model):
    """One function, and the Dockerfile that its image is built from."""

    function: str = Field(min_length=1, description="The function's name or ARN.")
    repository: str = Field(description="The source repository, OWNER/NAME.")
    dockerfile: PathInside = Field("Dockerfile", description="The Dockerfile in it.")
    context: PathInside = Field(".", description="The build context in it.")
    stage: str | None = Field(None, description="The stage to build; the last one if left out.")
    alias: str | None = Field(None, description="The alias that serves; moved to a published version.")
    image: Destination = Field(description="Where its images go: registry and repository, without tag.")
    build_args: dict[str, str] = Field({}, description="Build arguments.")
    smoke: SmokeModel | None = Field(None, description="Its own smoke test, instead of the one for all functions.")


class Deploy(Model):
    """How functions are rebuilt and redeployed."""

    builder: Annotated[DockerBuilderModel | RebaseBuilderModel, Field(discriminator="kind")] = Field(
        DockerBuilderModel(kind="docker"), description="What builds images."
    )
    deployer: Annotated[LambdaDeployerModel | LocalDeployerModel, Field(discriminator="kind")] = Field(
        description="Where functions are."
    )
    tag: TagText = Field(
        DEFAULT_TAG.text,
        description="The tag of built images; {runtime} and {function} may stand in it besides.",
    )
    smoke: SmokeModel | None = Field(None, description="The smoke test of all functions; left out: none.")
    targets: list[TargetModel] = Field(description="The functions.")

    @model_validator(mode="after")
    def _named_once(self) -> "Deploy":
        names = [target.function for target in self.targets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names {', '.join(twice)} twice under targets; take one out")
        return self


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


class HoldModel(Model):
    """A person's no to some uses or to one function."""

    reason: str = Field(min_length=1, description="Why.")
    until: Day | None = Field(None, description="The last day on which it holds.")
    repository: str | None = Field(None, description="A glob of source repositories.")
    path: str | None = Field(None, description="A glob of paths.")
    runtime: str | None = Field(None, description="A runtime identifier.")
    function: str | None = Field(None, description="A function as in the targets.")

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


class HoldsModel(Model):
    """refrom.holds.yaml."""

    version: Literal[1] = Field(description="The version of this format.")
    holds: list[HoldModel] = Field([], description="Uses and functions that are held.")
    blocks: list[BlockModel] = Field([], description="Digests that are blocked.")


def all_keys(schema: dict[str, Any]) -> set[str]:
    """Every key that a schema knows, for hints."""
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}

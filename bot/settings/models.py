"""The settings file as pydantic models: what it may hold, and what each key means. The JSON schema comes from here."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from bot.core.deployment import AT_ONCE, Strategy
from bot.core.handover import DeploymentGroup
from bot.core.image_tag import DEFAULT_TAG
from bot.core.modes import Mode
from bot.core.policy import OnUnknown, Style, UpdateOn
from bot.core.proposals import GroupBy
from bot.core.templates import Template
from bot.settings.fields import (
    Address,
    BodyTemplate,
    BranchTemplate,
    Day,
    Destination,
    DigestText,
    Duration,
    EnvironmentName,
    Host,
    Hours,
    Label,
    LineTemplate,
    Mirror,
    MirrorList,
    NameGlob,
    OneStar,
    PathGlob,
    PathInside,
    Patience,
    RatedSeverity,
    RepositoryGlob,
    Reviewer,
    RoleArn,
    RuntimeGlob,
    RuntimeIdentifier,
    SecretId,
    Share,
    StrategyName,
    SystemName,
    TagText,
    TextTemplate,
    Topic,
    WebAddress,
    Zone,
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
    reserve: float = Field(
        0.1, strict=True, ge=0, lt=1, description="The share of each hourly quota that is left to others."
    )
    include: list[RepositoryGlob] = Field(
        min_length=1, description="Repositories to handle, OWNER/NAME; the name may be a glob, such as acme/*."
    )
    exclude: list[NameGlob] = Field([], description="Globs of repositories that are left out, named or not.")
    topics: list[Topic] = Field([], description="A glob takes repositories that have one of these topics; none is all.")
    exclude_topics: list[Topic] = Field([], description="A glob takes no repository that has one of these topics.")
    forks: bool = Field(False, strict=True, description="Whether a glob takes forks.")
    archived: bool = Field(
        False, strict=True, description="Whether a glob takes archived ones, which are read and never written to."
    )
    visibility: list[Literal["public", "private", "internal"]] = Field(
        [], description="A glob takes repositories of these kinds; none is all."
    )

    @model_validator(mode="after")
    def _one_identity(self) -> "GitHubForgeModel":
        if (self.token is None) == (self.app is None):
            raise ValueError("names no token and no app, or both; give one of them")
        return self


class UpdateModeModel(Model):
    """An update mode, and what is said with it."""

    mode: Mode | None = Field(
        None,
        description="How a new base is taken. auto: when it is due; function-update: with the next change that "
        "somebody makes; manual: not at all.",
    )
    reason: str | None = Field(None, min_length=1, description="Why that mode; manual needs it.")
    until: Day | None = Field(None, description="The last day of that mode; manual needs it.")

    @model_validator(mode="after")
    def _says_what_is_meant(self) -> "UpdateModeModel":
        if self.mode is None and (self.reason or self.until):
            raise ValueError("says reason or until of no mode; write mode beside it, or take it out")
        if self.mode is Mode.MANUAL and not (self.reason and self.until):
            raise ValueError("says mode: manual, which is for a while; write reason and until beside it")
        return self


class PolicyModel(UpdateModeModel):
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


class FreshnessModel(Model):
    """How long a function may lack what a newer base has, from when it could have had it."""

    security_critical: Duration | None = Field(None, description="A fix whose advisory is critical, or has no rating.")
    security_important: Duration | None = Field(None, description="A fix whose advisory is important, or worse.")
    any: Duration | None = Field(None, description="Whatever differs; max_age of the policy if left out.")


class SloModel(Model):
    """What the audit holds functions to."""

    freshness: FreshnessModel = Field(FreshnessModel(), description="How long what a newer base has may be lacking.")


class ScheduleModel(Model):
    """When pull requests are opened and refreshed; they are closed at any time."""

    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], min_length=1, description="The days of the week."
    )
    hours: Hours = Field(
        "00:00-24:00",
        description="From when to before when on each of them; 22:00-06:00 ends on the next day.",
    )
    timezone: Zone = Field("UTC", description="Whose clock that is: a name of the IANA time zone database.")


class WaveModel(Model):
    """One wave of phase two: either a share of the repositories, or those that are named."""

    share: Share | None = Field(None, description="The share of all repositories that no wave names, such as 10%.")
    repositories: list[NameGlob] = Field([], description="Globs of the repositories.")

    @model_validator(mode="after")
    def _one_way(self) -> "WaveModel":
        if (self.share is None) != bool(self.repositories):
            raise ValueError("is no wave; give share or repositories, and one of them")
        return self


class RolloutModel(Model):
    """How a base reaches the repositories: first those that somebody works on, after a soak the others in waves."""

    active: Duration = Field(
        timedelta(days=14), description="Phase one: who changed something so shortly before, or since."
    )
    soak: Duration = Field(timedelta(days=3), description="How long phase one is watched before phase two begins.")
    soak_by_severity: dict[RatedSeverity, Duration] = Field(
        {}, description="A shorter soak for a base that fixes at least this; such a one does not wait in line either."
    )
    waves: list[WaveModel] = Field(
        [], max_length=100, description="The waves of phase two, in order; whoever is in none of them comes last."
    )
    every: Duration = Field(timedelta(days=1), description="From one wave to the next.")
    tolerated: int = Field(0, strict=True, ge=0, description="How many builds and checks may fail before it halts.")

    @model_validator(mode="after")
    def _shares_of_a_whole(self) -> "RolloutModel":
        whole = round(100 * sum(wave.share or 0 for wave in self.waves))
        if whole > 100:
            raise ValueError(f"has waves of {whole}% together; make them 100% at most")
        longer = next((str(severity) for severity, soak in self.soak_by_severity.items() if soak > self.soak), None)
        if longer:
            raise ValueError(f"soaks longer for {longer} than for anything else; write at most what soak says")
        return self


class PullRequestsModel(Model):
    """How updates become pull requests."""

    group_by: GroupBy = Field(
        GroupBy.REPOSITORY, description="repository: one pull request for all uses in it; runtime: one for each."
    )
    branch: BranchTemplate = Field(
        "refrom/{group}", description="The branch; {group} is lambda-base-images, or the runtime identifier."
    )
    title: LineTemplate = Field("{summary}", description="The title.")
    message: TextTemplate = Field("{summary}", description="The message of the commit.")
    body: BodyTemplate = Field("{introduction}\n\n{details}", description="The text, before refrom's own last words.")
    labels: list[Label] = Field([], max_length=100, description="Labels that are added once, after the opening.")
    reviewers: list[Reviewer] = Field(
        [], max_length=15, description="Who is asked for a review, once: a login, or ORG/TEAM."
    )
    draft: bool = Field(False, strict=True, description="Whether they are opened as drafts.")
    auto_merge: Literal["merge", "squash", "rebase"] | None = Field(
        None, description="Let the forge merge it this way once all that it requires has passed; none if left out."
    )
    open: int = Field(200, strict=True, ge=0, description="How many may be open in all.")
    open_per_repository: int = Field(3, strict=True, ge=0, description="How many may be open in one repository.")
    new_per_hour: int = Field(50, strict=True, ge=0, description="How many may be opened within an hour.")
    schedule: ScheduleModel | None = Field(None, description="When they are opened and refreshed.")
    commit_with: Literal["api", "git"] = Field(
        "api", description="api: the forge makes the commits, and signs them; git: they are pushed."
    )

    @model_validator(mode="after")
    def _one_group_one_branch(self) -> "PullRequestsModel":
        if self.group_by is GroupBy.RUNTIME and "group" not in Template.parse(self.branch, ("group",)).fields:
            raise ValueError("group_by: runtime needs {group} in branch, or all groups share one; write refrom/{group}")
        if self.draft and self.auto_merge:
            raise ValueError("a draft is never merged by the forge; take out draft or auto_merge")
        return self


class DockerBuilderModel(Model):
    """Build on a Docker Engine with BuildKit."""

    kind: Literal["docker"] = Field(description="The kind of builder.")
    host: str | None = Field(None, description="The engine's address; DOCKER_HOST or the default socket if left out.")
    network: Literal["default", "host", "none"] | None = Field(None, description="The network of RUN instructions.")
    secrets: dict[SecretId, Secret] = Field({}, description="What RUN --mount=type=secret,id=ID mounts, by id.")


class WorkflowBuilderModel(Model):
    """Build with a workflow of GitHub Actions in each source repository; the forge must be a GitHub."""

    kind: Literal["github-actions"] = Field(description="The kind of builder.")
    workflow: str = Field(pattern=r"^[^/]+\.ya?ml$", description="The workflow's file in .github/workflows.")


class CodeBuildBuilderModel(Model):
    """Build with a project of AWS CodeBuild."""

    kind: Literal["codebuild"] = Field(description="The kind of builder.")
    project: str = Field(min_length=1, description="The project.")
    region: str = Field(description="Its Region.")
    endpoint_url: WebAddress | None = Field(None, description="Another address of the AWS APIs, for tests.")


class CommandBuilderModel(Model):
    """Build with a command of one's own, run in the files of the commit."""

    kind: Literal["command"] = Field(description="The kind of builder.")
    run: list[str] = Field(min_length=1, description="The program and its arguments; no shell reads them.")
    timeout: Duration = Field(timedelta(hours=1), description="How long it may take.")
    pass_env: list[EnvironmentName] = Field([], description="Environment variables that it gets besides.")


class RebaseBuilderModel(Model):
    """Swap the base's layers under the deployed image, where that is proven safe."""

    kind: Literal["rebase"] = Field(description="The kind of builder.")
    otherwise: DockerBuilderModel | None = Field(
        None, description="What builds where a rebase is not proven safe; left out: that is an error."
    )


class AccountModel(Model):
    """An AWS account, and the Regions in which functions are discovered."""

    role: RoleArn | None = Field(
        None, description="The role to assume there, by ARN; left out, it is the account of the process."
    )
    regions: list[str] = Field(min_length=1, description="The Regions.")


class LambdaDeployerModel(Model):
    """Functions on AWS Lambda."""

    kind: Literal["lambda"] = Field(description="The kind of deployer.")
    region: str = Field(description="The Region of functions that are named without ARN.")
    accounts: list[AccountModel] = Field(
        [],
        description="Where functions are discovered, and all functions audited; left out, they are discovered in "
        "region alone. A role is used for its account.",
    )
    endpoint_url: WebAddress | None = Field(None, description="Another address of the AWS APIs, for tests.")

    @field_validator("accounts")
    @classmethod
    def _each_once(cls, accounts: list[AccountModel]) -> list[AccountModel]:
        roles = [account.role and account.role.split(":")[4] for account in accounts]
        if len(set(roles)) < len(roles):
            raise ValueError("names one account twice; put all its Regions under one entry")
        return accounts


class LocalDeployerModel(Model):
    """Functions in a file, for rehearsals."""

    kind: Literal["local"] = Field(description="The kind of deployer.")
    state: str = Field(description="The file, relative to the settings.")


class SmokeModel(Model):
    """Start each image on a Docker Engine before a function is pointed at it."""

    events: list[PathInside] = Field([], description="Files of the source repository; the image has to answer each.")
    timeout: Patience = Field(timedelta(seconds=30), description="How long the init, and each event, may take.")


class CodeDeployModel(Model):
    """A deployment group of AWS CodeDeploy, for Lambda: it says how traffic moves, and when it goes back."""

    application: str = Field(min_length=1, max_length=100, description="The application.")
    deployment_group: str = Field(min_length=1, max_length=100, description="The deployment group in it.")


class CareModel(Model):
    """How an alias is moved to a new version, and when it goes back."""

    strategy: StrategyName | None = Field(
        None, description="all-at-once, or as CodeDeploy names it, such as LambdaCanary10Percent5Minutes."
    )
    bake: Duration | None = Field(None, description="How long the new version is watched once it serves all.")
    alarms: list[str] | None = Field(
        None, max_length=100, description="CloudWatch alarms; one that rings takes the new version back."
    )
    timeout: Duration | None = Field(
        None, description="How much longer a step may take to be ready or seen, before it is taken back."
    )
    keep_rollback_tag: bool | None = Field(
        None, description="Tag the image that a rollback needs refrom-rollback-DIGEST in ECR."
    )
    codedeploy: CodeDeployModel | None = Field(
        None, description="Let CodeDeploy move the alias; then strategy, bake, alarms and timeout are its own."
    )

    @model_validator(mode="after")
    def _moved_by_one(self) -> "CareModel":
        if self.codedeploy and self.moves:
            raise ValueError(
                f"has both codedeploy and {', '.join(self.moves)}, which the deployment group says then; "
                "take out the one or the other"
            )
        return self

    @property
    def moves(self) -> list[str]:
        """What is said here of how refrom itself moves an alias."""
        return [name for name in ("strategy", "bake", "alarms", "timeout") if getattr(self, name) is not None]


class WorkflowPipelineModel(Model):
    """A workflow of GitHub Actions in the source repository, which builds and deploys; the forge must be a GitHub."""

    kind: Literal["github-workflow"] = Field(description="The kind of pipeline.")
    workflow: str = Field(pattern=r"^[^/]+\.ya?ml$", description="The workflow's file in .github/workflows.")


class CodePipelineModel(Model):
    """A pipeline of AWS CodePipeline, which builds and deploys."""

    kind: Literal["codepipeline"] = Field(description="The kind of pipeline.")
    name: str = Field(min_length=1, max_length=100, description="The pipeline.")
    region: str = Field(description="Its Region.")


class TargetModel(CareModel):
    """One function, and the Dockerfile that its image is built from."""

    function: str = Field(min_length=1, description="The function's name or ARN.")
    repository: str = Field(description="The source repository, OWNER/NAME.")
    dockerfile: PathInside = Field("Dockerfile", description="The Dockerfile in it.")
    context: PathInside = Field(".", description="The build context in it.")
    stage: str | None = Field(None, description="The stage to build; the last one if left out.")
    alias: str | None = Field(None, description="The alias that serves; moved to a published version.")
    image: Destination | None = Field(
        None, description="Where its images go: registry and repository, without tag; required without pipeline."
    )
    pipeline: Annotated[WorkflowPipelineModel | CodePipelineModel, Field(discriminator="kind")] | None = Field(
        None, description="The team's own pipeline, which builds and deploys it in refrom's place."
    )
    build_args: dict[str, str] = Field({}, description="Build arguments.")
    smoke: SmokeModel | None = Field(None, description="Its own smoke test, instead of the one for all functions.")

    @model_validator(mode="after")
    def _built_by_one(self) -> "TargetModel":
        if self.pipeline is None and self.image is None:
            raise ValueError("names neither image nor pipeline; write where its images go, or what deploys it")
        others = [name for name in ("image", "smoke", "codedeploy", "keep_rollback_tag") if getattr(self, name)]
        if self.pipeline and (others or self.moves):
            raise ValueError(
                f"has both pipeline and {', '.join(others + self.moves)}, which the pipeline is to see to; "
                "take out the one or the other"
            )
        return self


class RuleModel(Model):
    """What rules of discovery share."""

    dockerfile: PathInside = Field("Dockerfile", description="The Dockerfile, where nothing else names one.")
    alias: str | None = Field(None, description="The alias that serves, where nothing else names one.")


class ByTagModel(RuleModel):
    """The function's own tags name its source: refrom:repository, and dockerfile, context, stage, alias."""

    by: Literal["tag"] = Field(description="What says it.")


class ByLabelModel(RuleModel):
    """The image's labels name its source: those that refrom wrote, else org.opencontainers.image.source."""

    by: Literal["label"] = Field(description="What says it.")


class ByImageModel(RuleModel):
    """The name of the image's repository says it; one * stands for the same text in all parts."""

    by: Literal["image"] = Field(description="What says it.")
    name: OneStar = Field(description="The name of the image's repository without its registry, such as team/*.")
    repository: str = Field(min_length=1, description="The source repository, OWNER/NAME, such as acme/*.")
    context: PathInside = Field(".", description="The build context in it.")

    @model_validator(mode="after")
    def _has_a_star(self) -> "ByImageModel":
        if "*" in f"{self.repository}{self.dockerfile}{self.context}" and "*" not in self.name:
            raise ValueError(f"has a * for which nothing in {self.name} stands; write one in name")
        return self


def group_of(deploy: CareModel, target: CareModel) -> DeploymentGroup | None:
    """The deployment group that moves a target's alias; none where the target says how refrom itself does."""
    found = target.codedeploy or (None if target.moves else deploy.codedeploy)
    return DeploymentGroup(application=found.application, name=found.deployment_group) if found else None


def strategy_of(deploy: CareModel, target: CareModel) -> Strategy:
    """How a target is deployed: what it says itself, else what is said for all, else the defaults."""
    if group_of(deploy, target) or (isinstance(target, TargetModel) and target.pipeline):
        return AT_ONCE
    named = next((model.strategy for model in (target, deploy) if model.strategy is not None), None)
    strategy = Strategy.parse(named) if named is not None else AT_ONCE
    for model in (deploy, target):
        strategy = replace(
            strategy,
            bake=strategy.bake if model.bake is None else model.bake,
            timeout=strategy.timeout if model.timeout is None else model.timeout,
            alarms=strategy.alarms if model.alarms is None else tuple(model.alarms),
        )
    return strategy


class Deploy(CareModel):
    """How functions are rebuilt and redeployed."""

    builder: Annotated[
        DockerBuilderModel | RebaseBuilderModel | WorkflowBuilderModel | CodeBuildBuilderModel | CommandBuilderModel,
        Field(discriminator="kind"),
    ] = Field(DockerBuilderModel(kind="docker"), description="What builds images.")
    deployer: Annotated[LambdaDeployerModel | LocalDeployerModel, Field(discriminator="kind")] = Field(
        description="Where functions are."
    )
    tag: TagText = Field(
        DEFAULT_TAG.text,
        description="The tag of built images; {runtime} and {function} may stand in it besides.",
    )
    smoke: SmokeModel | None = Field(None, description="The smoke test of all functions; left out: none.")
    targets: list[TargetModel] = Field([], description="The functions.")
    discover: list[Annotated[ByTagModel | ByLabelModel | ByImageModel, Field(discriminator="by")]] = Field(
        [], description="Rules that find further functions; the first that fits a function wins."
    )

    @model_validator(mode="after")
    def _named_once(self) -> "Deploy":
        names = [target.function for target in self.targets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names {', '.join(twice)} twice under targets; take one out")
        return self

    @model_validator(mode="after")
    def _has_a_codedeploy(self) -> "Deploy":
        if isinstance(self.deployer, LocalDeployerModel) and any(one.codedeploy for one in (self, *self.targets)):
            raise ValueError("names codedeploy, which a deployer of kind local does not have; take it out")
        return self

    @model_validator(mode="after")
    def _shifts_aliases(self) -> "Deploy":
        """Refuse what would be watched where nothing can be taken back: `$LATEST` has no weights."""
        for target in self.targets:
            careful = strategy_of(self, target)
            if target.alias is None and target.codedeploy:
                raise ValueError(f"names no alias of {target.function} that CodeDeploy could move; give it an alias")
            if target.alias is None and (careful.lasts or careful.alarms):
                raise ValueError(
                    f"names no alias of {target.function}, so its strategy, bake and alarms can do nothing; "
                    "give it an alias, or strategy: all-at-once, bake: 0m and alarms: []"
                )
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


class NarrowedPolicy(UpdateModeModel):
    """Parts of the policy; each counts only where it is stricter than what the settings of refrom say."""

    update_on: UpdateOn | None = Field(None, description="security takes the least, any the most.")
    min_severity: RatedSeverity | None = Field(None, description="The least severity of an advisory that is security.")
    soak: Duration | None = Field(None, description="How long a new base is left to others first.")


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
    function: str | None = Field(None, description="A function as in the targets.")
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


def all_keys(schema: dict[str, Any]) -> set[str]:
    """Every key that a schema knows, for hints."""
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}

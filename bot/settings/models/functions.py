"""The settings about functions: where they are, how they are found and redeployed."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from bot.core.deployment import AT_ONCE, Strategy
from bot.core.handover import DeploymentGroup
from bot.core.image_tag import DEFAULT_TAG
from bot.settings.fields import (
    Destination,
    Duration,
    OneStar,
    PathInside,
    Patience,
    RoleArn,
    StrategyName,
    TagText,
    WebAddress,
)
from bot.settings.models.builders import (
    CodeBuildBuilderModel,
    CodePipelineModel,
    CommandBuilderModel,
    DockerBuilderModel,
    RebaseBuilderModel,
    WorkflowBuilderModel,
    WorkflowPipelineModel,
)
from bot.settings.models.model import Model


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
            if target.alias is None and target.pipeline is None and group_of(self, target):
                raise ValueError(
                    f"names no alias of {target.function} that CodeDeploy could move; give it an alias, "
                    "or strategy: all-at-once"
                )
            if target.alias is None and (careful.lasts or careful.alarms):
                raise ValueError(
                    f"names no alias of {target.function}, so its strategy, bake and alarms can do nothing; "
                    "give it an alias, or strategy: all-at-once, bake: 0m and alarms: []"
                )
        return self

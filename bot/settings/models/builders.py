"""The settings about what builds images: builders, and pipelines of a team's own."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from bot.settings.fields import Duration, EnvironmentName, SecretId, WebAddress
from bot.settings.models.model import Model, Secret


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


class WorkflowPipelineModel(Model):
    """A workflow of GitHub Actions in the source repository, which builds and deploys; the forge must be a GitHub."""

    kind: Literal["github-workflow"] = Field(description="The kind of pipeline.")
    workflow: str = Field(pattern=r"^[^/]+\.ya?ml$", description="The workflow's file in .github/workflows.")


class CodePipelineModel(Model):
    """A pipeline of AWS CodePipeline, which builds and deploys."""

    kind: Literal["codepipeline"] = Field(description="The kind of pipeline.")
    name: str = Field(min_length=1, max_length=100, description="The pipeline.")
    region: str = Field(description="Its Region.")

"""The settings about source repositories and pull requests."""

from typing import Literal

from pydantic import Field, model_validator

from bot.core.proposals import GroupBy
from bot.core.templates import Template
from bot.settings.fields import (
    BodyTemplate,
    BranchTemplate,
    Hours,
    Label,
    LineTemplate,
    NameGlob,
    RepositoryGlob,
    Reviewer,
    TextTemplate,
    Topic,
    WebAddress,
    Zone,
)
from bot.settings.models.model import Model, Secret


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

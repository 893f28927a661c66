"""Settings as values: frozen, complete, with secrets that no repr shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from bot.core.deployment import AT_ONCE, Strategy
from bot.core.handover import DeploymentGroup
from bot.core.image_tag import DEFAULT_TAG, TagTemplate
from bot.core.mapping import MappingRule
from bot.core.policy import Override, Policy
from bot.core.proposals import PullRequestPolicy
from bot.core.rollout import RolloutPolicy
from bot.core.runtimes import Catalogue
from bot.core.slo import Agreement
from bot.core.target import SmokeTest, Target

AMAZON_FEEDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AL2": "https://cdn.amazonlinux.com/2/core/latest/{arch}/mirror.list",
        "AL2023": "https://cdn.amazonlinux.com/al2023/core/mirrors/latest/{arch}/mirror.list",
    }
)
"""The mirror lists of Amazon Linux's own packages, as scanners read them (UNVERIFIED against the live site).

No such list is known for Amazon Linux 1.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """How one registry is reached: over HTTP at `url`, or as a folder of layouts."""

    url: str | None = None
    layout: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ecr_region: str | None = None
    docker: bool = False
    pace: float | None = None
    token_hosts: tuple[str, ...] = ()

    @property
    def signs_in(self) -> bool:
        """Whether it is read with a login."""
        return self.username is not None or self.ecr_region is not None or self.docker


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalForge:
    """A folder of bare repositories."""

    root: Path
    include: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubForge:
    """A GitHub, with a token or with an App's id and key."""

    url: str
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    exclude_topics: tuple[str, ...] = ()
    forks: bool = False
    archived: bool = False
    visibility: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)
    app_id: int | None = None
    reserve: float = 0.1
    private_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerBuilder:
    """A Docker Engine."""

    host: str | None = None
    network: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowBuilder:
    """A workflow of GitHub Actions."""

    workflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBuildBuilder:
    """A project of AWS CodeBuild."""

    project: str
    region: str
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandBuilder:
    """A command of one's own."""

    command: tuple[str, ...]
    timeout: timedelta
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaseBuilder:
    """Swapping layers, or building where that is not proven safe."""

    otherwise: DockerBuilder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Regions of one AWS account; without `role` it is the account of the process."""

    regions: tuple[str, ...]
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaDeployer:
    """AWS Lambda."""

    region: str
    endpoint_url: str | None = None
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDeployer:
    """Functions in a file."""

    state: Path


Builder = DockerBuilder | RebaseBuilder | WorkflowBuilder | CodeBuildBuilder | CommandBuilder


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one settings file says."""

    catalogue: Catalogue
    store: Path
    holds: Path
    registries: Mapping[str, Registry] = field(default_factory=dict)
    mirrors: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    feeds: Mapping[str, str] = field(default_factory=lambda: AMAZON_FEEDS)
    read_from: str | None = None
    forge: LocalForge | GitHubForge | None = None
    policy: Policy = field(default_factory=Policy)
    overrides: tuple[Override, ...] = ()
    rollout: RolloutPolicy | None = None
    slo: Agreement = field(default_factory=Agreement)
    pull_requests: PullRequestPolicy = field(default_factory=PullRequestPolicy)
    commit_with: Literal["api", "git"] = "api"
    builder: Builder | None = None
    deployer: LambdaDeployer | LocalDeployer | None = None
    tag: TagTemplate = DEFAULT_TAG
    smoke: SmokeTest | None = None
    targets: tuple[Target, ...] = ()
    discovery: tuple[MappingRule, ...] = ()
    strategy: Strategy = AT_ONCE
    keep_rollback_tag: bool = False
    codedeploy: DeploymentGroup | None = None
    """How functions that are discovered are deployed; targets bring their own."""

    def policy_for(self, repository: str, path: str, runtime: str) -> Policy:
        """Return the policy for one use: every override that covers it is applied, in their order."""
        policy = self.policy
        for override in self.overrides:
            if override.covers(repository=repository, path=path, runtime=runtime):
                policy = override.apply(policy)
        return policy

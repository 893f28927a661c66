"""Rules: what the settings say and people declared, as far as the loop needs it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.deployment import AT_ONCE, Strategy
from bot.core.handover import DeploymentGroup
from bot.core.image_tag import DEFAULT_TAG, TagTemplate
from bot.core.mapping import FunctionMap, MappingRule
from bot.core.policy import Declarations, Narrowing, Policy
from bot.core.proposals import PullRequestPolicy
from bot.core.rollout import RolloutPolicy
from bot.core.runtimes import Catalogue
from bot.core.slo import Agreement
from bot.core.target import SmokeTest, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say and people declared, as far as the loop needs it."""

    catalogue: Catalogue
    policy_for: Callable[[str, str, str], Policy]
    """From source repository, path and runtime identifier to the policy that applies."""
    declared: Declarations
    narrowing_of: Callable[[str, bytes], Narrowing]
    """From the name and the content of a source repository's own file to what it says; raises `SettingsError`."""
    targets: tuple[Target, ...] = ()
    region: str = ""
    """Where functions are that are named without ARN."""
    mirrors: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    """Runtime identifiers to watch although nothing may use them."""
    rollout: RolloutPolicy | None = None
    """In which order source repositories take a new base; None: all at once."""
    slo: Agreement = field(default_factory=Agreement)
    pull_requests: PullRequestPolicy = field(default_factory=PullRequestPolicy)
    tag: TagTemplate = DEFAULT_TAG
    """The tag of built images."""
    smoke: SmokeTest | None = None
    """The smoke test of all functions that have none of their own."""
    discovery: tuple[MappingRule, ...] = ()
    strategy: Strategy = AT_ONCE
    keep_rollback_tag: bool = False
    codedeploy: DeploymentGroup | None = None
    """How functions that are discovered are deployed."""
    found: FunctionMap = field(default_factory=FunctionMap)
    """What `discovery` found beside the declared targets; its targets stand in `targets`, too."""

"""Explain: why the mode and the decision of a use or of a function are what they are. Changes nothing by itself.

What the loop would do for a function is asked of the loop itself, over a world in which nothing is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.core.decision import Admission, Decision
from bot.core.errors import SettingsError
from bot.core.modes import UpdateMode, weigh
from bot.core.policy import Policy
from bot.core.target import Target
from bot.ports.engine import Engine
from bot.ports.forge import SourceRepository
from bot.steps.cycle import Cycle, Report
from bot.steps.inquire import Inquiry

Modes = tuple[tuple[UpdateMode, str], ...]
"""Every mode that was said, the least specific first, each with what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseExplained:
    """One use: its policy, the modes that were said of it, what was decided, and what its rollout says, if any."""

    decision: Decision
    policy: Policy
    modes: Modes
    admission: Admission | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionExplained:
    """One function: the modes that were said of it, the hold on it, and what the loop would do for it now."""

    target: Target
    modes: Modes
    held: str
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One path of a source repository with its uses, and the function that is built from it where one was asked for."""

    repository: str
    path: str
    uses: tuple[UseExplained, ...]
    function: FunctionExplained | None = None


def explain_path(inquiry: Inquiry, repository: str, path: str, now: datetime) -> Explanation:
    """Explain the uses of a path; raises `SettingsError` where there is none, and `ForgeError` if it cannot be read."""
    inquiry.read(_listed(inquiry.repositories(), repository), now)
    return _explained(inquiry, repository, path, now)


def explain_function(cycle: Cycle, engine: Engine, target: Target, now: datetime) -> Explanation:
    """Explain a function and the uses of the path that it is built from, as far as its source could be read."""
    report, inquiry = cycle.look(engine, target.function), cycle.inquiry
    function, hold = inquiry.world.functions.function(target.function), inquiry.hold_for(target, now)
    explained = FunctionExplained(
        target=target,
        modes=weigh(inquiry.modes_of(target, function), now.date()),
        held=hold.reason if hold else "",
        report=report,
    )
    uses = tuple(_uses(inquiry, target.repository, target.dockerfile, now))
    return Explanation(repository=target.repository, path=target.dockerfile, uses=uses, function=explained)


def _listed(repositories: Mapping[str, SourceRepository], name: str) -> SourceRepository:
    if name not in repositories:
        raise SettingsError([f"{name} is no source repository of the forges in the settings; name it there"])
    return repositories[name]


def _explained(inquiry: Inquiry, repository: str, path: str, now: datetime) -> Explanation:
    uses = tuple(_uses(inquiry, repository, path, now))
    if not uses:
        there = sorted({decision.use.located.path for decision in inquiry.decisions[repository]})
        cure = f"it does in {', '.join(there)}" if there else "nothing in it does"
        raise SettingsError([f"{path} of {repository} uses no Lambda base; {cure}"])
    return Explanation(repository=repository, path=path, uses=uses)


def _uses(inquiry: Inquiry, repository: str, path: str, now: datetime) -> list[UseExplained]:
    decisions = inquiry.decisions.get(repository, ())
    return [_use(inquiry, decision, now) for decision in decisions if decision.use.located.path == path]


def _use(inquiry: Inquiry, decision: Decision, now: datetime) -> UseExplained:
    use = decision.use
    policy, standing = inquiry.policy_of(use), inquiry.standings.get(use.runtime or "")
    return UseExplained(
        decision=decision,
        policy=policy,
        modes=weigh(policy.modes, now.date()),
        admission=inquiry.admitted(use.repository, standing) if standing else None,
    )

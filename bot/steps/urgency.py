"""Urgency: since when a function could have had the fixes for which the SLO gives less time."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.advisories import Severity
from bot.core.change import BaseChange
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.observation import KnownBase, Observation
from bot.core.slo import Freshness, Lack
from bot.steps.inquire import Inquiry


def freshness_for(inquiry: Inquiry, repository: str = "", path: str = "", runtime: str = "") -> Freshness:
    """The times that hold for one function, by what the settings agree on and by the policy that covers it."""
    return inquiry.rules.slo.within(inquiry.rules.policy_for(repository, path, runtime).max_age)


def urgent(inquiry: Inquiry, base: KnownBase, latest: Observation, change: BaseChange) -> tuple[Lack, ...]:
    """What a function on `base` lacks that an SLO gives less time, by rule, with the moment since which it could not.

    That is when the first base with such a fix was seen, or when its advisory was issued if that was later.
    Only what the settings agree on is looked for; it costs a few comparisons of bases, never one of each.
    """
    lacks = []
    for rule in inquiry.rules.slo.urgent:
        severity = rule.severity
        if severity and change.severity and change.severity >= severity:
            since = _since(inquiry, base, latest, severity)
            lacks.append(Lack(rule=rule, since=max(since, _issued(change, severity) or since)))
    return tuple(lacks)


def _since(inquiry: Inquiry, base: KnownBase, latest: Observation, severity: Severity) -> datetime:
    """When the first base with such a fix was seen: what one base fixes the later ones fix, too, so it is halved."""
    newer = _newer(inquiry.world.ledger.history(latest.runtime), base.digest) or (latest,)
    low, high = 0, len(newer) - 1
    while low < high:
        middle = (low + high) // 2
        if _fixes(inquiry, base, newer[middle], severity):
            high = middle
        else:
            low = middle + 1
    return newer[low].first_seen


def _newer(history: Sequence[Observation], in_use: Digest) -> tuple[Observation, ...]:
    """What was seen after the base in use, oldest first."""
    newer = []
    for seen in history:
        if in_use in seen.digests:
            break
        newer.append(seen)
    return tuple(reversed(newer))


def _fixes(inquiry: Inquiry, base: KnownBase, seen: Observation, severity: Severity) -> bool:
    """Whether a base has such a fix; one that nobody can read counts as if, so that no time is given for nothing."""
    name = seen.reference.with_tag(None)
    try:
        change = inquiry.judge(name.with_digest(base.digest), name.with_digest(seen.digest), seen.runtime)
    except RegistryError:
        return True
    return change.severity is not None and change.severity >= severity


def _issued(change: BaseChange, severity: Severity) -> datetime | None:
    """When the first of the advisories was issued; None where one says nothing of it."""
    issued = [fix.issued for fix in change.fixes if fix.severity >= severity]
    known = [moment for moment in issued if moment is not None]
    return min(known) if known and len(known) == len(issued) else None

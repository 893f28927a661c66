"""Compare: how the base that a function is proven to stand on differs from what its own stream has now."""

from dataclasses import replace
from datetime import datetime

from bot.core.errors import RegistryError
from bot.core.observation import KnownBase
from bot.core.responsibility import Evidence
from bot.steps.gather import behind_since
from bot.steps.inquire import Inquiry
from bot.steps.urgency import urgent


def compare(inquiry: Inquiry, evidence: Evidence, base: KnownBase, now: datetime) -> Evidence:
    """Add what the base lacks, and since when; raises `RefromError`."""
    if not base.runtime:
        raise RegistryError(
            f"no tag leads to {base.reference}, so its stream is unknown; rebuild on a base that has one"
        )
    latest = inquiry.observe(base.runtime, now)
    name = latest.reference.with_tag(None)
    change = inquiry.judge(name.with_digest(base.digest), name.with_digest(latest.digest), latest.runtime)
    return replace(
        evidence,
        runtime=base.runtime,
        latest=latest,
        change=change,
        urgent=urgent(inquiry, base, latest, change),
        behind_since=behind_since(base.digest, latest, inquiry.world.ledger),
    )

"""Gather: everything that the plan must know about one use of a base."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.core.blocks import is_sick
from bot.core.change import BaseChange
from bot.core.decision import BaseUse, Known, Unwatched
from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.observation import KnownBase, Observation
from bot.core.plan import platforms_of
from bot.core.reference import Reference
from bot.core.tags import LambdaImage, LambdaTag
from bot.ports.registry import Registry
from bot.ports.store import Ledger

Judge = Callable[[Reference, Reference, str], BaseChange]
"""From the old base, the new one and their runtime identifier to what differs."""
FindDate = Callable[[LambdaTag, Digest, Observation], str | None]
"""Finds the date-stamped tag of a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What lies around the base that an update leads to, where that is not what the stream has now.

    `newer` are the digests that were seen since that one, `blocked` those that nobody is to stand on.
    `passed_over` is the stream's newest one where that is blocked.
    """

    newer: frozenset[Digest] = frozenset()
    blocked: frozenset[Digest] = frozenset()
    passed_over: Digest | None = None


def gather(
    use: BaseUse,
    latest: Observation,
    deployed: Sequence[KnownBase],
    registry: Registry,
    ledger: Ledger,
    judge: Judge,
    find_date: FindDate | None,
    around: Around | None = None,
) -> Known | Unwatched:
    """Find out what is in use and how it differs from the stream's latest, or from what an update leads to instead.

    `deployed` are the bases that the functions built from this file are proven to stand on. `find_date` is given where
    an update would write a date-stamped tag; it is asked only if there is something to update.
    Raises `RegistryError` where the registry fails; a base that is gone is a fact, not a failure.
    """
    image, around = use.located.use.lambda_image, around or Around()
    if image is None or image.tag is None:
        return Unwatched(use=use, fault="the reference names no version; write one, such as python:3.13")
    candidate = _candidate(image.tag, latest)
    if candidate is None:
        return Unwatched(use=use, fault=f"{latest.reference} has no image for {image.tag.architecture}")
    history = ledger.history(latest.runtime) if around.blocked else ()
    is_left = partial(is_sick, use, history=history, blocked=around.blocked)
    in_use, fault = _in_use(use, image, latest.digests | around.newer, is_left, deployed, registry)
    change, ahead, sick = None, in_use in around.newer, in_use is not None and is_left(in_use)
    if in_use is not None and (sick or not ahead):
        change, fault = _change(use, image, in_use, latest, judge)
    behind = not ahead and in_use not in latest.digests
    return Known(
        use=use,
        latest=latest,
        candidate=candidate,
        dated_tag=find_date(image.tag, candidate, latest) if find_date and behind else None,
        in_use=in_use,
        change=change,
        behind_since=behind_since(in_use, latest, ledger),
        fault=fault,
        ahead=ahead,
        sick=sick,
        passed_over=around.passed_over,
    )


def _candidate(tag: LambdaTag, latest: Observation) -> Digest | None:
    """The digest to write: of the platform where the tag is for one, of the whole set otherwise."""
    if tag.architecture is None:
        return latest.digest
    wanted = [base for platform, base in latest.platforms.items() if platform.lambda_architecture == tag.architecture]
    return wanted[0].digest if wanted else None


def _in_use(
    use: BaseUse,
    image: LambdaImage,
    good: frozenset[Digest],
    is_left: Callable[[Digest], bool],
    deployed: Sequence[KnownBase],
    registry: Registry,
) -> tuple[Digest | None, str]:
    """What is old, and why that is not known: what the file says, else the worst of what the functions prove."""
    if use.pinned:
        return use.pinned, ""
    if use.dated:
        return _named_by_date(image.upstream, registry)
    proven = [base.shared for base in deployed if base.runtime == use.runtime]
    return min(proven, key=lambda digest: (not is_left(digest), digest in good), default=None), ""


def _named_by_date(reference: Reference, registry: Registry) -> tuple[Digest | None, str]:
    try:
        return registry.manifest(reference).digest, ""
    except RegistryError as fault:
        if fault.status != 404:
            raise
        return None, f"the base in use, {reference}, is gone"


def _change(
    use: BaseUse, image: LambdaImage, in_use: Digest, latest: Observation, judge: Judge
) -> tuple[BaseChange | None, str]:
    if in_use in latest.digests:
        return None, ""
    name = image.upstream.with_tag(None)
    try:
        change = judge(name.with_digest(in_use), name.with_digest(latest.digest), latest.runtime)
    except RegistryError as fault:
        if fault.status != 404:
            raise
        return None, f"the base in use, {in_use.short}, is gone from {name}"
    wanted = platforms_of(use, latest)
    platforms = tuple(p for p in change.platforms if p.platform in wanted)
    if not platforms:
        return None, f"the base in use, {in_use.short}, has no platform in common with what {latest.reference} has now"
    return BaseChange(old=change.old, new=change.new, platforms=platforms), ""


def behind_since(in_use: Digest | None, latest: Observation, ledger: Ledger) -> datetime:
    """When something newer than the base in use first appeared: from the ledger, else when the latest did."""
    since = latest.first_seen
    for seen in ledger.history(latest.runtime):
        if in_use in seen.digests:
            break
        since = min(since, seen.first_seen)
    return since

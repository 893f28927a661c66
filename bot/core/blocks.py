"""Around blocked bases: which base of a stream a use goes to, and whether the one that it has is to be left.

A base goes under the digest of its set and those of its platforms, each of which may be blocked.
"""

from collections.abc import Collection, Iterable

from bot.core.decision import BaseUse
from bot.core.digest import Digest
from bot.core.observation import Observation
from bot.core.plan import platforms_of


def is_bad(use: BaseUse, seen: Observation, blocked: Collection[Digest]) -> bool:
    """Say whether a base is blocked for a use: as a whole, or on a platform that the use needs."""
    platforms = seen.platforms
    needed = (seen.digest, *(platforms[platform].digest for platform in platforms_of(use, seen)))
    return any(digest in blocked for digest in needed)


def is_sick(use: BaseUse, in_use: Digest, history: Iterable[Observation], blocked: Collection[Digest]) -> bool:
    """Say whether the base in use is blocked: itself, as a part of its set, or by a part that the use needs."""
    if in_use in blocked:
        return True
    sets = [seen for seen in history if in_use in seen.digests]
    return any(is_bad(use, seen, blocked) if in_use == seen.digest else seen.digest in blocked for seen in sets)


def seen_since(good: Observation, history: Iterable[Observation]) -> frozenset[Digest]:
    """Return the digests of what was first seen after a base."""
    later = (seen.digests for seen in history if seen.first_seen > good.first_seen)
    return frozenset[Digest]().union(*later) - good.digests

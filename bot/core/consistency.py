"""Consistency: whether what is built from one source serves one image in all Regions, accounts and aliases.

An image has one digest in every registry that it is copied to, so that differing digests are differing images.
Functions of differing architectures have differing images, so they are compared among themselves.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.digest import Digest

_SHOWN: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What serves at one place: `source` says from what it is built, `where` names function and alias."""

    source: tuple[str, ...]
    where: str
    images: frozenset[Digest]


def inconsistencies(servings: Iterable[Serving]) -> Mapping[str, str]:
    """Say for each place that serves an image of its own what the others of its source serve."""
    by_source: dict[tuple[str, ...], list[Serving]] = defaultdict(list)
    for serving in servings:
        if serving.images:
            by_source[serving.source].append(serving)
    found: dict[str, str] = {}
    for alike in by_source.values():
        if len({serving.images for serving in alike}) > 1:
            found |= dict.fromkeys((serving.where for serving in alike), _told(alike))
    return found


def _told(alike: list[Serving]) -> str:
    """Name the first places with what they serve, and say how many follow."""
    told = [
        f"{serving.where} serves {' and '.join(sorted(image.short for image in serving.images))}"
        for serving in sorted(alike, key=lambda one: one.where)
    ]
    more = f", and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"one source, several images: {', '.join(told[:_SHOWN])}{more}"

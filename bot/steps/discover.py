"""Discover: which function is built from which Dockerfile where the settings name no target. Reads alone."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from bot.core.errors import RefromError
from bot.core.mapping import ByLabel, Candidate, Mapped, map_functions
from bot.core.reference import Reference
from bot.core.target import region_of
from bot.ports.deployer import Functions
from bot.ports.registry import Registry
from bot.steps.rules import Rules


def discover(rules: Rules, functions: Functions, registry: Registry) -> Rules:
    """Return the rules with the targets that the map adds; nothing is asked where the settings have no rule for it.

    A place that cannot be listed is told in the map, and the others go on; so is a function that cannot be read.
    Regions stand in the order in which they were listed, which is that of the settings.
    """
    if not rules.discovery:
        return rules
    listing = functions.listed()
    candidates: Iterable[Candidate] = listing.functions
    if any(isinstance(rule, ByLabel) for rule in rules.discovery):
        declared = {target.function for target in rules.targets}
        candidates = _labelled((one for one in candidates if declared.isdisjoint(one.names)), registry)
    found = replace(map_functions(candidates, rules.discovery, rules.targets), unlisted=listing.faults)
    cared = partial(
        replace, strategy=rules.strategy, keep_rollback_tag=rules.keep_rollback_tag, codedeploy=rules.codedeploy
    )
    order = {region: number for number, region in enumerate(dict.fromkeys(region_of(c.arn) for c in listing.functions))}
    mapped = sorted(found.mapped, key=lambda one: order[one.target.region])
    found = replace(found, mapped=tuple(Mapped(cared(one.target), one.by) for one in mapped))
    return replace(rules, targets=(*rules.targets, *found.targets), found=found)


def _labelled(candidates: Iterable[Candidate], registry: Registry) -> Iterator[Candidate]:
    """Add the labels of each image; an image that serves many functions is read once."""
    read: dict[Reference, Candidate] = {}
    for candidate in candidates:
        if candidate.image is None:
            yield candidate
            continue
        if candidate.image not in read:
            read[candidate.image] = _with_labels(candidate, candidate.image, registry)
        labels, unread = read[candidate.image].labels, read[candidate.image].unread.get("labels")
        yield replace(candidate, labels=labels, unread={**candidate.unread, **({"labels": unread} if unread else {})})


def _with_labels(candidate: Candidate, image: Reference, registry: Registry) -> Candidate:
    try:
        return replace(candidate, labels=registry.image(image).config.labels)
    except RefromError as fault:
        return replace(candidate, unread={"labels": f"its image's labels cannot be read: {fault}"})

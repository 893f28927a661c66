"""Judge: what really changed between two base images.

Layers that both images share are neither fetched nor compared; a layer once read is remembered by its digest.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.change import BaseChange, PlatformChange, compare, compare_configs
from bot.core.errors import ContentsError
from bot.core.filesystem import FileSystem, stack
from bot.core.image import Image, Index, Manifest
from bot.core.layer import Layer
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.ports.contents import Contents
from bot.ports.registry import Registry


def judge(
    old: Reference, new: Reference, registry: Registry, contents: Contents, platforms: Sequence[Platform] | None = None
) -> BaseChange:
    """Compare two images, on the platforms that both have or on those asked for.

    Raises `RegistryError` or `ContentsError` if either cannot be read: what was not compared is not called equal.
    """
    before, after = registry.manifest(old), registry.manifest(new)
    changes = tuple(
        _judge_platform(one, other, old, new, contents)
        for one, other in _pairs(old, new, before, after, registry, platforms)
    )
    return BaseChange(old=before.digest, new=after.digest, platforms=changes)


def _pairs(
    old: Reference,
    new: Reference,
    before: Manifest | Index,
    after: Manifest | Index,
    registry: Registry,
    platforms: Sequence[Platform] | None,
) -> list[tuple[Image, Image]]:
    """Bring together the images of the same platform; a single manifest stands for its own platform."""
    if isinstance(before, Manifest):
        image = registry.image(old.with_digest(before.digest))
        return [(image, registry.image(new.with_digest(after.digest), image.platform))]
    if isinstance(after, Manifest):
        image = registry.image(new.with_digest(after.digest))
        return [(registry.image(old.with_digest(before.digest), image.platform), image)]
    shared = sorted(p for p in before.images.keys() & after.images.keys() if platforms is None or p in platforms)
    return [
        (
            registry.image(old.with_digest(before.images[platform].digest)),
            registry.image(new.with_digest(after.images[platform].digest)),
        )
        for platform in shared
    ]


def _judge_platform(before: Image, after: Image, old: Reference, new: Reference, contents: Contents) -> PlatformChange:
    if before.config.diff_ids == after.config.diff_ids:
        return compare_configs(after.platform, before.config, after.config)
    below, above = _shared(before, after)
    ours, theirs = _read(before, below, above, old, contents), _read(after, below, above, new, contents)
    one, other = stack(ours, over_others=below > 0), stack(theirs, over_others=below > 0)
    if _told(one) != _told(other):
        shared = [_layer(before, place, old, contents) for place in range(below)]
        one, other = _upon(shared, ours, one), _upon(shared, theirs, other)
    return compare(after.platform, one, other, before.config, after.config)


def _told(own: FileSystem) -> tuple[bool, bool, frozenset[str]]:
    """Say of what there is a version in some layers."""
    names = frozenset(component.name for component in own.components)
    return own.packages is not None, own.language is not None, names


def _upon(shared: Sequence[Layer], layers: Sequence[Layer], own: FileSystem) -> FileSystem:
    """Let versions that stand in a shared layer hold where the layers that differ say nothing about them.

    Without them, a database that one image adds upon the shared one would look like packages added one and all.
    """
    whole = stack([*shared, *layers])
    half_read = own.packages is None and own.unread
    packages = None if half_read else whole.packages
    return replace(own, packages=packages, language=whole.language, components=whole.components)


def _shared(before: Image, after: Image) -> tuple[int, int]:
    """Count the layers that both have at the bottom, and then those that both have at the top."""
    one, other = before.config.diff_ids, after.config.diff_ids
    most = min(len(one), len(other))
    below = next((i for i in range(most) if one[i] != other[i]), most)
    above = next((i for i in range(most - below) if one[-1 - i] != other[-1 - i]), most - below)
    return below, above


def _read(image: Image, below: int, above: int, reference: Reference, contents: Contents) -> list[Layer]:
    places = range(below, len(image.manifest.layers) - above)
    return [_layer(image, place, reference, contents) for place in places]


def _layer(image: Image, place: int, reference: Reference, contents: Contents) -> Layer:
    """Read one layer; one that unpacks to something else than the config says would make shared layers a guess."""
    descriptor, stated = image.manifest.layers[place], image.config.diff_ids[place]
    layer = contents.layer(reference, descriptor)
    if layer.diff_id is not None and layer.diff_id != stated:
        raise ContentsError(
            f"{reference}: layer {layer.digest} unpacks to {layer.diff_id}, the image config says {stated}; "
            "do not use this image"
        )
    return layer

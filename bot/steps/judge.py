"""Judge: what really changed between two base images.

Layers that both images share are neither fetched nor compared; a layer once read is remembered by its digest.
"""

from collections.abc import Sequence

from bot.core.change import BaseChange, PlatformChange, compare, compare_configs, stack
from bot.core.image import Descriptor, Image, Index, Manifest
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
        metadata = compare_configs(before.config, after.config)
        return PlatformChange(platform=after.platform, metadata=metadata)
    below, above = _shared(before, after)
    return compare(
        after.platform,
        stack(_read(before.manifest.layers[below : len(before.manifest.layers) - above], old, contents)),
        stack(_read(after.manifest.layers[below : len(after.manifest.layers) - above], new, contents)),
        before.config,
        after.config,
    )


def _shared(before: Image, after: Image) -> tuple[int, int]:
    """Count the layers that both have at the bottom, and then those that both have at the top."""
    one, other = before.config.diff_ids, after.config.diff_ids
    most = min(len(one), len(other))
    below = next((i for i in range(most) if one[i] != other[i]), most)
    above = next((i for i in range(most - below) if one[-1 - i] != other[-1 - i]), most - below)
    return below, above


def _read(layers: Sequence[Descriptor], reference: Reference, contents: Contents) -> list[Layer]:
    return [contents.layer(reference, descriptor) for descriptor in layers]

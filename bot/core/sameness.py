"""Whether two images are the same but for times, so that pointing a function at the other one would change nothing.

Each build has another digest, because times are in it (facts of the Docker Engine: two builds without cache differ).
"""

from collections.abc import Sequence
from typing import Final

from bot.core.config_change import compare_settings
from bot.core.filesystem import stack
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, ORIGIN_LABELS, REVISION_LABEL, ImageConfig
from bot.core.layer import Layer

_OURS: Final = frozenset({BASE_NAME_LABEL, BASE_DIGEST_LABEL, REVISION_LABEL})
"""Labels that say where an image comes from, and that no function reads."""


def same_settings(one: ImageConfig, other: ImageConfig) -> bool:
    """Say whether a function would start alike."""
    changes = compare_settings(one, other)
    return all(change.part == "labels" and _is_ours(change.name) for change in changes)


def same_files(one: Sequence[Layer], other: Sequence[Layer]) -> bool:
    """Say whether stacks of layers, the lowest first, show the same files, times aside."""
    return stack(one).entries == stack(other).entries


def _is_ours(label: str) -> bool:
    return label in _OURS or label.startswith(ORIGIN_LABELS)

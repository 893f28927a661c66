"""Which base an image really stands on: the layers decide, never a label or a date.

An image built `FROM` a base starts with all of the base's layers.
Their compressed digests survive a push and a pull; the diff IDs survive recompression too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core.digest import Digest
from bot.core.image import Image
from bot.core.observation import KnownBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What the layers prove; `base` is None where they prove nothing, and `tried` then says against what."""

    image: Digest
    layers: int
    base: KnownBase | None = None
    by: Literal["layers", "diff-ids"] | None = None
    tried: tuple[str, ...] = ()

    @property
    def verdict(self) -> Literal["proven", "unknown"]:
        """Whether a base was proven."""
        return "proven" if self.base else "unknown"

    @property
    def matched(self) -> int:
        """How many layers of the image are the base's."""
        return len(self.base.layers) if self.base else 0


def prove(image: Image, known: Iterable[KnownBase]) -> Lineage:
    """Find the longest known base whose layers are all there, in order, at the bottom of the image.

    Layer digests are compared first, then diff IDs; of equally long bases the first given wins.
    A base of which only some layers are there proves nothing.
    """
    candidates = [base for base in known if base.platform == image.platform]
    total = len(image.manifest.layers)
    by_layers = _longest(candidates, image.layer_digests, lambda base: base.layers)
    if by_layers:
        return Lineage(image=image.digest, layers=total, base=by_layers, by="layers")
    by_diff_ids = _longest(candidates, image.config.diff_ids, lambda base: base.diff_ids)
    if by_diff_ids:
        return Lineage(image=image.digest, layers=total, base=by_diff_ids, by="diff-ids")
    return Lineage(image=image.digest, layers=total, tried=tuple(str(base.reference) for base in candidates))


def stands_on(image: Image, base: KnownBase) -> bool:
    """Say whether the image holds all layers of this very base."""
    return prove(image, (base,)).base is not None


def _longest(
    candidates: Sequence[KnownBase], have: Sequence[Digest], layers_of: Callable[[KnownBase], Sequence[Digest]]
) -> KnownBase | None:
    best: KnownBase | None = None
    for base in candidates:
        layers = layers_of(base)
        longer = best is None or len(layers) > len(layers_of(best))
        if layers and longer and tuple(have[: len(layers)]) == tuple(layers):
            best = base
    return best

"""Which base an image really stands on: the layers decide, never a label or a date.

An image built `FROM` a base starts with all of the base's layers.
Their compressed digests survive a push and a pull; the diff IDs survive recompression too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core.digest import Digest
from bot.core.image import Image
from bot.core.leads import Lead
from bot.core.observation import KnownBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What the layers prove; `base` is None where they prove nothing, and `tried` then says against what.

    `siblings` are other bases with the very same layers, which differ in their configs alone: layers cannot tell them
    from `base`. `leads` are the hints that were followed to find bases to compare with.
    """

    image: Digest
    layers: int
    base: KnownBase | None = None
    by: Literal["layers", "diff-ids"] | None = None
    siblings: tuple[KnownBase, ...] = ()
    tried: tuple[str, ...] = ()
    leads: tuple[Lead, ...] = ()

    @property
    def verdict(self) -> Literal["proven", "unknown"]:
        """Whether a base was proven."""
        return "proven" if self.base else "unknown"

    @property
    def matched(self) -> int:
        """How many layers of the image are the base's."""
        return len(self.base.layers) if self.base else 0

    @property
    def is_base(self) -> bool:
        """Whether the image is the base itself, with nothing built on it."""
        return self.base is not None and self.base.digest == self.image


def prove(image: Image, known: Iterable[KnownBase]) -> Lineage:
    """Find the longest known base whose layers are all there, in order, at the bottom of the image.

    Layer digests are compared, then diff IDs, which the image's config states and an engine checks; they count where
    they reach further. Of equally long bases the first given wins.
    A base of which only some layers are there proves nothing; nor does one that is no more than the bottom layer which
    another base has, too.
    """
    candidates = [base for base in known if base.platform == image.platform]
    total = len(image.manifest.layers)
    by_layers = _longest(candidates, image.layer_digests, lambda base: base.layers)
    by_diff_ids = _longest(candidates, image.config.diff_ids, lambda base: base.diff_ids)
    if not by_layers and not by_diff_ids:
        tried = dict.fromkeys(str(base.reference) for base in candidates)
        return Lineage(image=image.digest, layers=total, tried=tuple(tried))
    further = not by_layers or (by_diff_ids and len(by_diff_ids[0].layers) > len(by_layers[0].layers))
    base, *others = by_diff_ids if further else by_layers
    return Lineage(
        image=image.digest,
        layers=total,
        base=base,
        by="diff-ids" if further else "layers",
        siblings=_siblings(base, others),
    )


def stands_on(image: Image, base: KnownBase) -> bool:
    """Say whether the image holds all layers of this very base."""
    return prove(image, (base,)).base is not None


def _longest(
    candidates: Sequence[KnownBase], have: Sequence[Digest], layers_of: Callable[[KnownBase], Sequence[Digest]]
) -> Sequence[KnownBase]:
    """The bases of the longest full prefix, in the order given."""
    found = [base for base in candidates if layers_of(base) and _begins(have, layers_of(base))]
    most = max((len(layers_of(base)) for base in found), default=0)
    bottoms = {layers_of(base)[0] for base in candidates if len(layers_of(base)) > 1}
    if most == 1 and have[0] in bottoms:
        return ()
    return [base for base in found if len(layers_of(base)) == most]


def _begins(have: Sequence[Digest], layers: Sequence[Digest]) -> bool:
    return tuple(have[: len(layers)]) == tuple(layers)


def _siblings(base: KnownBase, others: Iterable[KnownBase]) -> tuple[KnownBase, ...]:
    """One of each platform manifest that is another than the base's."""
    return tuple({other.digest: other for other in others if other.digest != base.digest}.values())

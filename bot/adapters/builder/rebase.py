"""The rebase builder: swaps the base's layers under a function's own, and runs nothing.

It works on what serves: own layers come from the deployed image, base layers from the base that the order names.
Before anything is written three proofs have to hold; where one does not, `RebaseRefused` says so, and the builder
`otherwise` builds instead where there is one:

- layers: the deployed image starts with all layers of its old base, which is of the same stream as the new one;
- sources: between its commit and the order's nothing changed but references to Lambda bases in Dockerfiles, and the
  image, if it is ours, was built from the same Dockerfile, context, stage and build arguments;
- files: its own layers touch nothing that the base change touches (`bot.core.rebase`).
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot.adapters.builder.pushed import already_pushed
from bot.adapters.builder.sources import SameButForBases, Sources, differing_path
from bot.core.digest import Digest
from bot.core.errors import ContentsError, RebaseRefused, RegistryError
from bot.core.image import RECIPE_LABEL, REVISION_LABEL, Descriptor, Image
from bot.core.layer import Layer
from bot.core.platforms import Platform
from bot.core.rebase import BaseSwap, Proof, rebased_config, rebased_manifest
from bot.core.reference import Reference
from bot.ports.builder import Builder, Building, BuildOrder, Built
from bot.ports.contents import Contents
from bot.ports.registry import ImageWriter, Registry

_COMMIT: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_NAMED: Final = 3
"""How many overlaps a refusal names."""
_LISTED: Final = 100
"""How many paths of the function the log lists."""
_KEPT: Final = 2
"""How many pairs of bases are kept ready: a fleet is rebuilt stream by stream, and a base has many thousand files."""
_READ: Final = 64
"""How many bases are remembered by digest; a service that runs for years sees many."""
_AT_ONCE: Final = 4
"""How many layers are read, mounted or copied at a time: most of a rebase is waiting for the registry."""
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaseBuilder:
    """Builds by swapping layers; keeps the promise of the port `Builder`."""

    registry: Registry
    writer: ImageWriter
    contents: Contents
    sources: Sources
    same_but_for_bases: SameButForBases
    otherwise: Builder | None = None
    _images: dict[tuple[Reference, Platform], Image] = field(default_factory=dict, init=False)
    _swaps: dict[tuple[Digest, Digest], BaseSwap] = field(default_factory=dict, init=False)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_AT_ONCE), init=False, compare=False)
    """Kept from one rebase to the next: threads of its own would cost each more than two of its requests do."""

    def build(self, order: BuildOrder) -> Built | Building:
        """Prove that a rebase is safe, then write it; an order that was done before is not done again.

        Raises `RebaseRefused` where a proof fails and nothing builds otherwise; an error of registry or forge passes
        through.
        """
        done = already_pushed(self.registry, order)
        if done:
            return Built(digest=done, log=f"{order.destination} is already there")
        try:
            with _refusing():
                swap = self._read(order)
                self._prove_sources(order, swap)
                return self._write(order, swap, self._prove_files(order, swap))
        except RebaseRefused as refused:
            if self.otherwise is None:
                raise
            return _told(self.otherwise.build(order), refused.reason)

    def _read(self, order: BuildOrder) -> "_Swap":
        deployed, base = order.deployed, order.deployed_base
        if deployed is None or base is None:
            missing = "deployed image" if deployed is None else "proven base of the deployed image"
            raise RebaseRefused(f"{order.destination} cannot be rebased, the {missing} is not known")
        if order.deployed_runtime != order.runtime:
            raise RebaseRefused(f"{base} is of another stream than {order.base}")
        image = self.registry.image(deployed, order.platform)
        old, new = (self._base(each, order) for each in (base, order.base))
        if {image.platform, old.platform, new.platform} != {order.platform} or not _starts_with(image, old):
            raise RebaseRefused(f"{deployed} does not stand on {base} for {order.platform}")
        return _Swap(deployed=deployed, image=image, old_base=base, old=old, new=new)

    def _base(self, reference: Reference, order: BuildOrder) -> Image:
        """Read a base, once for all functions that stand on it; what a digest names does not change."""
        key = (reference, order.platform)
        if reference.digest is None:
            return self.registry.image(reference, order.platform)
        if key not in self._images:
            if len(self._images) >= _READ:
                self._images.clear()
            self._images[key] = self.registry.image(reference, order.platform)
        return self._images[key]

    def _prove_sources(self, order: BuildOrder, swap: "_Swap") -> None:
        revision = swap.image.config.labels.get(REVISION_LABEL, "")
        if not _COMMIT.match(revision):
            raise RebaseRefused(f"{swap.deployed} does not say its commit in the label {REVISION_LABEL}")
        recipe = swap.image.config.labels.get(RECIPE_LABEL)
        if recipe is not None and recipe != order.labels.get(RECIPE_LABEL):
            what = "another Dockerfile, context, stage, build argument or platform"
            raise RebaseRefused(f"{swap.deployed} was built from {what} than the settings name now")
        if revision == order.commit:
            return
        commits = (revision, order.commit)
        path = differing_path(self.sources, self.same_but_for_bases, order.repository, commits)
        if path is not None:
            between = " and ".join(commit[:12] for commit in commits)
            raise RebaseRefused(f"{path} of {order.repository} changed between {between}")

    def _prove_files(self, order: BuildOrder, swap: "_Swap") -> Proof:
        proof = self._bases(order, swap).prove(self._layers(swap.deployed, swap.own_layers))
        if proof.overlaps:
            named = ", ".join(str(overlap) for overlap in proof.overlaps[:_NAMED])
            more = f" and {len(proof.overlaps) - _NAMED} more" if len(proof.overlaps) > _NAMED else ""
            raise RebaseRefused(f"{swap.deployed} cannot be rebased onto {order.base}: {named}{more}")
        return proof

    def _bases(self, order: BuildOrder, swap: "_Swap") -> BaseSwap:
        """Lay both bases' layers on top of each other, once for all functions that are moved from one to the other."""
        pair = (swap.old.digest, swap.new.digest)
        if pair not in self._swaps:
            while len(self._swaps) >= _KEPT:
                self._swaps.pop(next(iter(self._swaps)))
            self._swaps[pair] = BaseSwap.of(
                self._layers(swap.old_base, swap.old.manifest.layers),
                self._layers(order.base, swap.new.manifest.layers),
            )
        return self._swaps[pair]

    def _layers(self, reference: Reference, descriptors: Sequence[Descriptor]) -> list[Layer]:
        reading = [self._pool.submit(self.contents.layer, reference, descriptor) for descriptor in descriptors]
        _finish(reading)
        return [each.result() for each in reading]

    def _write(self, order: BuildOrder, swap: "_Swap", proof: Proof) -> Built:
        image, base = swap.image, swap.new.manifest.layers
        config = rebased_config(image.config, swap.old.config, swap.new.config, order.labels)
        here = set(image.layer_digests)

        def copy(layer: Descriptor) -> int:
            return self.writer.copy_blob(
                swap.deployed if layer.digest in here else order.base, layer, order.destination
            )

        config_type = image.manifest.config.media_type
        storing = self._pool.submit(self.writer.put_blob, order.destination, config_type, config)
        copying = [self._pool.submit(copy, layer) for layer in (*base, *swap.own_layers)]
        _finish((storing, *copying))
        stored, moved = storing.result(), sum(each.result() for each in copying)
        manifest = rebased_manifest(image.manifest.media_type, stored, (*base, *swap.own_layers))
        digest = self.writer.put_manifest(order.destination, image.manifest.media_type, manifest)
        how = f"rebased, {proof}"
        return Built(digest=digest, log="\n".join(_log(order, swap, proof, moved)), how=how)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Swap:
    """The three images of a rebase: what serves, what it stands on, what it shall stand on."""

    deployed: Reference
    image: Image
    old_base: Reference
    old: Image
    new: Image

    @property
    def own_layers(self) -> tuple[Descriptor, ...]:
        return self.image.manifest.layers[len(self.old.manifest.layers) :]


def _finish(futures: Sequence[Future[Any]]) -> None:
    """Wait until nothing goes on any more; what did not begin before one failed is left.

    They begin in order, so the first result that cannot be had is the one that failed.
    """
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:
        for future in futures:
            future.cancel()
        wait(futures)


@contextmanager
def _refusing() -> Iterator[None]:
    """Where an image of the proof is gone, or a layer cannot be read whole, there is no proof."""
    try:
        yield
    except ContentsError as fault:
        raise RebaseRefused(f"a layer cannot be read: {fault}".partition(";")[0]) from fault
    except RegistryError as fault:
        if fault.status != _NOT_FOUND:
            raise
        raise RebaseRefused(str(fault).partition(";")[0]) from fault


def _told(built: Built | Building, reason: str) -> Built | Building:
    """Let what was built instead say why it was not rebased."""
    refusal = f"not rebased: {reason}"
    if isinstance(built, Building):
        return Building(why=f"{built.why} ({refusal})")
    return replace(built, log=f"{refusal}\n{built.log}", how=refusal)


def _log(order: BuildOrder, swap: _Swap, proof: Proof, moved: int) -> Iterator[str]:
    yield f"rebased {swap.deployed} from {swap.old_base} onto {order.base}"
    yield f"by layers: {len(swap.old.manifest.layers)} of {len(swap.image.manifest.layers)} are the old base's"
    yield f"by files: {proof}"
    yield from (f"  /{path}" for path in proof.own[:_LISTED])
    if len(proof.own) > _LISTED:
        yield f"  and {len(proof.own) - _LISTED:,} more"
    yield f"{moved:,} bytes of layers copied, the others are mounted or were there"


def _starts_with(image: Image, base: Image) -> bool:
    """Compare layer digests, which survive a push, or diff IDs, which survive recompression too."""
    pairs = ((image.layer_digests, base.layer_digests), (image.config.diff_ids, base.config.diff_ids))
    return any(lower and upper[: len(lower)] == lower for upper, lower in pairs)

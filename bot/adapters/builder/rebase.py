"""The rebase builder: swaps the base's layers under a function's own, and runs nothing.

It works on what serves: own layers come from the deployed image, base layers from the base that the order names.
Before anything is written three proofs have to hold; where one does not, `BuildError` says so and names the cure:

- layers: the deployed image starts with all layers of its old base;
- sources: between its commit and the order's nothing changed but references to Lambda bases in Dockerfiles;
- files: its own layers touch nothing that the base change touches (`bot.core.rebase`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.adapters.builder.pushed import already_pushed
from bot.adapters.builder.sources import SameButForBases, Sources, differing_path
from bot.core.errors import BuildError
from bot.core.image import REVISION_LABEL, Descriptor, Image
from bot.core.layer import Layer
from bot.core.rebase import CURE, rebased_config, rebased_manifest, unsafe_paths
from bot.core.reference import Reference
from bot.core.tags import lambda_image
from bot.ports.builder import BuildOrder, Built
from bot.ports.contents import Contents
from bot.ports.registry import ImageWriter, Registry

_COMMIT: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_NAMED: Final = 3
"""How many overlaps an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaseBuilder:
    """Builds by swapping layers; keeps the promise of the port `Builder`."""

    registry: Registry
    writer: ImageWriter
    contents: Contents
    sources: Sources
    same_but_for_bases: SameButForBases

    def build(self, order: BuildOrder) -> Built:
        """Prove that a rebase is safe, then write it; an order that was done before is not done again.

        Raises `BuildError` where a proof fails; an error of registry, contents or forge passes through.
        """
        done = already_pushed(self.registry, order)
        if done:
            return Built(digest=done, log=f"{order.destination} is already there")
        swap = self._read(order)
        self._prove_sources(order, swap)
        self._prove_files(order, swap)
        return self._write(order, swap)

    def _read(self, order: BuildOrder) -> "_Swap":
        deployed, base = order.deployed, order.deployed_base
        if deployed is None or base is None:
            missing = "deployed image" if deployed is None else "proven base of the deployed image"
            raise BuildError(f"{order.destination} cannot be rebased, the {missing} is not known; {CURE}")
        _check_runtime(base, order.base)
        image, old, new = (self.registry.image(each, order.platform) for each in (deployed, base, order.base))
        if {image.platform, old.platform, new.platform} != {order.platform} or not _starts_with(image, old):
            raise BuildError(f"{deployed} does not stand on {base} for {order.platform}; {CURE}")
        return _Swap(deployed=deployed, image=image, old_base=base, old=old, new=new)

    def _prove_sources(self, order: BuildOrder, swap: "_Swap") -> None:
        revision = swap.image.config.labels.get(REVISION_LABEL, "")
        if not _COMMIT.match(revision):
            raise BuildError(f"{swap.deployed} does not say its commit in the label {REVISION_LABEL}; {CURE}")
        if revision == order.commit:
            return
        commits = (revision, order.commit)
        path = differing_path(self.sources, self.same_but_for_bases, order.repository, commits)
        if path is not None:
            between = " and ".join(commit[:12] for commit in commits)
            raise BuildError(f"{path} of {order.repository} changed between {between}; {CURE}")

    def _prove_files(self, order: BuildOrder, swap: "_Swap") -> None:
        overlaps = unsafe_paths(
            self._layers(swap.deployed, swap.own_layers),
            self._layers(swap.old_base, swap.old.manifest.layers),
            self._layers(order.base, swap.new.manifest.layers),
        )
        if overlaps:
            named = ", ".join(str(overlap) for overlap in overlaps[:_NAMED])
            more = f" and {len(overlaps) - _NAMED} more" if len(overlaps) > _NAMED else ""
            raise BuildError(f"{swap.deployed} cannot be rebased onto {order.base}: {named}{more}; {CURE}")

    def _layers(self, reference: Reference, descriptors: Sequence[Descriptor]) -> list[Layer]:
        return [self.contents.layer(reference, descriptor) for descriptor in descriptors]

    def _write(self, order: BuildOrder, swap: "_Swap") -> Built:
        image, base = swap.image, swap.new.manifest.layers
        config = rebased_config(image.config, swap.old.config, swap.new.config, order.labels)
        for source, layers in ((order.base, base), (swap.deployed, swap.own_layers)):
            for layer in layers:
                self.writer.copy_blob(source, layer, order.destination)
        stored = self.writer.put_blob(order.destination, image.manifest.config.media_type, config)
        manifest = rebased_manifest(image.manifest.media_type, stored, (*base, *swap.own_layers))
        digest = self.writer.put_manifest(order.destination, image.manifest.media_type, manifest)
        return Built(digest=digest, log=f"{len(swap.own_layers)} layers of {swap.deployed} put on {order.base}")


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


def _check_runtime(old: Reference, new: Reference) -> None:
    """Refuse what the references already tell apart, such as two operating systems that carry no language."""
    runs, wants = lambda_image(old), lambda_image(new)
    if runs and wants and (runs.name, runs.runtime) != (wants.name, wants.runtime):
        raise BuildError(f"{old} is of another runtime than {new}; {CURE}")


def _starts_with(image: Image, base: Image) -> bool:
    """Compare layer digests, which survive a push, or diff IDs, which survive recompression too."""
    pairs = ((image.layer_digests, base.layer_digests), (image.config.diff_ids, base.config.diff_ids))
    return any(lower and upper[: len(lower)] == lower for upper, lower in pairs)

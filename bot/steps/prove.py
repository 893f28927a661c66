"""Prove: which base an image stands on, by comparing its layers with bases that a registry has shown us."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import Image, Index, Manifest
from bot.core.leads import NamedBase, agrees, materials, may_lie_under_others, named_bases
from bot.core.lineage import Lineage, prove
from bot.core.observation import Observation
from bot.core.reference import Reference
from bot.ports.registry import Registry
from bot.ports.store import Ledger
from bot.steps.seek import Seeker

_ATTESTS: Final = "vnd.docker.reference.digest"
_PREDICATE: Final = "in-toto.io/predicate-type"
_PROVENANCE: Final = "https://slsa.dev/provenance/"
_LARGEST_STATEMENT: Final = 4 << 20
"""Bytes; with `mode=max` a statement holds the whole build definition."""


def lineage(
    image: Image,
    *,
    observations: Iterable[Observation],
    runtimes: Sequence[str],
    seeker: Seeker,
    ledger: Ledger,
    likely: Sequence[str] = (),
    provenance: Sequence[NamedBase] = (),
) -> Lineage:
    """Prove the base of an image by the current bases, by the ledger, and by the bases that the image's hints lead to.

    What the image names is fetched unless it is known, because it may be longer than what is. Dates are followed where
    all that proves nothing, or a base without a language whose time the history does not know: one with a language may
    lie there. The streams in `likely` come first. A hint says what to fetch; the layers decide.
    """
    current = [base for observation in observations for base in observation.bases]
    history = [base for runtime in runtimes for seen in ledger.history(runtime) for base in seen.bases]
    known = [*current, *history]
    digests = frozenset(digest for base in known for digest in (base.digest, base.reference.digest) if digest)
    named = (*named_bases(image.config), *provenance)
    followed = list(seeker.named(named, image.platform, digests))
    known += [base for _, base in followed if base]
    leads = [lead for lead, _ in followed]
    found = prove(image, known)
    if not _is_settled(image, found):
        streams = [*likely, *(base.runtime for base in map(seeker.lambda_base, named) if base and base.runtime)]
        dated, lead = seeker.dated(image, streams, digests, lambda base: _is_settled(image, prove(image, (base,))))
        found = prove(image, (*known, *dated))
        leads += [lead] if lead else []
    return replace(found, leads=tuple(leads))


def attested(reference: Reference, image: Digest, registry: Registry) -> tuple[NamedBase, ...]:
    """Read what BuildKit's provenance beside an image names as its materials (attestation-storage.md).

    Only the index that the reference names holds it; an image that is named by its own digest has none to show.
    """
    try:
        document = registry.manifest(reference)
        for entry in document.attestations if isinstance(document, Index) else ():
            if entry.annotations.get(_ATTESTS) == str(image):
                return _statements(reference.with_digest(entry.digest), registry)
    except RegistryError as fault:
        if fault.retryable or fault.status not in (None, 404):
            raise
    return ()  # none, or one that is gone or damaged: it would be but a hint


def _statements(reference: Reference, registry: Registry) -> tuple[NamedBase, ...]:
    manifest = registry.manifest(reference)
    for layer in manifest.layers if isinstance(manifest, Manifest) else ():
        if layer.annotations.get(_PREDICATE, "").startswith(_PROVENANCE) and layer.size <= _LARGEST_STATEMENT:
            with registry.blob(reference, layer) as stream:
                return materials(stream.read())
    return ()


def _is_settled(image: Image, found: Lineage) -> bool:
    """Whether no longer base is to be expected above the one that was found."""
    proven = (found.base, *found.siblings) if found.base else ()
    return any(
        found.matched == found.layers or not may_lie_under_others(base.runtime) or agrees(image.config, base.created)
        for base in proven
    )

"""Prove: which base an image stands on, by comparing its layers with bases that a registry has shown us."""

from collections.abc import Iterable, Sequence

from bot.core.digest import Digest
from bot.core.errors import InvalidReference, RegistryError
from bot.core.image import BASE_DIGEST_LABEL, BASE_NAME_LABEL, Image
from bot.core.lineage import Lineage, prove
from bot.core.observation import KnownBase, Observation
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.tags import lambda_image
from bot.ports.registry import Registry
from bot.ports.store import Ledger
from bot.steps.watch import known_base


def lineage(
    image: Image,
    *,
    observations: Iterable[Observation],
    runtimes: Sequence[str],
    registry: Registry,
    ledger: Ledger,
    mirrors: Sequence[str] = (),
) -> Lineage:
    """Prove the base of an image by the current bases, the ledger, and the base that the image's labels name.

    A label only says which base to fetch; the layers decide.
    """
    current = [base for observation in observations for base in observation.bases]
    history = [base for runtime in runtimes for seen in ledger.history(runtime) for base in seen.bases]
    labelled = _labelled(image, registry, mirrors)
    return prove(image, (*current, *history, *((labelled,) if labelled else ())))


def fetch_base(reference: Reference, platform: Platform, registry: Registry) -> KnownBase:
    """Fetch one platform of a base that is named with its digest, from where the name leads."""
    named = lambda_image(reference)
    runtime = named.runtime if named else None
    return known_base(runtime or "", reference, registry.image(reference, platform))


def _labelled(image: Image, registry: Registry, mirrors: Sequence[str]) -> KnownBase | None:
    """Fetch the base that the labels name, if it is a Lambda base and still there."""
    name, digest = image.config.labels.get(BASE_NAME_LABEL), image.config.labels.get(BASE_DIGEST_LABEL)
    if not name or not digest:
        return None
    try:
        named = lambda_image(Reference.parse(name), mirrors=mirrors)
        if named is None:
            return None
        return fetch_base(named.upstream.with_digest(Digest.parse(digest)), image.platform, registry)
    except InvalidReference:
        return None  # a label is hostile text: it proves nothing and it breaks nothing
    except RegistryError as fault:
        if fault.retryable or fault.status not in (None, 404):
            raise
        return None  # the base that the label names is gone, or it is none for this image

"""Prove: which base an image stands on, by comparing its layers with bases that a registry has shown us."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.core.image import Image
from bot.core.leads import NamedBase, named_bases
from bot.core.lineage import Lineage, prove, stands_on
from bot.core.observation import Observation
from bot.ports.store import Ledger
from bot.steps.seek import Seeker


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

    What the image names is fetched unless it is known, because it may be longer than what is; dates are followed only
    where all that proves nothing, the streams in `likely` first. A hint says what to fetch; the layers decide.
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
    if found.base is None:
        streams = [*likely, *(base.runtime for base in map(seeker.lambda_base, named) if base and base.runtime)]
        dated, lead = seeker.dated(image, streams, digests, lambda base: stands_on(image, base))
        found = prove(image, (*known, *dated))
        leads += [lead] if lead else []
    return replace(found, leads=tuple(leads))

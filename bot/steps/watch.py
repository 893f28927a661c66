"""Watch: what digest a stream has now.

One manifest request a stream, and two for each platform digest that the ledger does not know; never a tag listing.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.core.digest import Digest
from bot.core.errors import InvalidImage, RegistryError
from bot.core.image import Image, Index, Manifest
from bot.core.observation import KnownBase, Observation
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.runtimes import Runtime
from bot.core.tags import LambdaTag, stamps
from bot.ports.registry import Registry
from bot.ports.store import Ledger


def watch(runtime: Runtime, registry: Registry, ledger: Ledger, now: datetime) -> Observation:
    """Observe a stream and keep the observation in the ledger.

    Nothing reaches the ledger before all of it was fetched and checked.
    Raises `RegistryError` if the stream cannot be read, or if it lacks a platform that the catalogue promises
    (then it is half published and read again in a later cycle).
    """
    observation = observe(runtime, registry, ledger, now)
    missing = [str(platform) for platform in runtime.platforms if platform not in observation.platforms]
    if missing:
        raise RegistryError(
            f"{runtime.reference} has no image for {', '.join(missing)} yet; it is held until the set is complete",
            retryable=True,
        )
    return ledger.record(observation)


def observe(runtime: Runtime, registry: Registry, ledger: Ledger, now: datetime) -> Observation:
    """Read what the stream's tag names now, without keeping it."""
    reference = runtime.reference
    document = registry.manifest(reference)
    bases = tuple(_bases(runtime, reference.with_digest(document.digest), document, registry, ledger))
    observation = Observation(
        runtime=runtime.identifier,
        reference=reference,
        digest=document.digest,
        bases=bases,
        first_seen=now,
        last_seen=now,
    )
    return _with_first_seen(observation, ledger, now)


def known_base(runtime: str, reference: Reference, image: Image) -> KnownBase:
    """Turn an image that was read into what lineage compares with."""
    return KnownBase(
        runtime=runtime,
        reference=reference,
        platform=image.platform,
        digest=image.digest,
        layers=image.layer_digests,
        diff_ids=image.config.diff_ids,
        created=image.config.created,
    )


def dated_tag(stream_tag: LambdaTag, digest: Digest, observation: Observation, registry: Registry) -> str | None:
    """Find the date-stamped tag that names a digest of an observation, None if there is none.

    There is no listing to rely on, so the stamps around the hours of creation are probed; a tag of the right hour
    that names another digest is none.
    """
    for tag in _dated_tags(stream_tag, digest, observation):
        try:
            document = registry.manifest(observation.reference.with_tag(tag))
        except RegistryError as fault:
            if fault.status == 404:
                continue
            raise
        if document.digest == digest:
            return tag
    return None


def _dated_tags(stream_tag: LambdaTag, digest: Digest, observation: Observation) -> Iterable[str]:
    """The tags to probe, likeliest first: an index is as old as its platforms, which may be hours apart."""
    bases = [base for base in observation.bases if digest in (base.digest, observation.digest)]
    created = sorted({base.created for base in bases if base.created})
    moments = dict.fromkeys(created[:1] + created[-1:])
    return dict.fromkeys(str(stream_tag.with_stamp(stamp)) for stamp in stamps(moments))


def _bases(
    runtime: Runtime, reference: Reference, document: Manifest | Index, registry: Registry, ledger: Ledger
) -> list[KnownBase]:
    """The bases behind a tag; an index gives all platforms, an older image is a single manifest."""
    if isinstance(document, Manifest):
        known = _recall(runtime, reference, document.digest, ledger)
        return [known or known_base(runtime.identifier, reference, registry.image(reference))]
    return [
        _recall(runtime, reference, descriptor.digest, ledger)
        or _fetch(runtime, reference, platform, descriptor.digest, registry)
        for platform, descriptor in sorted(document.images.items())
        if platform.lambda_architecture
    ]


def _recall(runtime: Runtime, reference: Reference, digest: Digest, ledger: Ledger) -> KnownBase | None:
    """What the ledger knows of a platform's image, under the name that leads to it now: indexes move around it."""
    known = ledger.base(digest)
    return replace(known, runtime=runtime.identifier, reference=reference) if known else None


def _fetch(runtime: Runtime, reference: Reference, platform: Platform, digest: Digest, registry: Registry) -> KnownBase:
    image = registry.image(reference.with_digest(digest))
    if image.platform != platform:
        raise InvalidImage(f"{reference} offers {digest} for {platform}, but its config says {image.platform}")
    return known_base(runtime.identifier, reference, image)


def _with_first_seen(observation: Observation, ledger: Ledger, now: datetime) -> Observation:
    """Without history, say that a base was first seen when it was created: the store may have been lost."""
    if ledger.history(observation.runtime) or observation.created is None:
        return observation
    return replace(observation, first_seen=min(observation.created, now))

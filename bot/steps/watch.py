"""Watch: what digest a stream has now.

One manifest request a stream, and two for each platform digest that the ledger does not know; never a tag listing.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.digest import Digest
from bot.core.errors import HalfPublished, InvalidImage, RegistryError
from bot.core.image import Image, Index, Manifest
from bot.core.observation import KnownBase, Observation
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.runtimes import Runtime
from bot.core.tags import LambdaTag, stamps
from bot.ports.registry import Registry, WatchedRegistry
from bot.ports.store import Ledger

_PATIENCE = timedelta(days=3)
"""How long a set may lack a platform before somebody should look; AWS took a day once (aws/aws-lambda-dotnet#1471)."""

_FIRST_IMAGES = datetime(2020, 12, 1, tzinfo=UTC)
"""Lambda takes images since then; a base that says it is older has a builder's zero for a time."""


def watch(runtime: Runtime, registry: WatchedRegistry, ledger: Ledger, now: datetime) -> Observation:
    """Observe a stream and keep the observation in the ledger.

    Nothing reaches the ledger before all of it was fetched and checked.
    Raises `HalfPublished` if the stream lacks a platform that the catalogue promises, and `RegistryError` if that has
    lasted too long or if the stream cannot be read.
    """
    observation = observe(runtime, registry, ledger, now)
    missing = [str(platform) for platform in runtime.platforms if platform not in observation.platforms]
    if missing:
        raise _half_published(observation, ", ".join(missing), ledger, now)
    return ledger.record(observation)


def observe(runtime: Runtime, registry: WatchedRegistry, ledger: Ledger, now: datetime) -> Observation:
    """Read what the stream's tag names now, without keeping it."""
    reference, last = runtime.reference, last_seen(runtime.identifier, ledger)
    if last is None or last.reference != reference:
        document = registry.manifest(reference)
    else:
        moved = registry.moved(reference, last.digest)
        if moved is None:
            return replace(last, last_seen=now)
        document = moved
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


def _half_published(observation: Observation, missing: str, ledger: Ledger, now: datetime) -> RegistryError:
    """Say that a set waits, or after some days that it may never be complete, so that somebody looks."""
    last = last_seen(observation.runtime, ledger)
    since = last.last_seen if last else observation.created
    if since is None or now - since <= _PATIENCE:
        wait = f"{observation.reference} has no image for {missing} yet; it is held until the set is complete"
        return HalfPublished(wait, retryable=True)
    return RegistryError(
        f"{observation.reference} has had no image for {missing} since {since:%Y-%m-%d}; "
        f"if there is none any more, give {observation.runtime} other platforms in the file of runtimes.catalogue"
    )


def last_seen(runtime: str, ledger: Ledger) -> Observation | None:
    """What a stream had when it was last watched with success."""
    return max(ledger.history(runtime), key=lambda seen: seen.last_seen, default=None)


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
    if image.digest != digest:
        raise InvalidImage(f"{reference} offers {digest} for {platform}, which is an index and no image")
    if image.platform != platform:
        raise InvalidImage(f"{reference} offers {digest} for {platform}, but its config says {image.platform}")
    return known_base(runtime.identifier, reference, image)


def _with_first_seen(observation: Observation, ledger: Ledger, now: datetime) -> Observation:
    """Without history, which may have been lost, a base was first seen when it was published or created."""
    since = observation.stamp or observation.created
    if since is None or since < _FIRST_IMAGES or ledger.history(observation.runtime):
        return observation
    return replace(observation, first_seen=min(since, now))

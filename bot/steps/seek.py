"""Seek: fetch the bases that an image's own hints lead to, so that its layers can be compared with them.

Whatever a hint says, only the repositories of the catalogue are asked, under AWS's own name: no image can make refrom
talk to a host of its choice. The requests are bounded, and none is made twice in one inquiry.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from typing import Final

from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import Image, Index, Manifest
from bot.core.leads import Lead, NamedBase, hours, moments, streams
from bot.core.observation import KnownBase
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.runtimes import Catalogue, Runtime
from bot.core.tags import LambdaImage, LambdaTag, lambda_image, stamps
from bot.ports.registry import Registry
from bot.steps.watch import known_base

DATED_REQUESTS: Final = 80
"""What date-stamped tags may cost in one inquiry: an anonymous reader of ECR Public makes one request a second."""
MOST_NAMED: Final = 2
"""How many named bases are fetched for one image: it has one in truth, and a build in stages may name its builder's."""
NAMED_REQUESTS: Final = 27
"""What a named base may cost: its index, manifest and config, and the tags that may lead to it."""

_MOST_LEADS = 20
_IMAGE_REQUESTS = 2
_STREAM_REQUESTS = NAMED_REQUESTS - 1 - _IMAGE_REQUESTS

Followed = tuple[Lead, KnownBase | None]
"""A lead, and the base that it led to."""


class Seeker:
    """Finds bases in the registry within an allowance, and remembers what it was told."""

    def __init__(self, registry: Registry, catalogue: Catalogue, mirrors: Iterable[str] = ()) -> None:
        self._registry, self._catalogue, self._mirrors = registry, catalogue, tuple(mirrors)
        self._repositories = frozenset(catalogue.get(name).repository for name in catalogue)
        self._tags: dict[Reference, Manifest | Index | None] = {}
        self._bases: dict[tuple[Reference, Platform], KnownBase] = {}
        self._named: dict[tuple[Reference, Platform], tuple[str, KnownBase | None]] = {}
        self._left = DATED_REQUESTS

    def lambda_base(self, named: NamedBase) -> LambdaImage | None:
        """Say which image of the catalogue's repositories is named; None if it is none."""
        image = lambda_image(named.reference, mirrors=self._mirrors) if named.reference else None
        return image if image and image.upstream.repository in self._repositories else None

    def named(self, bases: Iterable[NamedBase], platform: Platform, known: frozenset[Digest]) -> Iterator[Followed]:
        """Fetch the bases that are named by digest or date stamp, and are not among the known."""
        left = MOST_NAMED
        for named in islice(dict.fromkeys(bases), _MOST_LEADS):
            image = self.lambda_base(named)
            outcome, base = "", None
            if image is None:
                outcome = "no base of the catalogue"
            elif image.upstream.digest is None and not (image.tag and image.tag.stamp):
                outcome = "a tag that moves; it says which stream to look at first"
            elif image.upstream.digest in known:
                outcome = "known already"
            elif left == 0:
                outcome = f"not asked for; {MOST_NAMED} others were"
            else:
                left -= 1
                outcome, base = self._fetch(image, platform)
            yield Lead(source=named.source, what=named.text, outcome=outcome), base

    def dated(
        self, image: Image, likely: Iterable[str], known: frozenset[Digest], proves: Callable[[KnownBase], bool]
    ) -> tuple[list[KnownBase], Lead | None]:
        """Fetch bases whose date stamps lie around the hours in which the image's history begins, until one proves.

        Without a time in the history there is no lead.
        """
        made = moments(image.config)
        found: list[KnownBase] = []
        if not made:
            return found, None
        asked = there = 0
        groups = streams(self._catalogue, image.platform, likely, made[0])
        for runtime, tag in chain.from_iterable(_stamped(group, made) for group in groups):
            if self._left <= _IMAGE_REQUESTS or (found and proves(found[-1])):
                break
            asked += 1
            self._left -= tag not in self._tags
            document = self._tagged(tag)
            if document:
                there += 1
                base = self._of_tag(runtime, tag, document, image.platform, known)
                found += [base] if base else []
        what = " and ".join(f"{hour:%Y-%m-%d %H} UTC" for hour in made)
        spent = "; no more may be asked" if self._left <= _IMAGE_REQUESTS else ""
        return found, Lead(source="date", what=what, outcome=f"{asked} date-stamped tags, {there} of them there{spent}")

    def _fetch(self, image: LambdaImage, platform: Platform) -> tuple[str, KnownBase | None]:
        """Fetch a base that is named, or say why there is none for this image."""
        key = (image.upstream, platform)
        if key not in self._named:
            try:
                self._named[key] = self._placed(fetch_base(image.upstream, platform, self._registry), image)
            except RegistryError as fault:
                if fault.retryable or fault.status not in (None, 404):
                    raise
                self._named[key] = (str(fault), None)
        return self._named[key]

    def _placed(self, base: KnownBase, image: LambdaImage) -> tuple[str, KnownBase]:
        """Give a base the tag and the stream that lead to it: a name beside a digest is but a hint, too.

        Where no tag that was asked leads to it, the hint's name stays only in a copy that has no date stamps.
        """
        is_stamped = False
        for runtime, tag in islice(self._tags_of(base, image), _STREAM_REQUESTS):
            document = self._tagged(tag)
            if document and base.digest in (document.digest, _platform_digest(document, base.platform)):
                reference = tag.with_digest(base.reference.digest or document.digest)
                return "fetched", replace(base, runtime=runtime, reference=reference)
            is_stamped = is_stamped or (document is not None and tag.tag != image.upstream.tag)
        if not is_stamped:
            return "fetched; no tag leads to it, the name is the hint's", base
        nameless = base.reference.with_tag(None).with_digest(base.shared)
        return "fetched; no tag that was asked leads to it", replace(base, runtime="", reference=nameless)

    def _tags_of(self, base: KnownBase, image: LambdaImage) -> Iterator[tuple[str, Reference]]:
        """What may lead to a base that is named by digest: the tag beside it, and date stamps of its repository."""
        if image.upstream.tag:
            yield base.runtime, image.upstream.with_digest(None)
        made = hours((base.created,))
        likely, live, ended = streams(self._catalogue, base.platform, (base.runtime,), made[0] if made else None)
        for group in ((*likely, *live), ended):
            yield from _stamped((each for each in group if each.repository == image.upstream.repository), made)

    def _tagged(self, tag: Reference) -> Manifest | Index | None:
        """What a tag names; None if it is not there."""
        if tag not in self._tags:
            try:
                self._tags[tag] = self._registry.manifest(tag)
            except RegistryError as fault:
                if fault.status != 404:
                    raise
                self._tags[tag] = None
        return self._tags[tag]

    def _of_tag(
        self, runtime: str, tag: Reference, document: Manifest | Index, platform: Platform, known: frozenset[Digest]
    ) -> KnownBase | None:
        """The base that a tag leads to, unless it is known or there is none for the platform."""
        digest = _platform_digest(document, platform)
        if digest is None or digest in known:
            return None
        reference = tag.with_digest(document.digest)
        key = (reference, platform)
        if key not in self._bases:
            self._left -= _IMAGE_REQUESTS
            self._bases[key] = known_base(runtime, reference, self._registry.image(tag.with_digest(digest)))
        return self._bases[key]


def _stamped(runtimes: Iterable[Runtime], made: Sequence[datetime]) -> Iterator[tuple[str, Reference]]:
    """The date-stamped tags of streams around some hours, likeliest first, each with its stream."""
    tags = [(runtime, tag) for runtime in runtimes if (tag := LambdaTag.parse(runtime.tag))]
    for stamp in stamps(made):
        for runtime, tag in tags:
            yield runtime.identifier, runtime.reference.with_tag(str(tag.with_stamp(stamp)))


def fetch_base(reference: Reference, platform: Platform, registry: Registry) -> KnownBase:
    """Fetch one platform of a base that is named with its digest, from where the name leads."""
    image = registry.image(reference, platform)
    named = lambda_image(reference)
    return known_base((named.runtime if named else None) or "", reference, image)


def _platform_digest(document: Manifest | Index, platform: Platform) -> Digest | None:
    """The manifest of a platform; an older base is one manifest, whose config has yet to say for what."""
    if isinstance(document, Manifest):
        return document.digest
    entry = document.images.get(platform)
    return entry.digest if entry else None

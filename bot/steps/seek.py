"""Seek: fetch the bases that an image's own hints lead to, so that its layers can be compared with them.

Whatever a hint says, only the repositories of the catalogue are asked, under AWS's own name: no image can make refrom
talk to a host of its choice. The requests are bounded, and none is made twice in one inquiry.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Final

from bot.core.digest import Digest
from bot.core.errors import RegistryError
from bot.core.image import Image, Index, Manifest
from bot.core.leads import Lead, NamedBase, hours, moments, streams
from bot.core.observation import KnownBase
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.runtimes import Catalogue
from bot.core.tags import LambdaImage, LambdaTag, lambda_image, stamps
from bot.ports.registry import Registry
from bot.steps.watch import known_base

DATED_REQUESTS: Final = 80
"""What date-stamped tags may cost in one inquiry: an anonymous reader of ECR Public makes one request a second."""
MOST_NAMED: Final = 4
"""How many named bases are fetched for one image: it has one in truth, and a build in stages names few."""

_MOST_LEADS = 20
_STREAM_REQUESTS = 12
_IMAGE_REQUESTS = 2

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
        for runtime, tag in self._dated_tags(image.platform, made, frozenset(likely)):
            if self._left <= _IMAGE_REQUESTS or (found and proves(found[-1])):
                break
            asked += 1
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

        Where no tag that was asked leads to it, as in a copy without date stamps, the hint's name stays.
        """
        for runtime, tag in islice(self._tags_of(base, image), _STREAM_REQUESTS):
            document = self._tagged(tag)
            if document and base.digest in (document.digest, _platform_digest(document, base.platform)):
                reference = tag.with_digest(base.reference.digest or document.digest)
                return "fetched", replace(base, runtime=runtime, reference=reference)
        return "fetched; no tag that was asked leads to it", base

    def _tags_of(self, base: KnownBase, image: LambdaImage) -> Iterator[tuple[str, Reference]]:
        """What may lead to a base that is named by digest: the tag beside it, and date stamps of its repository."""
        name = image.upstream.with_tag(None)
        if image.upstream.tag:
            yield base.runtime, name.with_tag(image.upstream.tag)
        for runtime, tag in self._dated_tags(base.platform, hours((base.created,)), frozenset((base.runtime,))):
            if tag.name == name.name:
                yield runtime, tag

    def _dated_tags(
        self, platform: Platform, made: tuple[datetime, ...], likely: frozenset[str]
    ) -> Iterator[tuple[str, Reference]]:
        """Date-stamped tags with their streams, likeliest first: all hours of one group before the next."""
        for group in streams(self._catalogue, platform, likely, made[0] if made else None):
            for stamp in stamps(made):
                for runtime in group:
                    tag = LambdaTag.parse(runtime.tag)
                    if tag:
                        yield runtime.identifier, runtime.reference.with_tag(str(tag.with_stamp(stamp)))

    def _tagged(self, tag: Reference) -> Manifest | Index | None:
        """What a tag names; None if it is not there, or if no more may be asked."""
        if tag not in self._tags:
            if self._left <= 0:
                return None
            self._left -= 1
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

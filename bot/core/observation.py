"""What was seen of a stream: its digest, and for each platform the layers that lineage compares with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.core.digest import Digest
from bot.core.platforms import Platform
from bot.core.reference import Reference
from bot.core.tags import LambdaTag


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBase:
    """One platform of one base image that a registry has shown us."""

    runtime: str
    reference: Reference
    """Name, tag and the digest that the tag pointed to (an index or a single manifest)."""
    platform: Platform
    digest: Digest
    """The platform's own manifest."""
    layers: tuple[Digest, ...]
    diff_ids: tuple[Digest, ...]
    created: datetime | None = None

    @property
    def shared(self) -> Digest:
        """What all platforms of a base share: the digest that its tag pointed to."""
        return self.reference.digest or self.digest

    @property
    def digests(self) -> frozenset[Digest]:
        """The digests by which it may be named: that of all platforms, and that of its own."""
        return frozenset((self.shared, self.digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One digest of one stream, with when it was first and last seen (UTC)."""

    runtime: str
    reference: Reference
    """Name and tag that were asked."""
    digest: Digest
    bases: tuple[KnownBase, ...]
    first_seen: datetime
    last_seen: datetime

    @property
    def created(self) -> datetime | None:
        """The oldest creation time that a platform's config states."""
        return min((base.created for base in self.bases if base.created), default=None)

    @property
    def stamp(self) -> datetime | None:
        """The hour at which AWS published it, where the tag says that."""
        tag = LambdaTag.parse(self.reference.tag or "")
        return tag.stamp if tag else None

    @property
    def first_seen_by(self) -> str:
        """How `first_seen` is known: by a `watch`, or for want of history from the `stamp` or from `created`."""
        taken = {self.created: "created", self.stamp: "stamp"}
        return taken.get(self.first_seen, "watch")

    @property
    def digests(self) -> frozenset[Digest]:
        """Every digest under which it goes: its own and its platforms'."""
        return frozenset((self.digest, *(base.digest for base in self.bases)))

    @property
    def platforms(self) -> Mapping[Platform, KnownBase]:
        """The bases by platform."""
        return {base.platform: base for base in self.bases}

"""What the plan decides, and from what: uses of bases, what is known of each, and what is to be done about it.

What each decision means stands in `docs/explanation/how-an-update-travels.md`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.carriers import LocatedUse
from bot.core.change import BaseChange
from bot.core.digest import Digest
from bot.core.observation import Observation


class Action(StrEnum):
    """What an update does."""

    BUMP = "bump"
    PIN = "pin"
    REBUILD = "rebuild"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseUse:
    """One reference to a Lambda base in one commit of one source repository."""

    repository: str
    commit: str
    located: LocatedUse

    @property
    def sort_key(self) -> tuple[str, str, int, str]:
        """Where the use stands: repository, path, line, text."""
        return (self.repository, self.located.path, self.located.use.line, self.located.use.raw)

    @property
    def names(self) -> tuple[object, ...]:
        """What is used where: build arguments may make another image of the same text."""
        return (*self.sort_key, self.located.use.resolved)

    @property
    def runtime(self) -> str | None:
        """The runtime identifier that the reference names."""
        image = self.located.use.lambda_image
        return image.runtime if image else None

    @property
    def pinned(self) -> Digest | None:
        """The digest that the reference states."""
        reference = self.located.use.reference
        return reference.digest if reference else None

    @property
    def dated(self) -> bool:
        """Whether the reference's tag has a date stamp."""
        image = self.located.use.lambda_image
        return bool(image and image.tag and image.tag.stamp)

    @property
    def fixed(self) -> bool:
        """Whether the file itself says which image it is, so that no rebuild alone brings a newer one."""
        return self.dated or self.pinned is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """A use whose current base is not known, and why; `passing` says that it will be, without anybody's help."""

    use: BaseUse
    fault: str
    passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """From when on the rollout of a base lets a use take it, None for never; `why` names the phase, or what halted."""

    opens: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known about one use when it is decided.

    `in_use` is the base that is old: the pinned digest, else what the deployed image proves, else None.
    `latest` is what an update would lead to, and `candidate` its digest for this use; `dated_tag` is the date-stamped
    tag that names it, None if there is none or nobody asked. `passed_over` is the stream's newest digest where that is
    blocked, so that `latest` is an older one.
    `change` compares the two; None where they are equal or could not be compared (`fault` then says why).
    `behind_since` is when something newer than `in_use` first appeared; `ahead` says that `in_use` is the newer one,
    and `sick` that it is blocked.
    `changed` is when somebody other than refrom last changed the default branch, and `admission` what the rollout says,
    None where there is none.
    """

    use: BaseUse
    latest: Observation
    candidate: Digest
    dated_tag: str | None = None
    in_use: Digest | None = None
    change: BaseChange | None = None
    behind_since: datetime | None = None
    fault: str = ""
    ahead: bool = False
    sick: bool = False
    passed_over: Digest | None = None
    changed: datetime | None = None
    admission: Admission | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The base is to be brought up to date.

    `tag` replaces the tag, which stays where it is None. `writes_digest` says that the digest stands after it.
    `behind_since` is when something newer than `old` first appeared.
    It goes `back` where the base in use is blocked, and the newest other one is older.
    """

    use: BaseUse
    action: Action
    reason: str
    old: Digest | None
    new: Digest
    tag: str | None
    writes_digest: bool = True
    change: BaseChange | None = None
    behind_since: datetime | None = None
    back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """Nothing to do."""

    use: BaseUse
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something newer is there, but not yet to be taken; `until` is None where no date is known."""

    use: BaseUse
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A person said no: by a hold, or by a block of the base that an update would bring, which is then `blocked`."""

    use: BaseUse
    reason: str
    blocked: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """refrom cannot or must not handle this use; `opted_out` says that the repository's own file forbids it."""

    use: BaseUse
    reason: str
    opted_out: bool = False


Decision = Update | Current | Waiting | Held | Skip

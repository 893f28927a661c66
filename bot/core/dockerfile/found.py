"""What reading a file finds: uses together with where their text stands, so that it can be edited."""

from dataclasses import dataclass, field

from bot.core.dockerfile.names import Named
from bot.core.dockerfile.uses import Unread, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A use, the parts of its text, and the place at which text is added at its end (`NOWHERE` if in no file).

    `defaults` number the defaults of arguments that gave a part of it.
    """

    use: Use
    named: Named
    end: int
    defaults: frozenset[int] = frozenset()


@dataclass(slots=True, kw_only=True)
class Findings:
    """Everything that a file gives: its uses, and those of which nothing is known."""

    found: list[Found] = field(default_factory=list)
    skipped: list[Unread] = field(default_factory=list)

"""Files of a tree, and the uses in them."""

from dataclasses import dataclass

from bot.core.carriers.pieces import Build
from bot.core.dockerfile import Unread, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a tree, its path with forward slashes from the root; `fault` says why it could not be read."""

    path: str
    content: bytes = b""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What becomes of a use when a carrier builds its Dockerfile with other arguments or another target.

    An argument is None where its value is put in from elsewhere; what it gives is not known then.
    """

    source: str
    args: tuple[tuple[str, str | None], ...]
    target: str | None
    resolved: str | None
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedUse:
    """A use in a file of a tree."""

    path: str
    carrier: str
    use: Use
    contexts: tuple[Context, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileScan:
    """What one file names, what of it could not be read, and which Dockerfiles it builds."""

    uses: tuple[LocatedUse, ...] = ()
    skipped: tuple[Unread, ...] = ()
    builds: tuple[Build, ...] = ()

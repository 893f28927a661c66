"""What the readers of other carriers hand over: words that may be references, Dockerfiles inside, and builds."""

from dataclasses import dataclass, field

from bot.core.dockerfile.source import Traced


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A carrier builds this Dockerfile with these arguments; paths are relative to the root of the tree."""

    dockerfile: str
    args: tuple[tuple[str, str | None], ...] = ()
    target: str | None = None


@dataclass(slots=True, kw_only=True)
class Pieces:
    """The parts of one file. A word is a whole value: a string, a scalar, a word of a command."""

    words: list[Traced] = field(default_factory=list)
    dockerfiles: list[Traced] = field(default_factory=list)
    builds: list[Build] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)
    """The words of each command of a shell."""


class CarrierError(ValueError):
    """A file that does not follow the grammar of its kind."""

    def __init__(self, reason: str, *, line: int = 1) -> None:
        super().__init__(reason)
        self.line = line

"""What a reading of a Dockerfile gives: uses of images, where an edit of each would go, and what could not be read."""

from dataclasses import dataclass

from bot.core.reference import Reference
from bot.core.tags import LambdaImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """The text that an update replaces stands in the instruction itself, on this line.

    `also` are further sites that change together with it; `obstacle` says why no digest can be written safely.
    """

    line: int
    also: "tuple[Literal | ArgDefault, ...]" = ()
    obstacle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgDefault:
    """The text that an update replaces stands in the default of `ARG` `arg`, on this line; else as in `Literal`."""

    line: int
    arg: str
    also: "tuple[Literal | ArgDefault, ...]" = ()
    obstacle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolvable:
    """The text that an update would replace stands nowhere in the file."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One image that one instruction makes a build pull.

    `line` is the physical line, from 1, on which the instruction starts; `kind` is `from`, `copy-from`, `mount-from`
    or, in other carriers, `literal`; `raw` is the reference as written and `resolved` what a plain build makes of it,
    None if a part of it is not known. `final` says whether the target needs it,
    `base` whether the target's own file system starts from it.
    """

    line: int
    kind: str
    raw: str
    resolved: str | None
    reference: Reference | None
    stage: str | None
    final: bool
    platform: str | None
    lambda_image: LambdaImage | None
    edit: Literal | ArgDefault | Unresolvable
    base: bool = False
    cannot_retag: str = ""
    """Why the tag cannot be replaced where the digest can, "" else."""

    @property
    def cannot_edit(self) -> str:
        """Why no digest can be written, "" where one can."""
        match self.edit:
            case Unresolvable(reason=reason):
                return reason
            case Literal(obstacle=obstacle) | ArgDefault(obstacle=obstacle):
                return obstacle


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something that could not be read, and why."""

    line: int
    raw: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All uses of a file in the order of their instructions. A file that BuildKit rejects has none."""

    uses: tuple[Use, ...]
    skipped: tuple[Unread, ...]

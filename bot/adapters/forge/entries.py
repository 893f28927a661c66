"""What a commit lists, and what of it is not read, whatever is in it: the same on every forge."""

from dataclasses import dataclass
from typing import Final

from bot.ports.forge import LARGEST_SOURCE

LINK: Final = "120000"
SUBMODULE: Final = "160000"
NAMELESS: Final = "its name is not UTF-8"
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """A file, link or submodule of a commit: git's mode in octal digits, the object id, bytes."""

    path: str
    mode: str
    id: str
    size: int

    @property
    def why_unread(self) -> str:
        """Why it is not read for the bases that it names; nothing if it is.

        A name that is no UTF-8 comes from a forge with replacement characters in it.
        """
        if self.mode == LINK:
            return "a symbolic link, which is not followed"
        if self.mode == SUBMODULE:
            return "a submodule, which is a repository of its own"
        if _REPLACED in self.path:
            return NAMELESS
        return f"larger than {LARGEST_SOURCE} bytes; not read" if self.size > LARGEST_SOURCE else ""

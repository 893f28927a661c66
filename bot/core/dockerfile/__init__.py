"""Dockerfiles: read exactly as BuildKit reads them, edited byte by byte.

`read_uses` lists the images that a build pulls, `repoint` gives references another tag or digest and proves that
nothing else changed, `same_but_for_bases` says whether two files differ in their Lambda bases alone.
"""

from bot.core.dockerfile.editing import Repoint
from bot.core.dockerfile.listing import read_uses, repoint, same_but_for_bases
from bot.core.dockerfile.uses import ArgDefault, Literal, Reading, Unread, Unresolvable, Use

__all__ = [
    "ArgDefault",
    "Literal",
    "Reading",
    "Repoint",
    "Unread",
    "Unresolvable",
    "Use",
    "read_uses",
    "repoint",
    "same_but_for_bases",
]

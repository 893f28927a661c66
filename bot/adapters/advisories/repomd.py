"""repomd.xml, the index of a package repository's metadata, as createrepo_c writes it: where updateinfo is."""

import re
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import Final

from bot.adapters.advisories.elements import Start, elements
from bot.core.errors import AdvisoryError

_HASHES: Final = {"sha256": sha256, "sha512": sha512}
_HREF: Final = re.compile(r"(?!.*(?:^|/)\.\.?(?:/|$))[A-Za-z0-9._-][A-Za-z0-9._/-]{0,300}", re.ASCII)
_TEXTS: Final = frozenset(("checksum",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Where a file lies, relative to the repository, and what its bytes must be."""

    href: str
    algorithm: str
    checksum: str

    def fits(self, content: bytes) -> bool:
        """Say whether these are the bytes that the index promised."""
        return _HASHES[self.algorithm](content).hexdigest() == self.checksum


def find_updateinfo(content: bytes) -> Pointer:
    """Find the updateinfo of a repository. Raises `AdvisoryError` if there is none, or none that can be trusted."""
    found: Pointer | None = None
    kind = href = algorithm = checksum = ""
    for event in elements([content], _TEXTS):
        match event:
            case Start(name="data"):
                kind, href = event.attributes.get("type", ""), ""
                algorithm = checksum = ""
            case Start(name="location"):
                href = event.attributes.get("href", "")
            case Start(name="checksum"):
                algorithm = event.attributes.get("type", "")
            case Start():
                pass
            case end if end.name == "checksum":
                checksum = end.text.strip()
            case end if end.name == "data" and kind == "updateinfo":
                found = _pointer(href, algorithm, checksum)
    if found is None:
        raise AdvisoryError("names no updateinfo; name the mirror list of a repository that has one")
    return found


def _pointer(href: str, algorithm: str, checksum: str) -> Pointer:
    if not _HREF.fullmatch(href):
        raise AdvisoryError(f"has updateinfo at {href[:80]!r}, which is no path inside the repository")
    if algorithm not in _HASHES:
        raise AdvisoryError(f"has updateinfo under a checksum of type {algorithm[:20]!r}, which proves nothing")
    return Pointer(href=href, algorithm=algorithm, checksum=checksum)

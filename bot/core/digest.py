"""Content digests (OCI image-spec, descriptor.md, "Digests")."""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from bot.core.errors import InvalidReference

_LENGTHS = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """An algorithm and the lower-case hexadecimal digest; `str()` gives `sha256:<hex>` back."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `sha256:<64 hex>` or `sha512:<128 hex>`; anything else is an `InvalidReference`."""
        algorithm, _, digits = text.partition(":")
        if len(digits) != _LENGTHS.get(algorithm) or not _HEX.match(digits):
            raise InvalidReference(f"digest {text[:160]!r} is malformed; write sha256: and 64 lower-case hex digits")
        return cls(algorithm, digits)

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Return the sha256 digest of some bytes."""
        return cls("sha256", hashlib.sha256(content).hexdigest())

    def verifies(self, content: bytes) -> bool:
        """Say whether the bytes have this digest."""
        return hashlib.new(self.algorithm, content).hexdigest() == self.hex

    @property
    def short(self) -> str:
        """The first twelve hex digits, for people and for names."""
        return self.hex[:12]

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

"""Platforms as os/architecture/variant (OCI image-spec, image-index.md; containerd platforms normalisation)."""

from dataclasses import dataclass
from typing import Self

from bot.core.errors import InvalidReference

_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
_LAMBDA_NAMES = {"amd64": "x86_64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """What an image runs on; `arm64/v8` is the same as `arm64`, `x86_64` the same as `amd64`."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `linux/amd64`, `linux/arm64/v8` or a bare architecture as BuildKit does; `str()` normalises."""
        parts = text.lower().split("/")
        if len(parts) == 1 and parts[0] not in ("linux", "windows"):
            parts = ["linux", parts[0]]
        if not 2 <= len(parts) <= 3 or not all(parts):
            raise InvalidReference(f"platform {text[:80]!r} is malformed; write os/architecture, such as linux/arm64")
        return cls.of(*parts)

    @classmethod
    def of(cls, os: str, architecture: str, variant: str = "") -> Self:
        """Normalise the three fields of an OCI platform object."""
        architecture = _ARCHITECTURES.get(architecture, architecture)
        if architecture == "arm64" and variant in ("8", "v8"):
            variant = ""
        return cls(os, architecture, variant)

    @classmethod
    def of_function(cls, architecture: str) -> Self:
        """Translate Lambda's `Architectures` value (`x86_64` or `arm64`)."""
        return cls.of("linux", architecture)

    @property
    def lambda_architecture(self) -> str | None:
        """Lambda's word for this architecture, or None if Lambda has none."""
        return _LAMBDA_NAMES.get(self.architecture) if self.os == "linux" and not self.variant else None

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

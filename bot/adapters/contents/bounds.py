"""How much a layer may hold before it is called a bomb."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of one layer; the defaults take every layer that Lambda's 10 GB for an image leaves room for."""

    entries: int = 500_000
    path: int = 4096
    """Bytes of one path or link target (Linux's PATH_MAX)."""
    names: int = 100 << 20
    """Bytes of all paths and link targets, which are kept in memory."""
    expanded: int = 10 << 30
    """Bytes of the uncompressed tar."""
    ratio: int = 200
    """Expanded bytes for each compressed byte; counted from `slack` on, since short runs of zeros compress well."""
    slack: int = 256 << 20
    database: int = 64 << 20
    """Bytes of package databases and language files that are kept in memory, all of a layer together."""

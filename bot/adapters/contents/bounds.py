"""How much a layer may hold before it is called a bomb."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of one layer; the defaults leave a Lambda image of 10 GB uncompressed room, and no more."""

    entries: int = 1_000_000
    path: int = 4096
    """Bytes of one path."""
    expanded: int = 10 * 1024**3
    """Bytes of the uncompressed tar."""
    ratio: int = 1_100
    """Expanded bytes for each compressed byte; gzip itself ends near 1,032."""
    database: int = 512 * 1024**2
    """Bytes of a package database that is read into memory."""

"""What one layer holds, as values: entries, whiteouts, packages, language versions (OCI image-spec, layer.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.digest import Digest


class Kind(StrEnum):
    """What a path in a layer is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One path of a layer without its times; two entries that are equal look the same in a container."""

    kind: Kind
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    content: str = ""
    """sha256 hex of a file, target of a link, device numbers of a device.

    Times inside a file that say nothing but when it was made are left out of the sha256: the mtime of a source in
    compiled Python, the mtime in a gzip header, the install times in an RPM database.
    """
    xattrs: tuple[tuple[str, str], ...] = ()
    """Extended attributes, by name, each with the sha256 hex of its value; file capabilities are one of them."""


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """An installed package: `evr` is epoch:version-release, the epoch left out where it is 0."""

    name: str
    arch: str
    evr: str


@dataclass(frozen=True, slots=True, order=True)
class Language:
    """The language that a Lambda runtime carries, such as `python` and `3.13.9`."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """A part of Lambda's own in a base image, such as the runtime interface emulator.

    `version` is what its files say; where they say nothing, the beginning of the sha256 of its program.
    """

    name: str
    version: str
    path: str
    """The file or directory that told the version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one layer adds and hides. Paths have no leading slash and no trailing one."""

    digest: Digest
    entries: Mapping[str, Entry]
    whiteouts: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()
    packages: tuple[Package, ...] | None = None
    """The packages of the database in this layer; None where the layer has no package database."""
    language: Language | None = None
    unread: tuple[str, ...] = field(default=())
    """What was found but could not be read, each with its reason."""
    components: tuple[Component, ...] = ()
    diff_id: Digest | None = None
    """The digest of the uncompressed tar; None where it was not computed."""

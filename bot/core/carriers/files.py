"""Files as they come from a tree: bytes that may be anything, read by the rules of their kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.carriers.kinds import kind_of
from bot.core.dockerfile import Repoint, Unread, Use, read_uses
from bot.core.dockerfile import repoint as repoint_dockerfile
from bot.core.dockerfile import same_but_for_bases as same_dockerfile
from bot.core.errors import DockerfileError

LARGEST: Final = 10_000_000
"""In bytes; no larger file is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a tree; `fault` says why it could not be read."""

    path: str
    content: bytes = b""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What one carrier makes of a use in a Dockerfile that it builds with other arguments or another target."""

    source: str
    args: tuple[tuple[str, str], ...]
    target: str | None
    resolved: str | None
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedUse:
    """A use in a file of a tree."""

    path: str
    carrier: str
    use: Use
    contexts: tuple[Context, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileScan:
    """What one file names, and what of it could not be read."""

    uses: tuple[LocatedUse, ...] = ()
    skipped: tuple[Unread, ...] = ()


def is_candidate(path: str) -> bool:
    """Say by its path whether a file may name a base image."""
    return kind_of(path) is not None


def scan_file(path: str, content: bytes, *, mirrors: Sequence[str] = ()) -> FileScan:
    """Read one file. Never raises: what cannot be read is under `skipped` with a reason."""
    kind = kind_of(path)
    if kind is None:
        return FileScan()
    if len(content) > LARGEST:
        return _unread(f"the file is larger than {LARGEST} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as fault:
        return _unread(f"the file is not UTF-8 (byte {fault.start}); save it as UTF-8")
    reading = read_uses(text, mirrors=mirrors)
    uses = tuple(LocatedUse(path=path, carrier=kind, use=use) for use in reading.uses)
    return FileScan(uses=uses, skipped=reading.skipped)


def repoint_file(path: str, content: bytes, changes: Sequence[Repoint]) -> bytes:
    """Return the file in which exactly these references say something else; errors are those of `repoint`."""
    return repoint_dockerfile(_decode(path, content), changes).encode()


def same_but_for_bases(path: str, old: bytes, new: bytes, *, mirrors: Sequence[str] = ()) -> bool:
    """Say whether two versions of a file are the same once the tags and digests of all Lambda bases are left out."""
    if old == new:
        return True
    try:
        return same_dockerfile(_decode(path, old), _decode(path, new), mirrors=mirrors)
    except DockerfileError:
        return False


def _decode(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as fault:
        raise DockerfileError(f"{path} is not UTF-8; save it as UTF-8", line=1) from fault


def _unread(reason: str) -> FileScan:
    return FileScan(skipped=(Unread(line=1, raw="", reason=reason),))

"""Files as they come from a tree: bytes that may be anything, read by the rules of their kind."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from bot.core.carriers.kinds import Kind, is_worth_reading, kind_of
from bot.core.carriers.located import FileScan, LocatedUse
from bot.core.carriers.pieces import CarrierError
from bot.core.carriers.reader import find, read_findings, read_pieces
from bot.core.dockerfile import Repoint, Unread, read_uses
from bot.core.dockerfile.editing import Read, edit, without_bases
from bot.core.dockerfile.found import Findings
from bot.core.errors import DockerfileError

LARGEST: Final = 10_000_000
"""In bytes; no larger file is read."""


def is_candidate(path: str) -> bool:
    """Say by its path whether a file may name a base image."""
    return kind_of(path) is not None


def may_name_base(path: str, content: bytes, *, mirrors: Sequence[str] = ()) -> bool:
    """Say by a byte search whether reading a file may find anything; what finds nothing need not be kept."""
    kind = kind_of(path)
    return kind is not None and is_worth_reading(kind, content, mirrors)


def scan_file(path: str, content: bytes, *, mirrors: Sequence[str] = ()) -> FileScan:
    """Read one file. Never raises: what cannot be read is under `skipped` with a reason."""
    kind = kind_of(path)
    if kind is None or not may_name_base(path, content, mirrors=mirrors):
        return FileScan()
    if len(content) > LARGEST:
        return _unread(f"the file is larger than {LARGEST} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as fault:
        return _unread(f"the file is not UTF-8 (byte {fault.start}); save it as UTF-8")
    return _scan_dockerfile(path, text, mirrors) if kind is Kind.DOCKERFILE else _scan(kind, path, text, mirrors)


def repoint_file(path: str, content: bytes, changes: Sequence[Repoint], *, mirrors: Sequence[str] = ()) -> bytes:
    """Return the file in which exactly these references say something else.

    The result is read again; a `DockerfileError` says which other reference would have changed with it, why a reference
    cannot be edited, or that two changes want different things of one place. Repeating an edit changes nothing.
    """
    return edit(_decode(path, content), changes, _reader(path, mirrors)).encode()


def same_but_for_bases(path: str, old: bytes, new: bytes, *, mirrors: Sequence[str] = ()) -> bool:
    """Say whether two versions of a file are the same once the tags and digests of all Lambda bases are left out."""
    if old == new:
        return True
    try:
        read = _reader(path, mirrors)
        return without_bases(_decode(path, old), read) == without_bases(_decode(path, new), read)
    except DockerfileError:
        return False


def _scan_dockerfile(path: str, text: str, mirrors: Sequence[str]) -> FileScan:
    reading = read_uses(text, mirrors=mirrors)
    uses = tuple(LocatedUse(path=path, carrier=Kind.DOCKERFILE, use=use) for use in reading.uses)
    return FileScan(uses=uses, skipped=reading.skipped)


def _scan(kind: Kind, path: str, text: str, mirrors: Sequence[str]) -> FileScan:
    try:
        pieces = read_pieces(kind, path, text)
    except CarrierError as fault:
        return _unread(str(fault), line=fault.line)
    findings = find(pieces, text, mirrors)
    return FileScan(
        uses=tuple(LocatedUse(path=path, carrier=kind, use=found.use) for found in findings.found),
        skipped=tuple(findings.skipped),
        builds=tuple(pieces.builds),
    )


def _reader(path: str, mirrors: Sequence[str]) -> Read:
    kind = kind_of(path)
    if kind is None:
        raise DockerfileError(f"{path} is of no kind that names base images", line=1)
    return partial(_read, kind, path, tuple(mirrors))


def _read(kind: Kind, path: str, mirrors: Sequence[str], text: str) -> Findings:
    return read_findings(kind, path, text, mirrors)


def _decode(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as fault:
        raise DockerfileError(f"{path} is not UTF-8; save it as UTF-8", line=1) from fault


def _unread(reason: str, line: int = 1) -> FileScan:
    return FileScan(skipped=(Unread(line=line, raw="", reason=reason),))

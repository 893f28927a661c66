"""The uses of a Dockerfile, whether or not BuildKit would take it, and their edit."""

from collections.abc import Mapping, Sequence
from functools import partial

from bot.core.dockerfile.editing import Repoint, edit, without_bases
from bot.core.dockerfile.reading import read
from bot.core.dockerfile.uses import Reading, Unread
from bot.core.errors import DockerfileError


def read_uses(
    text: str,
    *,
    build_args: Mapping[str, str | None] | None = None,
    target: str | None = None,
    mirrors: Sequence[str] = (),
) -> Reading:
    """List the images that a build of this file pulls.

    `build_args` win over defaults; one that is None is given, but not known. `target` is the stage that is built, the
    last one if None. Never raises: a file that BuildKit rejects has no uses and one entry under `skipped`.
    """
    try:
        findings = read(text, build_args=build_args, target=target, mirrors=mirrors)
    except DockerfileError as fault:
        return Reading(uses=(), skipped=(rejection(text, fault),))
    return Reading(uses=tuple(found.use for found in findings.found), skipped=tuple(findings.skipped))


def rejection(text: str, fault: DockerfileError) -> Unread:
    """Say why a file was rejected, and on which line."""
    lines = text.split("\n", fault.line)
    raw = lines[fault.line - 1].strip() if fault.line <= len(lines) else ""
    return Unread(line=fault.line, raw=raw[:200], reason=str(fault).removeprefix(f"line {fault.line}: "))


def repoint(text: str, changes: Sequence[Repoint]) -> str:
    """Return the Dockerfile in which exactly these references say something else.

    The result is read again; a `DockerfileError` says which other reference would have changed with it, why a reference
    cannot be edited, or that two changes want different things of one place. Repeating an edit changes nothing.
    """
    return edit(text, changes, read)


def same_but_for_bases(old: str, new: str, *, mirrors: Sequence[str] = ()) -> bool:
    """Say whether two Dockerfiles are the same once the tags and digests of all Lambda bases are left out."""
    if old == new:
        return True
    as_read = partial(read, mirrors=mirrors)
    try:
        return without_bases(old, as_read) == without_bases(new, as_read)
    except DockerfileError:
        return False

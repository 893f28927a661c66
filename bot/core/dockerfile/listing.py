"""The uses of a file, whether or not BuildKit would take it."""

from collections.abc import Mapping, Sequence

from bot.core.dockerfile.reading import read
from bot.core.dockerfile.uses import Reading, Unread
from bot.core.errors import DockerfileError


def read_uses(
    text: str, *, build_args: Mapping[str, str] | None = None, target: str | None = None, mirrors: Sequence[str] = ()
) -> Reading:
    """List the images that a build of this file pulls.

    `build_args` win over defaults; `target` is the stage that is built, the last one if None. Never raises: a file that
    BuildKit rejects has no uses and one entry under `skipped`.
    """
    try:
        whole = read(text, build_args=build_args, target=target, mirrors=mirrors)
    except DockerfileError as fault:
        lines = text.split("\n", fault.line)
        raw = lines[fault.line - 1].strip() if fault.line <= len(lines) else ""
        reason = str(fault).removeprefix(f"line {fault.line}: ")
        return Reading(uses=(), skipped=(Unread(line=fault.line, raw=raw[:200], reason=reason),))
    return Reading(uses=tuple(found.use for found in whole.found), skipped=tuple(whole.skipped))

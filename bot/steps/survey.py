"""Survey: where a source repository uses a Lambda base, at the commit of its default branch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.core.carriers import FileScan, is_candidate, scan_file
from bot.core.errors import ForgeError
from bot.core.plan import BaseUse
from bot.ports.forge import Forge, SourceRepository, Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something in a source repository that could not be read, and why."""

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one commit of a source repository uses, with the mirrors that were told.

    `files` are the files in which something was found, as they are.
    `opted_out` says that the repository's own file wants no pull requests; then nothing was looked for.
    """

    repository: SourceRepository
    uses: tuple[BaseUse, ...]
    unread: tuple[Unread, ...]
    files: Mapping[str, bytes]
    mirrors: tuple[str, ...] = ()
    opted_out: bool = False


def survey(repository: SourceRepository, forge: Forge, mirrors: Sequence[str] = ()) -> Survey:
    """Read every file that may name a base, and nothing else. Raises `ForgeError`."""
    sources = next(found for _, found in forge.sources([repository], is_candidate))
    if isinstance(sources, ForgeError):
        raise sources
    files = sources.files
    scans = {path: scan_file(path, content, mirrors=mirrors) for path, content in sorted(files.items())}
    return Survey(
        repository=repository,
        uses=tuple(_uses(repository, scans)),
        unread=(*_unread_files(sources), *_unread(scans)),
        files={path: files[path] for path, scan in scans.items() if scan.uses or scan.skipped},
        mirrors=tuple(mirrors),
    )


def _uses(repository: SourceRepository, scans: Mapping[str, FileScan]) -> list[BaseUse]:
    return [
        BaseUse(repository=repository.name, commit=repository.commit, located=located)
        for scan in scans.values()
        for located in scan.uses
        if located.use.lambda_image
    ]


def _unread_files(sources: Sources) -> list[Unread]:
    return [Unread(path=path, line=None, reason=reason) for path, reason in sorted(sources.unread.items())]


def _unread(scans: Mapping[str, FileScan]) -> list[Unread]:
    return [
        Unread(path=path, line=entry.line, reason=entry.reason)
        for path, scan in scans.items()
        for entry in scan.skipped
    ]

"""Survey: where a source repository uses a Lambda base, at the commit of its default branch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from bot.core.carriers import FileScan, is_candidate, may_name_base, reading_id, scan_file
from bot.core.decision import BaseUse
from bot.core.errors import ForgeError
from bot.core.policy import OWN_FILE
from bot.ports.forge import Forge, SourceRepository, Sources
from bot.ports.store import Remembered, SourceMemory

_AHEAD: Final = 1000
"""Repositories that a forge is asked for at once; it gives them one after the other."""
_POINTER: Final = b"version https://git-lfs.github.com/spec/v1"
_POINTER_TOLD: Final = "a pointer of Git LFS; what it stands for is not in the repository"


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
    `opted_out` says that the repository's own file wants nothing done.
    `changed` is when somebody other than refrom last changed the default branch, None where nobody is known to have.
    """

    repository: SourceRepository
    uses: tuple[BaseUse, ...]
    unread: tuple[Unread, ...]
    files: Mapping[str, bytes]
    mirrors: tuple[str, ...] = ()
    opted_out: bool = False
    changed: datetime | None = None


class Surveyor:
    """Reads source repositories ahead, in the order in which they will be asked for.

    What was read is remembered; a repository whose commit has not moved since costs nothing.
    """

    def __init__(
        self, forge: Forge, memory: SourceMemory, order: Sequence[SourceRepository], mirrors: Sequence[str] = ()
    ) -> None:
        self._forge, self._memory, self._mirrors = forge, memory, tuple(mirrors)
        self._order, self._places = order, {repository.name: place for place, repository in enumerate(order)}
        self._reading = reading_id(mirrors)
        self._stream: Iterator[tuple[SourceRepository, Sources | ForgeError]] = iter(())
        self._ahead: dict[str, Sources | ForgeError] = {}

    def read(self, repository: SourceRepository) -> Sources:
        """Return the files that may name a base, and the repository's own file. Raises `ForgeError`."""
        if known := self._remembered(repository):
            return known
        if not self._is_read_until(repository):
            self._stream = self._forge.sources(self._next(repository), _is_wanted)
            if not self._is_read_until(repository):
                raise ForgeError(f"{repository.name}: the forge says nothing of it; run again later", retryable=True)
        found = self._ahead.pop(repository.name)
        if isinstance(found, ForgeError):
            raise found
        return found

    def _is_read_until(self, repository: SourceRepository) -> bool:
        while repository.name not in self._ahead:
            given = next(self._stream, None)
            if given is None:
                return False
            self._note(*given)
        return True

    def _note(self, repository: SourceRepository, found: Sources | ForgeError) -> None:
        if isinstance(found, Sources):
            found = _worth_keeping(found, self._mirrors)
            kept = Remembered(commit=repository.commit, reading=self._reading, sources=found)
            self._memory.put(repository.name, kept)
        self._ahead[repository.name] = found

    def _remembered(self, repository: SourceRepository) -> Sources | None:
        kept = self._memory.get(repository.name)
        is_current = kept and (kept.commit, kept.reading) == (repository.commit, self._reading)
        return kept.sources if kept and is_current else None

    def _next(self, repository: SourceRepository) -> list[SourceRepository]:
        """The repository, and those that will be asked for after it and are not remembered."""
        place = self._places.get(repository.name, len(self._order))
        later = (one for one in self._order[place + 1 :] if not one.fault and self._remembered(one) is None)
        return [repository, *islice(later, _AHEAD)]


def survey(repository: SourceRepository, sources: Sources, mirrors: Sequence[str] = ()) -> Survey:
    """Look for the uses in what was read of a repository."""
    files = sources.files
    scans = {path: scan_file(path, content, mirrors=mirrors) for path, content in sorted(files.items())}
    return Survey(
        repository=repository,
        uses=tuple(_uses(repository, scans)),
        unread=(*_unread_files(sources), *_unread(scans)),
        files={path: files[path] for path, scan in scans.items() if scan.uses or scan.skipped},
        mirrors=tuple(mirrors),
        changed=sources.changed,
    )


def survey_alone(repository: SourceRepository, forge: Forge, mirrors: Sequence[str] = ()) -> Survey:
    """Read one repository and look for the uses in it, whatever is remembered. Raises `ForgeError`."""
    ((_, found),) = forge.sources([repository], _is_wanted)
    if isinstance(found, ForgeError):
        raise found
    return survey(repository, _worth_keeping(found, mirrors), mirrors)


def _is_wanted(path: str) -> bool:
    return path == OWN_FILE or is_candidate(path)


def _worth_keeping(found: Sources, mirrors: Sequence[str]) -> Sources:
    """Leave out the files in which nothing can be found: most scripts name no base, and need not be remembered."""
    pointers = {path: _POINTER_TOLD for path, content in found.files.items() if content.startswith(_POINTER)}
    files = {
        path: content
        for path, content in found.files.items()
        if path not in pointers and (path == OWN_FILE or may_name_base(path, content, mirrors=mirrors))
    }
    return replace(found, files=files, unread={**found.unread, **pointers})


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

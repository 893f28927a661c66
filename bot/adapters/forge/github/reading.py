"""Files of many commits, without cloning: listed by `walking`, read by their object ids, many in one query.

Each is compared with its id. What GraphQL cannot give as it is (no UTF-8, cut off) comes by REST, one at a time.
"""

import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from bot.adapters.forge.entries import TreeEntry
from bot.adapters.forge.github.batches import TooMuch, answered, part
from bot.adapters.forge.github.calls import GitHub, Place
from bot.adapters.forge.github.walking import Walked, Walker
from bot.adapters.forge.github.wire import FileAnswer, parse
from bot.core.authorship import last_change
from bot.core.errors import ForgeError
from bot.ports.forge import SourceRepository, Sources

_TOGETHER: Final = 200
"""Repositories that are listed before the first of them is read."""
_A_QUERY: Final = 150
_BYTES_A_QUERY: Final = 2 * 2**20
_BYTES_A_REPOSITORY: Final = 128 * 2**20
_KEPT: Final = 32 * 2**20
"""Bytes of files that are remembered, because many repositories hold the same ones."""
_VERB: Final = "read its files"


@dataclass(frozen=True, slots=True)
class _File:
    """A file to ask for."""

    place: Place
    size: int


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A commit of which some files are still missing: their paths by object id."""

    repository: SourceRepository
    unread: Mapping[str, str]
    missing: dict[str, list[str]]
    changed: datetime | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    fault: ForgeError | None = None

    def take(self, oid: str, content: bytes) -> None:
        """Note a file, wherever it lies."""
        self.files |= dict.fromkeys(self.missing.pop(oid, ()), content)

    @property
    def is_done(self) -> bool:
        return self.fault is not None or not self.missing

    @property
    def result(self) -> Sources | ForgeError:
        files = dict(sorted(self.files.items()))
        return self.fault or Sources(files=files, unread=self.unread, changed=self.changed)


class Reader:
    """Reads files; an object that came lately is not asked for again. `branches` is how the names of ours begin."""

    def __init__(self, github: GitHub, walker: Walker, branches: str) -> None:
        self._github, self._walker, self._branches, self._kept = github, walker, branches, _Contents()

    def sources(
        self, repositories: Sequence[SourceRepository], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        """Read the wanted files of each, in their order; memory holds no more than a few repositories."""
        waiting = iter(repositories)
        while chunk := list(islice(waiting, _TOGETHER)):
            yield from self._read(chunk, self._walker.walk([(one.name, one.commit) for one in chunk], wanted))

    def contents(self, repository: str, entries: Sequence[TreeEntry]) -> Mapping[str, bytes]:
        """Read these files of a repository by path; of a link, its text. Raises `ForgeError`."""
        source = SourceRepository(name=repository)
        ((_, result),) = self._complete([_Pending(repository=source, unread={}, missing=_by_oid(entries))], entries)
        if isinstance(result, ForgeError):
            raise result
        return result.files

    def _read(
        self, chunk: Sequence[SourceRepository], walked: Sequence[Walked | ForgeError]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        pending = []
        entries: list[TreeEntry] = []
        for repository, found in zip(chunk, walked, strict=True):
            if isinstance(found, ForgeError):
                pending.append(_Pending(repository=repository, unread={}, missing={}, fault=found))
                continue
            unread = {entry.path: why for entry in found.entries if (why := entry.why_unread)}
            read = [entry for entry in found.entries if entry.path not in unread]
            entries += read
            pending.append(
                _Pending(
                    repository=repository,
                    unread=unread,
                    missing=_by_oid(read),
                    changed=last_change(found.history, self._branches),
                    fault=_too_large(repository.name, read),
                )
            )
        yield from self._complete(pending, entries)

    def _complete(
        self, pending: Sequence[_Pending], entries: Iterable[TreeEntry]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        """Give each commit once it has all its files; what is asked for is that of the first that lack some."""
        sizes, left = {entry.id: entry.size for entry in entries}, deque(pending)
        while left:
            for one in left:
                for oid in [oid for oid in one.missing if oid in self._kept]:
                    one.take(oid, self._kept[oid])
                if not one.is_done:
                    break
            while left and left[0].is_done:
                done = left.popleft()
                yield done.repository, done.result
            if left:
                self._fetch(left, _next_files(left, sizes, self._kept))

    def _fetch(self, left: Iterable[_Pending], files: Sequence[_File]) -> None:
        """Read some files, and hand them to all that miss them."""
        for file, answer in answered(files, self._ask, lambda _: None):
            place = file.place
            try:
                content = self._checked(file, answer)
            except ForgeError as fault:
                for one in left:
                    if one.repository.name == place.repository and place.oid in one.missing:
                        one.fault = fault
                continue
            self._kept.add(place.oid, content)
            for one in left:
                one.take(place.oid, content)

    def _ask(self, files: Sequence[_File]) -> Iterator[tuple[_File, bytes | ForgeError | None]]:
        reply = self._github.files([file.place for file in files])
        for i, file in enumerate(files):
            repository = file.place.repository
            try:
                found = parse(FileAnswer, part(reply, f"r{i}", repository, _VERB), repository).object
            except ForgeError as fault:
                yield file, fault
            else:
                whole = found is not None and found.text is not None and not found.is_truncated
                yield file, found.text.encode(errors="replace") if whole else None  # type: ignore[union-attr]

    def _checked(self, file: _File, answer: bytes | ForgeError | None) -> bytes:
        """Return the content of a file once it is the one of its id; raises `ForgeError`."""
        repository, oid = file.place.repository, file.place.oid
        if isinstance(answer, ForgeError) and not isinstance(answer, TooMuch):
            raise answer
        if isinstance(answer, bytes) and object_id(answer, like=oid) == oid:
            return answer
        content = self._github.blob(repository, oid)
        if object_id(content, like=oid) != oid:
            raise ForgeError(f"{repository}: the object {oid} came with other bytes than its id says; run again later")
        return content


class _Contents:
    """Contents by object id, of which the oldest go when they are too many bytes."""

    def __init__(self) -> None:
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def __contains__(self, oid: str) -> bool:
        return oid in self._contents

    def __getitem__(self, oid: str) -> bytes:
        self._contents.move_to_end(oid)
        return self._contents[oid]

    def add(self, oid: str, content: bytes) -> None:
        """Remember one that is not remembered."""
        self._contents[oid] = content
        self._bytes += len(content)
        while self._bytes > _KEPT:
            _, gone = self._contents.popitem(last=False)
            self._bytes -= len(gone)


def object_id(content: bytes, *, like: str) -> str:
    """The id that git gives a file, by the hash function of another id (of `blob`, the size, and the content)."""
    made = hashlib.new("sha1" if len(like) == 40 else "sha256", usedforsecurity=False)
    made.update(b"blob %d\0" % len(content) + content)
    return made.hexdigest()


def _next_files(left: Iterable[_Pending], sizes: Mapping[str, int], kept: _Contents) -> list[_File]:
    """Choose what to ask for at once: of one owner, in the order in which it is missed, within bounds."""
    files: dict[str, _File] = {}
    total = 0
    for one in left:
        for oid in one.missing if not one.fault else ():
            if oid in files or oid in kept:
                continue
            place = Place(one.repository.name, oid)
            first = next(iter(files.values()), None)
            total += sizes[oid]
            if first and (len(files) == _A_QUERY or total > _BYTES_A_QUERY or place.owner != first.place.owner):
                return list(files.values())
            files[oid] = _File(place, sizes[oid])
    return list(files.values())


def _by_oid(entries: Iterable[TreeEntry]) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for entry in entries:
        paths.setdefault(entry.id, []).append(entry.path)
    return paths


def _too_large(repository: str, entries: Iterable[TreeEntry]) -> ForgeError | None:
    total = sum(entry.size for entry in entries)
    if total <= _BYTES_A_REPOSITORY:
        return None
    return ForgeError(f"{repository}: its files that may name a base have {total} bytes together; exclude it")

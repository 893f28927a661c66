"""What commits hold, without cloning: folders of many repositories in one query, each with some levels below it.

What lies deeper is asked for in the next round, again many at once. GraphQL gives a folder whole or not at all, so
nothing is cut off without a word, as REST's recursive trees are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bot.adapters.forge.entries import TreeEntry
from bot.adapters.forge.github.batches import TooMuch, answered, in_batches, part
from bot.adapters.forge.github.calls import GitHub, Modes, Place
from bot.adapters.forge.github.wire import FolderAnswer, FolderEntry, TreeNode, parse
from bot.core.authorship import Said
from bot.core.errors import ForgeError

LEVELS: Final = 4
_A_QUERY: Final = 20
"""Folders that are asked for at once; with 4 levels, what most repositories hold comes in one query for 20 of them."""
_DEEPEST: Final = 100
_MOST_ENTRIES: Final = 500_000
_VERB: Final = "list its files"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """A folder to ask for: of which walk, its path with a slash at the end, and how many levels at once."""

    of: int
    place: Place
    path: str = ""
    levels: int = LEVELS


@dataclass(frozen=True, slots=True)
class Walked:
    """What a commit holds, in path order, and what the last commits say that lead to it."""

    entries: Sequence[TreeEntry]
    history: Sequence[Said] = ()


@dataclass(slots=True)
class _Walk:
    """What is known of one commit so far."""

    repository: str
    wanted: Callable[[str], bool]
    most: int
    found: list[TreeEntry] = field(default_factory=list)
    history: Sequence[Said] = ()
    seen: int = 0
    fault: ForgeError | None = None

    def take(self, folder: _Folder, answer: TreeNode | ForgeError) -> Iterator[_Folder]:
        """Note what a folder holds; gives the folders below it that are still to be asked for."""
        if isinstance(answer, TooMuch):
            what = f"the folder {folder.path or '/'}"
            answer = ForgeError(f"{self.repository}: {what} is too much for GitHub ({answer}); exclude it")
        if isinstance(answer, ForgeError):
            self.fault = self.fault or answer
            return
        self.history = self.history or [Said(one.committed_date, one.message) for one in answer.history.nodes]
        top = answer.tree or answer
        try:
            yield from self._look_through(folder, top.entries or ())
        except ForgeError as fault:
            self.fault = self.fault or fault

    def _look_through(self, folder: _Folder, entries: Iterable[FolderEntry]) -> Iterator[_Folder]:
        inside = [(folder.path, entries)]
        while inside:
            path, entries = inside.pop()
            for entry in entries:
                self._count(path)
                here = f"{path}{entry.name}"
                if entry.type != "tree":
                    self._note(here, entry)
                elif entry.object is None or entry.object.entries is None:
                    yield _Folder(of=folder.of, place=replace(folder.place, oid=entry.oid), path=f"{here}/")
                else:
                    inside.append((f"{here}/", entry.object.entries))

    def _note(self, path: str, entry: FolderEntry) -> None:
        if self.wanted(path):
            self.found.append(TreeEntry(path=path, mode=entry.octal_mode, id=entry.oid, size=entry.size))

    def _count(self, path: str) -> None:
        self.seen += 1
        if self.seen > self.most:
            raise ForgeError(f"{self.repository}: it has over {self.most} files and folders; exclude it")
        if path.count("/") > _DEEPEST:
            raise ForgeError(f"{self.repository}: its folders are nested deeper than {_DEEPEST}; exclude it")

    @property
    def result(self) -> Walked | ForgeError:
        return self.fault or Walked(sorted(self.found, key=lambda entry: entry.path), self.history)


class Walker:
    """Lists what commits hold; a commit that cannot be listed is its error, and the others go on.

    One with more than `most` files and folders is refused: a few trees that hold each other are a million files.
    """

    def __init__(self, github: GitHub, most: int = _MOST_ENTRIES) -> None:
        self._github, self._most = github, most

    def walk(self, commits: Sequence[tuple[str, str]], wanted: Callable[[str], bool]) -> Sequence[Walked | ForgeError]:
        """List the wanted paths of commits (of repository and id); in the order of the commits."""
        walks = [_Walk(repository, wanted, self._most) for repository, _ in commits]
        folders = [_Folder(of=i, place=Place(repository, oid)) for i, (repository, oid) in enumerate(commits)]
        while folders:
            deeper: list[_Folder] = []
            for batch in in_batches(folders, _A_QUERY, key=lambda folder: folder.place.owner):
                asked = [folder for folder in batch if walks[folder.of].fault is None]
                for folder, answer in answered(asked, self._ask, _fewer_levels):
                    deeper += walks[folder.of].take(folder, answer)
            folders = [folder for folder in deeper if walks[folder.of].fault is None]
        return [walk.result for walk in walks]

    def modes(self, repository: str, commit: str, paths: Iterable[str]) -> Modes:
        """The modes of those paths that are there and no folders; only the folders that they lie in are asked for."""
        by_folder: dict[str, dict[str, str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            if not {"", ".", ".."} & set(path.split("/")):
                by_folder.setdefault(folder, {})[name] = path
        found: dict[str, str] = {}
        for folder, entries in self._github.folders_at(repository, commit, tuple(by_folder)):
            names = by_folder[folder]
            found |= {names[e.name]: e.octal_mode for e in entries if e.name in names and e.type != "tree"}
        return found

    def _ask(self, folders: Sequence[_Folder]) -> Iterator[tuple[_Folder, TreeNode | ForgeError]]:
        patient = len(folders) == 1 and folders[0].levels == 1
        reply = self._github.folders([(folder.place, folder.levels) for folder in folders], patient=patient)
        for i, folder in enumerate(folders):
            try:
                yield folder, _folder_of(part(reply, f"r{i}", folder.place.repository, _VERB), folder)
            except ForgeError as fault:
                yield folder, fault


def _fewer_levels(folder: _Folder) -> _Folder | None:
    return replace(folder, levels=folder.levels // 2) if folder.levels > 1 else None


def _folder_of(answer: Mapping[str, object], folder: _Folder) -> TreeNode:
    repository, oid = folder.place.repository, folder.place.oid
    found = parse(FolderAnswer, answer, repository).object
    node = found.tree or found if found else None
    if found is None or node is None or node.entries is None:
        what = f"the folder {folder.path}" if folder.path else f"the commit {oid}"
        raise ForgeError(f"{repository}: GitHub does not have {what}; list the repositories again", retryable=True)
    return found

"""A forge on GitHub: what repositories there are, and what they hold."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bot.adapters.forge.export import export
from bot.adapters.forge.github.calls import GitHub
from bot.adapters.forge.github.fetching import fetched
from bot.adapters.forge.github.pulls import CommitWith, GitHubPullRequests, full, known
from bot.adapters.forge.github.refusals import Refusal
from bot.adapters.forge.github.tokens import NotInstalled
from bot.adapters.forge.github.wire import Repository
from bot.core.errors import ForgeError
from bot.ports.forge import SourceRepository, TreeEntry

_GLOB: Final = frozenset("*?[")


class GitHubForge(GitHubPullRequests):
    """Source repositories on one GitHub; implements `Forge` and `PullRequests`.

    `include` are names such as `acme/orders`, and patterns such as `acme/*` whose owner is literal.
    """

    def __init__(self, github: GitHub, include: Sequence[str], *, commit_with: CommitWith = "api") -> None:
        super().__init__(github, commit_with)
        self._include = tuple(include)
        self._tree = lru_cache(maxsize=64)(self._fetch_tree)

    def repositories(self) -> Sequence[SourceRepository]:
        """List the repositories in the order of their names; what is wrong with one is its `fault`.

        Archived and disabled ones are listed only if they are named. An owner where the App is not installed is one
        entry, named like the pattern.
        """
        by_owner: dict[str, list[str]] = defaultdict(list)
        for pattern in self._include:
            by_owner[pattern.partition("/")[0]].append(pattern)
        found: dict[str, SourceRepository] = {}
        for owner, patterns in by_owner.items():
            try:
                found |= {repository.name: repository for repository in self._of_owner(owner, patterns)}
            except NotInstalled as fault:
                found |= {pattern: SourceRepository(name=pattern, fault=str(fault)) for pattern in patterns}
        return [found[name] for name in sorted(found)]

    def tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        """List all files and links of a commit, in path order."""
        return self._tree(full(known(repository), commit), commit)

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Read files of a commit, each compared with its object id; a path that is not there is left out."""
        wanted = set(paths)
        return {e.path: self._read(repository, e) for e in self.tree(repository, commit) if e.path in wanted}

    @contextmanager
    def checkout(self, repository: str, commit: str) -> Iterator[Path]:
        """Give the files of a commit in a temporary folder, without links that leave it and without submodules.

        One commit is fetched by git, because an archive would leave out what `export-ignore` says.
        """
        url = self._github.site.clone_url(full(known(repository), commit))
        with (
            fetched(repository, url, commit, self._github.token(repository)) as bare,
            TemporaryDirectory(prefix="refrom-") as name,
            bare.objects() as objects,
        ):
            folder = Path(name).resolve()
            export(repository, bare.files(commit), objects, folder)
            yield folder

    def _of_owner(self, owner: str, patterns: Sequence[str]) -> Iterator[SourceRepository]:
        named = [pattern for pattern in patterns if not _GLOB & set(pattern)]
        if len(named) < len(patterns):
            for listed in self._github.owned(owner):
                name = listed.name_with_owner.casefold()  # the case of names does not matter to GitHub
                matches = any(fnmatchcase(name, pattern.casefold()) for pattern in patterns)
                if matches and not listed.is_archived and not listed.is_disabled:
                    yield _describe(listed.name_with_owner, listed)
        for name, found in self._github.named(named):
            yield (
                SourceRepository(name=name, fault=str(found)) if isinstance(found, Refusal) else _describe(name, found)
            )

    def _fetch_tree(self, repository: str, commit: str) -> tuple[TreeEntry, ...]:
        entries = [entry for entry in self._github.tree(repository, commit) if entry.type == "blob"]
        return tuple(
            TreeEntry(path=entry.path, mode=entry.mode, id=entry.sha, size=entry.size)
            for entry in sorted(entries, key=lambda entry: entry.path)
        )

    def _read(self, repository: str, entry: TreeEntry) -> bytes:
        """Read a file and compare it with its object id (git hashes `blob`, the size and the content)."""
        content = self._github.blob(repository, entry.id)
        made = hashlib.new("sha1" if len(entry.id) == 40 else "sha256", usedforsecurity=False)
        made.update(b"blob %d\0" % len(content) + content)
        if made.hexdigest() != entry.id:
            raise ForgeError(f"{repository}: {entry.path!r} came with other bytes than its id says; run again later")
        return content


def _describe(name: str, found: Repository) -> SourceRepository:
    now, branch = found.name_with_owner, found.default_branch_ref
    if now.casefold() != name.casefold():
        return SourceRepository(name=name, fault=f"it is {now} now; write that under include")
    if found.is_archived or found.is_disabled:
        return SourceRepository(name=now, fault="it is archived or disabled; take it from include")
    if branch is None or branch.target is None:
        return SourceRepository(name=now, fault="it is empty; push a first commit")
    return SourceRepository(name=now, default_branch=branch.name, commit=branch.target.oid)

"""Which repositories of a GitHub are handled: those that are named, and what patterns find and filters keep."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from bot.adapters.forge.github.calls import BRANCHES, GitHub
from bot.adapters.forge.github.refusals import OwnerFault
from bot.adapters.forge.github.wire import Branch, Repository
from bot.core.errors import ForgeError
from bot.ports.forge import OwnBranch, SourceRepository

_GLOB: Final = frozenset("*?[")
_READ_ONLY: Final = "it is archived, so nothing can be written to it; unarchive it, or exclude it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is kept of the repositories that a pattern finds; a named one is kept unless `exclude` matches it.

    Of `topics` it must have one, of `exclude_topics` none. `visibility` lists public, private and internal; none of
    them is all.
    """

    exclude: Sequence[str] = ()
    topics: Sequence[str] = ()
    exclude_topics: Sequence[str] = ()
    forks: bool = False
    archived: bool = False
    visibility: Sequence[str] = ()

    def excludes(self, name: str) -> bool:
        """Say whether a name is excluded, whatever is known of the repository."""
        return _matches(name, self.exclude)

    def keeps(self, found: Repository) -> bool:
        """Say whether a repository that a pattern found is kept."""
        return (
            not found.is_disabled
            and (self.archived or not found.is_archived)
            and (self.forks or not found.is_fork)
            and (not self.topics or bool(found.topics & {*self.topics}))
            and not found.topics & {*self.exclude_topics}
            and (not self.visibility or found.visibility.lower() in self.visibility)
        )


class Listing:
    """Lists repositories with the commit of their default branch and the branches that begin with `branches`."""

    def __init__(self, github: GitHub, include: Sequence[str], filters: Filters, branches: str) -> None:
        self._github, self._include, self._filters, self._own = github, tuple(include), filters, branches

    def repositories(self) -> Sequence[SourceRepository]:
        """List them in the order of their names; what is wrong with one is its `fault`."""
        by_owner: dict[str, list[str]] = defaultdict(list)
        for pattern in self._include:
            by_owner[pattern.partition("/")[0]].append(pattern)
        found: dict[str, SourceRepository] = {}
        for owner, patterns in by_owner.items():
            try:
                found |= {repository.name: repository for repository in self._of_owner(owner, patterns)}
            except OwnerFault as fault:
                found |= {pattern: SourceRepository(name=pattern, fault=str(fault)) for pattern in patterns}
        return [found[name] for name in sorted(found)]

    def _of_owner(self, owner: str, patterns: Sequence[str]) -> Iterator[SourceRepository]:
        named = [name for name in patterns if not _GLOB & set(name) and not self._filters.excludes(name)]
        if any(_GLOB & set(pattern) for pattern in patterns):
            for listed in self._github.owned(owner, self._own):
                name = listed.name_with_owner
                wanted = _matches(name, patterns) and not self._filters.excludes(name) and self._filters.keeps(listed)
                if wanted and not listed.is_empty:
                    yield self._describe(name, listed)
        for name, one in self._github.named(named, self._own):
            yield SourceRepository(name=name, fault=str(one)) if isinstance(one, ForgeError) else self._named(name, one)

    def _named(self, name: str, found: Repository) -> SourceRepository:
        """Describe a repository that stands in the settings by its name."""
        now = found.name_with_owner
        if now.casefold() != name.casefold():
            return SourceRepository(name=name, fault=f"it is {now} now; write that under include")
        if found.is_empty:
            return SourceRepository(name=now, fault="it is empty; push a first commit")
        return self._describe(now, found)

    def _describe(self, name: str, found: Repository) -> SourceRepository:
        branch = found.default_branch_ref
        if found.is_disabled:
            return SourceRepository(name=name, fault="GitHub has disabled it; take it from include")
        if branch is None or branch.target is None:
            return SourceRepository(name=name, fault="it has no default branch; choose one in its settings on GitHub")
        return SourceRepository(
            name=name,
            default_branch=branch.name,
            commit=branch.target.oid,
            read_only=_READ_ONLY if found.is_archived else "",
            branches=tuple(sorted(self._own_branches(name, found), key=lambda own: own.name)),
        )

    def _own_branches(self, name: str, found: Repository) -> Iterator[OwnBranch]:
        """Pick our branches from those that GitHub found, whose names may have the word anywhere."""
        if found.refs is None:
            return
        page, beginning = found.refs.page_info, f"{BRANCHES}{self._own}"
        branches: list[Branch] = [*found.refs.nodes]
        if page.has_next_page:
            branches += self._github.own_branches(name, self._own, page.end_cursor)
        for branch in branches:
            if f"{branch.prefix}{branch.name}".startswith(beginning):
                opened = branch.associated_pull_requests.nodes
                own = f"{branch.prefix}{branch.name}".removeprefix(BRANCHES)
                yield OwnBranch(name=own, opened=opened[0].created_at if opened else None)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the globs is for a name, whose case does not matter to GitHub."""
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)

"""A forge on GitHub: what repositories there are, and what they hold."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.adapters.forge.entries import SUBMODULE, TreeEntry
from bot.adapters.forge.export import export
from bot.adapters.forge.github.calls import GitHub
from bot.adapters.forge.github.fetching import fetched
from bot.adapters.forge.github.listing import Filters, Listing
from bot.adapters.forge.github.pulls import CommitWith, GitHubPullRequests, full, known
from bot.adapters.forge.github.reading import Reader
from bot.adapters.forge.github.walking import Walker
from bot.adapters.forge.github.workflows import WorkflowJobs, WorkflowRuns
from bot.core.errors import ForgeError
from bot.ports.forge import SourceRepository, Sources


class GitHubForge(GitHubPullRequests):
    """Source repositories on one GitHub; implements `Forge` and `PullRequests`.

    `include` are names such as `acme/orders`, and patterns such as `acme/*` whose owner is literal; `filters` choose
    among what the patterns find. `branches` is how the names of our branches begin.
    """

    def __init__(
        self,
        github: GitHub,
        include: Sequence[str],
        filters: Filters | None = None,
        branches: str = "refrom/",
        *,
        commit_with: CommitWith = "api",
    ) -> None:
        super().__init__(github, commit_with)
        self._listing = Listing(github, include, filters or Filters(), branches)
        self._walker = Walker(github)
        self._reader = Reader(github, self._walker, branches)
        self._tree = lru_cache(maxsize=8)(self._fetch_tree)

    def jobs(self, workflow: str) -> WorkflowJobs:
        """Builds by a workflow of the source repositories."""
        return WorkflowJobs(self._github, workflow)

    def pipeline(self, workflow: str) -> WorkflowRuns:
        """Deployments by a workflow of the source repositories."""
        return WorkflowRuns(self._github, workflow)

    # Forge

    def repositories(self) -> Sequence[SourceRepository]:
        """List the repositories in the order of their names; what is wrong with one is its `fault`.

        An owner that cannot be served, because the App is not installed there or GitHub knows none of that name, is
        an entry for each pattern, named like it.
        """
        return self._listing.repositories()

    def sources(
        self, repositories: Sequence[SourceRepository], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[SourceRepository, Sources | ForgeError]]:
        """Read the wanted files of many commits, without cloning; each is compared with its object id."""
        sound = []
        for repository in repositories:
            try:
                full(known(repository.name), repository.commit)
                sound.append(repository)
            except ForgeError as fault:
                yield repository, fault
        yield from self._reader.sources(sound, wanted)

    def tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        """List all files, links and submodules of a commit, in path order."""
        return self._tree(full(known(repository), commit), commit)

    def read(self, repository: str, commit: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Read files of a commit, each compared with its object id; a path that is not there is left out."""
        wanted = set(paths)
        entries = [entry for entry in self.tree(repository, commit) if entry.path in wanted]
        return self._reader.contents(repository, [entry for entry in entries if entry.mode != SUBMODULE])

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

    def _fetch_tree(self, repository: str, commit: str) -> Sequence[TreeEntry]:
        (found,) = self._walker.walk([(repository, commit)], lambda _: True)
        if isinstance(found, ForgeError):
            raise found
        return found.entries
